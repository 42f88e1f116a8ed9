"""`lucheng demo`: an invented city at a virtual date, to look at and to throw away."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ledger.database import connect
from ledger.migrations import migrate
from ledger.settings import Settings
from lucheng import demo as demonstration
from lucheng.cli.web import web
from lucheng.opening import prepare_folder, require_free_port
from lucheng.options import date_option
from lucheng.output import progress_screen, screen
from policy_models.errors import Fault, Faulty, LedgerUnavailable
from policy_models.festivals import LAST_YEAR
from policy_models.plan_file import BUNDLED, load_pack

MARK = "DEMONSTRATION"


def demo(
    data_dir: Annotated[Path, typer.Option("--data-dir", help="演示数据的目录", metavar="目录")] = Path("demo-data"),
    day: Annotated[date, date_option("--date", "虚拟的今天")] = demonstration.VIRTUAL_DAY,
    port: Annotated[int, typer.Option("--port", help="网页端口", min=0, max=65535)] = 8000,
    host: Annotated[str, typer.Option("--host", help="监听地址")] = "127.0.0.1",
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="建好后打开网页")] = True,
    fresh: Annotated[bool, typer.Option("--fresh", help="删去旧的演示数据重新生成")] = False,
) -> None:
    """演示：生成一座城市两年半的虚构工作，停在一个虚拟的日子，打开看板。"""
    if day <= demonstration.GO_LIVE or day.year > LAST_YEAR:
        raise Faulty([Fault("--date", None, "", f"演示的日子须晚于 {demonstration.GO_LIVE}，不晚于 {LAST_YEAR} 年")])
    if serve:
        require_free_port(host, port, "--port")
    address = f"http://{host}:{port}"
    settings = Settings(data_dir=data_dir, database_url=None, clock=demonstration.morning(day), base_url=address)
    _prepare(data_dir, fresh)
    if not (data_dir / MARK).exists():
        _build(settings, day)
        (data_dir / MARK).write_text(day.isoformat(), encoding="utf-8")
    day = date.fromisoformat((data_dir / MARK).read_text(encoding="utf-8").strip())
    screen.print(f"这是演示：数据全部虚构，虚拟日期为 {day}，存放在 {data_dir}，与正式台账无关。")
    if not serve:
        return
    os.environ |= {
        "LUCHENG_DATA_DIR": str(data_dir),
        "LUCHENG_DATABASE_URL": "",
        "LUCHENG_CLOCK": demonstration.morning(day).isoformat(),
        "LUCHENG_BASE_URL": address,
    }
    screen.print(f"看板：{address}    （Ctrl-C 结束）")
    web(host, port)


def _prepare(folder: Path, fresh: bool) -> None:
    """A demonstration never touches a folder that it did not make."""
    ours = (folder / MARK).exists()
    if (folder / "ledger.db").exists() and not ours and not (folder / f"{MARK}.building").exists():
        raise LedgerUnavailable(f"{folder} 中已有正式台账，演示请另选目录（--data-dir）")
    if folder.exists() and ((fresh and ours) or (folder / f"{MARK}.building").exists()):
        shutil.rmtree(folder)
    prepare_folder(folder)


def _build(settings: Settings, day: date) -> None:
    building = settings.data_dir / f"{MARK}.building"  # a half-built demonstration is built anew
    building.touch()
    migrate(settings.url)
    database = connect(settings.url)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=progress_screen) as progress:
            bar = progress.add_task("正在生成演示数据", total=1.0)
            pack = load_pack(BUNDLED)
            for share in demonstration.build(database, pack, day, base_url=settings.base_url):
                progress.update(bar, completed=share)
    finally:
        database.close()
    building.unlink()
