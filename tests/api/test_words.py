"""Dates, periods, cadences and assignees in words; agenda slices; conditional requests."""

from datetime import UTC, date, datetime

import pytest

from api import words
from api.conditional import accepts_gzip, http_date, is_fresh
from api.misses import Misses
from policy_models.calendar_file import load
from policy_models.plan_file import BUNDLED, load_pack
from tests.factories import instant

CALENDARS = load([BUNDLED / "calendars"])


@pytest.mark.parametrize(
    ("as_of", "sentence"),
    [
        ("2024-06-13", "6月30日(周日) · 请于6月28日(周五)前报送 · 还有 11 个工作日"),
        ("2024-06-28", "6月30日(周日) · 请于6月28日(周五)前报送 · 请于今日报送"),
        ("2024-06-29", "6月30日(周日) · 时限前已无工作日，请尽快报送"),
        ("2024-06-30", "6月30日(周日) · 今日到期"),
        ("2024-07-01", "6月30日(周日) · 已逾期 1 个工作日"),
        ("2024-07-08", "6月30日(周日) · 已逾期 6 个工作日"),
        ("2023-12-29", "2024年6月30日(周日) · 请于2024年6月28日(周五)前报送 · 还有 123 个工作日"),
    ],
)
def test_the_deadline_sentence(as_of: str, sentence: str) -> None:
    found = words.deadline_sentence(date(2024, 6, 30), date(2024, 6, 28), date.fromisoformat(as_of), CALENDARS)
    assert found == sentence


def test_the_words_of_the_official_example() -> None:
    found = words.deadline_sentence(date(2024, 6, 30), date(2024, 6, 28), date(2024, 6, 12), CALENDARS)
    assert found == "6月30日(周日) · 请于6月28日(周五)前报送 · 还有 12 个工作日"


def test_a_worked_weekend_says_so() -> None:
    found = words.deadline_sentence(date(2026, 10, 11), date(2026, 10, 10), date(2026, 9, 24), CALENDARS)
    assert "请于10月10日(周六，调休上班)前报送" in found


def test_past_the_deadline_on_rest_days() -> None:
    assert words.remaining(date(2024, 6, 28), date(2024, 6, 28), date(2024, 6, 30), CALENDARS) == "时限已过"
    assert words.workdays_left(date(2024, 6, 28), date(2024, 6, 28), date(2024, 6, 30), CALENDARS) == 0


def test_every_requirement_of_the_bundled_plan_has_words() -> None:
    pack = load_pack(BUNDLED)
    for _, requirement in pack.plan.requirements():
        said = [words.cadence(requirement, pack.calendars), words.owed_by(requirement.assignee)]
        said += [words.evidence_wanted(rule) for rule in requirement.evidence]
        said += [words.inferred_fields(requirement.inferred)]
        for text in said:
            assert "None" not in text
            assert "_" not in text
            assert "各各" not in text
    cadences = {r.code: words.cadence(r, pack.calendars) for _, r in pack.plan.requirements()}
    assert cadences["5.4"] == "每年寒假、暑假各一次"
    assert cadences["P2.3"] == "2024年6月30日前完成"
    assert cadences["5.1"] == "持续开展，在半年报送中说明进展"


def test_moments_are_those_of_the_city() -> None:
    assert words.moment(datetime(2025, 5, 31, 17, 5, tzinfo=UTC)) == "2025年6月1日 01:05"


@pytest.mark.parametrize(("share", "said"), [(0.0, "0%"), (0.999, "99%"), (1.0, "100%"), (0.5, "50%")])
def test_per_cent_is_rounded_down(share: float, said: str) -> None:
    assert words.percent(share) == said


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*", True),
        ("*;q=0", False),
        ("identity", False),
        ("*, gzip;q=0", False),
    ],
)
def test_accepting_gzip(header: str | None, taken: bool) -> None:
    assert accepts_gzip(header) is taken


def test_freshness_by_tag_wins_over_time() -> None:
    changed = datetime(2025, 5, 31, 8, 0, 0, 900, tzinfo=UTC)
    same = http_date(changed)
    assert same == "Sat, 31 May 2025 08:00:00 GMT"
    assert is_fresh({"a"}, changed, None, same)
    assert is_fresh({"a"}, changed, 'W/"a"', None)
    assert not is_fresh({"a"}, changed, '"b"', same)
    assert not is_fresh({"a"}, changed, "a", None)
    assert not is_fresh({"a"}, changed, None, "Sat, 31 May 2025 07:59:59 GMT")


def test_misses_are_counted_by_address_and_minute() -> None:
    misses, now = Misses(), instant("2025-05-31")
    assert [misses.too_many("a", now) for _ in range(61)] == [False] * 60 + [True]
    assert not misses.too_many("b", now)
    assert misses.too_many("a", instant("2025-05-31", 9, 0))
    assert not misses.too_many("a", instant("2025-05-31", 9, 1))
