"""`lucheng feed`: a unit's calendar as a file, and its secret addresses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.feed_options import read_options
from api.feed_render import render
from ledger import feed_tokens, plans
from ledger.queries.feed import feed
from ledger.settings import Settings
from lucheng.opening import open_ledger, settings_for, utc_now
from lucheng.options import AsJson, DataDir
from lucheng.output import print_json, print_table, screen
from policy_models.errors import LedgerUnavailable
from policy_models.feeds import Scope

app = typer.Typer(help="日历订阅：导出、地址", no_args_is_help=True)
UnitCode = Annotated[str, typer.Option("--unit", help="单位代码", metavar="代码")]


ScopeName = Annotated[
    Scope, typer.Option("--scope", help="内容：单位、单位及下级、条线、人员、任务、阶段", show_default=True)
]
Target = Annotated[
    str, typer.Option("--target", help="条线名称、人员编号、任务或阶段序号；不写为本单位", metavar="对象")
]


@app.command()
def export(
    unit: UnitCode,
    out: Annotated[Path, typer.Option("--out", help="写入的 .ics 文件，“-”为标准输出", metavar="文件")],
    scope: ScopeName = Scope.UNIT,
    target: Target = "",
    options: Annotated[
        str, typer.Option("--options", help="同订阅地址，如 kind=todo&alarm=off&open=1", metavar="选项")
    ] = "",
    data_dir: DataDir = None,
) -> None:
    """把办理时限导出为 .ics 日历文件。"""
    settings, chosen = settings_for(data_dir), read_options(options.encode("utf-8", "replace"))
    now = utc_now(settings)
    with open_ledger(settings, create=False) as database, database.trial() as session:
        token = feed_tokens.create(session, unit, "导出", now, scope=scope, target=target)  # not kept
        record = feed_tokens.look_up(session, token)
        assert record is not None
        subject = feed_tokens.subject_of(record, [one.coordinator for one in plans.plans(session)])
        found = feed(session, subject, now=now, choice=chosen.choice)
    body = render(found, base_url=settings.base_url, alarm=chosen.alarm)
    if str(out) == "-":
        sys.stdout.buffer.write(body)
        return
    try:
        out.write_bytes(body)
    except OSError as error:
        raise LedgerUnavailable(f"无法写入 {out}：{error.strerror}") from error
    screen.print(f"已写入 {out}（{body.count(b'BEGIN:V') - body.count(b'BEGIN:VALARM') - 1} 个日程）")


@app.command()
def create(
    unit: UnitCode,
    name: Annotated[str, typer.Option("--name", help="给谁用", metavar="名称")] = "命令行",
    scope: ScopeName = Scope.UNIT,
    target: Target = "",
    data_dir: DataDir = None,
) -> None:
    """建立一个订阅地址；地址即钥匙，只显示这一次。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.write() as session:
        token = feed_tokens.create(session, unit, name, utc_now(settings), scope=scope, target=target)
    _show_address(settings, token)


@app.command()
def rotate(unit: UnitCode, token: Annotated[int, typer.Argument(metavar="编号")], data_dir: DataDir = None) -> None:
    """更换一个订阅地址：旧地址停用并提示已更换，新地址只显示这一次。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.write() as session:
        fresh = feed_tokens.rotate(session, unit, token, utc_now(settings))
    _show_address(settings, fresh)


def _show_address(settings: Settings, token: str) -> None:
    sys.stdout.write(f"{settings.base_url.rstrip('/')}/feeds/{token}.ics\n")


@app.command("list")
def list_tokens(unit: UnitCode, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """列出单位的订阅（不含地址）。"""
    with open_ledger(settings_for(data_dir), create=False) as database, database.read() as session:
        tokens = feed_tokens.listing(session, unit)
    rows = [
        (t.id, t.name, t.scope.value, t.target, t.created_at, t.last_used_at, t.client, t.revoked_at) for t in tokens
    ]
    if as_json:
        keys = ("id", "name", "scope", "target", "created_at", "last_used_at", "client", "revoked_at")
        return print_json(
            [{k: v if k == "id" or v is None else str(v) for k, v in zip(keys, r, strict=True)} for r in rows]
        )
    print_table(("编号", "名称", "内容", "对象", "建立", "最近使用", "客户端", "停用"), rows)


@app.command()
def revoke(unit: UnitCode, token: Annotated[int, typer.Argument(metavar="编号")], data_dir: DataDir = None) -> None:
    """停用一个订阅地址。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.write() as session:
        feed_tokens.revoke(session, unit, token, utc_now(settings))
    screen.print("已停用")
