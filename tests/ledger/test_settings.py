"""The setting of the ladder as an administrator writes it."""

from __future__ import annotations

from datetime import time

import pytest
from pydantic import ValidationError

from ledger.settings import LadderSettings
from policy_models.ladder import CAP, LADDERS
from policy_models.quiet_hours import OPEN_HOURS, OpenHours


def test_without_a_word() -> None:
    found = LadderSettings.load()
    assert (dict(found.rule.ladders), found.rule.cap, found.open_hours) == (dict(LADDERS), CAP, OPEN_HOURS)


@pytest.mark.parametrize("written", ["-5,0,+2", " 0 , 2, -5 ", "－５，０，２", "−5、0、2", "-5,0,2,"])
def test_steps_as_people_write_them(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUCHENG_LADDER_SHORT", written)
    rule = LadderSettings.load().rule
    assert dict(rule.ladders) == {**LADDERS, "short": (-5, 0, 2)}


@pytest.mark.parametrize("written", ["09:00-17:30", "9:00 - 17:30", "０９：００～１７：３０", "9:00至17:30"])
def test_hours_as_people_write_them(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUCHENG_OPEN_HOURS", written)
    monkeypatch.setenv("LUCHENG_REMINDER_CAP", "5")
    found = LadderSettings.load()
    assert (found.open_hours, found.rule.cap) == (OpenHours(time(9), time(17, 30)), 5)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LADDER_LONG", "-30,,x", "“x”不是"),
        ("LADDER_LONG", "[-30, 0]", "不是"),
        ("LADDER_LONG", "", "long 须写明"),
        ("LADDER_LONG", "1,1", "long 须写明"),
        ("LADDER_LONG", "-9999", "long 须写明"),
        ("LADDER_LONG", "1.5", "“1.5”不是"),
        ("REMINDER_CAP", "0", "reminder_cap"),
        ("REMINDER_CAP", "many", "reminder_cap"),
        ("OPEN_HOURS", "18:00-08:30", "从早到晚"),
        ("OPEN_HOURS", "08:30", "08:30-18:00"),
        ("OPEN_HOURS", "8:30-25:00", "hour must be"),
        ("OPEN_HOURS", "", "08:30-18:00"),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"LUCHENG_{name}", value)
    with pytest.raises(ValidationError, match=words):
        LadderSettings.load()
