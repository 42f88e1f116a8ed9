"""The daily sweep on a big ledger: statements, CPU, memory; beside it a ledger of a twentieth, and one plain scan."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.big_ledger import DAY, NOW, Ledger, big_ledger
from benchmarks.databases import Stage
from benchmarks.measure import median, say
from benchmarks.table import Result

QUESTION = "sweep"
SMALLER = 20
MEGABYTE = 1024 * 1024
ROOT = Path(__file__).resolve().parents[1]
RUNNER = "flows.sweep"  # with Prefect and all that it brings


def measure(stage: Stage) -> list[Result]:
    """Four rows: statements, CPU, memory of the verbs alone, and memory with Prefect loaded beside them."""
    big, small = big_ledger(stage, stage.items), big_ledger(stage, stage.items // SMALLER)
    few = _sweep(stage, small)
    sweeps = [_sweep(stage, big) for _ in range(stage.runs)]
    loaded = _sweep(stage, big, "--load", RUNNER)
    one = sweeps[0]
    say(
        f"sweep on {stage.kind}: {one['opened']:,} opened, {one['reminders']:,} reminders in {one['messages']:,} messages,"
        f" {median(s['seconds'] for s in sweeps):.1f} s"
    )
    return [_statements(stage, one, few, small), *_costs(stage, sweeps, big), _memory(stage, [loaded], "with Prefect")]


def _statements(stage: Stage, one: dict[str, Any], few: dict[str, Any], small: Ledger) -> Result:
    many, less = one["statements"], few["statements"]
    beside = f"on {small.items:,} items"
    return Result(QUESTION, stage.kind, "SQL statements", many, "", beside, less, "ratio = 1", many == less)


def _costs(stage: Stage, sweeps: list[dict[str, Any]], big: Ledger) -> list[Result]:
    cpu, scan = median(s["cpu"] for s in sweeps), median(s["scan_cpu"] for s in sweeps)
    figure = f"CPU, {big.items:,} items, {sweeps[0]['opened']:,} to open"
    return [
        Result(QUESTION, stage.kind, figure, cpu, "s", "one scan of work_item", scan, "< 10 s", cpu < 10),
        _memory(stage, sweeps, "the verbs alone"),
    ]


def _memory(stage: Stage, sweeps: list[dict[str, Any]], what: str) -> Result:
    peak, before = (median(s[name] for s in sweeps) / MEGABYTE for name in ("memory_peak", "memory_before"))
    figure = f"peak memory, {what}"
    return Result(QUESTION, stage.kind, figure, peak, "MB", "before it began", before, "< 300 MB", peak < 300)


def _sweep(stage: Stage, ledger: Ledger, *more: str) -> dict[str, Any]:
    """One sweep of a fresh copy. Raises RuntimeError when the day had no work: it would measure nothing."""
    with stage.copied(ledger.name) as url, tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "benchmarks.one_sweep", url, DAY.isoformat(), NOW.isoformat(), *more]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LUCHENG_", "PREFECT_"))}
        ended = subprocess.run(
            command, cwd=ROOT, env=kept | {"PREFECT_HOME": home}, capture_output=True, text=True, check=False
        )
    if ended.returncode:
        raise RuntimeError(f"the sweep failed:\n{ended.stderr}")
    found: dict[str, Any] = json.loads(ended.stdout)
    if not (found["opened"] and found["reminders"] and found["messages"]):
        raise RuntimeError(f"a day without work measures nothing: {found}")
    return found
