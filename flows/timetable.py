"""The timetable in one list: every deployment, with its schedule, tags and limit.

Task and phase flows run on the dates of the plan, all others daily or oftener. What a schedule misses is made good
by the daily sweep, never by Prefect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron, RRule, Schedule

from flows import phases, plan_tasks
from flows.circulars import circulars
from flows.delivery import delivery
from flows.mail import mail
from flows.reminders import reminders
from flows.sweep import sweep
from policy_models.calendars import Calendars
from policy_models.deadlines import Duty, timetable
from policy_models.plan import Plan, PlanTask
from policy_models.run_days import RUN_HOUR, phases_of, runs

ZONE = "Asia/Shanghai"
OURS = "lucheng"  # the tag by which the runner knows its own deployments
HOUR = f"T{RUN_HOUR:02}0000"
MOST_DATES = 380  # a schedule is a string of at most 6,500 characters, 16 for each date
DELIVERIES_AT_A_TIME = 2

# A reconciler reads all that is due, so a second run beside the first or a heap of late ones has nothing to do.
ALONE = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
BESIDE = ConcurrencyLimitConfig(limit=DELIVERIES_AT_A_TIME, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


def deployments(
    plans: Sequence[tuple[Plan, Calendars]], today: date, *, mailbox: bool = False
) -> list[RunnerDeployment]:
    """Every deployment: for each plan one for each phase and task, then the sweep, the circulars, the reminders and the delivery, and
    the reading of the ``mailbox`` where there is one.

    ``today`` (civil date): earlier dates are left out, and a plan that has ended keeps its deployments unscheduled.
    """
    of_plans = [found for plan, calendars in plans for found in _of_plan(plan, calendars, today)]
    return [*of_plans, *_daily(), *([_mail()] if mailbox else [])]


def on_dates(days: Iterable[date], today: date) -> Schedule | None:
    """A schedule of exactly these civil dates at 08:00, from ``today`` on, the first 380; None when there is none."""
    ahead = sorted({day for day in days if day >= today})[:MOST_DATES]
    if not ahead:
        return None
    stamps = [f"{day:%Y%m%d}{HOUR}" for day in ahead]
    return RRule(f"DTSTART:{stamps[0]}\nRDATE:{','.join(stamps)}", timezone=ZONE, slug="plan-dates")


def _of_plan(plan: Plan, calendars: Calendars, today: date) -> Iterator[RunnerDeployment]:
    duties = timetable(plan, calendars)
    for phase in plan.phases:
        own = [duty for duty in duties if duty.section == f"phase-{phase.number}"]
        yield _deployment(
            phases.flow_of(phase.number),
            f"{plan.code}-phase-{phase.number}",
            schedule=on_dates(_days(plan, f"phase-{phase.number}", own, calendars), today),
            tags=[OURS, plan.code, f"阶段{phase.number}"],
            parameters={"plan": plan.code},
            description=f"{plan.title}\n\n阶段{phase.number} {phase.title}：{phase.starts_on} 至 {phase.ends_on}",
        )
    for task in plan.tasks:
        own = [duty for duty in duties if duty.section == f"task-{task.number}"]
        yield _deployment(
            plan_tasks.flow_of(task.number),
            f"{plan.code}-task-{task.number:02}",
            schedule=on_dates(_days(plan, f"task-{task.number}", own, calendars), today),
            tags=[
                OURS,
                plan.code,
                f"任务{task.number}",
                *(f"阶段{phase.number}" for phase in phases_of(plan, own)),
                *task.owners,
            ],
            parameters={"plan": plan.code},
            description=_about(plan, task),
        )


def _days(plan: Plan, section: str, duties: Sequence[Duty], calendars: Calendars) -> list[date]:
    return [run.day for run in runs(plan, section, duties, calendars.work)]


def _about(plan: Plan, task: PlanTask) -> str:
    action = next((a.title for a in plan.actions if a.number == task.action), "")
    return f"{plan.title}\n\n{action} · 任务{task.number} {task.title}\n\n责任单位：{'、'.join(task.owners)}"


def _daily() -> Iterator[RunnerDeployment]:
    yield _deployment(
        sweep,
        "sweep",
        schedule=Cron("30 7 * * *", timezone=ZONE, slug="daily"),
        tags=[OURS, "每日巡检"],
        description="每天 07:30 补齐漏做的交办、催办、通报和投递。",
    )
    yield _deployment(
        circulars,
        "circulars",
        schedule=Cron("35 8 * * *", timezone=ZONE, slug="daily"),
        tags=[OURS, "通报"],
        description="每天 08:35 发布已到发布日的周通报和月通报。",
    )
    yield _deployment(
        reminders,
        "reminders",
        schedule=Cron("40 8 * * *", timezone=ZONE, slug="daily"),
        tags=[OURS, "催办"],
        description="每天 08:40 生成到期的催办和督办。",
    )
    yield _deployment(
        delivery,
        "delivery",
        schedule=Cron("*/10 * * * *", timezone=ZONE, slug="every-10-minutes"),
        tags=[OURS, "投递"],
        limit=BESIDE,
        description="每 10 分钟投递发件箱中的消息。",
    )


def _mail() -> RunnerDeployment:
    return _deployment(
        mail,
        "mail",
        schedule=Cron("5-59/10 * * * *", timezone=ZONE, slug="every-10-minutes"),
        tags=[OURS, "来信"],
        description="每 10 分钟收取邮箱中的来信，并发出回执。",
    )


def _deployment(
    of: Flow[..., Any], name: str, *, schedule: Schedule | None, limit: ConcurrencyLimitConfig = ALONE, **more: Any
) -> RunnerDeployment:
    schedules = [schedule] if schedule else []  # an empty list, not None: it takes a former schedule away
    return RunnerDeployment.from_flow(of, name, schedules=schedules, concurrency_limit=limit, **more)
