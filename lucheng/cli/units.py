"""`lucheng units`: the unit list, and own units by CSV."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ledger import plans, timetables
from ledger.acts import Actor
from ledger.units import all_units, close_unit, save_units
from lucheng.opening import open_ledger, open_trial, settings_for, utc_now
from lucheng.options import AsJson, DataDir, date_option
from lucheng.output import print_json, print_table, screen
from policy_models.errors import Fault, UnitsInvalid
from policy_models.plan import Level
from policy_models.recurrence import chinese
from policy_models.text import decode_text
from policy_models.units import LEVEL_NAMES, parse_units

app = typer.Typer(help="单位：名录与导入", no_args_is_help=True)


@app.command("import")
def import_units(
    file: Annotated[Path, typer.Argument(metavar="CSV", help="列：code,name,level,function,parent")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查，不写入")] = False,
    data_dir: DataDir = None,
) -> None:
    """导入单位名录：有一处错误则全部不导入；已有单位按代码更新，并为新单位补齐办理件。"""
    try:
        text = decode_text(file.read_bytes(), file.name)
    except OSError as error:
        raise UnitsInvalid([Fault(str(file), None, "", f"文件无法读取：{error.strerror}")]) from error
    settings = settings_for(data_dir)
    now = utc_now(settings)
    ledger = open_trial(settings) if dry_run else open_ledger(settings)
    with ledger as database, database.trial() if dry_run else database.write() as session:
        own = parse_units(text, file.name, known=all_units(session))
        report = save_units(session, own.values(), now=now, replace=True)
        items = [timetables.reconcile(session, plan.code, now=now) for plan in plans.plans(session)]
    verb = "将" if dry_run else "已"
    screen.print(f"{verb}新增单位 {report.added} 个，更新 {report.changed} 个，共 {report.total} 个")
    screen.print(f"办理件{verb}新增 {sum(i.added for i in items)} 件，取消 {sum(i.cancelled for i in items)} 件")


@app.command("close")
def close(
    code: Annotated[str, typer.Argument(metavar="单位代码", help="停用的单位")],
    on: Annotated[date, date_option("--on", "停用日期：从这一天起不再承担任何事项")],
    into: Annotated[str | None, typer.Option("--into", help="并入的单位的代码", metavar="代码")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只说明会取消什么，不写入")] = False,
    data_dir: DataDir = None,
) -> None:
    """停用或并入一个单位：此后的办理件取消、不再生成；以前各日的情况仍可查看。"""
    settings = settings_for(data_dir)
    now = utc_now(settings)
    ledger = open_trial(settings) if dry_run else open_ledger(settings, create=False)
    with ledger as database, database.trial() if dry_run else database.write() as session:
        closed = close_unit(session, code, on=on, into=into, by=Actor("", "系统管理员"), now=now)
    verb = "将" if dry_run else "已"
    merged = f"，并入{closed.into}" if closed.into else ""
    screen.print(f"{closed.name}{verb}自{chinese(on)}起停用{merged}；办理件{verb}取消 {closed.cancelled} 件")
    if closed.reviewed:
        heir = closed.into or "其上级单位"
        screen.print(f"由{closed.name}审核的 {closed.reviewed} 个单位，届时改由{heir}审核")


@app.command("list")
def list_units(
    level: Annotated[Level | None, typer.Option("--level", help="层级")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """列出台账中的单位。"""
    with open_ledger(settings_for(data_dir), create=False) as database, database.read() as session:
        units = [unit for unit in all_units(session).values() if level is None or unit.level is level]
    rows = [(u.code, u.name, u.level.value, u.function.value if u.function else None, u.parent) for u in units]
    if as_json:
        return print_json(
            [dict(zip(("code", "name", "level", "function", "parent"), row, strict=True)) for row in rows]
        )
    shown = [(code, name, LEVEL_NAMES[Level(rank)], function, parent) for code, name, rank, function, parent in rows]
    print_table(("代码", "名称", "层级", "条线", "上级"), shown)
    screen.print(f"共 {len(rows)} 个")
