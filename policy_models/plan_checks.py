"""What a plan must satisfy beyond its schema: one finding for each contradiction, with the place it stands at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from policy_models.calendars import Calendars
from policy_models.plan import Assignee, Every, Function, Level, Plan, Requirement, code_prefix
from policy_models.recurrence import SEASONS
from policy_models.units import Units

VACATIONS = (Every.VACATION, Every.BEFORE_VACATION)


@dataclass(frozen=True)
class Finding:
    """Something wrong at ``path`` inside a section (``task-5``) or, with section None, in the plan's head."""

    section: str | None
    path: tuple[str | int, ...]
    message: str


def check_plan(plan: Plan, units: Units, calendars: Calendars) -> list[Finding]:
    """Every contradiction inside the pack; an empty list means that the plan can be loaded."""
    return [*_head(plan, units), *_phases(plan), *_owners(plan), *_requirements(plan, units, calendars)]


def _head(plan: Plan, units: Units) -> Iterator[Finding]:
    if plan.ends_on < plan.starts_on:
        yield Finding(None, ("ends_on",), "方案的结束早于开始")
    if plan.coordinator not in plan.organs:
        yield Finding(None, ("coordinator",), f"统筹单位不在 organs 中：{plan.coordinator}")
    for name, code in plan.organs.items():
        if code not in units:
            yield Finding(None, ("organs", name), f"单位名录中没有代码 {code}（{name}）")
    listed = Counter(number for action in plan.actions for number in action.tasks)
    for number, times in listed.items():
        if plan.task(number) is None:
            yield Finding(None, ("actions",), f"行动中列出的任务 {number} 没有文件")
        elif times > 1:
            yield Finding(None, ("actions",), f"任务 {number} 列在两个行动中")
    for task in plan.tasks:
        action = next((a for a in plan.actions if a.number == task.action), None)
        if action is None or task.number not in action.tasks:
            yield Finding(f"task-{task.number}", ("action",), f"行动 {task.action} 中没有任务 {task.number}")


def _phases(plan: Plan) -> Iterator[Finding]:
    for number, phase in enumerate(plan.phases, 1):
        where = f"phase-{phase.number}"
        if phase.number != number:
            yield Finding(where, ("number",), f"阶段须按顺序编号：此处应为 {number}")
        if phase.starts_on < plan.starts_on or phase.ends_on > plan.ends_on:
            yield Finding(where, ("ends_on",), "阶段超出方案的起止日期")
    for before, after in zip(plan.phases, plan.phases[1:], strict=False):
        if after.starts_on <= before.ends_on:
            yield Finding(f"phase-{after.number}", ("starts_on",), "阶段与前一阶段重叠")


def _owners(plan: Plan) -> Iterator[Finding]:
    for task in plan.tasks:
        for index, owner in enumerate(task.owners):
            if owner not in plan.organs:
                yield Finding(f"task-{task.number}", ("owners", index), f"责任单位不在 organs 中：{owner}")


def _requirements(plan: Plan, units: Units, calendars: Calendars) -> Iterator[Finding]:
    codes = Counter(requirement.code for _, requirement in plan.requirements())
    for section, body in plan.sections():
        for index, requirement in enumerate(body.requirements):
            at = ("requirements", index)
            if codes[requirement.code] > 1:
                yield Finding(section, (*at, "code"), f"事项代码重复：{requirement.code}")
            if not requirement.code.startswith(code_prefix(section)):
                yield Finding(
                    section, (*at, "code"), f"此处的事项代码应以 {code_prefix(section)} 开头：{requirement.code}"
                )
            yield from _dates(plan, requirement, section, at)
            yield from _assignee(plan, units, requirement.assignee, section, (*at, "assignee"))
            yield from _occasions(requirement, calendars, section, at)


def _dates(plan: Plan, requirement: Requirement, section: str, at: tuple[str | int, ...]) -> Iterator[Finding]:
    for field, day in (
        ("deadline", requirement.deadline),
        ("starts_on", requirement.starts_on),
        ("ends_on", requirement.ends_on),
    ):
        if day and not plan.starts_on <= day <= plan.ends_on:
            place = (*at, "recurrence", "deadline") if field == "deadline" else (*at, field)
            yield Finding(section, place, f"日期 {day} 不在方案期内（{plan.starts_on} 至 {plan.ends_on}）")
    if requirement.starts_on and requirement.ends_on and requirement.ends_on < requirement.starts_on:
        yield Finding(section, (*at, "ends_on"), "结束日期早于开始日期")
    opens = requirement.opens.on if requirement.opens else None
    if opens and requirement.deadline and opens > requirement.deadline:
        yield Finding(section, (*at, "opens", "on"), "启动日期晚于时限")


def _assignee(
    plan: Plan, units: Units, assignee: Assignee, section: str, at: tuple[str | int, ...]
) -> Iterator[Finding]:
    for index, name in enumerate(assignee.units):
        if plan.organs.get(name, name) not in units:
            yield Finding(section, (*at, "units", index), f"没有这个单位：{name}")
    if not assignee.units and not units.assigned(assignee, plan.organs):
        level: Level | None = assignee.level
        functions: tuple[Function, ...] = assignee.function
        yield Finding(section, at, f"单位名录中没有这样的单位：{level or ''} {'、'.join(functions)}".strip())
    for function in assignee.function:
        if assignee.level and not any(u.level is assignee.level and u.function is function for u in units.values()):
            yield Finding(section, (*at, "function"), f"单位名录中 {assignee.level} 一级没有 {function} 条线的单位")


def _occasions(
    requirement: Requirement, calendars: Calendars, section: str, at: tuple[str | int, ...]
) -> Iterator[Finding]:
    recurrence = requirement.recurrence
    if recurrence is None:
        return
    for index, name in enumerate(recurrence.on):
        known = name in SEASONS if recurrence.every in VACATIONS else calendars.knows(name)
        if not known:
            yield Finding(section, (*at, "recurrence", "on", index), f"日历中没有这个日子：{name}")
