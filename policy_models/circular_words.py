"""通报 in words: short official sentences assembled from figures alone. Nothing is invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from policy_models.circular_periods import KIND_NAMES, UNIT_OF
from policy_models.circulars import (
    AreaLine,
    Circular,
    ComingLine,
    RoundLine,
    Said,
)
from policy_models.spans import month_day, weekday_name
from policy_models.timing import LIGHT_NAMES, ORANGE_WORKDAYS, Light

NAMED = 5  # areas with overdue items that a sentence names
COMING_NAMED = 3
WORST_TO_BEST = (Light.RED, Light.ORANGE, Light.YELLOW, Light.GREEN, Light.BLUE, Light.GREY)
NUMBERED = frozenset({Light.RED, Light.ORANGE, Light.YELLOW})  # lights whose tasks are named


def worded(facts: Circular) -> Circular:
    """The circular with its title and sections. Equal facts, equal words; at most eight sections of one paragraph."""
    unit = UNIT_OF[facts.kind]
    told = (
        ("总体进展", _overall(facts)),
        (f"本{unit}到期和办结", _in_period(facts)),
        ("逾期情况", _overdue(facts)),
        ("重点任务", _tasks(facts)),
        (f"下{unit}到期事项", _coming(facts)),
        ("催办情况", _chased(facts)),
        ("半年报送", "".join(map(_round, facts.rounds))),
        ("联络情况", _unreachable(facts)),
    )
    title = f"方案落实情况{KIND_NAMES[facts.kind]}（{facts.span.name}）"
    return replace(facts, title=title, sections=tuple(Said(heading, text) for heading, text in told if text))


def percent(part: int, whole: int) -> str:
    """``87.1%``; – where there is nothing to divide by."""
    return f"{_tenths(part, whole) / 10:.1f}%" if whole else "–"


def _tenths(part: int, whole: int) -> int:
    """Tenths of a percent, rounded half up: differences are those of what is shown."""
    return (2000 * part + whole) // (2 * whole) if whole else 0


def _overall(facts: Circular) -> str:
    total, unit = facts.total, UNIT_OF[facts.kind]
    if not total.expected:
        return f"截至{month_day(facts.day)}，没有应办的办理件。"
    done, due = _tenths(total.done, total.expected), _tenths(min(total.due, total.expected), total.expected)
    told = (
        f"截至{month_day(facts.day)}，方案全程应办{total.expected}件，时限已到{total.due}件；"
        f"已办结{total.done}件，办结率{done / 10:.1f}%，序时进度{due / 10:.1f}%，{_apart(done - due)}。"
    )
    more = total.done - total.done_before
    if more < 0:  # a new revision of the plan dropped what had been done
        return f"{told}已办结比上{unit}末减少{-more}件。"
    before = _tenths(total.done_before, total.expected_before)
    return f"{told}比上{unit}末增加办结{more}件，办结率{_moved(done - before)}。"


def _apart(tenths: int) -> str:
    if not tenths:
        return "与序时进度持平"
    return f"{'超前' if tenths > 0 else '落后'}{abs(tenths) / 10:.1f}个百分点"


def _moved(tenths: int) -> str:
    if not tenths:
        return "持平"
    return f"{'提高' if tenths > 0 else '下降'}{abs(tenths) / 10:.1f}个百分点"


def _in_period(facts: Circular) -> str:
    total, unit = facts.total, UNIT_OF[facts.kind]
    acts = f"本{unit}共报送{facts.submitted}件次，审核办结{total.closed}件，退回{facts.returned}件次。"
    if not total.in_due:
        return f"本{unit}没有到期的办理件。{acts}"
    rest = (("待审核", total.in_waiting), ("逾期未报", total.in_overdue))
    left = "".join(f"，{word}{count}件" for word, count in rest if count)
    return (
        f"时限在本{unit}的办理件{total.in_due}件，截至{month_day(facts.day)}已办结{total.in_done}件"
        f"（{percent(total.in_done, total.in_due)}）{left}。{acts}"
    )


def _overdue(facts: Circular) -> str:
    total, unit = facts.total, UNIT_OF[facts.kind]
    if not total.overdue:
        return f"截至{month_day(facts.day)}，没有逾期的办理件" + (
            f"，比上{unit}末减少{total.overdue_before}件。" if total.overdue_before else "。"
        )
    red = (
        f"，其中严重逾期（超过{ORANGE_WORKDAYS}个工作日或两次退回）{total.long_overdue}件" if total.long_overdue else ""
    )
    told = f"截至{month_day(facts.day)}，逾期{total.overdue}件{red}，{_compared(total, unit)}。"
    return f"{told}{_by_area('旗县区', facts.counties)}{_by_area('市直部门', facts.departments)}"


def _compared(line: AreaLine, unit: str) -> str:
    more = line.overdue - line.overdue_before
    if not more:
        return f"与上{unit}末持平"
    return f"比上{unit}末{'增加' if more > 0 else '减少'}{abs(more)}件"


def _by_area(kind: str, lines: Sequence[AreaLine]) -> str:
    """Worst first, each with its denominator."""
    late = [one for one in lines if one.overdue]
    if not lines:
        return ""
    if not late:
        return f"{kind}没有逾期。"
    named = "、".join(f"{one.name}{one.overdue}件（时限已到{one.due}件）" for one in late[:NAMED])
    left = len(lines) - len(late)
    more = f"等{len(late)}个单位有逾期" if len(late) > NAMED else ""
    clean = f"，其余{left}个没有逾期" if left else ""
    return f"{kind}中，{named}{more}{clean}。"


def _tasks(facts: Circular) -> str:
    dated = [one for one in facts.tasks if not one.continuous]
    told = []
    for light in WORST_TO_BEST:
        numbers = [one.number for one in dated if one.light is light]
        if numbers:
            which = f"（任务{'、'.join(map(str, numbers))}）" if light in NUMBERED else ""
            told.append(f"{LIGHT_NAMES[light]}{len(numbers)}项{which}")
    carried = len(facts.tasks) - len(dated)
    if carried:
        told.append(f"持续开展{carried}项")
    return f"{len(facts.tasks)}项重点任务中，{'，'.join(told)}。" if told else ""


def _coming(facts: Circular) -> str:
    following, unit = facts.span.next, UNIT_OF[facts.kind]
    lines = facts.coming
    if not lines:
        return f"下{unit}（{following.days}）没有到期事项。"
    units, waiting = sum(one.units for one in lines), sum(one.waiting for one in lines)
    named = "；".join(_matter(one) for one in lines[:COMING_NAMED])
    more = "等，详见附件" if len(lines) > COMING_NAMED else ""
    return f"下{unit}（{following.days}）到期{len(lines)}项、{units}件，其中待报送{waiting}件：{named}{more}。"


def _matter(line: ComingLine) -> str:
    """``“开展走访”9月30日到期，855个单位，请于9月30日（周三）前报送``."""
    when = f"{month_day(line.deadline)}到期{'（推定）' if line.inferred else ''}"
    aim = f"请于{month_day(line.remind_by)}（{weekday_name(line.remind_by)}）前报送"
    return f"“{line.title}”{when}，{line.units}个单位，{aim}"


def _chased(facts: Circular) -> str:
    told, unit = facts.chased, UNIT_OF[facts.kind]
    if not told.sent:
        return f"本{unit}没有发出催办。"
    hand = f"（其中人工催办{told.by_hand}件次）" if told.by_hand else ""
    running = f"，{told.running}件尚未满3个工作日" if told.running else ""
    return (
        f"本{unit}向{told.units}个单位发出催办{told.sent}件次{hand}，涉及办理件{told.items}件；"
        f"催办后3个工作日内报送{told.followed}件（{percent(told.followed, told.items)}）{running}。"
    )


def _round(line: RoundLine) -> str:
    missing = f"，逾期未报{line.missing}个" if line.missing else ""
    back = f"，退回{line.returned}个" if line.returned else ""
    return (
        f"{line.name}报送（时限{month_day(line.deadline)}）应报{line.owing}个单位，已报送{line.handed_in}个，"
        f"齐报率{percent(line.handed_in, line.owing)}，审核通过{line.accepted}个{back}{missing}。"
    )


def _unreachable(facts: Circular) -> str:
    if not facts.unreachable:
        return ""
    return f"目前有{facts.unreachable}个承担任务的单位没有可以联系到的联络员，请有关单位及时补充。"
