"""`lucheng plan`: check, show, list items, load, copy, schema."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from api.words import cadence
from ledger import issuing, loading, plans, rounds
from ledger.calendar_entries import overlaid
from ledger.civil import civil_date
from lucheng.opening import open_ledger, open_trial, read_pack, settings_for, utc_now
from lucheng.options import DEFAULT_PACK, AsJson, DataDir, PackName, date_option, parse_date
from lucheng.output import print_json, print_table, progress_screen, screen
from lucheng.past import decide_past, require_reason
from policy_models import plan_copy, plan_view, source
from policy_models.errors import Fault, NotFound, PlanInvalid
from policy_models.festivals import FIRST_YEAR, LAST_YEAR
from policy_models.periods import section_name
from policy_models.plan import Kind, Plan
from policy_models.plan_file import Pack, write_pack
from policy_models.plan_yaml import Document, validation_faults
from policy_models.text import decode_text
from policy_models.timing import CATCH_UP_NAMES, CatchUp
from policy_models.work_items import work_items

app = typer.Typer(help="方案：核对、查看、载入、移期", no_args_is_help=True)
KIND_NAMES = {Kind.DATED: "限时", Kind.RECURRING: "周期", Kind.CONTINUOUS: "持续", Kind.ON_EVENT: "触发"}


@app.command()
def check(
    pack: PackName = DEFAULT_PACK,
    source_file: Annotated[Path | None, typer.Option("--source", help="官方文本，用于逐句核对", metavar="文件")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """核对方案包；给出官方文本时，逐句核对引文、时限和责任单位。"""
    read = read_pack(pack, settings_for(data_dir))
    figures: dict[str, Any] = _figures(read)
    traced = None
    if source_file is not None:
        traced = source.trace(read.plan, _read_text(source_file))
        figures |= {
            "phrases": traced.phrases,
            "task_sentences": traced.task_sentences,
            "task_sentences_covered": traced.cited + traced.waived,
            "cited": traced.cited,
            "waived": traced.waived,
            "other_sentences": traced.other_sentences,
            "other_sentences_covered": traced.other_covered,
        }
    faults = [read.fault(finding) for finding in traced.findings] if traced else []
    uncited = [f"{section}: {sentence}" for section, sentence in traced.uncited] if traced else []
    if as_json:
        print_json({"ok": not faults, "figures": figures, "faults": [str(f) for f in faults], "uncited": uncited})
    else:
        _print_check(read, figures, traced is not None, len(faults))
    if faults:
        raise PlanInvalid(faults)


def _figures(read: Pack) -> dict[str, Any]:
    requirements = [requirement for _, requirement in read.plan.requirements()]
    return {
        "tasks": len(read.plan.tasks),
        "phases": len(read.plan.phases),
        "safeguards": len(read.plan.safeguards),
        "units": len(read.units),
        "requirements": len(requirements),
        **{kind.value: sum(r.kind is kind for r in requirements) for kind in Kind},
        "measures": sum(len(r.measures) for r in requirements),
        "items": sum(1 for _ in work_items(read.plan, read.units, read.calendars)),
    }


def _print_check(read: Pack, figures: dict[str, Any], traced: bool, faults: int) -> None:
    screen.print(f"{read.plan.title}（{read.plan.code}，第 {read.plan.revision} 版）")
    screen.print(
        f"任务 {figures['tasks']} 项，阶段 {figures['phases']} 个，保障措施 {figures['safeguards']} 条；"
        f"事项 {figures['requirements']} 个（限时 {figures['dated']}，周期 {figures['recurring']}，"
        f"触发 {figures['on_event']}，持续 {figures['continuous']}），指标 {figures['measures']} 个"
    )
    screen.print(f"单位 {figures['units']} 个，办理件 {figures['items']} 件")
    if traced:
        screen.print(f"引文 {figures['phrases']} 处，逐一核对{'，均恰好出现一次' if not faults else ''}")
        screen.print(
            f"任务句子 {figures['task_sentences_covered']}/{figures['task_sentences']} 已对应"
            f"（引用 {figures['cited']}，说明理由不列 {figures['waived']}）；"
            f"阶段和保障措施句子 {figures['other_sentences_covered']}/{figures['other_sentences']} 已对应"
        )
    screen.print("核对通过" if not faults else f"发现 {faults} 处问题：")


def _read_text(path: Path) -> str:
    try:
        return decode_text(path.read_bytes(), str(path))
    except OSError as error:
        raise PlanInvalid([Fault(str(path), None, "", f"官方文本无法读取：{error.strerror}")]) from error


@app.command()
def show(pack: PackName = DEFAULT_PACK, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """查看方案：阶段、任务、事项。"""
    read = read_pack(pack, settings_for(data_dir))
    plan = read.plan
    if as_json:
        return print_json(plan_view.show_plan(plan))
    screen.print(f"{plan.title}（{plan.starts_on} 至 {plan.ends_on}）")
    for name, section in plan.sections():
        rows = [(r.code, KIND_NAMES[r.kind], r.title, cadence(r, read.calendars)) for r in section.requirements]
        print_table(("事项", "类型", "内容", "频次和时限"), rows, title=f"\n{section_name(name)} {section.title}")


@app.command()
def items(
    pack: PackName = DEFAULT_PACK,
    first: Annotated[date | None, date_option("--from", "时限不早于")] = None,
    last: Annotated[date | None, date_option("--to", "时限不晚于")] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="单位代码")] = None,
    task: Annotated[int | None, typer.Option("--task", help="任务序号")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """列出方案产生的全部办理件及其时限；不需要台账。"""
    read = read_pack(pack, settings_for(data_dir))
    if unit is not None:
        read.units.one(unit)
    if task is not None and read.plan.task(task) is None:
        raise NotFound(f"方案中没有任务 {task}")
    found = [
        item
        for item in work_items(read.plan, read.units, read.calendars)
        if (first is None or item.deadline >= first)
        and (last is None or item.deadline <= last)
        and (unit is None or item.unit == unit)
        and (task is None or item.task == task)
    ]
    found.sort(key=lambda item: (item.deadline, item.key))
    if as_json:
        return print_json([plan_view.show_item(item) for item in found])
    titles = {r.code: r.title for _, r in read.plan.requirements()}
    rows = [
        (i.deadline, i.remind_by, f"{i.requirement} {titles[i.requirement]}", read.units[i.unit].name, i.why)
        for i in found
    ]
    print_table(("时限", "报送日", "事项", "单位", "日期依据"), rows)
    screen.print(f"共 {len(found)} 件")


@app.command("list")
def list_plans(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """列出台账中的方案。"""
    with open_ledger(settings_for(data_dir), create=False) as database, database.read() as session:
        known = plans.plans(session)
    if as_json:
        names = ("code", "revision", "starts_on", "ends_on", "go_live_on", "catch_up", "title")
        return print_json([{n: v if isinstance(v := getattr(p, n), int) else str(v) for n in names} for p in known])
    rows = [
        (p.code, p.revision, p.starts_on, p.ends_on, p.go_live_on, CATCH_UP_NAMES[p.catch_up], p.title) for p in known
    ]
    print_table(("代码", "版次", "开始", "结束", "启用", "此前事项", "名称"), rows)


CatchUpOption = Annotated[
    CatchUp | None, typer.Option("--catch-up", help="启用之前的事项：backfill 补录，waive 豁免，count_only 仅统计")
]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="豁免的理由")]


@app.command()
def load(
    pack: PackName = DEFAULT_PACK,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只说明会增加、变动、取消什么")] = False,
    catch_up: CatchUpOption = None,
    reason: ReasonOption = None,
    go_live: Annotated[date | None, date_option("--go-live", "启用日期（默认今天）；此前的事项不催办")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """把方案包（或其修订）载入台账；重复载入没有变化。"""
    require_reason(catch_up, reason)
    settings = settings_for(data_dir)
    now = utc_now(settings)
    read = read_pack(pack, settings)
    with open_trial(settings) if dry_run else open_ledger(settings) as database:
        with database.read() as session:
            known = any(p.code == read.plan.code for p in plans.plans(session))
        if not known:
            catch_up, reason = decide_past(read.plan, go_live or civil_date(now), catch_up, reason)
        with progress_screen.status("正在载入方案…"), database.trial() if dry_run else database.write() as session:
            report = loading.load_plan(
                session, read, now=now, go_live_on=go_live, catch_up=catch_up or CatchUp.BACKFILL, reason=reason
            )
            if not dry_run:
                issuing.issue_due(session, read.plan.code, as_of=civil_date(now), now=now)
                rounds.open_due(session, read.plan.code, now=now)
            entered = [
                name
                for name, text in overlaid(session, read.calendar_texts).items()
                if text != read.calendar_texts.get(name)
            ]
    if as_json:
        return print_json({name: getattr(report, name) for name in report.__dataclass_fields__})
    for name in entered:
        screen.print(f"日历 {name} 以页面录入的为准，方案包和数据目录中的同名文件未采用")
    screen.print(report_sentence(report, dry_run))


def report_sentence(report: loading.LoadReport, dry_run: bool = False) -> str:
    """What a load did, in one sentence."""
    if report.nothing:
        return "与台账一致，没有变化"
    return (
        f"{'将' if dry_run else '已'}增加单位 {report.units_added} 个、事项 {report.requirements_added} 个、"
        f"办理件 {report.items_added} 件；变动事项 {report.requirements_changed} 个、移期 {report.items_moved} 件；"
        f"停用事项 {report.requirements_dropped} 个、取消 {report.items_cancelled} 件"
    )


@app.command()
def copy(
    pack: PackName = DEFAULT_PACK,
    starts: Annotated[str, typer.Option("--starts", help="新的开始日期", metavar="YYYY-MM-DD")] = "",
    code: Annotated[str | None, typer.Option("--code", help="新方案的代码（默认按年份）")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="写入的目录（默认 数据目录/plans/代码）")] = None,
    data_dir: DataDir = None,
) -> None:
    """移期复制：阶段、里程碑和时限整体移到新的开始日期，全部标为推定。"""
    if not starts:
        raise PlanInvalid([Fault("--starts", None, "", "请写明新的开始日期，如 --starts 2026-12-01")])
    settings = settings_for(data_dir)
    read, starts_on = read_pack(pack, settings), parse_date(starts)
    moved = _moved(read.plan, starts_on, code)
    folder = out or settings.data_dir / "plans" / moved.code
    write_pack(read, moved, folder)
    name = moved.code if out is None else folder
    screen.print(f"已写入 {folder}（{moved.starts_on} 至 {moved.ends_on}）")
    screen.print(f"载入：lucheng plan load {name}，或 bin/up --plan {name}")


def _moved(plan: Plan, starts_on: date, code: str | None) -> Plan:
    """The moved plan, valid. Raises PlanInvalid for a code that cannot be one and years without a calendar."""
    if not FIRST_YEAR <= starts_on.year <= LAST_YEAR - (plan.ends_on.year - plan.starts_on.year) - 1:
        raise PlanInvalid([Fault("--starts", None, "", f"{starts_on} 的年份没有日历，无法移期")])
    moved = plan_copy.copy_plan(plan, starts_on, code or plan_copy.code_for(plan.code, starts_on))
    try:
        return Plan.model_validate(moved.model_dump())
    except ValidationError as error:
        raise PlanInvalid(validation_faults(error, Document("移期后的方案", None, None))) from error


@app.command()
def schema() -> None:
    """输出方案包的 JSON Schema，供编辑器补全和检查。"""
    print_json(Plan.model_json_schema())
