"""`lucheng token`: accounts for other systems and their tokens."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated

import typer

from ledger import machine_tokens
from lucheng.opening import open_ledger, settings_for, utc_now
from lucheng.options import AsJson, DataDir
from lucheng.output import print_json, print_table, screen
from policy_models.access import ROLE_NAMES, Grant, Role

app = typer.Typer(help="程序凭证：供其他系统访问的接口账号和令牌", no_args_is_help=True)
Account = Annotated[str, typer.Option("--account", help="接口账号", metavar="账号")]


@app.command("account")
def make_account(
    name: Annotated[str, typer.Argument(metavar="账号")],
    role: Annotated[Role, typer.Option("--role", help="角色")],
    unit: Annotated[str, typer.Option("--unit", help="单位代码，不写为全市", metavar="代码")] = "",
    display_name: Annotated[str, typer.Option("--name", help="显示名称", metavar="名称")] = "",
    data_dir: DataDir = None,
) -> None:
    """建立一个接口账号，在一个单位及其下级有一个角色。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.write() as session:
        machine_tokens.create_machine(session, name, display_name, [Grant(role, unit)], utc_now(settings))
    screen.print(f"已建立接口账号 {name}（{ROLE_NAMES[role]}），再用 lucheng token create 建立令牌")


@app.command()
def create(
    account: Account,
    name: Annotated[str, typer.Option("--name", help="用途", metavar="用途")],
    writes: Annotated[bool, typer.Option("--writes", help="可以办理；不写的只能读取")] = False,
    days: Annotated[int, typer.Option("--days", help="有效天数，0 为长期", min=0, max=3650)] = 365,
    data_dir: DataDir = None,
) -> None:
    """建立一个令牌，只显示这一次。"""
    settings = settings_for(data_dir)
    now = utc_now(settings)
    ends = now + timedelta(days=days) if days else None
    with open_ledger(settings, create=False) as database, database.write() as session:
        token = machine_tokens.create(session, account, name, now, only_reads=not writes, expires_at=ends)
    sys.stdout.write(f"{token}\n")


@app.command("list")
def list_tokens(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """列出接口账号的令牌（不含令牌本身）。"""
    with open_ledger(settings_for(data_dir), create=False) as database, database.read() as session:
        found = [one for machine in machine_tokens.listing(session) for one in machine.tokens]
    keys = ("id", "account", "name", "only_reads", "created_at", "expires_at", "last_used_at", "client", "revoked_at")
    if as_json:
        plain = ("id", "only_reads")
        return print_json([{key: _shown(getattr(one, key), key in plain) for key in keys} for one in found])
    titles = ("编号", "账号", "用途", "只读", "建立", "有效期至", "最近使用", "程序", "停用")
    print_table(titles, [tuple(getattr(one, key) for key in keys) for one in found])


def _shown(value: object, plain: bool) -> object:
    return value if plain or value is None else str(value)


@app.command()
def revoke(token: Annotated[int, typer.Argument(metavar="编号")], data_dir: DataDir = None) -> None:
    """停用一个令牌。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.write() as session:
        machine_tokens.revoke(session, token, utc_now(settings))
    screen.print("已停用")
