"""`lucheng calendar`: import a holiday notice, show days, observances, school calendars and what is still missing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from policy_models import calendar_file, holiday_notice
from policy_models.calendars import Calendars, Confidence, Day, HolidayYear, Layer, Span, notice_missing
from policy_models.errors import CalendarInvalid, Fault
from policy_models.spans import civil_date
from policy_models.text import decode_text

app = typer.Typer(help="日历：放假安排、校历、纪念日", no_args_is_help=True)

FIRST_STATUS_YEAR = 2024
CONFIDENCES = {Confidence.ANNOUNCED: "已公布", Confidence.FORECAST: "推定", Confidence.PLACEHOLDER: "推定（按惯例）"}
LAYERS = {Layer.FILE: "放假通知", Layer.PACKAGE: "软件内置数据", Layer.FORECAST: "推定"}
SCHOOL_STATUS = {"official": "正式校历", "placeholder": "按惯例填写", "missing": "尚未录入"}

DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="LUCHENG_DATA_DIR", help="数据目录", show_default=True, metavar="目录")
]
PackDir = Annotated[
    Path, typer.Option("--pack", help="方案包目录，其中的 calendars 为基础", show_default="包头方案", metavar="目录")
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]
YearOption = Annotated[int, typer.Option("--year", min=1901, max=2099, help="年份")]
DEFAULT_DATA = Path("data")
DEFAULT_PACK = calendar_file.BUNDLED


def _date(text: str) -> date:
    try:
        return civil_date(text)
    except ValueError as error:
        raise CalendarInvalid([Fault("日期", None, "", str(error))]) from error


def _civil(name: str, help_text: str) -> Any:
    return typer.Option(name, parser=_date, help=help_text, metavar="YYYY-MM-DD")


@app.command("import-notice")
def import_notice(
    file: Annotated[str, typer.Argument(help="通知全文的文本文件，“-”为标准输入", metavar="文件")],
    year: Annotated[int | None, typer.Option("--year", help="年份；不写则取自标题")] = None,
    data_dir: DataDir = DEFAULT_DATA,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只预览，不写入")] = False,
) -> None:
    """导入国务院办公厅放假通知的文本。自相矛盾的通知不予导入。"""
    found = holiday_notice.parse(decode_text(_bytes(file), file), year)
    _preview(found)
    if dry_run:
        typer.echo("仅预览，未写入。")
        return
    typer.echo(f"已写入 {calendar_file.write_holiday_year(data_dir, found)}")


@app.command()
def days(
    first: Annotated[date, _civil("--from", "开始日期")],
    last: Annotated[date, _civil("--to", "结束日期")],
    data_dir: DataDir = DEFAULT_DATA,
    pack: PackDir = DEFAULT_PACK,
    as_json: AsJson = False,
) -> None:
    """逐日列出工作日、放假、调休上班。"""
    if last < first:
        raise CalendarInvalid([Fault("--to", None, "", f"结束日期 {last} 早于开始日期 {first}")])
    work = _calendars(pack, data_dir).work
    found = [work.day(first + timedelta(days=n)) for n in range((last - first).days + 1)]
    _show(
        found,
        as_json,
        ("日期", "类别", "可靠程度", "依据"),
        lambda d: (str(d.date), _kind(d), CONFIDENCES[d.confidence], d.why),
    )


@app.command()
def observances(
    year: YearOption, data_dir: DataDir = DEFAULT_DATA, pack: PackDir = DEFAULT_PACK, as_json: AsJson = False
) -> None:
    """列出某年的纪念日、时段和假期。"""
    calendars = _calendars(pack, data_dir)
    spans = [calendars.observances.resolve(id, year) for id in calendars.observances.ids()]
    _show_spans(sorted([*spans, *calendars.work.blocks(year)], key=lambda span: (span.first, span.id)), as_json)


@app.command()
def school(
    year: YearOption,
    area: Annotated[str | None, typer.Option("--area", help="旗县区代码")] = None,
    data_dir: DataDir = DEFAULT_DATA,
    pack: PackDir = DEFAULT_PACK,
    as_json: AsJson = False,
) -> None:
    """列出某年的学期和寒暑假（义务教育阶段）。"""
    found = _calendars(pack, data_dir).school
    vacations = [found.vacation(kind, year, area) for kind in ("winter", "summer")]
    terms = [found.term(season, year, area) for season in ("spring", "autumn")]
    _show_spans(sorted([*vacations, *terms], key=lambda span: span.first), as_json)


@app.command()
def status(
    today: Annotated[date | None, _civil("--today", "以这一天为今天")] = None,
    data_dir: DataDir = DEFAULT_DATA,
    pack: PackDir = DEFAULT_PACK,
    as_json: AsJson = False,
) -> None:
    """各年放假安排和校历录入到哪里；10月25日起提醒录入下一年的通知。"""
    day = today or datetime.now(ZoneInfo("Asia/Shanghai")).date()
    calendars = _calendars(pack, data_dir)
    rows = [_status(calendars, year) for year in range(FIRST_STATUS_YEAR, day.year + 2)]
    warning = notice_missing(calendars.work, day)
    if as_json:
        _print_json({"today": str(day), "years": rows, "warning": warning, "digest": calendars.digest})
        return
    _print_table(("年份", "放假安排", "可靠程度", "依据", "校历"), [_status_row(row) for row in rows])
    if warning:
        typer.echo(warning, err=True)


def _status(calendars: Calendars, year: int) -> dict[str, Any]:
    work = calendars.work
    return {
        "year": year,
        "layer": work.layer(year).value,
        "confidence": work.confidence(year).value,
        "source": work.arrangement(year).source,
        "school_year": f"{year - 1}-{year}",
        "school": calendars.school.status(year),
    }


def _status_row(row: dict[str, Any]) -> tuple[str, ...]:
    school_year = f"{row['school_year']}学年{SCHOOL_STATUS[row['school']]}"
    return str(row["year"]), LAYERS[row["layer"]], CONFIDENCES[row["confidence"]], row["source"], school_year


def _bytes(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CalendarInvalid([Fault(file, None, "", f"无法读取：{error.strerror}")]) from error


def _calendars(pack: Path, data_dir: Path) -> Calendars:
    return calendar_file.load([pack, data_dir])


def _preview(year: HolidayYear) -> None:
    rows = [(block.name, str(block.first), str(block.last), str(len(list(block.days())))) for block in year.days_off]
    _print_table(("节日", "放假", "至", "天数"), rows, title=year.source)
    typer.echo("调休上班：" + ("、".join(map(str, year.make_up)) or "无"))


def _kind(day: Day) -> str:
    if day.make_up:
        return "调休上班"
    return "工作日" if day.is_workday else day.holiday or "周末"


def _show_spans(spans: Sequence[Span], as_json: bool) -> None:
    head = ("名称", "代码", "开始", "结束", "可靠程度", "依据")
    _show(spans, as_json, head, lambda s: (s.name, s.id, str(s.first), str(s.last), CONFIDENCES[s.confidence], s.why))


def _show(found: Sequence[Any], as_json: bool, head: Sequence[str], row: Callable[[Any], Sequence[str]]) -> None:
    if as_json:
        _print_json([asdict(one) for one in found])
    else:
        _print_table(head, map(row, found))


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _print_table(head: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> None:
    table = Table(title=title)
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
