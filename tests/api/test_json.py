"""/api/v1: the same reads as JSON, problem+json for what goes wrong, a description of all of it."""

import pytest

from tests.api.site import BUREAU_ITEM, MONTHLY, VILLAGE, Site, finish
from tests.factories import BUREAU, CODE, COUNTIES

pytestmark = pytest.mark.thorough


def test_plans(site: Site) -> None:
    [plan] = site.at("2025-05-31").get("/api/v1/plans").json()
    assert (plan["code"], plan["starts_on"], plan["ends_on"]) == (CODE, "2025-01-01", "2025-12-31")
    assert (plan["demonstration"], plan["catch_up"]) == (False, "backfill")


def test_board_and_items_agree(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-05-30", by=VILLAGE, reviewer="900101")
    browser = site.at("2025-05-31")
    board = browser.get("/api/v1/board").json()
    every = browser.get("/api/v1/items?limit=500").json()
    assert (board["plan"], board["as_of"], board["ended"]) == (CODE, "2025-05-31", False)
    assert board["total"]["expected"] == every["total"] == len(every["items"])
    assert board["total"]["done"] == 1
    late = [item for item in every["items"] if item["timing"] in ("overdue", "long_overdue")]
    assert board["total"]["overdue"] == len(late) == sum(unit["overdue"] for unit in board["overdue"])
    assert sum(section["cell"]["expected"] for section in board["sections"]) == every["total"]
    assert all(row["workdays"] >= 0 for row in board["upcoming"])


def test_items_by_unit_task_state_and_timing(site: Site) -> None:
    browser = site.at("2025-05-31")
    mine = browser.get(f"/api/v1/items?unit={VILLAGE}&task=1&state=open").json()["items"]
    assert {(item["unit"], item["task"], item["state"]) for item in mine} == {(VILLAGE, 1, "open")}
    late = browser.get("/api/v1/items?timing=overdue&timing=long_overdue").json()["items"]
    assert {item["light"] for item in late} <= {"orange", "red"}
    assert late[0]["why"]


def test_items_by_cursor(site: Site) -> None:
    browser, keys, cursor = site.at("2025-05-31"), [], None
    while True:
        page = browser.get("/api/v1/items", params={"limit": 9, **({"cursor": cursor} if cursor else {})}).json()
        keys += [item["key"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(keys) == len(set(keys)) == page["total"]


def test_units_by_page_and_parent(site: Site) -> None:
    browser = site.at("2025-05-31")
    first = browser.get("/api/v1/units?limit=3").json()
    rest = browser.get(f"/api/v1/units?cursor={first['next_cursor']}").json()
    codes = [unit["code"] for unit in first["units"] + rest["units"]]
    assert codes == sorted(codes)
    assert rest["next_cursor"] is None
    below = browser.get(f"/api/v1/units?parent={COUNTIES[0]}").json()["units"]
    assert {unit["parent"] for unit in below} == {COUNTIES[0]}
    own = browser.get(f"/api/v1/units/{BUREAU}").json()
    assert [item["key"] for item in own["items"]] == [BUREAU_ITEM]


def test_a_task(site: Site) -> None:
    task = site.at("2025-05-31").get("/api/v1/tasks/1").json()
    assert (task["number"], task["title"], task["owners"]) == (1, "任务一", ["民政局"])
    assert [one["code"] for one in task["requirements"]] == ["1.1", "1.2", "1.3"]
    assert {row["requirement"] for row in task["matrix"]} == {"1.1", "1.2"}


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/api/v1/board?as_of=2025-06-31", 422, "没有2025年6月31日这一天，请核对日期"),
        ("/api/v1/board?plan=none", 404, "台账中没有代码为 none 的方案"),
        ("/api/v1/tasks/88", 404, "方案中没有任务88"),
        ("/api/v1/units/none", 404, "没有代码为“none”的单位"),
        ("/api/v1/items?limit=0", 422, "条数不能写作“0”"),
        ("/api/v1/items?cursor=x", 404, "没有这一页，请从第一页重新查看"),
        ("/api/v1/nothing", 404, "没有这个页面，地址可能不完整或已失效。"),
    ],
)
def test_problems(site: Site, path: str, status: int, detail: str) -> None:
    answer = site.at("2025-05-31").get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == detail
    assert answer.json()["status"] == status


def test_an_empty_ledger_is_a_problem_with_a_way_out(bare_site: Site) -> None:
    browser = bare_site.at("2025-05-31")
    assert browser.get("/api/v1/plans").json() == []
    answer = browser.get("/api/v1/board")
    assert (answer.status_code, "lucheng plan load" in answer.json()["detail"]) == (404, True)
