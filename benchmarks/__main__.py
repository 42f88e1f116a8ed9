"""``python -m benchmarks [names…]``: measure, print one table, exit 1 when a bound is missed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from benchmarks import board, feed, issuing, pages, sweep, workbook
from benchmarks.databases import KINDS, stages
from benchmarks.measure import say
from benchmarks.table import Result, written

QUESTIONS = {
    "issuing": issuing.measure,
    "board": board.measure,
    "feed": feed.measure,
    "pages": pages.measure,
    "sweep": sweep.measure,
    "workbook": workbook.measure,
}


def measure(names: Sequence[str], items: int, kinds: Sequence[str], runs: int) -> list[Result]:
    """The rows of the questions named (see QUESTIONS), for each kind of database in KINDS that is wanted."""
    results: list[Result] = []
    with stages(kinds, items, runs) as found:
        for name in names:
            for stage in found:
                say(f"measuring {name} on {stage.kind}")
                results += QUESTIONS[name](stage)
    return results


def main() -> int:
    arguments = argparse.ArgumentParser(prog="bench", description="Benchmarks with peers and limits in the same run.")
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(QUESTIONS)} (default: all)")
    arguments.add_argument("--items", type=int, default=1_000_000, help="items in the big ledgers")
    arguments.add_argument("--database", choices=[*KINDS, "both"], default="both")
    arguments.add_argument("--runs", type=int, default=3, help="runs of which the median is taken")
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    if unknown := sorted(set(given.names) - set(QUESTIONS)):
        arguments.error(f"no such benchmark: {', '.join(unknown)}")
    kinds = KINDS if given.database == "both" else (given.database,)
    results = measure(given.names or list(QUESTIONS), given.items, kinds, given.runs)
    missed = [result for result in results if result.met is False]
    if given.json:
        print(json.dumps([result.record() for result in results], ensure_ascii=False, indent=2))
    else:
        print(written(results))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
