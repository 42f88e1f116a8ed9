"""School calendars: what a file says, what custom suggests, and that the two are never confused."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from policy_models import calendar_file
from policy_models.calendars import Confidence, SchoolCalendars, SchoolYear

BUNDLED = calendar_file.load([calendar_file.BUNDLED]).school
OFFICIAL: dict[str, Any] = {
    "school_year": "2025-2026",
    "status": "official",
    "issuer": "包头市教育局",
    "document": "包教发〔2025〕1号",
    "terms": {"spring": {"first": "2026-03-02", "last": "2026-07-10"}},
    "vacations": {
        "winter": {"primary": {"first": "2026-01-12", "last": "2026-03-01"}},
        "summer": {"primary": {"first": "2026-07-11", "last": "2026-08-30"}},
    },
    "overrides": {"150222": {"vacations": {"winter": {"primary": {"first": "2026-01-05", "last": "2026-03-08"}}}}},
}


def schools(**change: Any) -> SchoolCalendars:
    return SchoolCalendars([SchoolYear.model_validate({**OFFICIAL, **change})])


def test_an_official_year_is_announced_and_names_its_document() -> None:
    span = schools().vacation("winter", 2026)
    assert (span.id, span.name) == ("2026-winter", "2026年寒假")
    assert (span.first, span.last) == (date(2026, 1, 12), date(2026, 3, 1))
    assert span.confidence is Confidence.ANNOUNCED
    assert span.why == "2026年寒假依据包头市教育局校历（包教发〔2025〕1号）"


def test_a_county_may_differ_and_its_units_follow_it() -> None:
    for area in ("150222", "150222100", "150222100001"):
        assert schools().vacation("winter", 2026, area).first == date(2026, 1, 5)
    assert schools().vacation("winter", 2026, "150221").first == date(2026, 1, 12)
    # Its summer is the city's; its spring term begins when its own winter ends.
    assert schools().vacation("summer", 2026, "150222").first == date(2026, 7, 11)
    spring = schools().term("spring", 2026, "150222")
    assert (spring.first, spring.last) == (date(2026, 3, 9), date(2026, 7, 10))


def test_a_year_without_a_file_is_a_placeholder() -> None:
    span = schools().vacation("summer", 2028)
    assert (span.first, span.last) == (date(2028, 7, 15), date(2028, 8, 27))
    assert span.confidence is Confidence.PLACEHOLDER
    assert span.why == "推定：2027-2028学年校历尚未录入，2028年暑假按惯例推定"


def test_a_term_that_nobody_wrote_lies_between_the_vacations() -> None:
    autumn = schools().term("autumn", 2026)
    assert (autumn.first, autumn.last) == (date(2026, 8, 31), date(2027, 1, 8))
    assert autumn.confidence is Confidence.PLACEHOLDER
    assert autumn.why == "2026年秋季学期按前后假期推算：2026-2027学年校历尚未录入，2027年寒假按惯例推定"


def test_terms_between_two_days() -> None:
    found = BUNDLED.terms(date(2024, 5, 1), date(2026, 10, 31))
    assert [term.id for term in found] == [
        "2024-spring",
        "2024-autumn",
        "2025-spring",
        "2025-autumn",
        "2026-spring",
        "2026-autumn",
    ]
    assert [term.id for term in BUNDLED.terms(date(2025, 1, 20), date(2025, 2, 1))] == []
    assert [term.id for term in BUNDLED.terms(date(2025, 1, 2), date(2025, 1, 3))] == ["2024-autumn"]


@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
def test_the_bundled_years_are_never_presented_as_official(year: int) -> None:
    assert BUNDLED.status(year) == "placeholder"
    spans = [BUNDLED.vacation("winter", year), BUNDLED.vacation("summer", year), BUNDLED.term("spring", year)]
    assert [span.confidence for span in spans] == [Confidence.PLACEHOLDER] * 3
    assert all(span.why.startswith("推定：") for span in spans)
    winter, spring, summer = spans[0], spans[2], spans[1]
    assert winter.last + timedelta(days=1) == spring.first
    assert spring.last + timedelta(days=1) == summer.first


def test_vacations_follow_the_pattern() -> None:
    assert BUNDLED.status(2028) == "missing"
    for year in range(2024, 2031):
        winter, summer = BUNDLED.vacation("winter", year), BUNDLED.vacation("summer", year)
        assert date(year, 1, 8) <= winter.first <= date(year, 1, 14)
        assert date(year, 2, 25) <= winter.last <= date(year, 3, 3)
        assert date(year, 7, 11) <= summer.first <= date(year, 7, 17)
        assert date(year, 8, 25) <= summer.last <= date(year, 8, 31)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"issuer": None}, "status: official 须写明发布单位 issuer 和文号 document"),
        ({"school_year": "2025-2027"}, "school_year 须为相连的两年，如 2024-2025"),
        ({"school_year": "2024-2025"}, "2024-2025学年的寒假应从2025年开始，现为 2026-01-12"),
        (
            {"terms": {"spring": {"first": "2026-03-01", "last": "2026-07-10"}}},
            "2025-2026学年的春季学期与寒假重叠或次序颠倒",
        ),
        (
            {"terms": {"spring": {"first": "2026-03-02", "last": "2026-02-10"}}},
            "结束日期 2026-02-10 早于开始日期 2026-03-02",
        ),
        ({"terms": {"spring": {"first": "2026-02-30", "last": "2026-07-10"}}}, "没有2026年2月30日这一天"),
        (
            {"terms": {"spring": {"first": "20260302", "last": "2026-07-10"}}},
            "日期须写作 2025-05-01 的样子，现为“20260302”",
        ),
    ],
)
def test_contradictions_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        schools(**change)
    assert [str(item["ctx"]["error"]) for item in caught.value.errors()] == [message]
