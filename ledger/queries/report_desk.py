"""One report as its unit and its reviewer see it now: draft, figures, check-lists, what was handed in and what was said
of it, last half-year's text. A fixed number of statements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from ledger.database import Session
from ledger.queries.reading import Reading
from ledger.queries.reports import report_figures, section_text
from ledger.report_scope import Report, ReportScope, report_of
from ledger.rounds import Round
from ledger.tables import report, report_draft, report_section, round_, section_review, work_item
from ledger.units import all_units
from policy_models.lifecycle import OWED, State
from policy_models.plan import Requirement
from policy_models.reports import PROGRESS, WHOLE_NAMES, Figure, SectionText, Verdict, section_title, unfinished
from policy_models.rounds import previous_code


@dataclass(frozen=True, slots=True)
class Draft:
    """A section as it is saved in the draft: ``version`` 0 where nothing was saved yet."""

    text: str = ""
    answers: Mapping[str, str] | None = None
    version: int = 0
    saved_at: datetime | None = None
    saved_by: str = ""


@dataclass(frozen=True, slots=True)
class DeskSection:
    """One section with all that lies beside it. ``figures`` stand as of now, those of ``handed`` as they stood then;
    ``handed`` is the last submission, ``earlier`` the one before it; ``verdict`` is of the last submission and
    ``earlier_verdict`` of the one before; ``before``: last half-year's. ``lacking``: what keeps it from being done."""

    name: str
    title: str
    draft: Draft
    figures: tuple[Figure, ...]
    checklist: tuple[Requirement, ...]
    lacking: str | None
    handed: SectionText | None
    earlier: SectionText | None
    verdict: Verdict | None
    earlier_verdict: Verdict | None
    before: SectionText | None


@dataclass(frozen=True)
class ReportDesk:
    """``revision``: with which it was last handed in, None before; ``reason``: of the last return; ``before_code``:
    the half-year that ``before`` of the sections is of, None where the unit handed in none."""

    report: Report
    scope: ReportScope
    sections: tuple[DeskSection, ...]
    revision: int | None
    reason: str | None
    remind_by: date
    before_code: str | None

    @property
    def round(self) -> Round:
        return self.report.round

    @property
    def state(self) -> State:
        return self.report.item.state

    @property
    def is_writable(self) -> bool:
        """Whether it is the unit's turn and the round is open."""
        return self.state in OWED and not self.round.is_closed

    @property
    def lacking(self) -> tuple[DeskSection, ...]:
        return tuple(one for one in self.sections if one.lacking)

    @property
    def returned(self) -> tuple[DeskSection, ...]:
        """The sections of the last submission that the reviewer returned."""
        return tuple(one for one in self.sections if one.verdict and one.verdict.verdict == "returned")

    def section(self, name: str) -> DeskSection | None:
        return next((one for one in self.sections if one.name == name), None)


def report_desk(session: Session, reading: Reading, round_code: str, unit_code: str) -> ReportDesk:
    """The report of a unit in a round. Raises NotFound."""
    found = report_of(session, reading.summary.code, round_code, unit_code)
    units = all_units(session)
    scope = ReportScope(reading.plan, units.one(found.item.unit), units, found.round)
    drafts = _drafts(session, found.id)
    texts, verdicts = _submissions(session, found.id), _verdicts(session, found.id)
    revisions = sorted(texts, reverse=True)
    last, earlier = [*revisions, 0, 0][:2]
    before_code, before = _before(session, found)
    figures = report_figures(session, found.item.plan_id, scope, whole=[PROGRESS])
    drafted = {name: SectionText(name, one.text, one.answers or {}) for name, one in drafts.items()}
    lacking = unfinished(scope.sections, drafted, scope.checklists)
    sections = tuple(
        DeskSection(
            name=name,
            title=section_title(scope.plan, name),
            draft=drafts.get(name, Draft()),
            figures=figures.get(name, ()),
            checklist=scope.checklists.get(name, ()),
            lacking=lacking.get(name),
            handed=texts.get(last, {}).get(name),
            earlier=texts.get(earlier, {}).get(name),
            verdict=verdicts.get((last, name)),
            earlier_verdict=verdicts.get((earlier, name)),
            before=before.get(name),
        )
        for name in _names(scope, {*drafts, *texts.get(last, {})})
    )
    reason = session.execute(select(work_item.c.reason).where(work_item.c.id == found.item.id)).scalar()
    remind_by = reading.calendars.work.on_or_before(found.item.deadline)
    return ReportDesk(found, scope, sections, last or None, reason, remind_by, before_code)


def _names(scope: ReportScope, there: set[str]) -> list[str]:
    """The sections asked for, with what came by letter or belongs to an earlier revision of the plan in its place."""
    others = sorted(there - set(scope.sections) - {PROGRESS})
    middle = [name for name in scope.sections if name not in WHOLE_NAMES] + others
    first, last = scope.sections[:1], scope.sections[-3:]
    return [*first, *([PROGRESS] if PROGRESS in there else []), *middle, *last]


def _drafts(session: Session, report_id: int) -> dict[str, Draft]:
    rows = session.execute(select(report_draft).where(report_draft.c.report_id == report_id))
    return {
        row.section: Draft(row.text, json.loads(row.answers), row.version, row.saved_at, row.saved_by) for row in rows
    }


def _submissions(session: Session, report_id: int) -> dict[int, dict[str, SectionText]]:
    """What was handed in, by revision and section."""
    found: dict[int, dict[str, SectionText]] = {}
    chosen = select(report_section).where(report_section.c.report_id == report_id).order_by(report_section.c.id)
    for row in session.execute(chosen):
        found.setdefault(row.revision, {})[row.section] = section_text(row)
    return found


def _verdicts(session: Session, report_id: int) -> dict[tuple[int, str], Verdict]:
    rows = session.execute(select(section_review).where(section_review.c.report_id == report_id))
    return {(row.revision, row.section): Verdict(row.verdict, row.reason, row.by_name, row.at) for row in rows}


def _before(session: Session, found: Report) -> tuple[str | None, dict[str, SectionText]]:
    """The unit's report of the half-year before, as it was last handed in."""
    code = previous_code(found.round.code)
    mine = (
        round_.c.plan_id == found.item.plan_id,
        round_.c.code == code,
        report.c.unit_code == found.item.unit,
    )
    of_it = select(report.c.id).join(round_, round_.c.id == report.c.round_id).where(*mine).scalar_subquery()
    last = select(func.max(report_section.c.revision)).where(report_section.c.report_id == of_it).scalar_subquery()
    rows = session.execute(
        select(report_section).where(report_section.c.report_id == of_it, report_section.c.revision == last)
    )
    texts = {row.section: section_text(row) for row in rows}
    return (code if texts else None), texts


def plan_tasks(scope: ReportScope) -> int:
    """How many tasks of the plan the report tells of."""
    return sum(name.startswith("task-") for name in scope.sections)
