"""`lucheng up`: the whole product on one machine, until Ctrl-C. A second start goes on where the first ended."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ledger.civil import civil_date
from ledger.issuing import issue_due
from ledger.loading import load_plan
from ledger.plans import plans
from ledger.rounds import open_due
from ledger.settings import Settings
from lucheng.first_account import first_token, first_words, link_of
from lucheng.opening import open_ledger, prepare_folder, read_pack, require_free_port, settings_for, utc_now
from lucheng.options import DEFAULT_PACK, DataDir, date_option
from lucheng.output import progress_screen
from lucheng.past import decide_past, require_reason
from lucheng.supervisor import LOCAL, Supervisor, children, web_address
from policy_models.errors import LedgerUnavailable
from policy_models.timing import CatchUp


def up(
    data_dir: DataDir = None,
    host: Annotated[str, typer.Option("--host", help="网页监听的地址", metavar="地址")] = LOCAL,
    port: Annotated[int, typer.Option("--port", help="网页的端口", min=1, max=65535, metavar="端口")] = 8000,
    prefect_port: Annotated[
        int, typer.Option("--prefect-port", help="Prefect 的端口（只在本机监听）", min=1, max=65535, metavar="端口")
    ] = 4200,
    plan: Annotated[
        str | None,
        typer.Option("--plan", help="要载入的方案包：目录或内置代码；台账为空时默认内置方案", metavar="方案包"),
    ] = None,
    catch_up: Annotated[
        CatchUp | None, typer.Option("--catch-up", help="方案已开始时，此前的事项：补录、豁免或仅统计")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="豁免的理由", metavar="理由")] = None,
    go_live: Annotated[date | None, date_option("--go-live", "启用日期，此前的事项不催办（默认今天）")] = None,
) -> None:
    """启动鹿程：建立或升级台账、载入方案，运行网页、Prefect 和流程，按 Ctrl-C 全部停止。"""
    require_reason(catch_up, reason)
    settings = settings_for(data_dir)
    prepare_folder(settings.data_dir)
    with _alone(settings.data_dir):
        require_free_port(host, port, "--port")
        require_free_port(LOCAL, prefect_port, "--prefect-port")
        _load(settings, plan, catch_up, reason, go_live)
        typer.echo(_addresses(settings, host, port, prefect_port))
        if told := _first_link(settings, host, port):
            typer.echo(told)
        wanted = children(settings, host=host, port=port, prefect_port=prefect_port)
        Supervisor(wanted, lambda line: typer.echo(line)).run()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one `up` for each data folder at a time. Raises LedgerUnavailable."""
    with (folder / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LedgerUnavailable(
                f"数据目录 {folder} 正由另一个鹿程使用，请先停止它，或用 --data-dir 另选目录"
            ) from error
        yield


def _load(
    settings: Settings, name: str | None, catch_up: CatchUp | None, reason: str | None, go_live: date | None
) -> None:
    """Migrate, and load the plan asked for (the bundled one into an empty ledger), opening at once what is due."""
    now = utc_now(settings)
    with open_ledger(settings) as ledger:
        with ledger.read() as session:
            known = {plan.code for plan in plans(session)}
        if name is None and known:
            return
        pack = read_pack(name or DEFAULT_PACK, settings)
        live = go_live or civil_date(now)
        if pack.plan.code not in known:
            catch_up, reason = decide_past(pack.plan, live, catch_up, reason)
        with progress_screen.status(f"正在载入《{pack.plan.title}》……"), ledger.write() as session:
            report = load_plan(
                session, pack, now=now, go_live_on=live, catch_up=catch_up or CatchUp.BACKFILL, reason=reason
            )
            opened = issue_due(session, pack.plan.code, as_of=civil_date(now), now=now)
            open_due(session, pack.plan.code, now=now)
    typer.echo(f"已载入《{pack.plan.title}》：新增办理件 {report.items_added} 件，其中已到交办时间 {opened} 件。")


def _first_link(settings: Settings, host: str, port: int) -> str | None:
    """The way in for the first administrator, where nobody can sign in yet."""
    with open_ledger(settings) as ledger, ledger.write() as session:
        token = first_token(session, utc_now(settings))
    return first_words(link_of(settings, token, web_address(host, port))) if token else None


def _addresses(settings: Settings, host: str, port: int, prefect_port: int) -> str:
    lines = [
        "鹿程正在启动：",
        f"  网页      {web_address(host, port)}",
        f"  Prefect   http://{LOCAL}:{prefect_port}",
        f"  数据目录  {settings.data_dir.resolve()}",
        "按 Ctrl-C 停止。",
    ]
    return "\n".join(lines)
