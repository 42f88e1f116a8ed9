"""The web process does not look through its own application for garbage."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import app
from ledger.database import sqlite_url


@pytest.fixture
def collector() -> Iterator[None]:
    """The garbage collector is the process's own: it is left as it was."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector")
def test_a_served_application_is_out_of_the_collectors_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUCHENG_DATABASE_URL", sqlite_url(tmp_path))
    with TestClient(app()):
        assert gc.get_freeze_count() > 50_000 > len(gc.get_objects())
        assert gc.get_threshold()[0] > 700
