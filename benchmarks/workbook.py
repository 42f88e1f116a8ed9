"""A workbook of 855 villages downloaded, uploaded and handed in, beside openpyxl writing and reading the same cells;
the whole register as .xlsx and .csv, beside its cells alone."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell

from api.register import COLUMNS, cells
from benchmarks.big_ledger import DAY, NOW, big_ledger, real_items, real_pack
from benchmarks.databases import Stage, opened
from benchmarks.measure import median, say, timed
from benchmarks.table import Result
from documents.cells import Cell, words
from ledger import issuing, loading
from ledger.civil import at_hour
from ledger.queries.item_filter import ItemFilter
from ledger.queries.reading import open_plan
from ledger.queries.register import register_rows
from policy_models.plan import Level
from policy_models.plan_file import Pack
from policy_models.units import Units

QUESTION, TEMPLATE = "workbook", "workbook"
ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 1024 * 1024
MONTH = date(2025, 3, 10)  # the month's contacts are open
FILLED = ("8.5", "2025-03", "已联系儿童数,应联系儿童数")  # 12 columns with the hidden ones
WIDTH = 12
SECONDS, MEMORY = 10, 300


def measure(stage: Stage) -> list[Result]:
    """Two rows for the workbook (time and memory), two for each form of the register."""
    return [*measure_workbook(stage), *_register(stage)]


@cache
def one_township() -> tuple[Pack, str]:
    """The real plan with every village of the city below one township; that township's code."""
    pack = real_pack()
    township = next(code for code, unit in sorted(pack.units.items()) if unit.level is Level.TOWNSHIP)
    moved = [
        dataclasses.replace(unit, parent=township) if unit.level is Level.VILLAGE else unit
        for unit in pack.units.values()
    ]
    return dataclasses.replace(pack, units=Units(moved)), township


def prepare(stage: Stage) -> tuple[str, int]:
    """A ledger in which every village's monthly contact is open; the township's code and how many villages."""
    pack, township = one_township()
    stage.place.create(TEMPLATE)
    with opened(stage.place.url(TEMPLATE)) as database:
        with database.write() as session:
            loading.load_plan(session, pack, now=at_hour(MONTH, 8), go_live_on=MONTH.replace(day=1))
        with database.write() as session:
            issuing.issue_due(session, pack.plan.code, as_of=MONTH, now=at_hour(MONTH, 8))
    stage.place.settle(TEMPLATE)
    return township, sum(unit.level is Level.VILLAGE for unit in pack.units.values())


def measure_workbook(stage: Stage) -> list[Result]:
    """The workbook's two rows. Raises RuntimeError where a row was not handed in."""
    township, villages = prepare(stage)
    code, period, titles = FILLED
    runs, peers = [], []
    for _ in range(stage.runs):
        with stage.copied(TEMPLATE) as url:
            one = run("workbook", url, at_hour(MONTH, 9), township, f"requirement={code}&period={period}", titles)
        if one["rows"] != villages:
            raise RuntimeError(f"{one['rows']} of {villages} rows were handed in")
        runs.append(one)
        peers.append(timed(lambda: _by_openpyxl(villages)))
    stage.place.drop(TEMPLATE)
    seconds = median(one["download"] + one["upload"] for one in runs)
    say(f"workbook on {stage.kind}: download {runs[0]['download']:.2f} s, upload {runs[0]['upload']:.2f} s")
    figure = f"{villages} villages × {WIDTH} columns: down, up, handed in"
    beside = "openpyxl writing and reading the cells"
    bound = f"< {SECONDS} s"
    return [
        Result(QUESTION, stage.kind, figure, seconds, "s", beside, median(peers), bound, seconds < SECONDS),
        _memory(stage, runs, "peak memory of it"),
    ]


def _memory(stage: Stage, runs: Sequence[dict[str, Any]], figure: str) -> Result:
    peak, before = (median(one[name] for one in runs) / MEGABYTE for name in ("memory_peak", "memory_before"))
    bound = f"< {MEMORY} MB"
    return Result(QUESTION, stage.kind, figure, peak, "MB", "before it began", before, bound, peak < MEMORY)


def _by_openpyxl(villages: int) -> None:
    """The same number of cells written (empty to be filled in) and read again (filled in)."""
    target = io.BytesIO()
    book = openpyxl.Workbook()
    for row in range(1, villages + 4):
        for column in range(1, WIDTH + 1):
            book.active.cell(row, column).value = 30 if column in (7, 8) else f"第{row}行"
    book.save(target)
    read = openpyxl.load_workbook(target)
    if (
        sum(1 for row in read.active.iter_rows(values_only=True) for value in row if value is not None)
        < villages * WIDTH
    ):
        raise RuntimeError("the peer lost cells")


def _register(stage: Stage) -> list[Result]:
    ledger = big_ledger(stage, min(stage.items, real_items()))
    results = []
    for form, peer in (("xlsx", _cells_by_openpyxl), ("csv", _cells_as_csv)):
        with stage.copied(ledger.name) as url:
            one = run("register", url, NOW, f"/register.{form}")
            alone = _cells_alone(url, ledger.plan, peer)
        figure = f"register, {ledger.items:,} rows × {len(COLUMNS)} columns, .{form}"
        beside = "openpyxl writing the ready cells" if form == "xlsx" else "csv writing the ready cells"
        results.append(Result(QUESTION, stage.kind, figure, one["download"], "s", beside, alone))
        results.append(_memory(stage, [one], f"peak memory of the .{form}"))
    return results


def _cells_alone(url: str, plan: str, peer: Any) -> float:
    """Seconds that the peer takes for the register's cells when they are ready."""
    with opened(url) as database, database.read() as session:
        reading = open_plan(session, plan, as_of=DAY, now=NOW)
        if reading is None:
            raise RuntimeError("the ledger holds no plan")
        ready = list(cells(register_rows(session, reading, ItemFilter()), reading, first=1))
    return timed(lambda: peer(ready))


def _cells_by_openpyxl(rows: Sequence[Sequence[Cell]]) -> None:
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet()
    for row in rows:
        page.append([WriteOnlyCell(page, cell) for cell in row])
    book.save(io.BytesIO())


def _cells_as_csv(rows: Sequence[Sequence[Cell]]) -> None:
    csv.writer(io.StringIO()).writerows([words(cell) for cell in row] for row in rows)


def run(what: str, url: str, now: Any, *given: str) -> dict[str, Any]:
    """One run in a program of its own. Raises RuntimeError when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.one_workbook", what, url, now.isoformat(), folder, *given]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LUCHENG_")}
        ended = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"the {what} failed:\n{ended.stderr}")
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
