"""Which day a run speaks of."""

from __future__ import annotations

from datetime import date

import pytest

from flows.run_date import no_day_gone_by


def test_reminders_never_speak_for_a_day_gone_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUCHENG_CLOCK", "2025-02-11T07:30:00+08:00")
    today = date(2025, 2, 11)
    assert [no_day_gone_by(date(2025, 2, day)) for day in (1, 10, 11)] == [today] * 3
    assert no_day_gone_by(date(2025, 2, 12)) == date(2025, 2, 12)  # somebody asked for it
