"""What one county's accounts can read of another: nothing. Every page, export and answer for programs, with addresses of
one's own and with others' items, files, reports and people put into them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

import pytest
from httpx2 import Response

from policy_models.access import Role
from tests.api.access_site import COUNTY, OTHER_COUNTY, TOWNSHIP, AccessSite, access_site, every_route
from tests.api.access_table import ANYONE
from tests.factories import KINDS, SCHOOLS, fresh_database

PAGES = [route for route in every_route() if route.startswith("GET") and route not in ANYONE]
# What every account may read of the whole city, as decided: circulars and published exemplars, and how to use all this.
FOR_ALL = re.compile(
    r"GET (/api/v1)?/(circulars|exemplars)(/.*)?|GET /api/(docs|v1/openapi\.json)|GET /report-template.*"
)
ROLES = tuple(Role)
# Who reads, which county's own addresses, and whose names must not be met.
READERS = {
    "a township": (TOWNSHIP, 1, 2),
    "a county": (COUNTY, 1, 2),
    "the other county": (OTHER_COUNTY, 2, 1),
    "a line of work": (SCHOOLS, 1, 0),
}

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module", params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessSite]:
    folder = tmp_path_factory.mktemp("leaks")
    with fresh_database(request, tmp_path_factory) as database, access_site(database, folder) as found:
        yield found


def words_of(answer: Response) -> str:
    """Everything an answer says; workbooks and papers unpacked."""
    content = answer.content
    if zipfile.is_zipfile(io.BytesIO(content)):
        packed = zipfile.ZipFile(io.BytesIO(content))
        return " ".join(packed.read(name).decode("utf-8", "replace") for name in packed.namelist())
    return f"{answer.headers} {content.decode('utf-8', 'replace')}"


def traces(county: int) -> re.Pattern[str]:
    """Names, codes and keys that only units of a county have."""
    return re.compile(
        rf"{county}县|(?<!\d)900{county}(?!\d\d\d\d)|900{county}-|900{county}01|村干部{county}|日历{county}|照片{county}"
    )


def names(county: int) -> re.Pattern[str]:
    return re.compile(rf"{county}县|村干部{county}|日历{county}|照片{county}")


@pytest.mark.parametrize("reader", [name for name in READERS if READERS[name][2]])
def test_own_addresses_show_nothing_of_others(site: AccessSite, reader: str) -> None:
    unit, own, other = READERS[reader]
    browser = site.browser({unit: ROLES})
    seen = 0
    for route in PAGES:
        if FOR_ALL.fullmatch(route):
            continue
        answer = browser.get(site.path(route, own))
        assert answer.status_code < 500, route
        found = traces(other).search(words_of(answer))
        assert found is None, (
            route,
            answer.status_code,
            words_of(answer)[max(0, found.start() - 80) : found.end() + 40],
        )
        seen += answer.status_code == 200
    assert seen > 50


@pytest.mark.parametrize("reader", ["a township", "a county"])
def test_others_put_into_ones_own_addresses(site: AccessSite, reader: str) -> None:
    """/units/{mine}/…/{theirs}: an item, a file, a person, a report, an extension, a subscription of the other county."""
    unit, own, other = READERS[reader]
    browser = site.browser({unit: ROLES})
    for route in [one for one in every_route() if one.startswith("GET") and one not in ANYONE]:
        if route.count("{") < 1 or FOR_ALL.fullmatch(route):
            continue
        answer = browser.get(site.path(route, own, objects=other))
        assert answer.status_code < 500, route
        found = names(other).search(words_of(answer))
        assert found is None, (
            route,
            answer.status_code,
            words_of(answer)[max(0, found.start() - 80) : found.end() + 40],
        )


@pytest.mark.parametrize("reader", ["a township", "a county"])
def test_filters_that_ask_for_others(site: AccessSite, reader: str) -> None:
    unit, _, other = READERS[reader]
    browser = site.browser({unit: ROLES})
    theirs = {"unit": f"900{other}01001", "within": f"900{other}", "under": f"900{other}", "parent": f"900{other}"}
    lists = ("/items", "/register", "/register.csv", "/register.xlsx", "/reminders", "/reminders.csv", "/units")
    lists += ("/api/v1/items", "/api/v1/register", "/api/v1/reminders", "/api/v1/units", "/people/unreachable")
    for path in lists:
        for name, value in {**theirs, "q": f"{other}县", "requirement": "1.2", "period": "2025-03"}.items():
            answer = browser.get(path, params={name: value})
            assert answer.status_code in (200, 403, 404, 422), (path, name, answer.status_code)
            told = words_of(answer).replace(f'value="{other}县"', "").replace(f"“{other}县”", "")
            found = names(other).search(told)
            assert found is None, (path, name, told[max(0, found.start() - 120) : found.end() + 60])


@pytest.mark.parametrize("reader", ["a township", "a county"])
def test_verbs_on_others_do_nothing(site: AccessSite, reader: str) -> None:
    """Every POST with one's own unit and others' things: refused, and the ledger stands as it stood."""
    unit, own, other = READERS[reader]
    browser = site.browser({unit: ROLES})
    before = _facts(site, other)
    for route in every_route():
        if route.startswith("GET") or route in ANYONE or "{code}" not in route or route.count("{") < 2:
            continue
        method, path = route.partition(" ")[0], site.path(route, own, objects=other)
        kind = (
            {"json": {}} if "/api/" in route else {"data": {"verdict": "accept", "reason": "x", "until": "2025-07-10"}}
        )
        answer = browser.request(method, path, **kind)  # type: ignore[arg-type]
        assert answer.status_code < 500, route
        assert names(other).search(words_of(answer)) is None, (route, answer.status_code)
    assert _facts(site, other) == before


def _facts(site: AccessSite, county: int) -> list[object]:
    """What the ledger holds of a county's units."""
    from tests.factories import query

    like = {"like": f"900{county}%"}
    with site.database.read() as session:
        return [
            query(session, f"SELECT * FROM {table} WHERE {column} LIKE :like ORDER BY id", **like)
            for table, column in (
                ("work_item", "unit_code"),
                ("person", "unit_code"),
                ("feed_token", "unit_code"),
                ("exemplar", "unit_code"),
                ("report", "unit_code"),
                ("file", "by_unit"),
            )
        ] + [query(session, "SELECT id, state FROM extension ORDER BY id")]


def test_a_department_sees_its_line_of_work(site: AccessSite) -> None:
    """市教育局 has its counties' education offices in sight and neither their townships nor other departments."""
    browser = site.browser({SCHOOLS: ROLES})
    listed = {one["code"] for one in browser.get("/api/v1/units", params={"limit": 500}).json()["units"]}
    assert listed == {SCHOOLS, "9001-jy", "9002-jy"}
    for code, status in {
        SCHOOLS: 200,
        "9001-jy": 200,
        "9002-jy": 200,
        "9001-mz": 403,
        TOWNSHIP: 403,
        COUNTY: 403,
    }.items():
        assert (code, browser.get(f"/units/{code}").status_code) == (code, status)
