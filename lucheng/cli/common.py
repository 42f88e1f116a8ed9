"""What the commands share: options, dates as people write them, tables and JSON, the ledger behind the settings."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ledger.database import Database, connect
from ledger.migrations import is_current, migrate
from ledger.settings import Settings
from policy_models.errors import Fault, Faulty, LedgerUnavailable
from policy_models.plan_file import BUNDLED, Pack, find_pack, load_pack
from policy_models.spans import civil_date as parse_civil_date

screen = Console()
progress_screen = Console(stderr=True)

PackName = Annotated[str, typer.Argument(metavar="方案包", help="方案包的目录，或内置方案的代码")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", envvar="LUCHENG_DATA_DIR", help="数据目录（默认 ./data）", metavar="目录")
]
DEFAULT_PACK = BUNDLED.name


def utc_now(settings: Settings | None = None) -> datetime:
    """The door's clock: now, or the virtual instant of a demonstration."""
    if settings is not None and settings.clock is not None:
        return settings.clock
    return datetime.now(UTC)


def parse_date(text: str) -> date:
    """A civil date as a person types it. Raises Faulty with one sentence for 2025-06-31."""
    try:
        return parse_civil_date(text)
    except ValueError as error:
        raise Faulty([Fault("日期", None, "", str(error))]) from error


def date_option(name: str, help_text: str) -> Any:
    return typer.Option(name, parser=parse_date, help=help_text, metavar="YYYY-MM-DD")


def settings_for(data_dir: Path | None) -> Settings:
    """The settings of this process, with the data folder of the command line where one is given."""
    settings = Settings.load()
    return settings.model_copy(update={"data_dir": data_dir}) if data_dir else settings


def prepare_folder(folder: Path) -> None:
    """Make the data folder and see that it can be written. Raises LedgerUnavailable with one sentence."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-{datetime.now(UTC).timestamp()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise LedgerUnavailable(f"数据目录不可写：{folder}（{error.strerror}）") from error


@contextmanager
def open_ledger(settings: Settings, *, create: bool = True) -> Iterator[Database]:
    """The ledger behind the settings, migrated. ``create=False``: raises LedgerUnavailable when there is none yet."""
    if settings.database_url is None:
        if not create and not (settings.data_dir / "ledger.db").is_file():
            raise LedgerUnavailable(f"{settings.data_dir} 中还没有台账，请先运行 lucheng up 或 lucheng plan load")
        prepare_folder(settings.data_dir)
    database = connect(settings.url)
    try:
        if not is_current(database):
            migrate(settings.url)
        yield database
    finally:
        database.close()


def read_pack(name: str, settings: Settings) -> Pack:
    """A pack by path or code, with the administrator's own calendars over its own."""
    return load_pack(find_pack(name, settings.data_dir / "plans"), [settings.calendar_dir])


def print_json(value: Any) -> None:
    """JSON as UTF-8 on standard output; lists one element a line, so that long ones can be read and compared."""
    if isinstance(value, list):
        lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in value)
        sys.stdout.write(f"[\n{lines}\n]\n" if value else "[]\n")
    else:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> None:
    table = Table(*headers, title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    screen.print(table)


def require_free_port(host: str, port: int, option: str) -> None:
    """Raises LedgerUnavailable when something listens there already. Port 0 asks the system and is always free."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            hint = f"请关闭占用它的程序，或用 {option} 另选端口"
            raise LedgerUnavailable(f"端口 {port} 不能使用（{error.strerror}），{hint}") from error
