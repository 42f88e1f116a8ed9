"""The timetable: every deployment runs its own flow, on exactly the dates of the plan."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule, RRuleSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import load_flow_from_entrypoint
from prefect.server.schemas.schedules import RRuleSchedule as ServerSchedule

from flows.timetable import MOST_DATES, deployments, on_dates
from policy_models.plan_copy import copy_plan
from policy_models.plan_file import BUNDLED, Pack, load_pack

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[2]
SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(BUNDLED)


@pytest.fixture(scope="module")
def listed(pack: Pack) -> dict[str, RunnerDeployment]:
    """The deployments of the bundled plan moved to start on 1 December 2026, by name."""
    moved = copy_plan(pack.plan, date(2026, 12, 1), "moved")
    found = deployments([(moved, pack.calendars)], TODAY)
    names = {deployment.name: deployment for deployment in found}
    assert len(names) == len(found)
    return names


def dates_of(deployment: RunnerDeployment) -> list[datetime]:
    """The instants at which the server would start runs, by the server's own reading of the schedule."""
    [schedule] = deployment.schedules or []
    assert isinstance(schedule.schedule, RRuleSchedule)
    ours = ServerSchedule(rrule=schedule.schedule.rrule, timezone=schedule.schedule.timezone)
    return asyncio.run(ours.get_dates(n=1000, start=datetime(2020, 1, 1, tzinfo=SHANGHAI)))


def at_eight(*days: str) -> list[datetime]:
    return [datetime.fromisoformat(f"{day}T08:00:00").replace(tzinfo=SHANGHAI) for day in days]


def test_a_plan_has_its_phases_and_tasks_and_the_city_its_daily_runs(listed: dict[str, RunnerDeployment]) -> None:
    phases = [f"moved-phase-{number}" for number in (1, 2, 3)]
    tasks = [f"moved-task-{number:02}" for number in range(1, 19)]
    assert list(listed) == [*phases, *tasks, "sweep", "circulars", "reminders", "delivery"]


def test_every_entrypoint_loads_its_own_flow(
    listed: dict[str, RunnerDeployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    loaded = {}
    for name, deployment in listed.items():
        assert deployment.entrypoint is not None
        flow = load_flow_from_entrypoint(f"{ROOT}/{deployment.entrypoint}", use_placeholder_flow=False)
        loaded[name] = (flow.name, flow.fn.__name__)
    numbered = {f"moved-task-{n:02}": (f"task-{n:02}", f"task_t{n:02}") for n in range(1, 19)}
    numbered |= {f"moved-phase-{n}": (f"phase-{n}", f"phase_p{n}") for n in (1, 2, 3)}
    assert loaded == numbered | {name: (name, name) for name in ("sweep", "circulars", "reminders", "delivery")}


def test_a_phase_runs_on_its_own_dates(listed: dict[str, RunnerDeployment]) -> None:
    # opens and starts on 1 December; due 31 December (a Thursday), the work day after is 4 January 2027: 1 January
    # is a holiday and 2 and 3 January are a weekend
    assert dates_of(listed["moved-phase-1"]) == at_eight("2026-12-01", "2026-12-31", "2027-01-04")


def test_a_task_runs_on_its_own_dates(listed: dict[str, RunnerDeployment], pack: Pack) -> None:
    runs = dates_of(listed["moved-task-05"])
    assert {run.timetz() for run in runs} == {at_eight("2026-12-01")[0].timetz()}
    days = [run.astimezone(SHANGHAI).date() for run in runs]
    assert days == sorted(set(days))
    # the first quarter: opens 1 January, its last day 31 March is a work day, the next is 1 April
    assert {date(2027, 1, 1), date(2027, 3, 31), date(2027, 4, 1)} <= set(days)
    # the second half-year of 2027 ends on a Friday; reminders aim at it, overdue begins on the next work day
    assert {date(2027, 7, 1), date(2027, 12, 31)} <= set(days)
    assert not {date(2027, 1, 2), date(2027, 3, 30), date(2027, 4, 2)} & set(days)


def test_tags_say_plan_task_phases_and_owners(listed: dict[str, RunnerDeployment]) -> None:
    owners = ["市委网信办", "中级人民法院", "人民检察院", "教育局", "公安局", "民政局", "卫健委", "团委", "妇联"]
    tags = listed["moved-task-05"].tags
    assert [tag for tag in tags if not tag.startswith("阶段")] == ["lucheng", "moved", "任务5", *owners]
    assert listed["moved-phase-2"].tags == ["lucheng", "moved", "阶段2"]
    assert listed["moved-task-05"].parameters == {"plan": "moved"}


def test_reconcilers_run_alone_and_delivery_two_at_a_time(listed: dict[str, RunnerDeployment]) -> None:
    limits = {name: deployment.concurrency_limit for name, deployment in listed.items()}
    assert limits.pop("delivery") == 2
    assert set(limits.values()) == {1}
    strategies = [d.concurrency_options.collision_strategy for d in listed.values() if d.concurrency_options]
    assert strategies == [ConcurrencyLimitStrategy.CANCEL_NEW] * len(listed)


def test_the_daily_runs(listed: dict[str, RunnerDeployment]) -> None:
    found = {}
    for name in ("sweep", "circulars", "reminders", "delivery"):
        [schedule] = listed[name].schedules or []
        assert isinstance(schedule.schedule, CronSchedule)
        found[name] = (schedule.schedule.cron, schedule.schedule.timezone)
    zone = "Asia/Shanghai"
    assert found == {
        "sweep": ("30 7 * * *", zone),
        "circulars": ("35 8 * * *", zone),
        "reminders": ("40 8 * * *", zone),
        "delivery": ("*/10 * * * *", zone),
    }


def test_a_mailbox_is_read_every_10_minutes_where_there_is_one(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    [*others, mail] = deployments([(pack.plan, pack.calendars)], TODAY, mailbox=True)
    assert [one.name for one in others] == [one.name for one in deployments([(pack.plan, pack.calendars)], TODAY)]
    assert (mail.name, mail.tags, mail.concurrency_limit) == ("mail", ["lucheng", "来信"], 1)
    [schedule] = mail.schedules or []
    assert isinstance(schedule.schedule, CronSchedule)
    # half-way between two deliveries, which would otherwise start beside it
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("5-59/10 * * * *", "Asia/Shanghai")
    flow = load_flow_from_entrypoint(f"{ROOT}/{mail.entrypoint}", use_placeholder_flow=False)
    assert (flow.name, flow.fn.__name__) == ("mail", "mail")


def test_a_plan_that_has_ended_keeps_its_deployments_without_a_schedule(pack: Pack) -> None:
    found = deployments([(pack.plan, pack.calendars)], TODAY)
    assert len(found) == 25
    assert [d.name for d in found if d.schedules] == ["sweep", "circulars", "reminders", "delivery"]


def test_two_plans_stand_side_by_side(pack: Pack) -> None:
    moved = copy_plan(pack.plan, date(2026, 12, 1), "moved")
    found = deployments([(pack.plan, pack.calendars), (moved, pack.calendars)], TODAY)
    assert len({d.full_name for d in found}) == len(found) == 46


def test_a_schedule_keeps_to_what_the_server_takes() -> None:
    days = [TODAY + timedelta(days=n) for n in range(-100, 2000)]
    schedule = on_dates(days, TODAY)
    assert schedule is not None
    assert schedule.rrule is not None
    assert len(schedule.rrule) <= 6500
    assert schedule.rrule.count("T080000") == MOST_DATES + 1  # DTSTART and the dates
    assert schedule.rrule.startswith("DTSTART:20261124T080000\nRDATE:20261124T080000,20261125T080000,")
    assert on_dates(days[:100], TODAY) is None
