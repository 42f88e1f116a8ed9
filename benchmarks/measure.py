"""Times, medians and percentiles; two things to compare take turns (A B A B), so that a busy moment hits both."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

__all__ = [
    "cpu_of_tree",
    "median",
    "parent_of",
    "peak_bytes",
    "percentile",
    "resident_bytes",
    "say",
    "take_turns",
    "timed",
]

Act = Callable[[], object]


def timed(act: Act) -> float:
    """Seconds that an act takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def take_turns(runs: int, *acts: Callable[[], float]) -> list[list[float]]:
    """Run each act ``runs`` times, by turns; what they returned (their own seconds), by act."""
    figures: list[list[float]] = [[] for _ in acts]
    for _ in range(runs):
        for act, found in zip(acts, figures, strict=True):
            found.append(act())
    return figures


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def peak_bytes() -> int:
    """The most memory this program has held. From /proc: getrusage also counts the parent's size at the start."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not say how much memory a program has held")


def resident_bytes(pid: int) -> int:
    """The memory that a program holds now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not say how much memory a program holds")


def cpu_of_tree(root: int) -> float:
    """CPU seconds of a program and all that it has started, living or ended and reaped."""
    stats = [_stat(folder) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    known = {pid: (parent, ticks) for pid, parent, ticks in filter(None, stats)}
    tree = {root}
    while grown := {pid for pid, (parent, _) in known.items() if parent in tree} - tree:
        tree |= grown
    return sum(known[pid][1] for pid in tree if pid in known) / os.sysconf("SC_CLK_TCK")


def parent_of(pid: int) -> int:
    """The program that started a running one."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _stat(folder: Path) -> tuple[int, int, int] | None:
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None  # it ended while we looked
    return int(folder.name), int(fields[1]), sum(map(int, fields[11:15]))


def say(words: str) -> None:
    """Tell whoever waits what is going on, beside the results."""
    print(words, file=sys.stderr, flush=True)
