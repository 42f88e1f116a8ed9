"""Loading a plan pack, or its changes, into the ledger: one transaction, idempotent, reported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from ledger import timetables
from ledger.calendar_entries import overlaid
from ledger.civil import civil_date
from ledger.database import Session
from ledger.plans import requirement_ids
from ledger.tables import assignee
from ledger.tables import plan as plan_table
from ledger.tables import requirement as requirement_table
from ledger.units import all_units, save_units, units_digest
from policy_models import calendar_file
from policy_models.calendars import Calendars
from policy_models.errors import PlanInvalid, ReasonMissing
from policy_models.ladder import ladder_of
from policy_models.plan import Level, Plan, Requirement
from policy_models.plan_checks import check_plan
from policy_models.plan_file import Pack
from policy_models.timing import CatchUp
from policy_models.units import Units
from policy_models.work_items import task_number


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What loading did (or would do): units and requirements added, items created, moved to new dates, cancelled."""

    units_added: int
    requirements_added: int
    requirements_changed: int
    requirements_dropped: int
    items_added: int
    items_moved: int
    items_cancelled: int

    @property
    def nothing(self) -> bool:
        return not any(getattr(self, name) for name in self.__dataclass_fields__)


NOTHING = LoadReport(0, 0, 0, 0, 0, 0, 0)


def load_plan(
    session: Session,
    pack: Pack,
    *,
    now: datetime,
    go_live_on: date | None = None,
    catch_up: CatchUp = CatchUp.BACKFILL,
    reason: str | None = None,
    demonstration: bool = False,
) -> LoadReport:
    """Load a pack, or its changes, in the caller's one transaction; a second time changes nothing.

    What was entered on pages (``calendar_entries``) counts before the pack's calendars of the same name.

    ``go_live_on`` (default: today) and ``catch_up`` decide about what is dated before; both are kept from the first
    load. Raises PlanInvalid, UnitsInvalid, ReasonMissing (waiving the past needs a reason).
    """
    if catch_up is CatchUp.WAIVE and not (reason and reason.strip()):
        raise ReasonMissing("豁免此前的事项须写明理由")
    units_added = save_units(session, pack.units.values(), now=now, replace=False).added
    units, texts = all_units(session), overlaid(session, pack.calendar_texts)
    calendars = pack.calendars if texts == pack.calendar_texts else calendar_file.parse_texts(texts)
    if findings := check_plan(pack.plan, units, calendars):
        raise PlanInvalid([pack.fault(finding) for finding in findings])
    digest = plan_digest(pack.plan, calendars, units)
    known = session.execute(select(plan_table).where(plan_table.c.code == pack.plan.code)).one_or_none()
    if known is not None and known.digest == digest:
        return NOTHING
    settled = {
        "go_live_on": go_live_on or civil_date(now),
        "catch_up": catch_up.value,
        "catch_up_reason": reason,
        "demonstration": demonstration,
    }
    plan_id = _save_plan(session, pack, texts, digest, known, now, settled)
    added, changed, dropped = _save_requirements(session, plan_id, pack.plan)
    timetables.save(session, plan_id, pack.plan, units, calendars)
    items = timetables.reconcile(session, pack.plan.code, now=now)
    return LoadReport(units_added, added, changed, dropped, items.added, items.moved, items.cancelled)


def plan_digest(plan: Plan, calendars: Calendars, units: Units) -> str:
    """SHA-256 of all that a plan's items follow from: equal digest, nothing to load."""
    document = hashlib.sha256(plan.model_dump_json().encode()).hexdigest()
    return hashlib.sha256(f"{document}|{calendars.digest}|{units_digest(units)}".encode()).hexdigest()


def _save_plan(
    session: Session,
    pack: Pack,
    texts: dict[str, str],
    digest: str,
    known: Row[Any] | None,
    now: datetime,
    settled: dict[str, Any],
) -> int:
    calendars = json.dumps(texts, ensure_ascii=False, sort_keys=True)
    values: dict[str, Any] = {
        "revision": pack.plan.revision,
        "title": pack.plan.title,
        "starts_on": pack.plan.starts_on,
        "ends_on": pack.plan.ends_on,
        "coordinator": pack.plan.organs[pack.plan.coordinator],
        "document": pack.plan.model_dump_json(),
        "calendars": calendars,
        "digest": digest,
        "loaded_at": now,
    }
    if known is None or known.calendars != calendars:
        values["calendars_changed_at"] = now
    if known is None:
        result = session.execute(insert(plan_table).values(code=pack.plan.code, **values, **settled))
        return int(result.inserted_primary_key[0])  # type: ignore[index]
    values["version"] = plan_table.c.version + 1
    session.execute(update(plan_table).where(plan_table.c.id == known.id).values(values))
    return int(known.id)


def _save_requirements(session: Session, plan_id: int, plan: Plan) -> tuple[int, int, int]:
    rows = session.execute(select(requirement_table).where(requirement_table.c.plan_id == plan_id))
    known = {row.code: row for row in rows}
    wanted = {r.code: _requirement_row(plan_id, section, r) for section, r in plan.requirements()}
    new = [row for code, row in wanted.items() if code not in known]
    changed = [
        {"_id": known[code].id, **row}
        for code, row in wanted.items()
        if code in known and any(getattr(known[code], name) != value for name, value in row.items())
    ]
    gone = [row.id for code, row in known.items() if code not in wanted and not row.dropped]
    if new:
        session.execute(insert(requirement_table), new)
    if changed:
        fields: dict[str, Any] = {
            name: bindparam(name) for name in changed[0] if name not in ("_id", "plan_id", "code")
        }
        statement = update(requirement_table).where(requirement_table.c.id == bindparam("_id")).values(fields)
        session.execute(statement, [{k: v for k, v in row.items() if k not in ("plan_id", "code")} for row in changed])
    if gone:
        session.execute(update(requirement_table).where(requirement_table.c.id.in_(gone)).values(dropped=True))
    _save_assignees(session, plan_id, plan)
    return len(new), len(changed), len(gone)


def _requirement_row(plan_id: int, section: str, requirement: Requirement) -> dict[str, Any]:
    return {
        "plan_id": plan_id,
        "code": requirement.code,
        "section": section,
        "task": task_number(section),
        "kind": requirement.kind.value,
        "cadence": requirement.cadence,
        "ladder": ladder_of(requirement),
        "review": requirement.review.value,
        "collects": requirement.collects.value if requirement.collects else "",
        "title": requirement.title,
        "dropped": False,
    }


def _save_assignees(session: Session, plan_id: int, plan: Plan) -> None:
    ids = requirement_ids(session, plan_id)
    session.execute(assignee.delete().where(assignee.c.requirement_id.in_(ids.values())))
    rows: list[dict[str, Any]] = []
    for _, requirement in plan.requirements():
        owed_by, row_id = requirement.assignee, ids[requirement.code]
        for name in owed_by.units:
            rows.append(
                {"requirement_id": row_id, "unit_code": plan.organs.get(name, name), "level": None, "function": None}
            )
        levels: Sequence[Level] = [] if owed_by.units else [owed_by.level] if owed_by.level else list(Level)
        for level in levels:
            for function in owed_by.function or ("",):
                rows.append(
                    {"requirement_id": row_id, "unit_code": None, "level": level.value, "function": str(function)}
                )
    session.execute(insert(assignee), rows)
