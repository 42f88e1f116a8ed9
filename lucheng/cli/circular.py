"""`lucheng circular`: 周通报 and 月通报 issued, listed and shown at the terminal."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from documents.circular_docx import circular_docx
from ledger import circulars
from ledger.circulars import Issued, IssuedCircular
from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.circular import circular_facts
from ledger.queries.reading import Reading, open_plan
from ledger.settings import Settings
from lucheng.opening import open_ledger, settings_for, utc_now
from lucheng.options import AsJson, DataDir
from lucheng.output import print_json, print_table, screen
from policy_models.circular_periods import KIND_NAMES, CircularPeriod, period_of
from policy_models.circular_tables import heading
from policy_models.circular_words import percent
from policy_models.circulars import Circular, to_json
from policy_models.errors import Fault, Faulty, NotFound
from policy_models.spans import full_day

app = typer.Typer(help="周通报、月通报：发布、列出、查看", no_args_is_help=True)
PlanCode = Annotated[str | None, typer.Option("--plan", help="方案代码，默认为现行方案", metavar="代码")]
Code = Annotated[str, typer.Argument(metavar="期次", help="周通报如 2025-W14，月通报如 2025-03")]


@app.command("issue")
def issue_circulars(
    period: Annotated[str | None, typer.Argument(metavar="期次", help="如 2025-W14；不写为到期未发布的各期")] = None,
    plan: PlanCode = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """发布通报：内容随即固定，并发给选择接收的人员；已发布的不再变动。平时由系统在每期结束后的第一个工作日自动发布。"""
    settings = settings_for(data_dir)
    now = utc_now(settings)
    wanted = _period(period) if period else None
    with open_ledger(settings, create=False) as database, database.write() as session:
        code = _plan(session, plan, settings).summary.code
        if wanted is None:
            issued = circulars.issue_due(session, code, now=now)
        else:
            issued = (circulars.issue(session, code, wanted.kind, wanted.code, now=now),)
    if as_json:
        return print_json([_issued_json(one) for one in issued])
    for one in issued:
        screen.print(_issued_words(one))
    if not issued:
        screen.print("没有到期未发布的通报")


@app.command("list")
def list_circulars(
    year: Annotated[int | None, typer.Option("--year", help="年度，默认今年", min=2000, max=2090)] = None,
    plan: PlanCode = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """列出一年中发布的通报：期次、发布日期、办结率、逾期。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.read() as session:
        reading = _plan(session, plan, settings)
        found = circulars.circulars_of(session, reading.plan_id, year or civil_date(reading.now).year)
    if as_json:
        return print_json([_summary(one) for one in found])
    head = ("通报", "期次", "截至", "发布", "已办结", "应办", "办结率", "逾期")
    print_table(head, [_line(one) for one in found])


@app.command("show")
def show_circular(
    period: Code,
    plan: PlanCode = None,
    docx: Annotated[
        Path | None, typer.Option("--docx", help="另存为公文格式的 .docx", metavar="文件", dir_okay=False)
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """显示一期通报；没有发布的按台账推算，标明预览。"""
    settings = settings_for(data_dir)
    wanted = _period(period)
    with open_ledger(settings, create=False) as database, database.read() as session:
        circular = _circular(session, plan, wanted, settings)
    if docx is not None:
        _save(docx, circular)
    if as_json:
        return print_json(json.loads(to_json(circular)))
    if docx is not None:
        screen.print(f"已写入 {docx}")
        return None
    screen.print(circular.title)
    state = f"{full_day(circular.issued_on)}发布" if circular.issued_on else "预览，未发布"
    screen.print(f"截至{full_day(circular.day)} · {state}")
    for number, one in enumerate(circular.sections):
        screen.print(f"{heading(number, one.heading)}\n  {one.text}")
    return None


def _period(code: str) -> CircularPeriod:
    """A week or month by its code alone. Raises NotFound."""
    return period_of("weekly" if "W" in code.upper() else "monthly", code.upper())


def _plan(session: Session, code: str | None, settings: Settings, day: date | None = None) -> Reading:
    reading = open_plan(session, code, as_of=day, now=utc_now(settings))
    if reading is None:
        raise NotFound("台账中还没有方案，请先运行 lucheng plan load")
    return reading


def _circular(session: Session, plan: str | None, wanted: CircularPeriod, settings: Settings) -> Circular:
    summary = _plan(session, plan, settings).summary
    kept = circulars.circular_of(session, summary.id, wanted)
    return kept.circular if kept else circular_facts(session, summary.code, wanted, now=utc_now(settings))


def _save(path: Path, circular: Circular) -> None:
    try:
        path.write_bytes(circular_docx(circular))
    except OSError as error:
        raise Faulty([Fault(str(path), None, "", f"无法写入（{error.strerror}）")]) from error


def _issued_words(one: Issued) -> str:
    name = f"{period_of(one.kind, one.period).name}{KIND_NAMES[one.kind]}"
    return f"已发布{name}，发往 {one.messages} 处" if one.fresh else f"{name}此前已发布，没有变化"


def _issued_json(one: Issued) -> dict[str, object]:
    return {"id": one.id, "kind": one.kind, "period": one.period, "fresh": one.fresh, "messages": one.messages}


def _line(one: IssuedCircular) -> tuple[object, ...]:
    told, total = one.circular, one.circular.total
    share = percent(total.done, total.expected)
    figures = (total.done, total.expected, share, total.overdue)
    return (KIND_NAMES[told.kind], told.period, told.day, told.issued_on, *figures)


def _summary(one: IssuedCircular) -> dict[str, object]:
    told, total = one.circular, one.circular.total
    counted = {"expected": total.expected, "due": total.due, "done": total.done, "overdue": total.overdue}
    head = {"id": one.id, "kind": told.kind, "period": told.period, "title": told.title, "day": told.day.isoformat()}
    return {**head, "issued_at": one.issued_at.isoformat(), **counted}
