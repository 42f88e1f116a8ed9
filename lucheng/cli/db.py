"""`lucheng db`: bring the ledger's database up to date, or check tables against migrations (for developers)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from ledger import migrations
from ledger.database import sqlite_url
from lucheng.opening import prepare_folder, settings_for
from lucheng.options import DataDir
from lucheng.output import screen

app = typer.Typer(help="台账数据库：升级、核对", no_args_is_help=True)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """把台账数据库升级到当前版本。"""
    settings = settings_for(data_dir)
    if settings.database_url is None:
        prepare_folder(settings.data_dir)
    migrations.migrate(settings.url)
    screen.print("台账数据库已是当前版本")


@app.command()
def check(url: Annotated[str | None, typer.Option("--url", help="数据库地址（默认临时 SQLite）")] = None) -> None:
    """核对表结构与迁移脚本是否一致。"""
    with tempfile.TemporaryDirectory() as folder:
        migrations.check(url or sqlite_url(Path(folder)))
    screen.print("表结构与迁移脚本一致")


@app.command(hidden=True)
def revise(message: str) -> None:
    """Write a new migration from the difference between tables.py and the tree (developers)."""
    with tempfile.TemporaryDirectory() as folder:
        migrations.migrate(sqlite_url(Path(folder)))
        migrations.new_revision(sqlite_url(Path(folder)), message)
