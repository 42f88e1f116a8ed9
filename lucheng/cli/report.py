"""`lucheng report`: the half-year report's template, and the compiled report as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from api.compiling import accept_template, compile_round
from documents.pdf import to_pdf
from documents.receiving import receive
from documents.template import built_in
from ledger import compilations
from ledger.acts import Actor
from ledger.database import Database
from ledger.file_store import FileStore
from ledger.queries.compilation import moment_of
from ledger.queries.reading import open_plan
from ledger.settings import Settings
from lucheng.opening import open_ledger, settings_for, utc_now
from lucheng.options import DataDir, date_option
from lucheng.output import progress_screen, screen
from policy_models.errors import FileRefused, LedgerUnavailable, NotFound, PrivacyBlocked
from policy_models.files import FileKind

app = typer.Typer(help="半年报告：模板、汇编", no_args_is_help=True)
PlanOption = Annotated[str | None, typer.Option("--plan", help="方案代码（默认现行方案）", metavar="代码")]
BY = "命令行"


@dataclass(frozen=True)
class Bureau:
    """The ledger opened for the coordinator of a plan."""

    database: Database
    store: FileStore
    settings: Settings
    plan_code: str
    by: Actor


@contextmanager
def bureau(data_dir: Path | None, plan: str | None) -> Iterator[Bureau]:
    """Raises LedgerUnavailable, NotFound."""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database:
        with database.read() as session:
            reading = open_plan(session, plan, as_of=None, now=utc_now(settings))
        if reading is None:
            raise NotFound("台账中还没有方案，请先载入方案（lucheng plan load）")
        by = Actor(reading.summary.coordinator, BY)
        yield Bureau(database, FileStore(settings.file_dir), settings, reading.summary.code, by)


@app.command()
def template(
    out: Annotated[Path, typer.Option("--out", help="写入的 .docx 文件", metavar="文件")],
    in_use: Annotated[bool, typer.Option("--in-use", help="现用的模板，而不是内置的")] = False,
    data_dir: DataDir = None,
) -> None:
    """写出报告模板，可在 Word 或 WPS 中修改。"""
    data = built_in()
    if in_use:
        with bureau(data_dir, None) as own, own.database.read() as session:
            used = compilations.template_used(session)
        data = own.store.get(used.kept) if used else data
    _write(out, data)
    screen.print(f"已写入 {out}")


@app.command("use-template")
def use_template(
    file: Annotated[Path | None, typer.Argument(help="改过的模板；不写则改回内置模板", metavar="文件")] = None,
    plan: PlanOption = None,
    data_dir: DataDir = None,
) -> None:
    """试排模板，可用则此后按它汇编；不写文件则改回内置模板。"""
    with bureau(data_dir, plan) as own:
        now = utc_now(own.settings)
        if file is None:
            with own.database.write() as session:
                compilations.use_built_in(session, own.plan_code, by=own.by, now=now)
            return screen.print("已改回内置模板")
        received = receive(file.name, _read(file), limits=own.settings.limits, kinds={FileKind.DOCX})
        if received.blocked:
            found = [one for one in received.findings if one.blocks]
            told = "、".join(dict.fromkeys(f"{one.why}（{one.sample}）" for one in found))
            raise PrivacyBlocked(f"模板中有{told}，不能使用", found, place="模板", sha256=received.sha256)
        left_out = accept_template(own.database, own.store, own.plan_code, file.name, received.data, by=own.by, now=now)
    screen.print(f"已改用 {file.name}")
    if left_out:
        screen.print(f"模板没有用到：{'、'.join(left_out)}；这些内容不会出现在汇编中")


@app.command("compile")
def compile_report(
    round_code: Annotated[str, typer.Argument(metavar="期次", help="如 2025-H1")],
    out: Annotated[Path, typer.Option("--out", help="写入的目录", metavar="目录")],
    as_of: Annotated[date | None, date_option("--as-of", "截至日期（默认此刻；以前的日期指当日 24 时）")] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="同时生成 PDF（须安装 LibreOffice）")] = False,
    plan: PlanOption = None,
    data_dir: DataDir = None,
) -> None:
    """汇编一期半年报告，写出 .docx 和 .xlsx，并记入台账。"""
    with bureau(data_dir, plan) as own, progress_screen.status("正在汇编…"):
        now = utc_now(own.settings)
        until = moment_of(as_of, now)
        id = compile_round(own.database, own.store, own.plan_code, round_code, until=until, by=own.by, now=now)
        with own.database.read() as session:
            plan_id = compilations.coordinated(session, own.plan_code, own.by)
            made = compilations.compilation_made(session, plan_id, round_code, id)
        stem = f"{round_code}-{made.day:%Y%m%d}"
        files = {out / f"{stem}.docx": own.store.get(made.docx), out / f"{stem}.xlsx": own.store.get(made.xlsx)}
        if pdf:
            files[out / f"{stem}.pdf"] = to_pdf(own.store.get(made.docx))
        for path, data in files.items():
            _write(path, data)
    for path in files:
        screen.print(f"已写入 {path}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileRefused(f"无法读取 {path}：{error.strerror}") from error


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise LedgerUnavailable(f"无法写入 {path}：{error.strerror}") from error
