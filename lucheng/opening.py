"""Opening the house: the settings with the command line over them, the data folder, the ledger, a plan pack, a port."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ledger.database import Database, connect
from ledger.migrations import is_current, migrate
from ledger.settings import Settings
from policy_models.errors import LedgerUnavailable
from policy_models.plan_file import Pack, find_pack, load_pack


def utc_now(settings: Settings | None = None) -> datetime:
    """The door's clock: now, or the virtual instant of a demonstration."""
    if settings is not None and settings.clock is not None:
        return settings.clock
    return datetime.now(UTC)


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


@contextmanager
def open_trial(settings: Settings) -> Iterator[Database]:
    """The ledger as ``open_ledger`` gives it, for what is tried and not kept: nothing is made or migrated.

    Where there is no ledger yet, an empty one elsewhere stands in. Raises LedgerUnavailable for one of another version.
    """
    if settings.database_url is None and not (settings.data_dir / "ledger.db").exists():
        with tempfile.TemporaryDirectory() as folder:
            elsewhere = settings.model_copy(update={"data_dir": Path(folder)})
            with open_ledger(elsewhere) as database:
                yield database
        return
    database = connect(settings.url)
    try:
        if not is_current(database):
            raise LedgerUnavailable("台账数据库不是当前版本，请先运行 lucheng db migrate")
        yield database
    finally:
        database.close()


def read_pack(name: str, settings: Settings) -> Pack:
    """A pack by path or code, with the administrator's own calendars over its own."""
    return load_pack(find_pack(name, settings.data_dir / "plans"), [settings.calendar_dir])


def require_free_port(host: str, port: int, option: str) -> None:
    """Raises LedgerUnavailable when something listens there already. Port 0 asks the system and is always free."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            hint = f"请用 {option} 另选端口，或关闭占用它的程序"
            raise LedgerUnavailable(f"{host} 的端口 {port} 不能使用（{error.strerror}），{hint}") from error
