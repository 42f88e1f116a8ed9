"""Words for what the ledger stores in English: dates, periods, cadences, assignees. Official, short, polite Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime

from ledger.civil import SHANGHAI
from policy_models.calendars import Calendars
from policy_models.evidence import TYPE_NAMES
from policy_models.periods import SEASONS, occasion_name
from policy_models.plan import Assignee, Due, Every, EvidenceRule, EvidenceType, Requirement, Review, Role
from policy_models.spans import full_day, month_day, weekday_name
from policy_models.units import LEVEL_NAMES

ANY_YEAR = 2025  # an occasion has the same name in every year
EVERY = {
    Every.MONTH: "每月一次",
    Every.QUARTER: "每季度一次",
    Every.HALF_YEAR: "每半年一次",
    Every.YEAR: "每年一次",
    Every.FORTNIGHT_IN_TERM: "学期内每两周一次",
}
INFERRED = {
    "title": "事项名称",
    "recurrence": "频次",
    "deadline": "时限",
    "due": "报送日",
    "assignee": "责任单位",
    "opens": "启动时间",
    "starts_on": "开始日期",
    "ends_on": "结束日期",
    "target": "目标值",
    "within": "办理期限",
}
REVIEWS = {
    Review.PARENT: "由上级主管单位审核",
    Review.COORDINATOR: "由统筹单位审核",
    Review.SAMPLED: "由统筹单位抽查审核",
}
SECTION_PATHS = {"task": "tasks", "phase": "phases", "safeguard": "safeguards"}


def day(value: date, as_of: date) -> str:
    """``6月30日(周日)``, with the year where it is not that of ``as_of``."""
    year = f"{value.year}年" if value.year != as_of.year else ""
    return f"{year}{month_day(value)}({weekday_name(value)})"


def work_day(value: date, as_of: date, calendars: Calendars) -> str:
    """As ``day``, and 调休上班 where a weekend is worked, lest the date look like a slip."""
    if calendars.work.day(value).make_up:
        return day(value, as_of).replace(")", "，调休上班)")
    return day(value, as_of)


def moment(value: datetime) -> str:
    """An instant as the wall clock of the city shows it: ``2024年6月30日 09:05``."""
    local = value.astimezone(SHANGHAI)
    return f"{full_day(local.date())} {local:%H:%M}"


def aim(deadline: date, remind_by: date, as_of: date, calendars: Calendars) -> str:
    """``请于6月28日(周五)前报送 · 还有 12 个工作日``: the day to aim at, always with its date; once past, how long."""
    left = remaining(deadline, remind_by, as_of, calendars)
    if as_of > remind_by:
        return left
    when = work_day(remind_by, as_of, calendars)
    return f"{when} · {left}" if as_of == remind_by else f"请于{when}前报送 · {left}"


def date_basis(why: str, doubted: Iterable[str]) -> str:
    """Why the date is what it is; and which of what it rests on the official text does not state."""
    names = inferred_fields(doubted)
    return f"{why.rstrip('。')}；{names}在文件中未载明，由系统推定" if names else why


def quoted(phrase: str) -> str:
    """A phrase as it stands inside quotation marks: its own become single ones."""
    return phrase.replace("“", "‘").replace("”", "’")


def joined(notes: Iterable[str]) -> str:
    """Notes as one line: a full stop before a semicolon falls away."""
    return "；".join(note.rstrip("。；") for note in notes)


def deadline_sentence(deadline: date, remind_by: date, as_of: date, calendars: Calendars) -> str:
    """``6月30日(周日) · 请于6月28日(周五)前报送 · 还有 12 个工作日``: legal date, day to aim at, work days left."""
    parts = [day(deadline, as_of)]
    if remind_by != deadline and as_of <= remind_by:
        parts.append(f"请于{work_day(remind_by, as_of, calendars)}前报送")
    parts.append(remaining(deadline, remind_by, as_of, calendars))
    return " · ".join(parts)


def remaining(deadline: date, remind_by: date, as_of: date, calendars: Calendars) -> str:
    """How far off the deadline is, in work days; once past, how many lie behind it."""
    if as_of > deadline:
        behind = calendars.work.count(deadline, as_of)
        return f"已逾期 {behind} 个工作日" if behind else "时限已过"
    if as_of == deadline:
        return "今日到期"
    left = calendars.work.count(as_of, remind_by)
    if left > 0:
        return f"还有 {left} 个工作日"
    return "请于今日报送" if as_of == remind_by else "时限前已无工作日，请尽快报送"


def workdays_left(deadline: date, remind_by: date, as_of: date, calendars: Calendars) -> int:
    """Work days after ``as_of`` up to the day to aim at; never below 0."""
    return max(0, calendars.work.count(as_of, remind_by)) if as_of <= deadline else 0


def section_path(section: str) -> str:
    """``task-5`` → ``/tasks/5``."""
    kind, _, number = section.partition("-")
    return f"/{SECTION_PATHS[kind]}/{number}"


def cadence(requirement: Requirement, calendars: Calendars) -> str:
    """How often and by when, in one sentence without a full stop."""
    recurrence = requirement.recurrence
    if recurrence is None:
        return "持续开展，在半年报送中说明进展"
    if recurrence.deadline:
        return f"{full_day(recurrence.deadline)}前完成"
    if recurrence.within:
        return f"遇有情形时办理，{_within(recurrence.within)}"
    every = recurrence.every
    assert every is not None
    return f"{_often(every, recurrence.on, calendars)}{_due(every, recurrence.due)}"


def _often(every: Every, on: Iterable[str], calendars: Calendars) -> str:
    if every in EVERY:
        return EVERY[every]
    names = "、".join(_name(id, calendars) for id in on) or "寒假、暑假"
    return {
        Every.VACATION: f"每年{names}各一次",
        Every.BEFORE_VACATION: f"每年{names}前各一次",
        Every.OBSERVANCE: f"每年{names}开展",
        Every.HOLIDAY: f"每年{names}前后开展",
        Every.RANGE: f"每年{names}期间开展",
    }[every]


def _name(id: str, calendars: Calendars) -> str:
    return SEASONS.get(id) or occasion_name(id, ANY_YEAR, calendars) or id


def _due(every: Every, due: Due | None) -> str:
    if due is None:
        return "，须在放假前完成" if every is Every.BEFORE_VACATION else ""
    words = {"start": "开始", "end": "结束", "day_before": "开始前一日"}[due.at]
    if due.at == "day_before":
        return "，开始前一日截止"
    return f"，{words}后 {due.days} 日内报送" if due.days else f"，{words}当日截止"


def _within(text: str) -> str:
    number, unit = re.fullmatch(r"(\d+)(h|d|wd)", text).groups()  # type: ignore[union-attr]
    return f"{number} {({'h': '小时', 'd': '日', 'wd': '个工作日'})[unit]}内报送"


def owed_by(assignee: Assignee) -> str:
    """Who owes it: named organs, or every unit of a level and function."""
    role = {Role.LEAD: "（牵头）", Role.COOPERATING: "（配合）", None: ""}[assignee.role]
    if assignee.units:
        return "、".join(assignee.units) + role
    level = LEVEL_NAMES[assignee.level] if assignee.level else "各级"
    functions = "、".join(assignee.function)
    return f"各{level}{functions}{'部门' if functions else ''}{role}".replace("各各级", "各级")


def evidence_wanted(rule: EvidenceRule) -> str:
    """One piece of evidence that the rule wants, with its target."""
    label = rule.label or TYPE_NAMES[rule.type]
    if rule.type is EvidenceType.MEASURE:
        of = f" / {rule.of_label}" if rule.of_label else ""
        target = f"（目标 {target_words(rule.target)}）" if rule.target else ""
        return f"指标：{label}{of}{target}"
    count = f" {rule.min} 份" if rule.min > 1 else ""
    return f"{TYPE_NAMES[rule.type]}：{label}{count}"


def target_words(target: str) -> str:
    """``>=4`` → ``不少于 4``."""
    return target.replace(">=", "不少于 ").replace("<=", "不超过 ").replace(">", "多于 ")


def inferred_fields(fields: Iterable[str]) -> str:
    """The fields the official text does not state, in words."""
    return "、".join(INFERRED.get(name, name) for name in fields)


def percent(share: float) -> str:
    """Whole per cent, rounded down, so that 100% means all."""
    return f"{int(share * 100)}%"
