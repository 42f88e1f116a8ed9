"""Addresses of a half-year report: its unit's page and its reviewer's."""

from __future__ import annotations

from urllib.parse import quote

from policy_models.plan import Collects, Requirement


def report_path(unit: str, round_code: str) -> str:
    return f"/units/{quote(unit, safe='-')}/reports/{quote(round_code, safe='-')}"


def report_review_path(reviewer: str, round_code: str, unit: str) -> str:
    return f"{report_path(reviewer, round_code)}/{quote(unit, safe='-')}"


def is_report(requirement: Requirement | None) -> bool:
    """Whether items of this requirement are written section by section."""
    return requirement is not None and requirement.collects is Collects.REPORT
