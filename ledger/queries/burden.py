"""负担: how many items fall due in each place in each week, so that one sees in time where the work piles up."""

from __future__ import annotations

from collections import Counter
from datetime import date

from sqlalchemy import func, select

from ledger.daily import is_expected
from ledger.database import Session
from ledger.queries.grounds import Ground, facts_on
from ledger.queries.reading import Reading
from policy_models.series import monday


def burden(session: Session, reading: Reading, here: Ground, first: date, last: date) -> dict[tuple[str, date], int]:
    """Expected items with a deadline from ``first`` to ``last`` (both included), by place and by the Monday of the week;
    two statements at most."""
    source = facts_on(session, reading, here)
    columns = source.c
    n = func.sum(columns.n)
    rows = session.execute(
        select(columns.place, columns.deadline, n.label("n"))
        .where(is_expected(columns), columns.deadline.between(first, last))
        .group_by(columns.place, columns.deadline)
        .having(n != 0)
    )
    found: Counter[tuple[str, date]] = Counter()
    for row in rows:
        found[row.place, monday(row.deadline)] += int(row.n)
    return {key: number for key, number in found.items() if number}
