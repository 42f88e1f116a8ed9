"""流程 in one line: when a section's work was last driven, when next, and what will be done then. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from api.words import day, moment
from ledger.civil import at_hour, civil_date
from ledger.marks import Mark
from ledger.queries.flow_runs import DutyDates
from ledger.queries.reading import Reading
from policy_models.run_days import RUN_HOUR, Cause, Run, runs

CAUSES = {
    Cause.PHASE_BEGINS: "阶段开始",
    Cause.PHASE_ENDS: "阶段结束",
    Cause.PHASE_OVER: "核对阶段里程碑",
    Cause.OPENS: "启动 {}",
    Cause.LAST_WORKDAY: "{} 时限前最后一个工作日",
    Cause.DUE: "{} 到期",
    Cause.OVER: "清点 {} 逾期",
}
NAMED = 4  # codes; more are counted


@dataclass(frozen=True)
class FlowLine:
    """``last`` and ``next`` in words; ``next`` is "" once there is none."""

    last: str
    next: str


def flow_line(
    reading: Reading, section: str, duties: Sequence[DutyDates], last: tuple[Mark | None, bool]
) -> FlowLine | None:
    """The line for today; None on another day, and for a safeguard, which has no flow of its own."""
    if reading.as_of != civil_date(reading.now) or section.startswith("safeguard"):
        return None
    ahead = next_run(runs(reading.plan, section, duties, reading.calendars.work), reading.now)
    mark, own = last
    told = f"上次运行 {moment(mark.finished_at)}{'' if own else '（随每日巡检）'}" if mark else "尚未运行"
    return FlowLine(told, f"下次 {when(ahead.day, reading.as_of)}：{'；'.join(causes(ahead))}" if ahead else "")


def next_run(found: Sequence[Run], now: datetime) -> Run | None:
    """The first run that is still to come."""
    return next((one for one in found if at_hour(one.day, RUN_HOUR) > now), None)


def when(value: date, as_of: date) -> str:
    return f"{day(value, as_of)} {RUN_HOUR:02}:00"


def causes(run: Run) -> list[str]:
    """What a run does, in words, each cause once."""
    return [CAUSES[cause].format(_codes(codes)) for cause, codes in run.causes]


def _codes(codes: Sequence[str]) -> str:
    if len(codes) > NAMED:
        return f"{'、'.join(codes[:NAMED])} 等 {len(codes)} 项"
    return "、".join(codes)
