"""`lucheng account`: accounts at the machine itself: the first administrator, a forgotten password, who holds what."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from ledger import accounts, invitations, totp, trail
from ledger.database import Session
from ledger.queries.accounts import AccountRow, Standing, every_account
from ledger.queries.units import unit_row
from ledger.settings import Settings
from lucheng.first_account import link_of
from lucheng.opening import open_ledger, settings_for, utc_now
from lucheng.options import AsJson, DataDir
from lucheng.output import print_json, print_table, screen
from policy_models.access import ROLE_NAMES, Grant, Role
from policy_models.credentials import folded, name_fault, password_fault
from policy_models.errors import ActNotAllowed, Fault, Faulty

app = typer.Typer(help="账号：邀请、角色、停用、重置密码", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="账号名")]
DisplayName = Annotated[str, typer.Option("--name", help="姓名", metavar="姓名")]
Roles = Annotated[
    list[str],
    typer.Option(
        "--role", help=f"角色@单位代码，可写几个；不写单位为全部单位。角色：{'、'.join(Role)}", metavar="角色@单位"
    ),
]
STANDINGS = {Standing.ACTIVE: "在用", Standing.NEW: "尚未启用", Standing.LOCKED: "暂停登录", Standing.PAST: "已停用"}
ROLES_BY_WORD = {role.value: role for role in Role} | {
    name.partition("（")[0]: role for role, name in ROLE_NAMES.items()
}


@contextmanager
def _writing(data_dir: DataDir, act: str, name: str) -> Iterator[tuple[Session, Settings, datetime]]:
    """A transaction over the ledger that leaves a line in the trail."""
    settings = settings_for(data_dir)
    now = utc_now(settings)
    with open_ledger(settings, create=False) as database, database.write() as session:
        yield session, settings, now
        trail.note_act(session, act, now, object=folded(name), detail="在服务器上")


@app.command()
def invite(name: Name, role: Roles, display: DisplayName = "", data_dir: DataDir = None) -> None:
    """新建账号并生成一次性链接，由本人打开设立密码；链接只显示这一次。"""
    with _writing(data_dir, "邀请账号", name) as (session, settings, now):
        made = _make(session, name, display, role, now)
        token = invitations.invite(session, made, now)
    _show(settings, token)


@app.command()
def create(
    name: Name,
    role: Roles,
    display: DisplayName = "",
    machine: Annotated[bool, typer.Option("--machine", help="供程序使用：没有密码，只用令牌")] = False,
    with_password: Annotated[bool, typer.Option("--password", help="现在设立密码（从终端或标准输入读取）")] = False,
    data_dir: DataDir = None,
) -> None:
    """新建账号，不生成链接；不设密码的，只能从统一身份认证登录，或以后用 reset 生成链接。"""
    if machine and with_password:
        raise Faulty([Fault("--machine", None, "", "供程序使用的账号没有密码，请去掉 --password")])
    password = _read_password(name) if with_password else None
    with _writing(data_dir, "新建账号", name) as (session, _settings, now):
        _make(session, name, display, role, now, password=password, machine=machine)
    screen.print(f"已新建账号 {folded(name)}")


def _make(
    session: Session,
    name: str,
    display: str,
    roles: list[str],
    now: datetime,
    *,
    password: str | None = None,
    machine: bool = False,
) -> int:
    if wrong := name_fault(name):
        raise ActNotAllowed(wrong)
    grants = [_grant(session, words) for words in roles]
    made = accounts.create_account(session, name, display, now, password=password, machine=machine)
    accounts.set_grants(session, made, grants, now)
    return made


def _read_password(name: str) -> str:
    """From the terminal without showing it, else one line of standard input. Raises ActNotAllowed."""
    given = getpass.getpass("密码：") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if wrong := password_fault(given, name):
        raise ActNotAllowed(wrong)
    return given


def _grant(session: Session, words: str) -> Grant:
    """``liaison@150203-mz``; the role also by its Chinese name. Raises Faulty, NotFound for an unknown unit."""
    word, _, unit = words.strip().partition("@")
    role = ROLES_BY_WORD.get(word.strip().lower())
    if role is None:
        raise Faulty([Fault("--role", None, "", f"没有角色“{word[:20]}”；角色为 {'、'.join(ROLES_BY_WORD)}")])
    return Grant(role, unit_row(session, unit.strip()).code if unit.strip() else "")


@app.command("list")
def list_accounts(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """列出全部账号。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.read() as session:
        found = every_account(session, utc_now(settings))
    if as_json:
        return print_json([_facts(one) for one in found])
    rows = [
        (
            one.name,
            one.display_name,
            "、".join(f"{ROLE_NAMES[g.role]}·{g.unit_name or '全部单位'}" for g in one.grants),
            STANDINGS[one.standing],
            "已启用" if one.has_totp else "",
            f"{one.last_seen_at:%Y-%m-%d}" if one.last_seen_at else "从未登录",
        )
        for one in found
    ]
    print_table(("账号名", "姓名", "角色", "状态", "动态码", "最近使用"), rows)
    screen.print(f"共 {len(rows)} 个")


def _facts(one: AccountRow) -> dict[str, object]:
    return {
        "name": one.name,
        "display_name": one.display_name,
        "state": one.standing.value,
        "machine": one.machine,
        "totp": one.has_totp,
        "roles": [{"role": g.role.value, "unit": g.unit} for g in one.grants],
        "last_seen_at": one.last_seen_at.isoformat() if one.last_seen_at else None,
    }


@app.command()
def grant(name: Name, role: Roles, data_dir: DataDir = None) -> None:
    """给予角色，立即生效。"""
    with _writing(data_dir, "给予角色", name) as (session, _settings, now):
        found = accounts.account_id_of(session, name)
        for words in role:
            accounts.add_grant(session, found, _grant(session, words), now)
    screen.print("已给予，立即生效")


@app.command()
def revoke(name: Name, role: Roles, data_dir: DataDir = None) -> None:
    """收回角色，立即生效。"""
    with _writing(data_dir, "收回角色", name) as (session, _settings, now):
        found = accounts.account_id_of(session, name)
        for words in role:
            accounts.remove_grant(session, found, _grant(session, words), now)
    screen.print("已收回，立即生效")


@app.command()
def deactivate(name: Name, data_dir: DataDir = None) -> None:
    """停用账号：立即退出全部登录，可以恢复。"""
    with _writing(data_dir, "停用账号", name) as (session, _settings, now):
        accounts.set_active(session, accounts.account_id_of(session, name), False, now)
    screen.print("已停用")


@app.command()
def restore(name: Name, data_dir: DataDir = None) -> None:
    """恢复停用的账号。"""
    with _writing(data_dir, "恢复账号", name) as (session, _settings, now):
        accounts.set_active(session, accounts.account_id_of(session, name), True, now)
    screen.print("已恢复")


@app.command()
def unlock(name: Name, data_dir: DataDir = None) -> None:
    """解除因连续输错密码的暂停。"""
    with _writing(data_dir, "解除暂停登录", name) as (session, _settings, now):
        accounts.unlock(session, accounts.account_id_of(session, name), now)
    screen.print("已解除，可以登录")


@app.command()
def reset(
    name: Name,
    totp_off: Annotated[bool, typer.Option("--totp-off", help="同时关闭动态码（手机遗失时）")] = False,
    data_dir: DataDir = None,
) -> None:
    """生成重设密码的一次性链接；链接使用前原密码仍然有效。"""
    with _writing(data_dir, "重置密码", name) as (session, settings, now):
        found = accounts.account_id_of(session, name)
        if totp_off:
            totp.turn_off(session, found, now)
        token = invitations.invite(session, found, now)
    _show(settings, token)


def _show(settings: Settings, token: str) -> None:
    sys.stdout.write(link_of(settings, token) + "\n")
    screen.print(f"链接 {int(invitations.LASTS.total_seconds() // 3600)} 小时内有效，只能使用一次，请交给本人。")
