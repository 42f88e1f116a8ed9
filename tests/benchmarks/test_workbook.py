"""The workbook's benchmark: it runs, and every bound it prints is met."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as bench


@pytest.mark.slow
def test_the_workbook_and_the_register_are_measured() -> None:
    results = bench.measure(["workbook"], 3_000, ["sqlite"], 1)
    assert [(result.unit, result.beside, result.bound) for result in results] == [
        ("s", "openpyxl writing and reading the cells", "< 10 s"),
        ("MB", "before it began", "< 300 MB"),
        ("s", "openpyxl writing the ready cells", None),
        ("MB", "before it began", "< 300 MB"),
        ("s", "csv writing the ready cells", None),
        ("MB", "before it began", "< 300 MB"),
    ]
    assert all(result.met is not False for result in results)
