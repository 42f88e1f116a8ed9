"""The accounts of the demonstration: six people of the invented city, each at another desk. They have no password; a
demonstration's sign-in page lets anybody in as one of them, and no real ledger does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger import accounts
from ledger.database import Session
from ledger.queries.accounts import PERSONA
from policy_models.access import Grant, Role
from policy_models.plan_file import Pack
from policy_models.units import Units


@dataclass(frozen=True, slots=True)
class Persona:
    """``unit``: a code, "" for everywhere."""

    word: str
    display_name: str
    role: Role
    unit: str


def personas(pack: Pack) -> tuple[Persona, ...]:
    """Who can be tried, in the order in which they are offered."""
    bureau, schools = (pack.plan.organs[name] for name in (pack.plan.coordinator, "教育局"))
    reviewer = _county_office(pack.units, pack.units[bureau].function)
    township = next(unit for unit in pack.units.values() if unit.level.value == "township" and unit.function is None)
    return (
        Persona("统筹员", "统筹员（市民政局）", Role.COORDINATOR, bureau),
        Persona("审核员", "旗县区审核员", Role.REVIEWER, reviewer),
        Persona("乡镇联络员", "苏木乡镇街道联络员", Role.LIAISON, township.code),
        Persona("部门联络员", "联络员（市教育局）", Role.LIAISON, schools),
        Persona("管理员", "管理员", Role.ADMINISTRATOR, ""),
        Persona("监督员", "监督员（只读）", Role.AUDITOR, ""),
    )


def _county_office(units: Units, function: object) -> str:
    """The county department in the coordinator's line of work of the first county that has one."""
    counties = {unit.code for unit in units.counties}
    found = (unit for unit in units.values() if unit.parent in counties and unit.function is function)
    return next(found).code


def open_accounts(session: Session, pack: Pack, now: datetime) -> None:
    """Make them all at an instant."""
    for one in personas(pack):
        made = accounts.create_account(session, f"{PERSONA}{one.word}", one.display_name, now)
        accounts.set_grants(session, made, [Grant(one.role, one.unit)], now)
