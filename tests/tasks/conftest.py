"""Steps read the time from a virtual clock that runs on with the program: each test begins at the instant it names."""

from __future__ import annotations

import time

import pytest

from tasks import clock


@pytest.fixture(autouse=True)
def _clock_starts_with_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_STARTED", time.monotonic())
