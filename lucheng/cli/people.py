"""`lucheng people`: who answers for each unit's work, from a table; and which units nobody can reach."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ledger import plans
from ledger.civil import civil_date
from ledger.database import Session
from ledger.people import Person, everyone, people_of
from ledger.people_import import Change, active_people, save_people
from ledger.queries import reach
from ledger.queries.units import unit_row
from ledger.units import all_units
from lucheng.opening import open_ledger, open_trial, settings_for, utc_now
from lucheng.options import AsJson, DataDir
from lucheng.output import print_json, print_table, screen
from notifications.choices import choices
from policy_models.errors import Fault, Faulty, NotFound
from policy_models.people import ROLE_NAMES, WHY_NAMES, PersonRole
from policy_models.people_file import COLUMNS, parse_people
from policy_models.text import decode_text
from policy_models.units import LEVEL_NAMES

app = typer.Typer(help="人员：各单位的联络员、负责人、审核人和联系渠道", no_args_is_help=True)
PlanCode = Annotated[str | None, typer.Option("--plan", help="方案代码（默认现行方案）", metavar="代码")]


@app.command("import")
def import_people(
    file: Annotated[Path, typer.Argument(metavar="CSV", help=f"列：{','.join(COLUMNS.values())}")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查，不写入")] = False,
    data_dir: DataDir = None,
) -> None:
    """登记人员：有一处错误则全部不导入；按单位和姓名对应，表中没有的人员不变，停用须在表中写明。"""
    try:
        text = decode_text(file.read_bytes(), file.name)
    except OSError as error:
        raise Faulty([Fault(str(file), None, "", f"文件无法读取：{error.strerror}")]) from error
    settings = settings_for(data_dir)
    known = choices(settings.data_dir)
    ledger = open_trial(settings) if dry_run else open_ledger(settings, create=False)
    with ledger as database, database.trial() if dry_run else database.write() as session:
        table = parse_people(text, file.name, all_units(session), known)
        found = save_people(session, table, now=utc_now(settings))
        total = active_people(session)
    verb, changed = "将" if dry_run else "已", found.count(Change.CHANGED, Change.RESTORED)
    screen.print(
        f"{verb}新增人员 {found.count(Change.ADDED)} 人，更改 {changed} 人，"
        f"停用 {found.count(Change.DEACTIVATED)} 人，没有变化 {found.count(Change.SAME)} 人；在用共 {total} 人"
    )


@app.command("list")
def list_people(
    unit: Annotated[str | None, typer.Option("--unit", help="只列出一个单位", metavar="单位代码")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """列出登记的人员及其渠道（首选在前）。"""
    with open_ledger(settings_for(data_dir), create=False) as database, database.read() as session:
        found = people_of(session, unit_row(session, unit).code) if unit else everyone(session)
        names = {code: one.name for code, one in all_units(session).items()}
    if as_json:
        return print_json([_facts(one, names) for one in found])
    rows = [
        (
            names.get(one.unit_code, one.unit_code),
            one.name,
            one.post,
            one.phone,
            _roles(one),
            _ways(one),
            "" if one.active else "已停用",
        )
        for one in found
    ]
    print_table(("单位", "姓名", "职务", "电话", "角色", "渠道", "状态"), rows)
    screen.print(f"共 {len(rows)} 人")


@app.command("unreachable")
def list_unreachable(plan: PlanCode = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """列出有事项待办（或 30 天内开始）而联系不到的单位，逐个说明原因。"""
    settings = settings_for(data_dir)
    now = utc_now(settings)
    with open_ledger(settings, create=False) as database, database.read() as session:
        found = reach.unreachable(session, plan or _present(session, civil_date(now)), now)
    if as_json:
        return print_json(
            [
                {"unit": one.unit_code, "name": one.unit_name, "level": one.level.value, "why": one.why.value}
                for one in found
            ]
        )
    if not found:
        return screen.print("没有联系不到的单位")
    rows = [(one.unit_code, one.unit_name, LEVEL_NAMES[one.level], one.above, WHY_NAMES[one.why]) for one in found]
    print_table(("单位代码", "单位", "层级", "上级", "原因"), rows)
    told = Counter(one.why for one in found)
    screen.print(f"共 {len(found)} 个：{'，'.join(f'{WHY_NAMES[why]} {number} 个' for why, number in told.items())}")


def _present(session: Session, today: date) -> str:
    plan = plans.default_plan(session, today)
    if plan is None:
        raise NotFound("台账中还没有方案，请先载入方案（lucheng plan load）")
    return plan.code


def _roles(one: Person) -> str:
    return "、".join(ROLE_NAMES[role] for role in PersonRole if role in one.roles)


def _ways(one: Person) -> str:
    ways = (
        f"{way.channel}{':' if way.address else ''}{way.address}{'（退信）' if way.bounce else ''}"
        for way in one.addresses
    )
    return "、".join(ways)


def _facts(one: Person, names: dict[str, str]) -> dict[str, object]:
    return {
        "unit": one.unit_code,
        "unit_name": names.get(one.unit_code, ""),
        "name": one.name,
        "post": one.post,
        "phone": one.phone,
        "roles": [role.value for role in PersonRole if role in one.roles],
        "weekly": one.weekly,
        "monthly": one.monthly,
        "active": one.active,
        "addresses": [{"channel": way.channel, "address": way.address, "bounce": way.bounce} for way in one.addresses],
    }
