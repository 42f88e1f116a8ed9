"""汇编 read from the ledger: everything that the compiled report says, just before an instant.

Only what never changes afterwards is read: entries, what was handed in, verdicts of a review that is over. So the same
instant gives the same facts, whatever happens later; names of units and the plan's words are those of today.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, select

from ledger import plans
from ledger.civil import civil_date, end_of_day
from ledger.database import Session
from ledger.queries.exemplars import ExemplarThen, exemplars_at
from ledger.queries.figures import figures
from ledger.queries.reports import handed_in
from ledger.queries.units import counties, unit_names
from ledger.replay import facts_of_items, is_late
from ledger.rounds import Round, round_of
from ledger.tables import requirement
from policy_models.compilation import (
    ActionPart,
    Amount,
    CasePart,
    Compilation,
    Indicator,
    Progress,
    SectionPart,
    Submitter,
    UnitText,
)
from policy_models.compilation_words import paragraphs
from policy_models.errors import ActNotAllowed
from policy_models.exemplars import ExemplarState
from policy_models.lifecycle import State
from policy_models.periods import period_name
from policy_models.plan import Plan, Requirement, Section
from policy_models.reports import (
    HIGHLIGHTS,
    NEXT,
    OVERVIEW,
    PROBLEMS,
    PROGRESS,
    AreaFigure,
    HandedIn,
    SectionText,
    section_title,
)
from policy_models.rounds import NOT_OWED, ReportStanding
from policy_models.timing import CatchUp

CHOSEN = frozenset({ExemplarState.SHORTLISTED, ExemplarState.PUBLISHED})
UNWRITTEN = frozenset({State.SCHEDULED, State.OPEN, State.RETURNED})
DROPPED = "方案修订后不再列出"
Texts = Mapping[str, tuple[UnitText, ...]]


def moment_of(day: date | None, now: datetime) -> datetime:
    """The instant that 截至 means: now for today, the end of the day in Asia/Shanghai for a day that is over.

    Raises ActNotAllowed for a day to come.
    """
    today = civil_date(now)
    if day is not None and day > today:
        raise ActNotAllowed(f"截至日期{day}尚未到来，不能汇编")
    return now if day is None or day == today else end_of_day(day)


def compilation(session: Session, plan_code: str, round_code: str, *, until: datetime) -> Compilation:
    """Everything of a round just before an instant (UTC). A fixed number of statements.

    Raises NotFound, and ActNotAllowed where the round was opened later.
    """
    summary = plans.plan_summary(session, plan_code)
    plan = plans.plan_document(session, plan_code)
    found = round_of(session, summary.id, round_code)
    if found.opened_at >= until:
        raise ActNotAllowed(f"{round_code} 这一期当时还没有启动，不能汇编")
    day = civil_date(until - timedelta(microseconds=1))
    reports = _owing(session, plan, found, until)
    texts = _texts(plan, reports)
    measured = figures(session, summary.id, first=found.first, last=found.last, until=until)
    progress = _progress(session, summary.id, found, until, day)
    named = {one.county for one in measured if one.county} | {one.code for one in counties(session)}
    names = unit_names(session, frozenset({*named, summary.coordinator, *(f.unit for f in measured if f.unit)}))
    parts = _parts(plan, progress, _indicators(plan, measured, names), texts)
    in_actions = {f"task-{number}" for action in plan.actions for number in action.tasks}
    chosen = exemplars_at(session, summary.id, round_code, until=until, states=CHOSEN)
    return Compilation(
        plan_code=summary.code,
        plan_title=plan.title,
        round_code=round_code,
        round_name=period_name(round_code, plans.calendars(session, plan_code)),
        first=found.first,
        last=found.last,
        as_of=until,
        day=day,
        bureau=names.get(summary.coordinator, summary.coordinator),
        counties=tuple((code, names.get(code, code)) for code in sorted(named)),
        actions=_actions(plan, parts),
        others=tuple(part for name, part in parts.items() if name not in in_actions),
        whole=texts.get(PROGRESS, ()),
        overviews=texts.get(OVERVIEW, ()),
        highlights=texts.get(HIGHLIGHTS, ()),
        problems=texts.get(PROBLEMS, ()),
        plans=texts.get(NEXT, ()),
        submitters=tuple(_submitter(plan, one) for one in reports),
        cases=tuple(map(_case, chosen)),
    )


def submitters(session: Session, plan_code: str, round_code: str, *, until: datetime) -> tuple[Submitter, ...]:
    """The units that owe a report, and how each stood just before an instant (UTC). Raises NotFound."""
    summary = plans.plan_summary(session, plan_code)
    plan = plans.plan_document(session, plan_code)
    found = round_of(session, summary.id, round_code)
    return tuple(_submitter(plan, one) for one in _owing(session, plan, found, until))


def _owing(session: Session, plan: Plan, of: Round, until: datetime) -> list[HandedIn]:
    """The reports that are owed: departments as the plan names them, then the counties by code."""
    places = {code: place for place, code in enumerate(dict.fromkeys(plan.organs.values()))}
    owed = [one for one in handed_in(session, of.id, until=until) if one.owed]
    return sorted(owed, key=lambda one: (places.get(one.unit, len(places)), one.unit))


def accepted_sections(one: HandedIn) -> tuple[SectionText, ...]:
    """What may be compiled of a report: all of one that is accepted, and of one sent back the sections that were not.
    Nothing of one under review: its verdicts may still change."""
    if one.state is State.ACCEPTED:
        return one.sections
    if one.state is not State.RETURNED:
        return ()
    return tuple(s for s in one.sections if s.section in one.verdicts and one.verdicts[s.section].verdict == "accepted")


def _texts(plan: Plan, reports: Iterable[HandedIn]) -> Texts:
    """What was written and accepted, by section; the units in the order of the reports."""
    titles = {asked.code: asked.title for _, asked in plan.requirements()}
    found: dict[str, list[UnitText]] = defaultdict(list)
    for one in reports:
        for section in accepted_sections(one):
            answers = (f"{titles.get(code, code)}：{words}" for code, words in section.answers.items() if words.strip())
            lines = (*paragraphs(section.text), *(line for words in answers for line in paragraphs(words)))
            if lines:
                found[section.section].append(UnitText(one.unit, one.unit_name, lines))
    return {name: tuple(texts) for name, texts in found.items()}


def _progress(session: Session, plan_id: int, of: Round, until: datetime, day: date) -> dict[str, Progress]:
    """By section: the items with a deadline in the half-year, as they stood then. One statement."""
    items: Any = facts_of_items(plan_id, until)
    columns = items.c
    own = columns.catch_up == ""  # not dated before go-live
    accepted = columns.state == State.ACCEPTED.value
    prompt = and_(own, accepted, ~is_late(columns))
    waiting = columns.state.in_([state.value for state in UNWRITTEN])
    counts = {
        "expected": columns.id.is_not(None),
        "done": accepted,
        "on_time": prompt,
        "due": and_(own, columns.deadline <= day),
        "met": and_(prompt, columns.deadline <= day),
        "overdue": and_(own, waiting, columns.deadline < day),
        "under_review": columns.state == State.SUBMITTED.value,
        "backfill": and_(columns.catch_up == CatchUp.BACKFILL.value, waiting),
    }
    rows = session.execute(
        select(requirement.c.section, *(func.sum(case((met, 1), else_=0)).label(name) for name, met in counts.items()))
        .select_from(items.join(requirement, requirement.c.id == columns.requirement_id))
        .where(
            columns.deadline >= of.first,
            columns.deadline <= of.last,
            columns.state.not_in([state.value for state in NOT_OWED]),
            columns.catch_up != CatchUp.COUNT_ONLY.value,
        )
        .group_by(requirement.c.section)
    )
    return {row.section: Progress(**{name: int(getattr(row, name)) for name in counts}) for row in rows}


def _indicators(plan: Plan, measured: Iterable[AreaFigure], names: Mapping[str, str]) -> dict[str, list[Indicator]]:
    """By section, in the order of the plan: every measure that somebody owes in the half-year."""
    areas: dict[tuple[str, str], list[AreaFigure]] = defaultdict(list)
    for one in measured:
        areas[one.requirement, one.name].append(one)
    found: dict[str, list[Indicator]] = defaultdict(list)
    for section, asked in plan.requirements():
        for rule in asked.measures:
            given = areas.get((asked.code, str(rule.name)), [])
            if given:
                found[section].append(_indicator(asked, rule, given, names))
    return found


def _indicator(asked: Requirement, rule: Any, given: Iterable[AreaFigure], names: Mapping[str, str]) -> Indicator:
    in_counties: dict[str, Amount] = {}
    own: list[tuple[str, Amount]] = []
    for one in given:
        amount = Amount(one.value, one.of, one.items, one.due)
        if one.county:
            in_counties[one.county] = amount
        else:
            own.append((names.get(one.unit, one.unit), amount))
    counted = tuple(sorted(in_counties.items()))
    return Indicator(asked.code, str(rule.name), str(rule.label), rule.of_label, rule.target, counted, tuple(own))


def _parts(
    plan: Plan, progress: Mapping[str, Progress], indicators: Mapping[str, list[Indicator]], texts: Texts
) -> dict[str, SectionPart]:
    """Tasks; of phases and safeguards those with something to tell; and what a plan that was revised lists no more."""

    def part(name: str, title: str, owners: tuple[str, ...] = ()) -> SectionPart:
        found = tuple(indicators.get(name, ()))
        return SectionPart(name, title, owners, progress.get(name, Progress()), found, texts.get(name, ()))

    sections: dict[str, Section] = dict(plan.sections())
    told = {name for name in (*progress, *indicators, *texts) if name.partition("-")[2].isdigit()}
    parts = {
        name: part(name, section.title, getattr(section, "owners", ()))
        for name, section in sections.items()
        if name.startswith("task-") or name in told
    }
    return parts | {name: part(name, DROPPED) for name in sorted(told - set(sections))}


def _actions(plan: Plan, parts: Mapping[str, SectionPart]) -> tuple[ActionPart, ...]:
    return tuple(
        ActionPart(action.number, action.title, tuple(parts[f"task-{number}"] for number in action.tasks))
        for action in plan.actions
    )


def _submitter(plan: Plan, one: HandedIn) -> Submitter:
    standing = ReportStanding(one.state, one.deadline, one.first_submitted_on)
    if one.state is not State.RETURNED:
        return Submitter(one.unit, one.unit_name, standing)
    said = {name: verdict.verdict for name, verdict in one.verdicts.items()}
    returned = [s.section for s in one.sections if said.get(s.section) == "returned"]
    waiting = [s.section for s in one.sections if s.section not in said and (s.text or s.answers)]
    titles = [tuple(section_title(plan, name) for name in names) for names in (returned, waiting)]
    return Submitter(one.unit, one.unit_name, standing, *titles)


def _case(one: ExemplarThen) -> CasePart:
    parts = ((heading, paragraphs(text)) for _, heading, text in one.content.parts())
    return CasePart(one.unit_name, one.content.title, tuple((heading, lines) for heading, lines in parts if lines))
