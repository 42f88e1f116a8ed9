"""The steps, called without Prefect's engine, on both databases."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger import tally
from ledger.database import Database, connect
from ledger.loading import load_plan
from ledger.marks import marks
from ledger.outbox import inbox
from policy_models.plan_copy import copy_plan
from policy_models.plan_file import BUNDLED, load_pack
from policy_models.work_items import work_items
from tasks import clock
from tasks.delivery import deliver_batch
from tasks.issuing import issue_due, schedule_items
from tasks.progress import phase_standing, section_progress
from tasks.reminding import queue_due
from tasks.upkeep import compact, keep_evenings, mark, plan_codes

pytestmark = pytest.mark.thorough

BEFORE = datetime(2026, 11, 1, tzinfo=UTC)
PLAN = "moved"
PACK = load_pack(BUNDLED)
MOVED = replace(PACK, plan=copy_plan(PACK.plan, date(2026, 12, 1), PLAN))
LATE = "2027-01-13"  # a Wednesday: the first phase ended on 31 December, its items are overdue


@pytest.fixture
def ledger(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A ledger with the bundled plan moved to start on 1 December 2026, loaded a month before."""
    monkeypatch.setenv("LUCHENG_DATABASE_URL", database_url)
    database = connect(database_url)
    with database.write() as session:
        load_plan(session, MOVED, now=BEFORE)
    yield database
    database.close()


def test_issuing_opens_what_is_due_in_the_sections_and_once(ledger: Database) -> None:
    items = list(work_items(MOVED.plan, MOVED.units, MOVED.calendars))
    due = Counter(item.task for item in items if item.opens_on <= date.fromisoformat(LATE))
    assert due[5] > 0
    assert plan_codes.fn() == [PLAN]
    assert schedule_items.fn(PLAN) == 0
    assert issue_due.fn(PLAN, LATE, ["task-5"]) == due[5]
    assert issue_due.fn(PLAN, LATE, ["task-5"]) == 0
    assert issue_due.fn(PLAN, LATE) == due.total() - due[5]
    assert issue_due.fn(PLAN, LATE) == 0


def test_progress_of_a_section(ledger: Database) -> None:
    issue_due.fn(PLAN, LATE)
    found = section_progress.fn(PLAN, "task-5", LATE)
    items = [item for item in work_items(MOVED.plan, MOVED.units, MOVED.calendars) if item.task == 5]
    late = [item for item in items if item.deadline < date.fromisoformat(LATE)]
    assert (found["title"], found["expected"], found["done"], found["late"]) == (
        "完善委托照护制度",
        len(items),
        0,
        len(late),
    )
    assert found["page"] == f"http://127.0.0.1:8000/tasks/5?plan={PLAN}"
    until = date.fromisoformat(LATE) + timedelta(days=30)
    coming = {(i.requirement, i.deadline) for i in items if date.fromisoformat(LATE) <= i.deadline <= until}
    assert {(row["事项"].split()[0], date.fromisoformat(row["时限"])) for row in found["coming"]} == coming
    json.dumps(found)  # primitives only


def test_a_phase_and_its_gate(ledger: Database) -> None:
    issue_due.fn(PLAN, LATE)
    found = phase_standing.fn(PLAN, 1, LATE)
    assert (found["title"], found["starts_on"], found["ends_on"]) == ("部署启动", "2026-12-01", "2026-12-31")
    assert found["page"] == f"http://127.0.0.1:8000/phases/1?plan={PLAN}"
    counties = len(MOVED.units.counties)
    assert [(row["code"], row["left"]) for row in found["missing"]] == [("P1.1", counties), ("P1.2", counties)]
    assert all(row["done"] == 0 and row["expected"] > 0 for row in found["tasks"])
    json.dumps(found)


def test_reminders_reach_the_inbox_once(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    issue_due.fn(PLAN, LATE)
    first = queue_due.fn(PLAN, LATE)
    assert first["messages"] > 100
    assert first["reminders"] >= first["messages"]
    assert queue_due.fn(PLAN, LATE) == {"reminders": 0, "messages": 0}
    sent = 0
    while batch := deliver_batch.fn()["sent"]:
        sent += batch
    assert sent == first["messages"]
    assert deliver_batch.fn() == {"sent": 0, "failed": 0, "dead": 0}
    with ledger.read() as session:
        [message] = inbox(session, "150203-mz", limit=10)
    assert message.subject.startswith("催办：")
    assert message.body.startswith("昆都仑区民政局：\n截至2027年1月13日（周三），")


def test_upkeep(ledger: Database) -> None:
    rows = compact.fn(PLAN)
    issue_due.fn(PLAN, LATE)
    assert compact.fn(PLAN) == rows  # each state moved as a whole: no fact of the old state is left
    while keep_evenings.fn(PLAN):
        pass
    with ledger.read() as session:
        assert tally.recount(session, PLAN) == []
    assert mark.fn("sweep", LATE) == "sweep"
    with ledger.read() as session:
        assert marks(session)["sweep"].as_of == date.fromisoformat(LATE)


def test_a_run_decides_for_the_day_it_was_meant_for(monkeypatch: pytest.MonkeyPatch) -> None:
    evening = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)  # already 2 December in Baotou
    assert clock.run_date(None, evening) == date(2026, 12, 2)
    assert clock.run_date("2026-12-24", evening) == date(2026, 12, 24)
    monkeypatch.setenv("LUCHENG_CLOCK", "2025-05-01T00:00:00+08:00")
    assert clock.run_date(None, evening) == date(2025, 5, 1)
    assert timedelta(0) <= clock.now() - datetime(2025, 4, 30, 16, tzinfo=UTC) < timedelta(hours=1)
