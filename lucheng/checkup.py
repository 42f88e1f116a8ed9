"""What `lucheng doctor` looks at: each check gives sentences with what to do next; none changes anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from documents.pdf import program
from ledger import addresses, channels, files, letters, marks, outbox, plans, tally
from ledger.civil import SHANGHAI, civil_date
from ledger.database import Session, connect
from ledger.file_store import FileStore
from ledger.migrations import is_current
from ledger.queries.messages import unsettled_by_channel
from ledger.queries.reach import count_unreachable
from ledger.settings import Settings
from lucheng.opening import prepare_folder
from lucheng.wrong_settings import wrong_setting
from notifications.channel_file import channels_file, load_channels, open_to_others
from notifications.servers import ImapSettings, SmtpSettings
from policy_models.calendars import Confidence, notice_missing
from policy_models.delivery import CHANNEL_STATE_NAMES, ChannelState, MessageState
from policy_models.errors import Faulty, LuchengError

SWEEP_WITHIN = timedelta(hours=26)
MAIL_WITHIN = timedelta(hours=1)
SPACE_WANTED = 1 << 30
# The sets of versions that were seen to schedule runs (docs/decisions/0003-versions-pinned.md).
KNOWN_TO_WORK = {"prefect": "3.8.8", "sqlalchemy": "2.0.", "fastapi": "0.15"}


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


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Every check in turn; those that need the ledger are left out when it cannot be read."""
    yield from _folder(settings.data_dir)
    if settings.files_dir is not None:
        yield from _folder(settings.files_dir, "文件库")
    yield from _versions()
    yield from _office()
    database = connect(settings.url)
    try:
        if settings.database_url is None and not (settings.data_dir / "ledger.db").is_file():
            yield Finding(Grade.NOTE, "台账", "还没有台账，请运行 lucheng up")
            return
        if not is_current(database):
            yield Finding(Grade.NOTE, "台账", "台账数据库不是当前版本，请运行 lucheng db migrate 或 lucheng up")
            return
        yield Finding(Grade.GOOD, "台账", f"数据库可用（{database.engine.url.get_backend_name()}）")
        with database.read() as session:
            for check in LEDGER_CHECKS:
                yield from check(session, now)
            yield from _channels(session, settings.data_dir, now)
            yield from _files(session, FileStore(settings.file_dir))
    except LuchengError as error:
        yield Finding(Grade.FAULT, "台账", str(error))
    finally:
        database.close()


def _folder(folder: Path, matter: str = "数据目录") -> Iterator[Finding]:
    above = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if above != folder.absolute() and above.is_dir() and os.access(above, os.W_OK):
        yield Finding(Grade.NOTE, matter, f"{folder} 还不存在，lucheng up 会建立它")
        return
    try:
        prepare_folder(folder)
    except LuchengError as error:
        yield Finding(Grade.FAULT, matter, str(error))
        return
    free = shutil.disk_usage(folder).free
    if free < SPACE_WANTED:
        yield Finding(Grade.NOTE, matter, f"磁盘只剩 {free >> 20} MB，请清理")
    else:
        yield Finding(Grade.GOOD, matter, f"{folder} 可写，剩余 {free >> 30} GB")


def _versions() -> Iterator[Finding]:
    for package, wanted in KNOWN_TO_WORK.items():
        if not version(package).startswith(wanted):
            sentence = (
                f"{package} {version(package)} 未经验证（应为 {wanted}…），流程可能不会按时运行，请用 bin/up 重新安装"
            )
            yield Finding(Grade.FAULT, "软件版本", sentence)


def _office() -> Iterator[Finding]:
    if program() is None:
        sentence = "未安装 LibreOffice，不能生成 PDF，也不能读取邮件中的 .doc 附件；其余功能不受影响"
        yield Finding(Grade.NOTE, "文档", sentence)


def _files(session: Session, store: FileStore) -> Iterator[Finding]:
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


def _channels(session: Session, data_dir: Path, now: datetime) -> Iterator[Finding]:
    """Channels that nothing goes out by, and why; a file of secrets that others may read."""
    path = channels_file(data_dir)
    if open_to_others(path):
        yield Finding(Grade.FAULT, "渠道", f"渠道文件可被本机其他用户读取，其中有密钥，请运行 chmod 600 {path}")
    try:
        found = load_channels(data_dir)
    except Faulty as error:
        yield from (Finding(Grade.FAULT, "渠道", f"渠道文件有误，暂时只投递站内消息：{one}") for one in error.faults)
        return
    except ValidationError as error:
        yield Finding(Grade.FAULT, "渠道", f"暂时只投递站内消息：{wrong_setting(error)}")
        return
    standings, unsettled = channels.standings(session), unsettled_by_channel(session)
    leaving = {code: config for code, config in found.items() if config.facts.leaves}
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


def _mail(session: Session, now: datetime) -> Iterator[Finding]:
    try:
        imap, smtp = ImapSettings(), SmtpSettings()
    except ValidationError as error:
        yield Finding(Grade.FAULT, "来信", wrong_setting(error))
        return
    if not imap.configured:
        return
    last = letters.mark_of(session, imap.mailbox)
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
    if not smtp.configured:
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


def _numbers(session: Session, now: datetime) -> Iterator[Finding]:
    for plan in plans.plans(session):
        if wrong := tally.recount(session, plan.code):
            sentence = f"{plan.code}：看板计数与台账有 {len(wrong)} 处不一致，请报告开发者"
            yield Finding(Grade.FAULT, "计数", sentence)
        else:
            yield Finding(Grade.GOOD, "计数", f"{plan.code}：看板计数与台账一致")


LEDGER_CHECKS: tuple[Callable[[Session, datetime], Iterator[Finding]], ...] = (
    _plans,
    _calendars,
    _sweep,
    _outbox,
    _mail,
    _people,
    _numbers,
)
