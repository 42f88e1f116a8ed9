"""Half-years, and 齐报率 and 及时率 that never pass 100%, whatever happens to units and items."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_models.errors import NotFound
from policy_models.lifecycle import State
from policy_models.plan import Plan
from policy_models.plan_file import BUNDLED, load_pack
from policy_models.rounds import (
    HalfYear,
    ReportStanding,
    ReportStatus,
    RoundFigures,
    figures,
    half_year,
    previous_code,
)
from tests.factories import tiny_pack

DEADLINE = date(2025, 7, 15)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return load_pack(BUNDLED).plan


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("2024-H1", date(2024, 5, 1), date(2024, 6, 30)),
        ("2025-H2", date(2025, 7, 1), date(2025, 12, 31)),
        ("2026-H2", date(2026, 7, 1), date(2026, 10, 31)),
    ],
)
def test_a_half_year_ends_with_the_plan(plan: Plan, code: str, first: date, last: date) -> None:
    assert half_year(code, plan) == HalfYear(code, first, last)


@pytest.mark.parametrize("code", ["2023-H2", "2027-H1", "2025-H3", "2025H1", "", "2025-H1 ", "once", "２０２５-H1"])
def test_half_years_that_are_none(tmp_path: Path, plan: Plan, code: str) -> None:
    with pytest.raises(NotFound):
        half_year(code, plan)
    with pytest.raises(NotFound):
        half_year("2024-H2", tiny_pack(tmp_path).plan)


def test_the_half_year_before() -> None:
    assert (previous_code("2025-H1"), previous_code("2025-H2")) == ("2024-H2", "2025-H1")


days = st.integers(0, 120).map(lambda n: date(2025, 6, 1) + timedelta(days=n))
standings = st.builds(
    ReportStanding,
    state=st.sampled_from(State),
    deadline=st.just(DEADLINE) | days,
    first_submitted_on=st.none() | days,
    closed_on=st.none() | days,
    drafted=st.booleans(),
    backfill=st.booleans(),
)


@given(st.lists(standings, max_size=30), days)
def test_rates_are_shares_of_the_units_that_owe(reports: list[ReportStanding], as_of: date) -> None:
    told = figures(reports, as_of)
    assert 0 <= told.timeliness <= told.completeness <= 1
    assert told.handed_in == told.on_time + told.late == told.accepted + told.returned + told.waiting
    assert told.handed_in + told.missing <= told.owing <= len(reports)
    statuses = [one.status(as_of) for one in reports]
    assert statuses.count(ReportStatus.EXEMPT) == len(reports) - told.owing
    assert statuses.count(ReportStatus.ACCEPTED) == told.accepted
    assert statuses.count(ReportStatus.MISSING) + statuses.count(ReportStatus.DRAFT) == told.owing - told.handed_in


@given(st.lists(standings, max_size=30), days, days)
def test_closing_one_more_unit_never_raises_the_denominator(
    reports: list[ReportStanding], as_of: date, closed_on: date
) -> None:
    from dataclasses import replace

    closed = [replace(one, closed_on=closed_on) if one.closed_on is None else one for one in reports[:1]] + reports[1:]
    assert figures(closed, as_of).owing <= figures(reports, as_of).owing
    assert figures(closed, as_of).handed_in == figures(reports, as_of).handed_in


def test_nobody_owes() -> None:
    assert figures([], DEADLINE) == RoundFigures()
    assert (RoundFigures().completeness, RoundFigures().timeliness) == (1.0, 1.0)


def test_late_is_not_missing() -> None:
    late = ReportStanding(State.SUBMITTED, DEADLINE, date(2025, 7, 16))
    missing = ReportStanding(State.OPEN, DEADLINE)
    assert (late.is_late, late.is_missing(date(2025, 7, 20))) == (True, False)
    past = ReportStanding(State.OPEN, DEADLINE, backfill=True)
    assert (past.is_late, past.is_missing(date(2026, 1, 1)), past.is_owed(date(2026, 1, 1))) == (False, False, True)
    assert ReportStanding(State.ACCEPTED, DEADLINE, date(2026, 1, 1), backfill=True).is_late is False
    assert (missing.is_late, missing.is_missing(DEADLINE), missing.is_missing(date(2025, 7, 16))) == (
        False,
        False,
        True,
    )
