"""邮箱登记: whose address is whose. Office addresses only; one address belongs to one unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update

from ledger.database import Session
from ledger.tables import unit, unit_address
from policy_models.errors import ActNotAllowed, NotFound
from policy_models.letters import canonical_address


@dataclass(frozen=True, slots=True)
class AddressReport:
    """What an import changed, and how many addresses there are now."""

    added: int
    changed: int
    total: int


@dataclass(frozen=True, slots=True)
class KnownAddress:
    address: str
    unit_code: str
    unit_name: str
    added_at: datetime


def save_addresses(session: Session, addresses: Mapping[str, str], *, now: datetime) -> AddressReport:
    """Take over addresses (canonical) with the codes of their units; what is not named stays. A few statements."""
    known = {row.address: row.unit_code for row in session.execute(select(unit_address))}
    fresh = [one for one in addresses if one not in known]
    moved = [one for one, code in addresses.items() if one in known and known[one] != code]
    for code in sorted({addresses[one] for one in moved}):
        these = [one for one in moved if addresses[one] == code]
        session.execute(update(unit_address).where(unit_address.c.address.in_(these)).values(unit_code=code))
    if fresh:
        rows = [{"address": one, "unit_code": addresses[one], "added_at": now} for one in fresh]
        session.execute(insert(unit_address), rows)
    return AddressReport(len(fresh), len(moved), len(known) + len(fresh))


def register(session: Session, address: str, unit_code: str, *, now: datetime) -> None:
    """From now on letters from this address are the unit's. Raises ActNotAllowed for what is no address, NotFound."""
    canonical = canonical_address(address)
    if not canonical:
        raise ActNotAllowed("不是完整的邮箱地址，不能登记")
    if session.execute(select(unit.c.code).where(unit.c.code == unit_code)).first() is None:
        raise NotFound(f"没有代码为 {unit_code} 的单位")
    save_addresses(session, {canonical: unit_code}, now=now)


def addresses(session: Session) -> tuple[KnownAddress, ...]:
    """Every known address, by unit."""
    rows = session.execute(
        select(unit_address, unit.c.name.label("unit_name"))
        .join(unit, unit.c.code == unit_address.c.unit_code)
        .order_by(unit_address.c.unit_code, unit_address.c.address)
    )
    return tuple(KnownAddress(row.address, row.unit_code, row.unit_name, row.added_at) for row in rows)


def count(session: Session) -> int:
    return int(session.execute(select(func.count()).select_from(unit_address)).scalar_one())
