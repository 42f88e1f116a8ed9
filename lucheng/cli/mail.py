"""`lucheng mail`: whether the mail servers work, reading the mailbox now, and whose address is whose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger import addresses
from ledger.file_store import FileStore
from ledger.units import all_units
from lucheng.mail_check import check_imap, check_smtp
from lucheng.opening import open_ledger, open_trial, settings_for, utc_now
from lucheng.options import AsJson, DataDir
from lucheng.output import print_json, print_table, screen
from notifications.servers import ImapSettings, SmtpSettings
from policy_models.addresses import parse_addresses
from policy_models.errors import Fault, Faulty, MailboxUnavailable
from policy_models.letters import LETTER_STATE_NAMES, LetterState
from policy_models.text import decode_text

app = typer.Typer(help="来信：检查邮箱、收取、登记单位邮箱", no_args_is_help=True)
known = typer.Typer(help="单位邮箱：导入、列出", no_args_is_help=True)
app.add_typer(known, name="addresses")
FETCHED = 100  # letters between two lines of progress


@app.command()
def check() -> None:
    """登录收信和发信服务器，逐句说明是否可用；不读取来信内容，不发送邮件。有不可用的退出码为 1。"""
    sentences = [check_imap(ImapSettings()), check_smtp(SmtpSettings())]
    for works, sentence in sentences:
        screen.print(f"{'正常' if works else '不可用'}  {sentence}")
    if not all(works for works, _ in sentences):
        raise typer.Exit(1)


@app.command()
def fetch(data_dir: DataDir = None) -> None:
    """立即收取邮箱中的新来信（平时每 10 分钟自动收取一次）；回执由投递流程发出。"""
    from tasks.mail import Intake, collect  # Prefect takes seconds to import, and only this command needs it

    imap, smtp, settings = ImapSettings(), SmtpSettings(), settings_for(data_dir)
    if not imap.configured:
        raise MailboxUnavailable("没有配置收信邮箱（LUCHENG_IMAP_HOST），没有可以收取的来信")
    total = dict.fromkeys(("read", "double"), 0)
    with open_ledger(settings, create=False) as database:
        intake = Intake(database, FileStore(settings.file_dir), settings.limits, imap, smtp)
        while (taken := collect(intake, FETCHED))["read"]:
            for name, count in taken.items():
                total[name] = total.get(name, 0) + count
    told = [f"{LETTER_STATE_NAMES[state]} {total[state]} 封" for state in LetterState if total.get(state)]
    screen.print(f"已读取 {total['read']} 封，其中重复 {total['double']} 封" + "".join(f"，{one}" for one in told))


@known.command("import")
def import_addresses(
    file: Annotated[Path, typer.Argument(metavar="CSV", help="列：邮箱,单位（单位代码或全称）")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查，不写入")] = False,
    data_dir: DataDir = None,
) -> None:
    """登记单位邮箱：有一处错误则全部不导入；已登记的邮箱改为表中的单位，表中没有的不变。"""
    try:
        text = decode_text(file.read_bytes(), file.name)
    except OSError as error:
        raise Faulty([Fault(str(file), None, "", f"文件无法读取：{error.strerror}")]) from error
    settings = settings_for(data_dir)
    ledger = open_trial(settings) if dry_run else open_ledger(settings, create=False)
    with ledger as database, database.trial() if dry_run else database.write() as session:
        found = parse_addresses(text, file.name, all_units(session))
        report = addresses.save_addresses(session, found, now=utc_now(settings))
    verb = "将" if dry_run else "已"
    screen.print(f"{verb}新增邮箱 {report.added} 个，更改单位 {report.changed} 个，共 {report.total} 个")


@known.command("list")
def list_addresses(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """列出已登记的单位邮箱。"""
    with open_ledger(settings_for(data_dir), create=False) as database, database.read() as session:
        rows = [(one.address, one.unit_code, one.unit_name) for one in addresses.addresses(session)]
    if as_json:
        return print_json([dict(zip(("address", "unit", "name"), row, strict=True)) for row in rows])
    print_table(("邮箱", "单位代码", "单位"), rows)
    screen.print(f"共 {len(rows)} 个")
