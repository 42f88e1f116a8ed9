"""报送: a unit hands in what it owes, or takes it back before it is reviewed. One item, or many at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert

from ledger import plans
from ledger.acts import Actor, Standing, act_on, act_on_each, standing, standings
from ledger.civil import civil_date
from ledger.database import Session
from ledger.pieces import columns_of
from ledger.screenings import require_clean
from ledger.tables import evidence as evidence_table
from policy_models.errors import ActNotAllowed, EvidenceMissing, Fault, Faulty, LuchengError, NotResponsible
from policy_models.evidence import TYPE_NAMES, Evidence, missing
from policy_models.lifecycle import Act, advance
from policy_models.plan import Collects, Requirement

TAKEN_BACK_BY_SECTION = "半年工作进展情况报告请在“报送”栏目撤回"
WRITTEN_BY_SECTION = "半年工作进展情况报告在“报送”栏目逐节填写后报送，所附材料已存入草稿，将随报告一并报送"
Handed = tuple[str, Sequence[Evidence], str | None]  # an item's key, its evidence, the note


def submit(
    session: Session,
    key: str,
    *,
    by: Actor,
    evidence: Sequence[Evidence],
    now: datetime,
    note: str | None = None,
    received_on: date | None = None,
) -> int:
    """Hand in an item with its evidence; the new revision. The unit itself may, or its superior for it.

    ``received_on``: the civil date by which it counts when it came by letter; else the day of ``now``.
    Raises NotFound, NotResponsible, EvidenceMissing, PrivacyBlocked, ActNotAllowed, ChangedMeanwhile.
    """
    item = owed(session, key, by)
    _check(item, plans.requirement(session, item.plan_code, item.requirement), by, evidence, note)
    today = civil_date(now)
    if received_on and received_on > today:
        raise ActNotAllowed(f"收到日期 {received_on} 晚于今日，请核对")
    facts = {} if item.first_submitted_on else {"first_submitted_on": received_on or today}
    revision = act_on(session, item, Act.SUBMIT, by=by, now=now, note=note, **facts)
    if evidence:
        session.execute(insert(evidence_table), [_row(item, revision, piece) for piece in evidence])
    return revision


def submit_all(session: Session, entries: Sequence[Handed], *, by: Actor, now: datetime) -> int:
    """Hand in many items, all or nothing, in a few statements for every 500; how many there were.

    Raises Faulty with a fault for each item that cannot be handed in (its key, and why: not the unit's to report,
    evidence missing, personal data, a state that allows it not, named twice); NotFound, ChangedMeanwhile.
    """
    items = standings(session, [key for key, _, _ in entries])
    codes = {item.plan_code for item in items}
    known = {(code, one.code): one for code in codes for _, one in plans.plan_document(session, code).requirements()}
    times = Counter(item.id for item in items)
    faults = []
    for item, (key, evidence, note) in zip(items, entries, strict=True):
        try:
            if times[item.id] > 1:
                raise ActNotAllowed("同一办理件在一次报送中出现了多次")
            _require_responsible(item, by)
            advance(item.state, Act.SUBMIT)
            require_not_report(known.get((item.plan_code, item.requirement)))
            _check(item, known.get((item.plan_code, item.requirement)), by, evidence, note)
        except LuchengError as error:
            faults.append(Fault(key, None, "", str(error)))
    if faults:
        raise Faulty(faults)
    notes = {item.id: note for item, (_, _, note) in zip(items, entries, strict=True)}
    act_on_each(session, items, Act.SUBMIT, by=by, now=now, notes=notes)
    rows = [
        _row(item, item.revision + 1, piece)
        for item, (_, pieces, _) in zip(items, entries, strict=True)
        for piece in pieces
    ]
    if rows:
        session.execute(insert(evidence_table), rows)
    return len(items)


def withdraw(
    session: Session, key: str, *, by: Actor, now: datetime, note: str | None = None, by_section: bool = False
) -> int:
    """Take a submission back before it is reviewed; the new revision. What was handed in lies in the draft again.

    ``by_section``: a half-year report's own verb takes it back, which knows whether its review has begun; from anywhere
    else a report is refused (ActNotAllowed). Errors as ``submit``.
    """
    require_clean([("撤回说明", note), ("经办人", by.name)])
    item = owed(session, key, by)
    if item.collects and not by_section:
        require_not_report(plans.requirement(session, item.plan_code, item.requirement), TAKEN_BACK_BY_SECTION)
    return act_on(session, item, Act.WITHDRAW, by=by, now=now, note=note)


def owed(session: Session, key: str, by: Actor) -> Standing:
    """The item, where this actor may report it: its unit, or the superior for it. Raises NotFound, NotResponsible."""
    item = standing(session, key)
    _require_responsible(item, by)
    return item


def require_not_report(requirement: Requirement | None, sentence: str = WRITTEN_BY_SECTION) -> None:
    """Raises ActNotAllowed for a half-year report: it is handed in from its own page, where its sections are."""
    if requirement is not None and requirement.collects is Collects.REPORT:
        raise ActNotAllowed(sentence)


def _require_responsible(item: Standing, by: Actor) -> None:
    if by.unit not in (item.unit, item.superior):
        raise NotResponsible("这一办理件由其他单位报送，您的单位不能代办")


def _check(
    item: Standing, requirement: Requirement | None, by: Actor, evidence: Sequence[Evidence], note: str | None
) -> None:
    """Raises ActNotAllowed for what a plan revision dropped, EvidenceMissing, PrivacyBlocked."""
    if requirement is None:
        raise ActNotAllowed(f"方案修订后已不再包含事项 {item.requirement}，无需报送")
    if wanted := missing(requirement.evidence, evidence, nothing_new=requirement.nothing_new):
        raise EvidenceMissing(f"还缺：{'、'.join(wanted)}")
    require_clean(words_of(evidence, note, by))


def words_of(evidence: Sequence[Evidence], note: str | None, by: Actor) -> Iterator[tuple[str, str | None]]:
    """Every word that people wrote into a submission, with where it stands."""
    for piece in evidence:
        yield TYPE_NAMES[piece.type], piece.text
        yield "文件名", piece.file_name
    yield "备注", note
    yield "经办人", by.name


def _row(item: Standing, revision: int, piece: Evidence) -> dict[str, Any]:
    return {"item_id": item.id, "revision": revision, **columns_of(piece)}
