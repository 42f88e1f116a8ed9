"""The ledger's items equal a count that knows nothing of the product's code."""

from __future__ import annotations

import pytest

from policy_models.plan_file import BUNDLED, load_pack
from tests import independent_count
from tests.factories import instant, load, opened, query

pytestmark = pytest.mark.thorough

PER_PERIOD = """
    SELECT r.code, w.period, count(*) FROM work_item w JOIN requirement r ON r.id = w.requirement_id
    GROUP BY r.code, w.period
"""


def test_the_ledger_holds_what_an_independent_count_finds(database_url: str) -> None:
    expected = independent_count.count(BUNDLED)
    with opened(database_url) as database:
        report = load(database, load_pack(BUNDLED), instant("2024-05-01"))
        with database.read() as session:
            found = {(code, period): n for code, period, n in query(session, PER_PERIOD)}
    assert found == expected
    assert report.items_added == sum(expected.values())


def test_the_count_itself_by_hand() -> None:
    by_requirement = independent_count.total(independent_count.count(BUNDLED))
    by_hand = {"5.4": 855 * 5, "5.5": 855 * 11, "8.5": 855 * 30, "8.6": 855 * 11, "S3.5": 16 * 3, "P2.3": 10}
    by_hand |= {"13.4": 10 * 5, "9.12": 10, "1.3": 3, "S3.1": 16 * 6, "14.10": 10 * 8, "1.1": 0}
    assert {code: by_requirement[code] for code in by_hand} == by_hand
