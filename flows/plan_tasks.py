"""One flow for each task of a plan: ``task_t05`` opens what task 5 owes and shows how it stands.

A deployed run finds its flow by file and name, so each is made by a factory, under its own name, as an attribute of
this module; ``Flow.with_options`` would leave every deployment running the base flow.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from prefect import Flow, flow

from flows import run_date
from flows.artifacts import publish_section
from tasks.issuing import issue_due, schedule_items
from tasks.progress import section_progress
from tasks.upkeep import mark

MOST_TASKS = 99  # as many as the plan model can number

Run = Callable[[str, str | None], Coroutine[Any, Any, int]]
TaskFlow = Flow[[str, str | None], Coroutine[Any, Any, int]]


def flow_of(number: int) -> TaskFlow:
    """The flow of the task with this number. Raises KeyError beyond MOST_TASKS."""
    found: TaskFlow = globals()[f"task_t{number:02}"]
    return found


def _task_flow(number: int) -> TaskFlow:
    async def run(plan: str, as_of: str | None = None) -> int:
        """Make good what is missing, open what is due by ``as_of``, publish the task's standing; items opened."""
        day = run_date.resolve(as_of).isoformat()
        section = f"task-{number}"
        schedule_items(plan)
        opened = issue_due(plan, day, [section])
        await publish_section(f"{plan}-task-{number:02}", section_progress(plan, section, day), day)
        mark(f"{plan}-{section}", day)
        return opened

    run.__name__ = run.__qualname__ = f"task_t{number:02}"
    decorate = flow(name=f"task-{number:02}", flow_run_name=run_date.named(f"任务{number}"), persist_result=False)
    made: TaskFlow = decorate(run)
    return made


for _number in range(1, MOST_TASKS + 1):
    globals()[f"task_t{_number:02}"] = _task_flow(_number)
