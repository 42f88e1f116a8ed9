"""半年报送: which days a round speaks of, how a report stands, 齐报率 and 及时率. Nothing here is stored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from policy_models.errors import NotFound
from policy_models.lifecycle import State
from policy_models.plan import Plan


@dataclass(frozen=True, slots=True)
class HalfYear:
    """``first`` and ``last`` are civil dates, both included, inside the plan."""

    code: str
    first: date
    last: date


def half_year(code: str, plan: Plan) -> HalfYear:
    """The half-year of a period code ("2025-H1"), cut by the plan's own days. Raises NotFound."""
    found = re.fullmatch(r"(20\d{2})-H([12])", code)
    if not found:
        raise NotFound(f"没有“{code[:12]}”这一期半年报送，期次写作 2025-H1 的样子")
    year, first_half = int(found[1]), found[2] == "1"
    first = date(year, 1, 1) if first_half else date(year, 7, 1)
    last = date(year, 6, 30) if first_half else date(year, 12, 31)
    if last < plan.starts_on or first > plan.ends_on:
        raise NotFound(f"方案自{plan.starts_on}至{plan.ends_on}，其间没有 {code} 这一期")
    return HalfYear(code, max(first, plan.starts_on), min(last, plan.ends_on))


def previous_code(code: str) -> str:
    """``2025-H1`` → ``2024-H2``."""
    year, half = code.split("-H")
    return f"{int(year) - 1}-H2" if half == "1" else f"{year}-H1"


class ReportStatus(StrEnum):
    """How a report stands, in the words of the round board; derived from its item and its draft."""

    MISSING = "missing"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    EXEMPT = "exempt"


STATUS_NAMES = {
    ReportStatus.MISSING: "未交",
    ReportStatus.DRAFT: "草稿",
    ReportStatus.SUBMITTED: "已报",
    ReportStatus.RETURNED: "退回",
    ReportStatus.ACCEPTED: "通过",
    ReportStatus.EXEMPT: "不计",
}
HANDED_IN = frozenset({State.SUBMITTED, State.RETURNED, State.ACCEPTED})
NOT_OWED = frozenset({State.WAIVED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class ReportStanding:
    """One unit's report: ``state`` of its work item, its own ``deadline``, the civil date of the first submission,
    since when the unit is closed, whether a draft was begun; ``backfill``: it is dated before go-live (补录), so that
    it is neither late nor missing."""

    state: State
    deadline: date
    first_submitted_on: date | None = None
    closed_on: date | None = None
    drafted: bool = False
    backfill: bool = False

    @property
    def is_in(self) -> bool:
        """Whether the report is handed in: one taken back is not."""
        return self.state in HANDED_IN

    @property
    def is_late(self) -> bool:
        """Handed in after the deadline; judged, as everywhere, by the first submission."""
        if self.backfill:
            return False
        return self.is_in and (self.first_submitted_on is None or self.first_submitted_on > self.deadline)

    def is_owed(self, as_of: date) -> bool:
        """Whether the unit counts: not exempt, and not closed or merged by the day without having handed in."""
        if self.state in NOT_OWED:
            return False
        return self.is_in or self.closed_on is None or self.closed_on > as_of

    def is_missing(self, as_of: date) -> bool:
        """Owed, not handed in, and the deadline is past: not the same as late."""
        return self.is_owed(as_of) and not self.is_in and not self.backfill and as_of > self.deadline

    def status(self, as_of: date) -> ReportStatus:
        """The column of the round board."""
        if not self.is_owed(as_of):
            return ReportStatus.EXEMPT
        if self.is_in:
            return ReportStatus(self.state.value)
        return ReportStatus.DRAFT if self.drafted else ReportStatus.MISSING


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """``owing`` units, those that have ``handed_in`` (``on_time`` or ``late``), ``missing`` ones past the deadline;
    ``accepted``, ``returned`` and waiting for review (``waiting``) among those handed in."""

    owing: int = 0
    handed_in: int = 0
    on_time: int = 0
    late: int = 0
    missing: int = 0
    accepted: int = 0
    returned: int = 0
    waiting: int = 0

    @property
    def completeness(self) -> float:
        """齐报率, 0 to 1; 1 where nobody owes."""
        return self.handed_in / self.owing if self.owing else 1.0

    @property
    def timeliness(self) -> float:
        """及时率, 0 to 1: on time of those that owe."""
        return self.on_time / self.owing if self.owing else 1.0


def figures(reports: Iterable[ReportStanding], as_of: date) -> RoundFigures:
    """Count the reports of a round as of a civil date. Numerator and denominator are of the same units."""
    owing = [one for one in reports if one.is_owed(as_of)]
    handed_in = [one for one in owing if one.is_in]
    late = sum(one.is_late for one in handed_in)
    return RoundFigures(
        owing=len(owing),
        handed_in=len(handed_in),
        on_time=len(handed_in) - late,
        late=late,
        missing=sum(one.is_missing(as_of) for one in owing),
        accepted=sum(one.state is State.ACCEPTED for one in handed_in),
        returned=sum(one.state is State.RETURNED for one in handed_in),
        waiting=sum(one.state is State.SUBMITTED for one in handed_in),
    )
