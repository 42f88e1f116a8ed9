"""The real server and the real runner: deployments, schedules, runs, and what a ``kill -9`` leaves behind.

One Prefect server for the whole file; the tests run in the order they stand in. The plan lies ahead, so that nothing
is due by today's date and only runs with an ``as_of`` of their own change the ledger.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import Deployment, FlowRun, StateType
from prefect.client.schemas.schedules import RRuleSchedule
from prefect.client.schemas.sorting import DeploymentSort, FlowRunSort
from prefect.settings import PREFECT_API_URL, temporary_settings

from ledger.database import connect, sqlite_url
from ledger.loading import load_plan
from ledger.marks import mark, marks
from ledger.migrations import migrate
from lucheng.child import Child, Running
from policy_models.plan_copy import copy_plan
from policy_models.plan_file import BUNDLED, load_pack
from policy_models.work_items import work_items
from tasks.delivery import deliver_batch, release_stale
from tasks.issuing import issue_due, schedule_items
from tasks.reminding import queue_due
from tasks.upkeep import compact
from tests.flows.servers import kill_with_children, programs, started, wait_for

pytestmark = pytest.mark.slow

PLAN = "moved"
PACK = load_pack(BUNDLED)
TODAY = datetime.now(UTC).date()
STARTS_ON = (TODAY.replace(day=1) + timedelta(days=70)).replace(day=1)
MOVED = replace(PACK, plan=copy_plan(PACK.plan, STARTS_ON, PLAN))
TASKS = [f"{PLAN}-task-{number:02}" for number in range(1, 19)]
PHASES = [f"{PLAN}-phase-{number}" for number in (1, 2, 3)]
FLOW_OF = {name: name.removeprefix(f"{PLAN}-") for name in [*TASKS, *PHASES]}
DAILY = ["sweep", "circulars", "reminders", "delivery"]


@dataclass
class City:
    """A data folder, its ledger's file, and the programs over it."""

    folder: Path
    server: Child
    runner: Child

    @property
    def database(self) -> Path:
        return self.folder / "ledger.db"

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.database, timeout=30) as connection:
            return connection.execute(sql, values).fetchall()


def new_ledger(folder: Path) -> None:
    """A ledger with the moved plan in which nothing is open; today's sweep counts as done, so that none starts."""
    folder.mkdir(exist_ok=True)
    migrate(sqlite_url(folder))
    database = connect(sqlite_url(folder))
    with database.write() as session:
        load_plan(session, MOVED, now=datetime.now(UTC))
        mark(session, "sweep", as_of=TODAY + timedelta(days=1), now=datetime.now(UTC))
    database.close()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("city")
    new_ledger(folder)
    _web, server, runner = programs(folder)
    with started(server):
        yield City(folder, server, runner)


@pytest.fixture(scope="module")
def prefect(city: City) -> Iterator[SyncPrefectClient]:
    with (
        temporary_settings({PREFECT_API_URL: city.server.environment["PREFECT_API_URL"]}),
        get_client(sync_client=True) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def runner(city: City, prefect: SyncPrefectClient) -> Iterator[Running]:
    with started(city.runner) as running:
        wait_for(lambda: len(deployments(prefect)) == 25, 90, "25 deployments")
        yield running


def deployments(prefect: SyncPrefectClient) -> dict[str, Deployment | Any]:
    return {found.name: found for found in prefect.read_deployments(sort=DeploymentSort.NAME_ASC, limit=200)}


def runs_of(prefect: SyncPrefectClient, deployment: UUID) -> list[FlowRun]:
    of = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment]))
    return prefect.read_flow_runs(flow_run_filter=of, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=200)


def finished(prefect: SyncPrefectClient, run: UUID) -> FlowRun | None:
    found = prefect.read_flow_run(run)
    return found if found.state is not None and found.state.is_final() else None


def test_every_flow_is_a_deployment(prefect: SyncPrefectClient, runner: Running) -> None:
    found = deployments(prefect)
    assert sorted(found) == sorted([*PHASES, *TASKS, *DAILY])
    assert {name for name, deployment in found.items() if deployment.paused} == set()
    assert {name: len(deployment.schedules) for name, deployment in found.items()} == dict.fromkeys(found, 1)
    assert "民政局" in found[f"{PLAN}-task-07"].tags


def test_the_next_runs_appear(prefect: SyncPrefectClient, runner: Running) -> None:
    found = deployments(prefect)

    def next_runs() -> dict[str, datetime] | None:
        first = {name: runs_of(prefect, found[name].id)[:1] for name in found}
        return {name: runs[0].expected_start_time for name, runs in first.items()} if all(first.values()) else None

    appeared = wait_for(next_runs, 90, "a scheduled run for each deployment", every=1)
    eight = datetime.combine(STARTS_ON, datetime.min.time(), UTC)  # 08:00 in Baotou is 00:00 UTC
    assert appeared[f"{PLAN}-phase-1"] == eight
    starts = {phase.number: phase.starts_on for phase in MOVED.plan.phases}
    assert appeared[f"{PLAN}-phase-2"].date() == starts[2]
    assert appeared[f"{PLAN}-phase-3"].date() == starts[3]


@pytest.fixture(scope="module")
def soon(prefect: SyncPrefectClient, runner: Running) -> list[str]:
    """A schedule of its own for the reminders, with dates seconds ahead: the server may take a minute to see it, so
    it is made before the long test and looked at after it. The dates as the schedule writes them (UTC)."""
    start = datetime.now(UTC).replace(microsecond=0)
    stamps = [f"{start + timedelta(seconds=seconds):%Y%m%dT%H%M%S}" for seconds in range(12, 132, 8)]
    dates = RRuleSchedule(rrule=f"DTSTART:{stamps[0]}\nRDATE:{','.join(stamps)}", timezone="UTC")
    prefect.create_deployment_schedules(deployments(prefect)["reminders"].id, [(dates, True)])
    return stamps


def test_each_flow_opens_exactly_its_own_items(
    city: City, prefect: SyncPrefectClient, runner: Running, soon: list[str]
) -> None:
    found = deployments(prefect)
    as_of = MOVED.plan.ends_on.isoformat()
    wanted = {"as_of": as_of}
    runs = {
        name: prefect.create_flow_run_from_deployment(found[name].id, parameters=wanted).id
        for name in [*PHASES, *TASKS]
    }
    for name, run in runs.items():
        ended = wait_for(lambda run=run: finished(prefect, run), 240, f"{name} to end", every=0.5)
        assert ended.state is not None
        assert ended.state.type == StateType.COMPLETED, (name, ended.state.message)
        number = int(name.rsplit("-", 1)[1])
        assert ended.name == f"{'任务' if 'task' in name else '阶段'}{number} {PLAN} 截至 {as_of}"
        key = f"{name}-progress" if "task" in name else f"{name}-scorecard"
        answer = prefect.request("POST", "/artifacts/filter", json={"artifacts": {"key": {"any_": [key]}}})
        assert [artifact["flow_run_id"] for artifact in answer.json()] == [str(run)]
    assert opened_by_section(city) == expected_by_section()
    assert one_section_each_time(city)


def test_a_scheduled_run_runs(city: City, prefect: SyncPrefectClient, soon: list[str]) -> None:
    """A schedule with dates of its own, seconds ahead: the server makes the run, the runner starts it by itself."""
    reminders = deployments(prefect)["reminders"]

    def ran() -> FlowRun | None:
        done = [run for run in runs_of(prefect, reminders.id) if run.auto_scheduled and run.state.is_completed()]  # type: ignore[union-attr]
        return done[0] if done else None

    run = wait_for(ran, 120, "a scheduled run that completed", every=1)
    assert f"{run.expected_start_time:%Y%m%dT%H%M%S}" in soon
    today = (run.expected_start_time + timedelta(hours=8)).date()
    assert run.name == f"催办 截至 {today}"
    database = connect(sqlite_url(city.folder))
    with database.read() as session:
        assert marks(session)["reminders"].as_of == today
    database.close()


def expected_by_section() -> Counter[str]:
    """What the tasks and phases owe, counted from the plan alone; the safeguards are the sweep's."""
    sections = {requirement.code: section for section, requirement in MOVED.plan.requirements()}
    counted = Counter(sections[item.requirement] for item in work_items(MOVED.plan, MOVED.units, MOVED.calendars))
    return Counter({section: n for section, n in counted.items() if not section.startswith("safeguard-")})


def opened_by_section(city: City) -> Counter[str]:
    rows = city.query(
        "SELECT r.section, count(*) FROM work_item w JOIN requirement r ON r.id = w.requirement_id"
        " WHERE w.state = 'open' GROUP BY r.section"
    )
    return Counter(dict(rows))


def one_section_each_time(city: City) -> bool:
    """Each act of issuing has one instant: no instant may have opened items of two sections."""
    rows = city.query(
        "SELECT e.at, count(DISTINCT r.section) FROM entry e JOIN work_item w ON w.id = e.item_id"
        " JOIN requirement r ON r.id = w.requirement_id GROUP BY e.at"
    )
    return len(rows) == len(expected_by_section()) and all(sections == 1 for _, sections in rows)


FACTS = {
    "items": "SELECT key, state, revision, catch_up, reason FROM work_item",
    "entries": "SELECT w.key, e.revision, e.act, e.state, e.by_unit, e.by_name, e.note FROM entry e"
    " JOIN work_item w ON w.id = e.item_id",
    "reminders": "SELECT w.key, r.step, r.recipient, r.audience, r.withheld, r.as_of FROM reminder r JOIN work_item w ON w.id = r.item_id",
    "outbox": "SELECT key, channel, kind, recipient, as_of, state, subject, body FROM outbox",
    "tally": "SELECT requirement_id, phase, county, opens_on, deadline, state, late, catch_up, often_returned, sum(n)"
    " FROM tally GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 HAVING sum(n) <> 0",
}
# A trigger that makes each row of a table cost some milliseconds: the transaction lasts long enough to be killed in.
SLOW = (
    "CREATE TRIGGER slow AFTER {event} BEGIN SELECT (WITH RECURSIVE n(x) AS"
    " (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000) SELECT count(*) FROM n); END"
)


def test_killed_half_way_the_ledger_is_the_same(
    city: City, prefect: SyncPrefectClient, runner: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``kill -9`` while issuing, while reminding and while delivering; the next sweep makes it whole."""
    kill_with_children(runner)
    calm, stormy = tmp_path / "calm", replace(city, folder=tmp_path / "stormy")
    new_ledger(calm)
    shutil.copytree(calm, stormy.folder)
    work = MOVED.calendars.work
    as_of = work.on_or_after(MOVED.plan.starts_on + timedelta(days=100))
    undisturbed(calm, as_of, city.runner.environment["LUCHENG_BASE_URL"], monkeypatch)
    environment = {**city.runner.environment, "LUCHENG_DATA_DIR": str(stormy.folder)}
    environment["LUCHENG_DATABASE_URL"] = sqlite_url(stormy.folder)
    stormy.runner = replace(city.runner, environment=environment)

    kill_in_the_middle(stormy, prefect, as_of, "INSERT ON entry", issuing)
    assert stormy.query("SELECT count(*) FROM work_item WHERE state <> 'scheduled'") == [(0,)]
    kill_in_the_middle(stormy, prefect, as_of, "INSERT ON reminder", reminding)
    assert stormy.query("SELECT count(*) FROM reminder") == [(0,)]
    kill_in_the_middle(stormy, prefect, as_of, "UPDATE ON outbox WHEN NEW.state = 'sent'", delivering)
    [(sent, waiting)] = stormy.query("SELECT sum(state = 'sent'), sum(state <> 'sent') FROM outbox")
    assert sent > 0
    assert waiting > 0
    # ten minutes go by: claims of the dead sender are no longer his
    execute(stormy, "UPDATE outbox SET claimed_at = datetime(claimed_at, '-11 minutes') WHERE state = 'claimed'")
    with started(stormy.runner):
        assert swept(prefect, as_of).state.is_completed()  # type: ignore[union-attr]

    facts = {name: sorted(stormy.query(sql), key=repr) for name, sql in FACTS.items()}
    assert facts == {name: sorted(replace(city, folder=calm).query(sql), key=repr) for name, sql in FACTS.items()}
    assert {row[5] for row in facts["outbox"]} == {"sent"}
    assert len(facts["reminders"]) == len(set(facts["reminders"])) > 1000


def undisturbed(folder: Path, as_of: date, base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a sweep does, step by step, on a ledger where nothing is killed."""
    monkeypatch.setenv("LUCHENG_DATABASE_URL", sqlite_url(folder))
    monkeypatch.setenv("LUCHENG_BASE_URL", base_url)
    schedule_items.fn(PLAN)
    issue_due.fn(PLAN, as_of.isoformat())
    queue_due.fn(PLAN, as_of.isoformat())
    compact.fn(PLAN)
    release_stale.fn()
    while deliver_batch.fn()["sent"]:
        pass


def swept(prefect: SyncPrefectClient, as_of: date) -> FlowRun:
    run = start_sweep(prefect, as_of)
    return wait_for(lambda: finished(prefect, run), 120, "the sweep to end")


def start_sweep(prefect: SyncPrefectClient, as_of: date) -> UUID:
    sweep = deployments(prefect)["sweep"]
    return prefect.create_flow_run_from_deployment(sweep.id, parameters={"as_of": as_of.isoformat()}).id


def kill_in_the_middle(city: City, prefect: SyncPrefectClient, as_of: date, event: str, reached: Any) -> None:
    """Start the runner and a sweep, wait until it is in the middle of a transaction there, ``kill -9`` both."""
    execute(city, SLOW.format(event=event))
    with started(city.runner) as running:
        run = start_sweep(prefect, as_of)
        wait_for(lambda: reached(city), 90, f"the sweep in the middle of {event}", every=0.05)
        assert prefect.read_flow_run(run).state.is_running()  # type: ignore[union-attr]
        kill_with_children(running)
    execute(city, "DROP TRIGGER slow")


def issuing(city: City) -> bool:
    """A transaction is under way in which the slow trigger works, and nothing of it can be seen yet."""
    return written_for_a_second(city)


def reminding(city: City) -> bool:
    opened = city.query("SELECT count(*) FROM work_item WHERE state = 'open'") != [(0,)]
    return opened and written_for_a_second(city)


def delivering(city: City) -> bool:
    """Some messages are recorded as sent, and the next are being recorded."""
    sent = city.query("SELECT count(*) FROM outbox WHERE state = 'sent'") != [(0,)]
    return sent and written_for_a_second(city, seconds=0.1)


def written_for_a_second(city: City, seconds: float = 1.0) -> bool:
    """Whether somebody else holds the write lock for all that time."""
    connection = sqlite3.connect(city.database, timeout=seconds, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    else:
        connection.execute("ROLLBACK")
        return False
    finally:
        connection.close()


def execute(city: City, sql: str) -> None:
    with sqlite3.connect(city.database, timeout=30) as connection:
        connection.execute(sql)
