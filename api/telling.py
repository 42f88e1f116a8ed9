"""Words for the record of notices: why one was sent, to whom, and what came of it; its cells for the export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from documents.cells import Cell
from ledger.civil import SHANGHAI
from ledger.queries.ladders import CAME_NAMES
from ledger.queries.outcomes import OUTCOME_NAMES, Outcome
from ledger.queries.reading import Reading
from ledger.queries.reminders import NoticeRow
from policy_models.circular_periods import period_of
from policy_models.ladder import Audience
from policy_models.periods import period_name, section_name

__all__ = ["CAME_NAMES", "OUTCOME_NAMES"]  # what templates take from here beside this module's own
KIND_NAMES = {
    "reminder": "按时限提醒",
    "chase": "催办",
    "returned": "退回",
    "extension": "延期审批",
    "weekly": "周通报",
    "monthly": "月通报",
}
TONES = {
    Outcome.SENT: "green",
    Outcome.NEXT: "grey",
    Outcome.SENDING: "grey",
    Outcome.CLOSED: "grey",
    Outcome.AGAIN: "yellow",
    Outcome.LIMITED: "grey",
    Outcome.DOWN: "orange",
    Outcome.UNCONFIRMED: "orange",
    Outcome.NOT_CONFIGURED: "orange",
    Outcome.UNCERTAIN: "orange",
    Outcome.DEAD: "red",
    Outcome.SETTLED: "blue",
    Outcome.MOVED: "grey",
    Outcome.DROPPED: "grey",
    Outcome.CAP: "yellow",
    Outcome.NOBODY: "orange",
    Outcome.SPOKEN: "grey",
}
COLUMNS: tuple[str, ...] = (
    "序号",
    "日期",
    "类别",
    "发送原因",
    "附言或意见",
    "办理件编号",
    "事项",
    "期次",
    "责任单位",
    "时限",
    "告知单位",
    "告知对象",
    "渠道",
    "结果",
    "对方答复",
    "未发出的原因",
    "生成时间",
    "发出时间",
)


def step_words(step: int) -> str:
    """``时限前7个工作日``, ``时限当日``, ``逾期3个工作日``."""
    if step == 0:
        return "时限当日"
    return f"时限前{-step}个工作日" if step < 0 else f"逾期{step}个工作日"


def why(row: NoticeRow) -> str:
    """Why a notice was made, in a few words."""
    if row.kind == "reminder" and row.step is not None:
        told = step_words(row.step)
        return f"{told}，报告{row.recipient_name}" if row.owes != row.recipient else told
    if row.kind == "chase":
        return f"{row.by}催办" if row.by else "催办"
    if row.kind == "returned":
        return f"{row.by}退回" if row.by else "退回"
    return KIND_NAMES.get(row.kind, row.kind)


def whom(row: NoticeRow) -> str:
    """Whom a notice speaks to at the unit: a person, the inbox, or (nothing was made) the role."""
    if row.person_name:
        return row.person_name
    if row.channel:
        return "本单位"
    return "负责人" if row.audience == Audience.PRINCIPAL else "联络员"


def subject(row: NoticeRow, reading: Reading) -> str:
    """``事项（2025年1月）``; of a circular its period."""
    if not row.title:
        return period_of(row.kind, row.period).name if row.period else KIND_NAMES.get(row.kind, row.kind)
    period = period_name(row.period, reading.calendars)
    return f"{row.title}（{period}）" if period else row.title


def cells(
    rows: Iterable[NoticeRow], reading: Reading, channel_name: Callable[[str], str]
) -> Iterator[tuple[Cell, ...]]:
    """The columns of COLUMNS for each row."""
    yield COLUMNS
    for number, row in enumerate(rows, 1):
        section = f"{section_name(row.section)} {row.title}" if row.section else subject(row, reading)
        yield (
            number,
            row.day,
            KIND_NAMES.get(row.kind, row.kind),
            why(row),
            row.note,
            row.key,
            section,
            period_name(row.period, reading.calendars) if row.title else None,
            row.owes_name,
            row.deadline,
            row.recipient_name,
            whom(row),
            channel_name(row.channel) if row.channel else None,
            OUTCOME_NAMES[row.outcome],
            row.answer,
            row.error,
            _local(row.queued_at),
            _local(row.sent_at) if row.sent_at else None,
        )


def _local(at: datetime) -> datetime:
    return at.astimezone(SHANGHAI).replace(tzinfo=None, second=0, microsecond=0)
