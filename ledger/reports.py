"""半年报告: written section by section, handed in whole, taken back. The report is the submission of its work item, so
open, submitted, returned and accepted are the item's states and there are no others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger import drafts, submissions
from ledger.acts import Actor
from ledger.database import Session
from ledger.queries.reports import figures_json, report_figures
from ledger.report_scope import Report, ReportScope, report_of, scope_of
from ledger.rounds import ONLY_COORDINATOR
from ledger.screenings import require_clean
from ledger.tables import draft_evidence, report_draft, report_section, section_review, work_item
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    EvidenceMissing,
    Fault,
    Faulty,
    NotFound,
    NotResponsible,
)
from policy_models.evidence import Evidence
from policy_models.lifecycle import OWED, STATE_NAMES, State
from policy_models.plan import EvidenceType
from policy_models.reports import ANSWER_LIMIT, PROGRESS, TEXT_LIMIT, SectionText, section_title, unfinished
from policy_models.text import written

ONLINE = "半年工作进展情况报告（在线填报）"
BY_LETTER = "半年工作进展情况报告（来信报送）"
CLOSED = "本期报送已结束，如需补报请联系统筹单位"
STALE = "这一节刚刚由他人保存过，您的文字没有保存：请与已保存的内容核对后再保存"
REVIEWING = "审核已经开始，不能撤回；需要修改的，请联系审核单位退回"


@dataclass(frozen=True, slots=True)
class Saved:
    """A section of the draft was saved: its new version, and when (UTC)."""

    version: int
    at: datetime


def save_section(
    session: Session,
    plan_code: str,
    round_code: str,
    unit_code: str,
    section: str,
    *,
    text: str,
    answers: Mapping[str, str],
    version: int,
    by: Actor,
    now: datetime,
) -> Saved:
    """Save one section of the draft. ``version``: the one the writer has before him, 0 where there was none.

    The unit itself may, or its superior for it. Raises NotFound, NotResponsible, PrivacyBlocked, Faulty (too long),
    ActNotAllowed (handed in, or the round closed), ChangedMeanwhile when another version was saved in between.
    """
    found = _writable(session, plan_code, round_code, unit_code, by)
    scope = scope_of(session, found)
    words = _checked(scope, section, written(text), {code: written(told) for code, told in answers.items()})
    require_clean(_every_word(scope, [words], by))
    values = {
        "text": words.text,
        "answers": json.dumps(words.answers, ensure_ascii=False),
        "version": version + 1,
        "saved_at": now,
        "saved_by": by.name,
    }
    mine = (report_draft.c.report_id == found.id, report_draft.c.section == section)
    if version == 0:
        _insert_draft(session, {"report_id": found.id, "section": section, **values})
    elif not session.execute(
        update(report_draft).where(*mine, report_draft.c.version == version).values(values)
    ).rowcount:
        raise ChangedMeanwhile(STALE)
    return Saved(version + 1, now)


def _insert_draft(session: Session, values: dict[str, Any]) -> None:
    try:
        with session.begin_nested():
            session.execute(insert(report_draft).values(values))
    except IntegrityError as error:
        raise ChangedMeanwhile(STALE) from error


def _writable(session: Session, plan_code: str, round_code: str, unit_code: str, by: Actor) -> Report:
    """The report, where this actor may write it now. Held until the end, so that nobody hands it in meanwhile."""
    found = report_of(session, plan_code, round_code, unit_code)
    submissions.owed(session, found.item.key, by)
    if found.round.is_closed:
        raise ActNotAllowed(CLOSED)
    if found.item.state not in OWED:
        raise ActNotAllowed(f"“{STATE_NAMES[found.item.state]}”的报告不能修改")
    session.execute(select(work_item.c.id).where(work_item.c.id == found.item.id).with_for_update())
    return found


def _checked(scope: ReportScope, section: str, text: str, answers: Mapping[str, str]) -> SectionText:
    """The section as it may be kept. Raises NotFound, Faulty."""
    if section not in (*scope.sections, PROGRESS):
        raise NotFound("这个单位的报告中没有这一节")
    asked = {one.code: one.title for one in scope.checklists.get(section, ())}
    if strange := set(answers) - set(asked):
        raise NotFound(f"这一节没有事项 {'、'.join(sorted(strange))[:40]}")
    title = section_title(scope.plan, section)
    faults = [Fault(title, None, "", f"共 {len(text)} 字，超过 {TEXT_LIMIT} 字")] if len(text) > TEXT_LIMIT else []
    for code, told in answers.items():
        if len(told) > ANSWER_LIMIT:
            faults.append(Fault(title, None, asked[code], f"共 {len(told)} 字，超过 {ANSWER_LIMIT} 字"))
    if faults:
        raise Faulty(faults)
    return SectionText(section, text, {code: told for code, told in answers.items() if told})


def _every_word(scope: ReportScope, sections: Iterable[SectionText], by: Actor) -> Iterator[tuple[str, str]]:
    titles = {one.code: one.title for asked in scope.checklists.values() for one in asked}
    for one in sections:
        yield section_title(scope.plan, one.section), one.text
        for code, told in one.answers.items():
            yield titles.get(code, code), told
    yield "经办人", by.name


def submit(
    session: Session,
    plan_code: str,
    round_code: str,
    unit_code: str,
    *,
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> int:
    """Hand the draft in as it is saved, with the figures as they stand now; the item's new revision. Files lying in
    the item's own draft go with it.

    Raises NotFound, NotResponsible, EvidenceMissing (sections not finished), PrivacyBlocked, ActNotAllowed,
    ChangedMeanwhile.
    """
    found = _writable(session, plan_code, round_code, unit_code, by)
    scope = scope_of(session, found)
    texts = _drafted(session, found.id)
    wanted = [name for name in (*scope.sections, PROGRESS) if name in scope.sections or name in texts]
    lacking = unfinished(scope.sections, texts, scope.checklists)
    if lacking:
        told = "；".join(f"{section_title(scope.plan, name)}（{why}）" for name, why in lacking.items())
        raise EvidenceMissing(f"报告还不完整：{told}")
    sections = [texts.get(name) or SectionText(name, "") for name in wanted]
    require_clean(_every_word(scope, sections, by))
    files = [piece for piece in drafts.pieces(session, found.item.id) if piece.file is not None]
    evidence = [Evidence(EvidenceType.DOCUMENT, text=ONLINE), *(piece.evidence for piece in files)]
    revision = submissions.submit(session, found.item.key, by=by, evidence=evidence, now=now, note=note)
    taken = draft_evidence.c.id.in_([piece.id for piece in files])
    session.execute(delete(draft_evidence).where(draft_evidence.c.item_id == found.item.id, taken))
    _freeze(session, found, scope, sections, revision)
    return revision


def _drafted(session: Session, report_id: int) -> dict[str, SectionText]:
    """The saved draft by section. Held until the end, so that what is saved meanwhile is not overlooked."""
    rows = session.execute(select(report_draft).where(report_draft.c.report_id == report_id).with_for_update())
    return {row.section: SectionText(row.section, row.text, json.loads(row.answers)) for row in rows}


def _freeze(
    session: Session, found: Report, scope: ReportScope, sections: Sequence[SectionText], revision: int
) -> None:
    figures = report_figures(session, found.item.plan_id, scope, whole=[PROGRESS])
    rows = [
        {
            "report_id": found.id,
            "revision": revision,
            "section": one.section,
            "text": one.text,
            "answers": json.dumps(dict(one.answers), ensure_ascii=False),
            "figures": figures_json(figures.get(one.section, ())),
        }
        for one in sections
    ]
    session.execute(insert(report_section), rows)


def submit_received(
    session: Session,
    plan_code: str,
    round_code: str,
    unit_code: str,
    sections: Mapping[str, str],
    *,
    files: Sequence[tuple[int, str]],
    by: Actor,
    received_on: date,
    now: datetime,
) -> int:
    """Hand in a report that came by letter, as the coordinator confirmed it; the item's new revision. It counts as
    handed in on ``received_on``. ``files``: id and name of what came with it.

    What the unit has written online stays in its draft. Raises NotFound, NotResponsible (only the coordinator may),
    EvidenceMissing (no word in it), Faulty, PrivacyBlocked, ActNotAllowed, ChangedMeanwhile.
    """
    found = _writable(session, plan_code, round_code, unit_code, by)
    if by.unit != found.item.coordinator:
        raise NotResponsible(ONLY_COORDINATOR.replace("启动和结束", "代为确认来信"))
    scope = scope_of(session, found)
    order = (*scope.sections[:1], PROGRESS, *scope.sections[1:])
    if strange := set(sections) - set(order):
        raise NotFound(f"这个单位的报告中没有这一节：{'、'.join(sorted(strange))[:40]}")
    given = [_checked(scope, name, written(sections[name]), {}) for name in order if name in sections]
    if not any(one.text for one in given):
        raise EvidenceMissing("来信中没有可以作为报告正文的文字，请先整理后再确认")
    require_clean(_every_word(scope, given, by))
    evidence = [Evidence(EvidenceType.DOCUMENT, file_id=id, file_name=name) for id, name in files]
    evidence = evidence or [Evidence(EvidenceType.DOCUMENT, text=BY_LETTER)]
    revision = submissions.submit(session, found.item.key, by=by, evidence=evidence, now=now, received_on=received_on)
    _freeze(session, found, scope, given, revision)
    _keep_as_draft(session, found.id, given, by, now)
    return revision


def _keep_as_draft(session: Session, report_id: int, given: Sequence[SectionText], by: Actor, now: datetime) -> None:
    """Sections that nobody has written online lie in the draft from now on: there they are changed after a return."""
    there = set(session.execute(select(report_draft.c.section).where(report_draft.c.report_id == report_id)).scalars())
    rows = [
        {"report_id": report_id, "section": one.section, "text": one.text, "saved_at": now, "saved_by": by.name}
        for one in given
        if one.section not in there
    ]
    if rows:
        session.execute(insert(report_draft), rows)


def withdraw(session: Session, plan_code: str, round_code: str, unit_code: str, *, by: Actor, now: datetime) -> int:
    """Take a report back before its review has begun; the item's new revision. The draft is as it was.

    Raises NotFound, NotResponsible, ActNotAllowed (a section was reviewed, or it is not handed in), ChangedMeanwhile.
    """
    found = report_of(session, plan_code, round_code, unit_code)
    if found.item.state is State.SUBMITTED and reviewed_sections(session, found):
        raise ActNotAllowed(REVIEWING)
    return submissions.withdraw(session, found.item.key, by=by, now=now, by_section=True)


def reviewed_sections(session: Session, found: Report) -> frozenset[str]:
    """The sections of the last submission on which the reviewer has said something."""
    last = last_revision(session, found.id)
    of_it = (section_review.c.report_id == found.id, section_review.c.revision == last)
    return frozenset(session.execute(select(section_review.c.section).where(*of_it)).scalars())


def last_revision(session: Session, report_id: int) -> int | None:
    """The item's revision with which the report was last handed in; None before the first time."""
    mine = report_section.c.report_id == report_id
    found: int | None = session.execute(select(func.max(report_section.c.revision)).where(mine)).scalar()
    return found
