"""`lucheng feed`: a unit's calendar as a file, and its secret addresses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.feed_render import render
from ledger import feed_tokens
from ledger.queries.feed import feed
from lucheng.opening import open_ledger, settings_for, utc_now
from lucheng.options import AsJson, DataDir
from lucheng.output import print_json, print_table, screen
from policy_models.errors import LedgerUnavailable
from policy_models.feeds import Scope, Subject

app = typer.Typer(help="日历订阅：导出、地址", no_args_is_help=True)
UnitCode = Annotated[str, typer.Option("--unit", help="单位代码", metavar="代码")]


@app.command()
def export(
    unit: UnitCode,
    out: Annotated[Path, typer.Option("--out", help="写入的 .ics 文件，“-”为标准输出", metavar="文件")],
    data_dir: DataDir = None,
) -> None:
    """把单位的办理时限导出为 .ics 日历文件。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.read() as session:
        subject = Subject(Scope.UNIT, unit)
        body = render(feed(session, subject, now=utc_now(settings)), base_url=settings.base_url)
    if str(out) == "-":
        sys.stdout.buffer.write(body)
        return
    try:
        out.write_bytes(body)
    except OSError as error:
        raise LedgerUnavailable(f"无法写入 {out}：{error.strerror}") from error
    screen.print(f"已写入 {out}（{body.count(b'BEGIN:VEVENT')} 个日程）")


@app.command()
def create(
    unit: UnitCode,
    name: Annotated[str, typer.Option("--name", help="给谁用", metavar="名称")] = "命令行",
    data_dir: DataDir = None,
) -> None:
    """建立一个订阅地址；地址即钥匙，只显示这一次。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.write() as session:
        token = feed_tokens.create(session, unit, name, utc_now(settings))
    sys.stdout.write(f"{settings.base_url.rstrip('/')}/feeds/{token}.ics\n")


@app.command("list")
def list_tokens(unit: UnitCode, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """列出单位的订阅（不含地址）。"""
    with open_ledger(settings_for(data_dir), create=False) as database, database.read() as session:
        tokens = feed_tokens.listing(session, unit)
    rows = [(t.id, t.name, t.created_at, t.last_used_at, t.client, t.revoked_at) for t in tokens]
    if as_json:
        keys = ("id", "name", "created_at", "last_used_at", "client", "revoked_at")
        return print_json(
            [{k: v if k == "id" or v is None else str(v) for k, v in zip(keys, r, strict=True)} for r in rows]
        )
    print_table(("编号", "名称", "建立", "最近使用", "客户端", "停用"), rows)


@app.command()
def revoke(unit: UnitCode, token: Annotated[int, typer.Argument(metavar="编号")], data_dir: DataDir = None) -> None:
    """停用一个订阅地址。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.write() as session:
        feed_tokens.revoke(session, unit, token, utc_now(settings))
    screen.print("已停用")
