"""A tiny plan with half-year reports: two departments and two county bureaus owe one, villages report a figure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from ledger import issuing, reports, reviews, rounds, submissions
from ledger.database import Database
from ledger.queries.reports import handed_in
from ledger.report_reviews import Marked
from policy_models.evidence import Evidence
from policy_models.plan import EvidenceType
from policy_models.reports import HandedIn
from tests.factories import BUREAU, CODE, SCHOOLS, Files, duty, instant, item, office, requirement_of, village

ROUND = "2025-H1"
COUNTY, OTHER = "9001-mz", "9002-mz"
SUBMITTERS = (SCHOOLS, BUREAU, COUNTY, OTHER)
VISITS = {"type": "measure", "name": "visits", "label": "走访次数"}
REACHED = {"type": "measure", "name": "reached", "label": "覆盖人数", "of": "all", "of_label": "应覆盖人数"}


def with_reports(files: Files) -> None:
    """Add the two requirements that collect reports, and figures to what the villages do each month."""
    shared = {
        "recurrence": {"every": "half_year", "due": {"at": "end", "days": 15}},
        "evidence": [{"type": "document", "min": 1, "label": "半年工作进展情况报告"}],
        "opens": {"days_before": 45},
        "review": "coordinator",
        "collects": "report",
    }
    for code, assignee in (
        ("1.8", {"units": ["民政局", "教育局"]}),
        ("1.9", {"level": "county", "function": "民政"}),
    ):
        files["tasks/01.yaml"]["requirements"].append(duty(code, "recurring", assignee, **shared))
    requirement_of(files, "1.2")["evidence"] = [VISITS, REACHED]


def visit(
    database: Database, unit: str, period: str, day: str, visits: str, reached: str, *, accepted: bool = True
) -> None:
    """A village hands in a month; its township accepts the next hour."""
    pieces = [
        Evidence(EvidenceType.MEASURE, "visits", Decimal(visits)),
        Evidence(EvidenceType.MEASURE, "reached", Decimal(reached), Decimal(100)),
    ]
    key = item("1.2", unit, period)
    with database.write() as session:
        submissions.submit(session, key, by=office(unit), evidence=pieces, now=instant(day, 9))
    if accepted:
        with database.write() as session:
            reviews.accept(session, key, by=office(unit[:6]), now=instant(day, 10))


def opened(database: Database, day: str = "2025-06-01") -> None:
    """Everything up to the day is issued, and its rounds are open."""
    with database.write() as session:
        issuing.issue_due(session, CODE, as_of=date.fromisoformat(day), now=instant(day))
        rounds.open_due(session, CODE, now=instant(day))


WHOLE = {
    "overview": "上半年总体平稳。",
    "problems": "力量不足。",
    "next": "继续推进。",
    "task-1": "任务一进展。",
    "task-2": "任务二进展。",
    "phase-1": "阶段工作已完成。",
}


def write(
    database: Database,
    unit: str,
    texts: Mapping[str, str] = WHOLE,
    *,
    day: str = "2025-06-20",
    versions: Mapping[str, int] | None = None,
    answers: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Save these sections of a unit's draft, as far as its report has them."""
    told = answers if answers is not None else {"task-2": {"2.3": "持续开展，覆盖全部嘎查村。"}}
    with database.write() as session:
        scope = reports.scope_of(session, reports.report_of(session, CODE, ROUND, unit))
        for section in scope.sections:
            asked = {one.code for one in scope.checklists.get(section, ())}
            if section in texts:
                reports.save_section(
                    session,
                    CODE,
                    ROUND,
                    unit,
                    section,
                    text=texts[section],
                    answers={code: words for code, words in told.get(section, {}).items() if code in asked},
                    version=(versions or {}).get(section, 0),
                    by=office(unit),
                    now=instant(day),
                )


def hand_in(database: Database, unit: str, day: str = "2025-06-20") -> int:
    with database.write() as session:
        return reports.submit(session, CODE, ROUND, unit, by=office(unit), now=instant(day, 15))


def told(database: Database, unit: str, day: str, hour: int = 23) -> HandedIn:
    """A unit's report as it stood just before an hour of a day."""
    with database.read() as session:
        plan_id = rounds.plans.plan_summary(session, CODE).id
        found = rounds.round_of(session, plan_id, ROUND)
        return next(one for one in handed_in(session, found.id, until=instant(day, hour)) if one.unit == unit)


def returned(reason: str) -> Marked:
    return Marked("returned", reason)


FIRST_VILLAGE = village(1, 1)
