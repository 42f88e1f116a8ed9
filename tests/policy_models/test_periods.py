"""Every period and section of the plan has words that a person can read."""

from __future__ import annotations

import re

import pytest

from policy_models.deadlines import timetable
from policy_models.periods import period_name, section_name
from policy_models.plan_file import BUNDLED, load_pack

PACK = load_pack(BUNDLED)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("once", ""),
        ("2025Q1", "2025年第一季度"),
        ("2025-03", "2025年3月"),
        ("2025-H2", "2025年下半年"),
        ("2025", "2025年度"),
        ("2025-winter", "2025年寒假"),
        ("2025-before-summer", "2025年暑假前"),
        ("2025-spring-w04", "2025年春季学期第4周"),
        ("2025-disability_day", "2025年全国助残日"),
        ("2026-national_day", "2026年国庆节"),
        ("event-003", "第3起"),
        ("2025-unheard_of", "2025-unheard_of"),
    ],
)
def test_periods_in_words(code: str, words: str) -> None:
    assert period_name(code, PACK.calendars) == words


def test_no_period_of_the_plan_shows_its_code() -> None:
    codes = {duty.period for duty in timetable(PACK.plan, PACK.calendars)}
    assert len(codes) > 100
    assert [code for code in codes if re.search("[a-z]", period_name(code, PACK.calendars))] == []


@pytest.mark.parametrize(
    ("section", "words"), [("task-5", "任务5"), ("phase-2", "第二阶段"), ("safeguard-3", "保障措施三")]
)
def test_sections_in_words(section: str, words: str) -> None:
    assert section_name(section) == words
