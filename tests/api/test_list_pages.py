"""Every page that lists something asks the ledger as often for 1 row as for 300. The workbook, which reads its rows by
the hundred, is counted in test_workbook.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import pytest

from ledger import accounts, chasing, extensions, feed_tokens, issuing, machine_tokens, submissions, trail
from ledger.database import Database
from policy_models.access import Grant, Role
from tests.api.site import Site
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    fresh_database,
    instant,
    item,
    load,
    office,
    query,
    statements,
    tiny_pack,
    village,
)
from tests.staff import add_staff

pytestmark = pytest.mark.thorough

DAY, TOWN, VILLAGE = "2025-02-20", "900101", village(1, 1)
NOW = instant(DAY)
FEW, MANY = 1, 300
READER = Grant(Role.AUDITOR, TOWN)
PAGES = (
    "/",
    "/tasks",
    "/tasks/1",
    "/phases/1",
    "/timeline",
    "/calendar",
    f"/units/{TOWN}/calendar",
    "/changes?from=2025-01-10&to=2025-02-20",
    "/changes/items?change=opened&from=2025-01-10&to=2025-02-20",
    "/units",
    "/units?q=村",
    "/units/9001",
    f"/units/{TOWN}",
    f"/units/{VILLAGE}",
    "/items",
    "/items?timing=late",
    f"/items?within={TOWN}&period=2025-01",
    "/charts/heat",
    "/charts/burn-up",
    "/charts/timeliness",
    "/charts/burden",
    "/register",
    f"/register?within={TOWN}",
    "/reminders",
    "/messages",
    f"/units/{BUREAU}/desk",
    f"/units/{TOWN}/desk",
    f"/units/{VILLAGE}/desk",
    f"/units/{TOWN}/sheets",
    f"/units/{TOWN}/sheet/1.2/2025-02",
    f"/units/{TOWN}/review",
    f"/units/{TOWN}/extensions",
    f"/units/{BUREAU}/chase?late=on",
    "/people/unreachable",
    f"/units/{VILLAGE}/people",
    f"/units/{VILLAGE}/subscribe",
    "/accounts",
    "/accounts/new?q=村",
    "/admin",
    "/admin/audit",
    f"/admin/units?parent={TOWN}",
    f"/admin/units/{TOWN}",
    "/admin/people",
    "/admin/tokens",
    "/admin/machines",
)


@dataclass(frozen=True)
class Sites:
    few: Site
    many: Site


def populate(database: Database, rows: int) -> None:
    """As many rows as are asked for in every list: villages have items late, handed in and to be extended; one village
    has people and subscriptions; accounts, machines, and lines in the trail."""
    villages = [village(1, number) for number in range(1, rows + 1)]
    january, february = ([item("1.2", code, month) for code in villages] for month in ("2025-01", "2025-02"))
    with database.write() as session:
        chasing.chase(session, january, by=office(BUREAU), now=NOW)
        for key, code in zip(february, villages, strict=True):
            extensions.request(session, key, wanted=date(2025, 4, 10), reason="道路中断", by=office(code), now=NOW)
        winter = [(item("2.2", code, "2025-winter"), (), None) for code in villages]
        submissions.submit_all(session, winter, by=office(TOWN), now=NOW)
        for number in range(rows):
            add_staff(session, VILLAGE, f"人员{number}", NOW)
            feed_tokens.create(session, VILLAGE, f"手机{number}", NOW)
            made = accounts.create_account(session, f"user{number}", f"账号{number}", NOW)
            accounts.set_grants(session, made, [Grant(Role.LIAISON, VILLAGE)], NOW)
            trail.note_act(session, "报送", NOW, account=f"user{number}", unit=VILLAGE)
            machine_tokens.create_machine(session, f"machine{number}", f"接口{number}", [READER], NOW)
            machine_tokens.create(session, f"machine{number}", "对接", NOW)


@contextmanager
def filled(request: pytest.FixtureRequest, folders: pytest.TempPathFactory, rows: int) -> Iterator[Site]:
    """A ledger of the tiny plan with this many villages in each county, and lists as long."""
    with fresh_database(request, folders) as database:
        load(database, tiny_pack(folders.mktemp("pack"), villages=rows))
        with database.write() as session:
            issuing.issue_due(session, CODE, as_of=NOW.date(), now=NOW)
        populate(database, rows)
        yield Site(database)


@pytest.fixture(scope="module", params=KINDS)
def sites(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    with filled(request, tmp_path_factory, FEW) as few, filled(request, tmp_path_factory, MANY) as many:
        yield Sites(few, many)


def asked(site: Site, path: str) -> list[str]:
    """What a page sends to the ledger, once everything that is kept between requests is there."""
    browser = site.at(DAY)
    assert browser.get(path).status_code == 200, path
    with statements(site.database) as sent:
        browser.get(path)
    return sent


@pytest.mark.parametrize("path", PAGES)
def test_the_same_statements_for_one_row_and_for_three_hundred(sites: Sites, path: str) -> None:
    assert len(asked(sites.few, path)) == len(asked(sites.many, path))


def test_the_lists_are_as_long_as_they_should_be(sites: Sites) -> None:
    """Or the comparison would say nothing."""
    counts = []
    for site in (sites.few, sites.many):
        with site.database.read() as session:
            tables = ("reminder", "extension", "person", "feed_token", "machine_token")
            counts.append([query(session, f"SELECT count(*) FROM {table}")[0][0] for table in tables])
            assert query(session, "SELECT count(*) FROM audit")[0][0] >= counts[-1][0]
            waiting = query(session, "SELECT count(*) FROM work_item WHERE state = 'submitted'")
            assert waiting == [(counts[-1][0],)]
    assert counts == [[FEW] * 5, [MANY] * 5]
