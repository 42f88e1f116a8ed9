"""频次 → 期次: the periods of a requirement inside the plan, each with its deadline, confidence and reason."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from policy_models.calendars import Calendars, Confidence, Span
from policy_models.plan import Due, Every, Plan, Recurrence, Requirement

# How long before its deadline a duty opens that hangs on a day rather than on a period (our choice, a setting
# of the requirement through `opens`): long enough to prepare, short enough to stay out of sight until then.
LEAD_DAYS = {Every.HOLIDAY: 14, Every.OBSERVANCE: 14, Every.BEFORE_VACATION: 30}
DEFAULT_DUE = {Every.HOLIDAY: Due(at="day_before"), Every.BEFORE_VACATION: Due(at="day_before")}
FORTNIGHT = timedelta(days=14)
SEASONS = ("winter", "summer")


@dataclass(frozen=True, slots=True)
class Period:
    """期次: ``first`` to ``last`` (civil dates), the nominal ``deadline`` and why it is that day."""

    code: str
    first: date
    last: date
    deadline: date
    confidence: Confidence
    why: str


def periods(
    requirement: Requirement, plan: Plan, section: str, calendars: Calendars, area: str | None = None
) -> list[Period]:
    """Every period of a dated or recurring requirement inside its bounds, in order of deadline; else none.

    ``area`` is a county code where school calendars differ. A period that the plan's end cuts keeps its name and is
    due on the last day; the reason says so.
    """
    start, end = bounds(requirement, plan, section)
    recurrence = requirement.recurrence
    if recurrence is None or recurrence.within:
        return []
    if recurrence.deadline:
        inferred = "deadline" in requirement.inferred
        text = f"{'推定时限，方案未载明' if inferred else '方案载明的时限'}：{chinese(recurrence.deadline)}"
        confidence = Confidence.FORECAST if inferred else Confidence.ANNOUNCED
        return [Period("once", start, recurrence.deadline, recurrence.deadline, confidence, text)]
    cut = (_cut(period, start, end) for period in _nominal(recurrence, start, end, calendars, area))
    return sorted((p for p in cut if p), key=lambda p: (p.deadline, p.code))


def bounds(requirement: Requirement, plan: Plan, section: str) -> tuple[date, date]:
    """First and last civil date a requirement can fall on: the plan's, its phase's, or its own where narrower."""
    start, end = plan.starts_on, plan.ends_on
    if section.startswith("phase-"):
        phase = next(p for p in plan.phases if f"phase-{p.number}" == section)
        start, end = phase.starts_on, phase.ends_on
    return max(start, requirement.starts_on or start), min(end, requirement.ends_on or end)


def chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _nominal(
    recurrence: Recurrence, start: date, end: date, calendars: Calendars, area: str | None
) -> Iterator[Period]:
    every = recurrence.every
    assert every is not None
    if every in MONTHS:
        spans = _calendar_spans(every, start, end)
    elif every is Every.FORTNIGHT_IN_TERM:
        spans = _fortnights(calendars.school.terms(start, end, area))
    else:
        spans = _occasions(recurrence, start, end, calendars, area)
    due = recurrence.due or DEFAULT_DUE.get(every, Due())
    for span in spans:
        deadline = DAY_OF[due.at](span) + timedelta(days=due.days)
        first = deadline - timedelta(days=LEAD_DAYS[every]) if every in LEAD_DAYS else span.first
        if every in LEAD_DAYS and deadline > end:
            continue  # a day can't be brought forward: only a span is cut by the plan's end
        yield Period(span.id, min(first, deadline), span.last, deadline, span.confidence, _reason(span, due))


DAY_OF: dict[str, Callable[[Span], date]] = {
    "start": lambda span: span.first,
    "end": lambda span: span.last,
    "day_before": lambda span: span.first - timedelta(days=1),
}
MONTHS = {Every.MONTH: 1, Every.QUARTER: 3, Every.HALF_YEAR: 6, Every.YEAR: 12}
PERIOD_CODES: dict[Every, Callable[[int, int], tuple[str, str]]] = {
    Every.MONTH: lambda year, month: (f"{year}-{month:02}", f"{year}年{month}月"),
    Every.QUARTER: lambda year, month: (f"{year}Q{month // 3 + 1}", f"{year}年第{'一二三四'[month // 3]}季度"),
    Every.HALF_YEAR: lambda year, month: (f"{year}-H{month // 6 + 1}", f"{year}年{'上' if month < 6 else '下'}半年"),
    Every.YEAR: lambda year, _month: (str(year), f"{year}年度"),
}


def _calendar_spans(every: Every, start: date, end: date) -> Iterator[Span]:
    step = MONTHS[every]
    year, month = start.year, (start.month - 1) // step * step + 1
    while date(year, month, 1) <= end:
        last_month = month + step - 1
        last = date(year, last_month, calendar.monthrange(year, last_month)[1])
        code, name = PERIOD_CODES[every](year, month)
        yield Span(code, name, date(year, month, 1), last, Confidence.ANNOUNCED, f"{name}，期末为{chinese(last)}")
        year, month = (year + 1, 1) if last_month == 12 else (year, last_month + 1)


def _fortnights(terms: tuple[Span, ...]) -> Iterator[Span]:
    for term in terms:
        first, number = term.first, 1
        while first <= term.last:
            last = min(first + FORTNIGHT - timedelta(days=1), term.last)
            name = f"{term.name}第{number}个双周"
            yield Span(
                f"{term.id}-w{number * 2:02}", name, first, last, term.confidence, f"{name}，{term.why.rstrip('。')}"
            )
            first, number = first + FORTNIGHT, number + 1


def _occasions(
    recurrence: Recurrence, start: date, end: date, calendars: Calendars, area: str | None
) -> Iterator[Span]:
    names = recurrence.on or SEASONS
    before = "before-" if recurrence.every is Every.BEFORE_VACATION else ""
    for year in range(start.year - 1, end.year + 2):
        for name in names:
            span = (
                calendars.school.vacation(name, year, area) if name in SEASONS else calendars.occasion(name, year, area)
            )
            yield replace(span, id=f"{year}-{before}{name}")


def _reason(span: Span, due: Due) -> str:
    why = span.why.rstrip("。")
    if due.at == "day_before":
        return f"{span.name}前一日；{why}"
    if due.days:
        return (
            f"{span.name}结束后{due.days}日内；{why}" if due.at == "end" else f"{span.name}开始后{due.days}日内；{why}"
        )
    return why


def _cut(period: Period, start: date, end: date) -> Period | None:
    """The period inside [start, end]; None where it lies outside. One that only touches the start by its deadline
    (a vacation, a report's days of grace) counts when it had not ended before the start."""
    if period.deadline < start or period.last < start or period.first > end:
        return None
    first = max(period.first, start)
    if period.deadline <= end:
        return replace(period, first=first)
    why = f"{period.why}；方案或阶段于{chinese(end)}结束，以此为限"
    return replace(period, first=first, last=min(period.last, end), deadline=end, why=why)
