"""逐节审核: a report is looked at section by section, then accepted or sent back as a whole with what is wrong where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from ledger import reviews
from ledger.acts import Actor
from ledger.database import Session
from ledger.report_scope import Report, report_of, scope_of
from ledger.reports import last_revision
from ledger.screenings import require_clean
from ledger.tables import report_section, section_review, work_item
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, Fault, Faulty, NotFound, NotResponsible, ReasonMissing
from policy_models.lifecycle import State
from policy_models.reports import section_title
from policy_models.text import written

ACCEPTED, RETURNED = "accepted", "returned"
VERDICT_NAMES = {ACCEPTED: "通过", RETURNED: "退回"}
REASON_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Marked:
    """What the reviewer says of one section: accepted, or returned with a reason."""

    verdict: str
    reason: str = ""


def mark_sections(
    session: Session,
    plan_code: str,
    round_code: str,
    unit_code: str,
    marks: Mapping[str, Marked | None],
    *,
    by: Actor,
    now: datetime,
    seen: int,
) -> None:
    """Keep what the reviewer says of these sections; None takes it back. ``seen``: the revision he looked at.

    Raises NotFound, NotResponsible, ReasonMissing, PrivacyBlocked, ActNotAllowed (not waiting for review),
    ChangedMeanwhile (handed in anew, or taken back, in between).
    """
    found = _reviewable(session, plan_code, round_code, unit_code, by, seen)
    given = {name: _told(mark) for name, mark in marks.items() if mark is not None}
    titles = scope_of(session, found).plan
    for name, mark in given.items():
        if mark.verdict == RETURNED and not mark.reason:
            raise ReasonMissing(f"退回“{section_title(titles, name)}”须写明理由")
    require_clean([*((f"{section_title(titles, name)} 退回意见", mark.reason) for name, mark in given.items())])
    require_clean([("经办人", by.name)])
    of_it = (report_section.c.report_id == found.id, report_section.c.revision == seen)
    if set(marks) - set(session.execute(select(report_section.c.section).where(*of_it)).scalars()):
        raise NotFound("这份报告中没有这一节")
    mine = (section_review.c.report_id == found.id, section_review.c.revision == seen)
    known = {row.section: row for row in session.execute(select(section_review).where(*mine))}
    same = {
        n for n, m in given.items() if n in known and (known[n].verdict, known[n].reason or "") == (m.verdict, m.reason)
    }
    session.execute(delete(section_review).where(*mine, section_review.c.section.in_(set(marks) - same)))
    if fresh := [_row(found, seen, name, mark, by, now) for name, mark in given.items() if name not in same]:
        session.execute(insert(section_review), fresh)


def accept(
    session: Session,
    plan_code: str,
    round_code: str,
    unit_code: str,
    *,
    by: Actor,
    now: datetime,
    seen: int,
    note: str | None = None,
) -> int:
    """Accept the whole report; the item's new revision. Raises ActNotAllowed while a section is marked as returned,
    and as ``mark_sections``."""
    found = _reviewable(session, plan_code, round_code, unit_code, by, seen)
    if returned := _returned(session, found, seen):
        raise ActNotAllowed(f"有 {len(returned)} 节标为退回，不能通过：请退回修改，或先取消这些标记")
    return reviews.accept(session, found.item.key, by=by, now=now, note=note, seen=found.item.revision)


def send_back(
    session: Session, plan_code: str, round_code: str, unit_code: str, *, by: Actor, now: datetime, seen: int
) -> int:
    """Send the report back for the sections marked as returned; the item's new revision. Its reason names each with
    what is wrong. Raises ReasonMissing where none is marked, and as ``mark_sections``."""
    found = _reviewable(session, plan_code, round_code, unit_code, by, seen)
    returned = _returned(session, found, seen)
    if not returned:
        raise ReasonMissing("请先标明退回哪几节，并写明理由")
    scope = scope_of(session, found)
    order = {name: place for place, name in enumerate(scope.sections)}
    named = sorted(returned.items(), key=lambda one: order.get(one[0], 1))
    reason = "；".join(f"{section_title(scope.plan, name)}：{why.rstrip('。；')}" for name, why in named)
    return reviews.send_back(session, found.item.key, by=by, now=now, reason=reason, seen=found.item.revision)


def _reviewable(session: Session, plan_code: str, round_code: str, unit_code: str, by: Actor, seen: int) -> Report:
    """The report, where this actor may review it and it still is what he saw. Held until the end."""
    found = report_of(session, plan_code, round_code, unit_code)
    if not reviews.may_review(found.item, by.unit):
        raise NotResponsible("您的单位不是这份报告的审核单位")
    if found.item.state is not State.SUBMITTED:
        raise ActNotAllowed("这份报告不在待审核状态，请刷新后再看")
    if last_revision(session, found.id) != seen:
        raise ChangedMeanwhile("这份报告在您查看之后重新报送过，请看过最新内容再审核")
    session.execute(select(work_item.c.id).where(work_item.c.id == found.item.id).with_for_update())
    return found


def _returned(session: Session, found: Report, seen: int) -> dict[str, str]:
    mine = (section_review.c.report_id == found.id, section_review.c.revision == seen)
    rows = session.execute(select(section_review).where(*mine, section_review.c.verdict == RETURNED))
    return {row.section: str(row.reason) for row in rows}


def _told(mark: Marked) -> Marked:
    if mark.verdict not in VERDICT_NAMES:
        raise NotFound(f"“{mark.verdict[:12]}”不是审核结论")
    reason = written(mark.reason) if mark.verdict == RETURNED else ""
    if len(reason) > REASON_LIMIT:
        raise Faulty([Fault("退回意见", None, "", f"共 {len(reason)} 字，超过 {REASON_LIMIT} 字")])
    return Marked(mark.verdict, reason)


def _row(found: Report, seen: int, name: str, mark: Marked, by: Actor, now: datetime) -> dict[str, object]:
    return {
        "report_id": found.id,
        "revision": seen,
        "section": name,
        "verdict": mark.verdict,
        "reason": mark.reason or None,
        "by_name": by.name,
        "at": now,
    }
