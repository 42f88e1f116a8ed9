"""体检 of what the ledger knows: each check gives sentences with what to do next; none changes anything.

`lucheng doctor` tells them at the machine, the page 系统 to the administrator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ledger import addresses, channels, files, letters, marks, outbox, plans, tally
from ledger.civil import SHANGHAI, civil_date
from ledger.database import Session
from ledger.file_store import FileStore
from ledger.queries.messages import unsettled_by_channel
from ledger.queries.reach import count_unreachable
from policy_models.calendars import Confidence, notice_missing
from policy_models.delivery import CHANNEL_STATE_NAMES, ChannelState, MessageState, Way, facts_of

SWEEP_WITHIN = timedelta(hours=26)
MAIL_WITHIN = timedelta(hours=1)
# What to do about a channel that nothing goes out by
CHANNEL_STEPS = {
    ChannelState.UNTESTED: "消息不会由它发出，请运行 lucheng channel test {code}",
    ChannelState.CHANGED: "消息不会由它发出，请运行 lucheng channel test {code}",
    ChannelState.AWAITS: "消息不会由它发出，收到测试消息后请运行 lucheng channel confirm {code} 确认码",
    ChannelState.LIMITED: "稍后自动恢复",
}


class Grade(StrEnum):
    GOOD = "正常"
    NOTE = "注意"
    FAULT = "错误"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one matter."""

    grade: Grade
    matter: str
    sentence: str


def files_stand(session: Session, store: FileStore) -> Iterator[Finding]:
    """Bytes that the ledger names and the store has not: a backup restored by half."""
    if missing := sum(not store.has(content) for content in files.contents(session)):
        sentence = f"台账记有而文件库中没有的文件 {missing} 个，请从备份恢复文件目录"
        yield Finding(Grade.FAULT, "文件库", sentence)


def _plans(session: Session, now: datetime) -> Iterator[Finding]:
    known, today = plans.plans(session), civil_date(now)
    if not known:
        yield Finding(Grade.NOTE, "方案", "台账中还没有方案，请运行 lucheng plan load")
    for plan in known:
        stage = "已结束" if plan.ends_on < today else "未开始" if plan.starts_on > today else "执行中"
        yield Finding(Grade.GOOD, "方案", f"{plan.code} {stage}（{plan.starts_on} 至 {plan.ends_on}）")
    if known and all(plan.ends_on < today for plan in known):
        hint = "lucheng plan copy --starts 日期 可据此生成下一方案"
        yield Finding(Grade.NOTE, "方案", f"全部方案均已结束，不会再有新的时限；{hint}")


def _calendars(session: Session, now: datetime) -> Iterator[Finding]:
    today = civil_date(now)
    for plan in plans.plans(session):
        if plan.ends_on < today:
            continue
        calendars = plans.calendars(session, plan.code)
        if notice_missing(calendars.work, today):
            step = "发布后请运行 lucheng calendar import-notice，再 lucheng plan load"
            yield Finding(
                Grade.NOTE, "日历", f"{plan.code}：{today.year + 1} 年放假安排尚未录入，相关日期为推定；{step}"
            )
        for kind, name in (("winter", "寒假"), ("summer", "暑假")):
            coming = (calendars.school.vacation(kind, today.year + years) for years in (0, 1))
            span = next(one for one in coming if one.last >= today)
            if span.first <= plan.ends_on and span.confidence is not Confidence.ANNOUNCED:
                sentence = f"{plan.code}：{span.last.year} 年{name}没有正式校历，相关日期为推定，请录入校历"
                yield Finding(Grade.NOTE, "日历", sentence)


def _sweep(session: Session, now: datetime) -> Iterator[Finding]:
    last = marks.marks(session).get("sweep")
    if any(plan.demonstration for plan in plans.plans(session)):
        yield Finding(Grade.GOOD, "流程", "这是演示台账，数据全部虚构，不运行流程")
    elif last is None:
        yield Finding(Grade.NOTE, "流程", "每日巡检还没有运行过；lucheng up 启动后会自动运行")
    elif now - last.finished_at > SWEEP_WITHIN:
        at = last.finished_at.astimezone(SHANGHAI)
        yield Finding(
            Grade.FAULT, "流程", f"每日巡检已超过 26 小时没有完成（上次 {at:%Y-%m-%d %H:%M}），请查看 data/logs"
        )
    else:
        yield Finding(Grade.GOOD, "流程", f"每日巡检最近完成于 {last.finished_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}")


def _outbox(session: Session, now: datetime) -> Iterator[Finding]:
    counts = outbox.counts(session)
    if dead := counts.get("dead", 0):
        step = "请统筹单位在“消息”页面查看原因，更正后重新发送"
        yield Finding(Grade.FAULT, "消息", f"{dead} 条消息无法送达，{step}")
    if unsure := counts.get("uncertain", 0):
        step = "请统筹单位在“消息”页面核实后决定是否重新发送"
        yield Finding(Grade.NOTE, "消息", f"{unsure} 条消息发送时中断，不能确定是否送达，{step}")
    if not dead and not unsure:
        yield Finding(
            Grade.GOOD, "消息", f"发件箱正常（待发 {counts.get('pending', 0)} 条，已发 {counts.get('sent', 0)} 条）"
        )


def channels_stand(session: Session, found: Mapping[str, Way], now: datetime) -> Iterator[Finding]:
    """Channels that nothing goes out by, and why."""
    standings, unsettled = channels.standings(session), unsettled_by_channel(session)
    leaving = {code: config for code, config in found.items() if facts_of(config).leaves}
    working = 0
    for code, config in leaving.items():
        state, standing = channels.state_of(config, standings.get(code), now), standings.get(code)
        step = CHANNEL_STEPS.get(state)
        if state is ChannelState.DOWN and standing is not None:
            yield Finding(Grade.FAULT, "渠道", f"渠道 {code} 不可用，消息留在发件箱：{standing.error}")
        elif step is not None:
            yield Finding(Grade.NOTE, "渠道", f"渠道 {code} {CHANNEL_STATE_NAMES[state]}，{step.format(code=code)}")
        else:
            working += 1
    for code in sorted(set(unsettled) - set(found)):
        if waiting := unsettled[code].get(MessageState.PENDING, 0):
            yield Finding(Grade.NOTE, "渠道", f"{waiting} 条消息等待渠道 {code}，而设置中没有这个渠道")
    if working:
        yield Finding(Grade.GOOD, "渠道", f"{working} 个渠道可用")


def mail_stands(session: Session, now: datetime, *, mailbox: str, answers: bool) -> Iterator[Finding]:
    """Of the mailbox that is read; ``answers``: receipts can be sent."""
    last = letters.mark_of(session, mailbox)
    if last is None:
        yield Finding(
            Grade.NOTE, "来信", "还没有收取过来信；可运行 lucheng mail check 检查邮箱，lucheng mail fetch 立即收取"
        )
    elif now - last.read_at > MAIL_WITHIN:
        at = last.read_at.astimezone(SHANGHAI)
        step = "请运行 lucheng mail check 查看原因"
        yield Finding(Grade.FAULT, "来信", f"已超过 1 小时没有收取来信（上次 {at:%Y-%m-%d %H:%M}），{step}")
    else:
        yield Finding(Grade.GOOD, "来信", f"最近收取于 {last.read_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}")
    waiting = letters.waiting(session)
    if waiting:
        yield Finding(Grade.NOTE, "来信", f"{waiting} 封来信待统筹单位确认或归口，请在其“来信”页面办理")
    if not answers:
        yield Finding(Grade.NOTE, "来信", "没有配置发信服务器（LUCHENG_SMTP_HOST），来信不发回执")
    if not addresses.count(session):
        step = "请运行 lucheng mail addresses import 导入"
        yield Finding(Grade.NOTE, "来信", f"还没有登记单位邮箱，来信都会待归口；{step}")


def _people(session: Session, now: datetime) -> Iterator[Finding]:
    today = civil_date(now)
    for plan in plans.plans(session):
        if number := count_unreachable(session, plan.code, now):
            sentence = f"{plan.code}：{number} 个单位联系不到，请运行 lucheng people unreachable 查看原因"
            yield Finding(Grade.NOTE, "人员", sentence)
        elif plan.ends_on >= today:
            yield Finding(Grade.GOOD, "人员", f"{plan.code}：有事项的单位都有联络员能收到消息")


def numbers_stand(session: Session) -> Iterator[Finding]:
    """Whether the counts of the board are those of the items: counts every item, so not for each page."""
    for plan in plans.plans(session):
        if wrong := tally.recount(session, plan.code):
            sentence = f"{plan.code}：看板计数与台账有 {len(wrong)} 处不一致，请报告开发者"
            yield Finding(Grade.FAULT, "计数", sentence)
        else:
            yield Finding(Grade.GOOD, "计数", f"{plan.code}：看板计数与台账一致")


# In the order in which they are told; each a few quick statements.
LEDGER_CHECKS: tuple[Callable[[Session, datetime], Iterator[Finding]], ...] = (
    _plans,
    _calendars,
    _sweep,
    _outbox,
    _people,
)
