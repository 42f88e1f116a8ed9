"""What `lucheng doctor` looks at: each check gives sentences with what to do next; none changes anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from documents.pdf import program
from ledger.account_checkup import accounts_stand
from ledger.checkup import LEDGER_CHECKS, Finding, Grade, channels_stand, files_stand, mail_stands, numbers_stand
from ledger.database import Session, connect
from ledger.file_store import FileStore
from ledger.migrations import is_current
from ledger.settings import Settings
from lucheng.opening import prepare_folder
from lucheng.wrong_settings import wrong_setting
from notifications.channel_file import channels_file, load_channels, open_to_others
from notifications.servers import ImapSettings, SmtpSettings
from policy_models.errors import Faulty, LuchengError

__all__ = ["Finding", "Grade", "examine"]
SPACE_WANTED = 1 << 30
# The sets of versions that were seen to schedule runs (docs/decisions/0003-versions-pinned.md).
KNOWN_TO_WORK = {"prefect": "3.8.8", "sqlalchemy": "2.0.", "fastapi": "0.15"}


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
            for check in (*LEDGER_CHECKS, _mail):
                yield from check(session, now)
            yield from accounts_stand(session, now, require_totp=settings.require_totp)
            yield from _key(settings.account_key)
            yield from numbers_stand(session)
            yield from _channels(session, settings.data_dir, now)
            yield from files_stand(session, FileStore(settings.file_dir))
    except LuchengError as error:
        yield Finding(Grade.FAULT, "台账", str(error))
    finally:
        database.close()


def _key(path: Path) -> Iterator[Finding]:
    if open_to_others(path):
        sentence = f"动态码的密钥文件可被本机其他用户读取，请运行 chmod 600 {path}"
        yield Finding(Grade.FAULT, "账号", sentence)


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
    yield from channels_stand(session, found, now)


def _mail(session: Session, now: datetime) -> Iterator[Finding]:
    try:
        imap, smtp = ImapSettings(), SmtpSettings()
    except ValidationError as error:
        yield Finding(Grade.FAULT, "来信", wrong_setting(error))
        return
    if not imap.configured:
        return
    yield from mail_stands(session, now, mailbox=imap.mailbox, answers=smtp.configured)
