"""Addresses of what a half-year round collects: the unit's page and the reviewer's."""

from __future__ import annotations

from urllib.parse import quote

from policy_models.plan import Collects


def report_path(unit: str, round_code: str) -> str:
    return f"/units/{quote(unit, safe='-')}/reports/{quote(round_code, safe='-')}"


def report_review_path(reviewer: str, round_code: str, unit: str) -> str:
    return f"{report_path(reviewer, round_code)}/{quote(unit, safe='-')}"


def collecting_path(collects: Collects, unit: str, period: str) -> str:
    """Where a unit writes what an item collects: its report, its exemplars, its year's bulletin items."""
    desk = f"/units/{quote(unit, safe='-')}"
    return {
        Collects.REPORT: report_path(unit, period),
        Collects.EXEMPLARS: f"{desk}/exemplars?round={quote(period)}",
        Collects.BULLETIN: f"{desk}/bulletin?year={quote(period)}",
    }[collects]
