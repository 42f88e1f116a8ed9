"""系统: what the 体检 finds, when the flows last ran, versions and space. No secret, no path, no host."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import ValidationError

from api.admin import admin_page
from api.dependencies import Deployed, Ledger, Now
from api.guard import Guarded
from api.routes.channels import configured
from documents.pdf import program
from ledger.checkup import LEDGER_CHECKS, Finding, Grade, channels_stand, files_stand, mail_stands, numbers_stand
from ledger.database import Database, Session
from ledger.file_store import FileStore
from ledger.marks import marks
from ledger.migrations import is_current
from ledger.settings import Settings
from notifications.channel_file import channels_file, open_to_others
from notifications.servers import ImapSettings, SmtpSettings
from policy_models.timing import Light

router = APIRouter(route_class=Guarded, include_in_schema=False)
PACKAGES = ("fastapi", "sqlalchemy", "prefect", "pydantic")
SPACE_WANTED = 1 << 30
LIGHTS = {Grade.GOOD: Light.GREEN, Grade.NOTE: Light.YELLOW, Grade.FAULT: Light.RED}
ORDER = (Grade.FAULT, Grade.NOTE, Grade.GOOD)
# Where a finding is set right.
WAYS = {
    "日历": "/admin/calendars",
    "消息": "/messages",
    "人员": "/people/unreachable",
    "渠道": "/admin/channels",
}
FLOW_NAMES = {"sweep": "每日巡检", "deliver": "消息投递", "fetch_mail": "收取来信"}


@dataclass(frozen=True, slots=True)
class Space:
    """Of the disk that the data folder lies on, in bytes."""

    free: int
    total: int


@router.get("/admin/system")
def show_system(database: Ledger, deployed: Deployed, now: Now, whole: Annotated[bool, Query()] = False) -> Response:
    """``whole``: count every item and look for every file too, which takes its time in a large ledger."""
    with database.read() as session:
        found = sorted(_findings(session, database, deployed, now, whole), key=lambda one: ORDER.index(one.grade))
        context = {
            "found": found,
            "lights": LIGHTS,
            "grades": {grade: sum(one.grade is grade for one in found) for grade in ORDER},
            "ways": WAYS,
            "whole": whole,
            "marks": sorted(marks(session).items()),
            "flow_names": FLOW_NAMES,
            "versions": _versions(database),
            "space": _space(deployed),
            "clock": deployed.clock,
        }
        return admin_page("admin_system.html", session, now, context, tab="/admin/system")


def _findings(
    session: Session, database: Database, deployed: Settings, now: datetime, whole: bool
) -> Iterator[Finding]:
    if is_current(database):
        yield Finding(Grade.GOOD, "台账", "数据库结构为当前版本")
    else:
        yield Finding(Grade.FAULT, "台账", "数据库结构不是当前版本，请运行 lucheng db migrate")
    space = _space(deployed)
    if space.free < SPACE_WANTED:
        yield Finding(Grade.NOTE, "磁盘", f"数据目录所在磁盘只剩 {space.free >> 20} MB，请清理")
    if program() is None:
        yield Finding(
            Grade.NOTE, "文档", "未安装 LibreOffice，不能生成 PDF，也不能读取邮件中的 .doc 附件；其余功能不受影响"
        )
    for check in LEDGER_CHECKS:
        yield from check(session, now)
    yield from _mail(session, now)
    yield from _channels(session, deployed, now)
    if whole:
        yield from numbers_stand(session)
        yield from files_stand(session, FileStore(deployed.file_dir))


def _mail(session: Session, now: datetime) -> Iterator[Finding]:
    try:
        imap, smtp = ImapSettings(), SmtpSettings()
    except ValidationError:
        yield Finding(Grade.FAULT, "来信", "邮箱或发信服务器的设置有误，请在服务器上运行 lucheng doctor 查看是哪一项")
        return
    if imap.configured:
        yield from mail_stands(session, now, mailbox=imap.mailbox, answers=smtp.configured)


def _channels(session: Session, deployed: Settings, now: datetime) -> Iterator[Finding]:
    configs, wrong = configured(deployed)
    if open_to_others(channels_file(deployed.data_dir)):
        yield Finding(Grade.FAULT, "渠道", "渠道文件可被本机其他用户读取，其中有密钥，请运行 chmod 600 channels.yaml")
    yield from (Finding(Grade.FAULT, "渠道", f"渠道设置有误，暂时只投递站内消息：{one}") for one in wrong)
    if not wrong:
        yield from channels_stand(session, configs, now)


def _versions(database: Database) -> dict[str, str]:
    found = {"Python": platform.python_version(), "数据库": database.engine.url.get_backend_name()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "未安装"
    return found


def _space(deployed: Settings) -> Space:
    folder = next(
        path for path in (deployed.data_dir.absolute(), *deployed.data_dir.absolute().parents) if path.exists()
    )
    used = shutil.disk_usage(folder)
    return Space(used.free, used.total)
