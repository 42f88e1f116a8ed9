"""`lucheng round`: the half-year rounds of a plan, opened, listed and closed at the terminal."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from ledger import rounds
from ledger.acts import Actor
from ledger.database import Session
from ledger.queries.reading import Reading, open_plan
from ledger.queries.rounds import RoundRow, rounds_of
from ledger.settings import Settings
from lucheng.opening import open_ledger, settings_for, utc_now
from lucheng.options import AsJson, DataDir, date_option
from lucheng.output import print_json, print_table, screen
from policy_models.errors import NotFound

app = typer.Typer(help="半年报送：启动、查看、结束", no_args_is_help=True)
Code = Annotated[str, typer.Argument(metavar="期次", help="如 2025-H1（2025年上半年）")]
PlanCode = Annotated[str | None, typer.Option("--plan", help="方案代码，默认为现行方案", metavar="代码")]
PHASE_NAMES = {"coming": "未启动", "open": "进行中", "closed": "已结束", "skipped": "启用前"}


@app.command("open")
def open_one(
    code: Code,
    plan: PlanCode = None,
    guidance: Annotated[str | None, typer.Option("--guidance", help="给各单位的报送要求", metavar="文字")] = None,
    data_dir: DataDir = None,
) -> None:
    """启动一期半年报送：交办报告，为每个应报单位备好报告；重复启动没有变化。到启动日期时系统也会自动启动。"""
    settings = settings_for(data_dir)
    now = utc_now(settings)
    with open_ledger(settings, create=False) as database, database.write() as session:
        summary = _plan(session, plan, settings).summary
        by = Actor(summary.coordinator, "系统管理员")
        opened = rounds.open_round(session, summary.code, code, by=by, now=now, guidance=guidance)
    if opened.fresh:
        screen.print(f"已启动 {code} 半年报送，应报单位 {opened.reports} 个")
    else:
        screen.print(f"{code} 半年报送此前已启动" + (f"，补充应报单位 {opened.reports} 个" if opened.reports else ""))


@app.command("list")
def list_rounds(
    plan: PlanCode = None,
    as_of: Annotated[date | None, date_option("--as-of", "截至日期（默认今天）")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """列出各期半年报送：应报、已报、逾期报送、未报，齐报率和及时率。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.read() as session:
        found = rounds_of(session, _plan(session, plan, settings, as_of))
    if as_json:
        return print_json([_as_json(one) for one in found])
    print_table(
        ("期次", "状态", "时限", "应报", "已报", "其中逾期", "未报", "齐报率", "及时率"), [_line(one) for one in found]
    )


@app.command("close")
def close_one(code: Code, plan: PlanCode = None, data_dir: DataDir = None) -> None:
    """结束一期半年报送：此后不再填写和报送。仍有待审核的报告时不能结束。"""
    settings = settings_for(data_dir)
    now = utc_now(settings)
    with open_ledger(settings, create=False) as database, database.write() as session:
        summary = _plan(session, plan, settings).summary
        rounds.close_round(session, summary.code, code, by=Actor(summary.coordinator, "系统管理员"), now=now)
    screen.print(f"已结束 {code} 半年报送")


def _plan(session: Session, code: str | None, settings: Settings, as_of: date | None = None) -> Reading:
    reading = open_plan(session, code, as_of=as_of, now=utc_now(settings))
    if reading is None:
        raise NotFound("台账中还没有方案，请先运行 lucheng plan load")
    return reading


def _line(one: RoundRow) -> tuple[object, ...]:
    if one.round is None:
        return (one.code, PHASE_NAMES[one.phase], one.deadline, *("",) * 6)
    told = one.figures
    rates = (f"{int(told.completeness * 100)}%", f"{int(told.timeliness * 100)}%")
    return (one.code, PHASE_NAMES[one.phase], one.deadline, told.owing, told.handed_in, told.late, told.missing, *rates)


def _as_json(one: RoundRow) -> dict[str, object]:
    names = ("owing", "handed_in", "on_time", "late", "missing", "accepted", "returned", "waiting")
    counted = {name: getattr(one.figures, name) for name in names} if one.round else {}
    return {"code": one.code, "phase": one.phase, "deadline": one.deadline.isoformat(), **counted}
