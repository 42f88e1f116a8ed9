"""Every page answers: with an empty ledger, before, during and after the plan, and to bad input."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from api.guard import COOKIE
from ledger.database import connect
from ledger.settings import Settings
from tests.api.site import BUREAU_ITEM, MONTHLY, VILLAGE, Site, finish, send_back
from tests.factories import BUREAU, CITY, CODE, COUNTIES, instant, load, tiny_pack

PAGES = (
    "/",
    "/tasks",
    "/tasks/1",
    "/tasks/2",
    "/phases/1",
    "/units",
    "/units?q=村",
    "/units?q=没有这样的单位",
    f"/units/{CITY}",
    f"/units/{BUREAU}",
    f"/units/{COUNTIES[0]}",
    f"/units/{VILLAGE}",
    "/items",
    "/items?section=task-1&timing=overdue&timing=long_overdue",
    "/items?unit=&section=&timing=&under=&as_of=",
    f"/items/{MONTHLY}",
    f"/items/{BUREAU_ITEM}",
)


def text_of(page: str) -> str:
    """What a reader sees, with single spaces."""
    bare = re.sub(r"<(style|title|script)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare))


class Tags(HTMLParser):
    """Collects what the page loads or runs, and whether its elements are closed in order."""

    VOID = frozenset({"meta", "link", "img", "input", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.forbidden: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.forbidden += [f"{tag} {name}" for name in values if name == "style" or name.startswith("on")]
        self.forbidden += [tag] if tag in ("iframe", "style") or (tag == "script" and "src" not in values) else []
        self.loads += [str(values.get(name)) for name in ("src",) if name in values]
        self.loads += [str(values["href"])] if tag == "link" else []
        if tag in ("details", "ul", "ol", "div", "section", "table", "form", "p") and "p" in self.open:
            self.faults.append(f"{tag} inside p")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}>")


def read(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


@pytest.mark.thorough
@pytest.mark.parametrize("day", ["2024-12-15", "2025-05-31", "2025-06-30", "2025-12-31", "2026-02-01"])
def test_every_page_answers_on_every_day(site: Site, day: str) -> None:
    browser = site.at(day)
    for path in PAGES:
        answer = browser.get(path)
        assert (path, answer.status_code) == (path, 200)
        tags = read(answer.text)
        assert (path, tags.faults, tags.open, tags.forbidden) == (path, [], [], [])
        assert all(found.startswith("/static/") for found in tags.loads)
        for asset in tags.loads:
            assert browser.get(asset).status_code == 200


@pytest.mark.thorough
def test_links_on_the_pages_lead_somewhere(site: Site) -> None:
    browser = site.at("2025-06-10")
    found = {link for path in PAGES for link in re.findall(r'href="(/[^"#]*)', browser.get(path).text)}
    links = {link.replace("&amp;", "&") for link in found if not link.startswith("/static/")}
    assert len(links) > 50
    assert [link for link in sorted(links) if browser.get(link, follow_redirects=True).status_code != 200] == []


def test_an_empty_ledger_says_what_to_do(bare_site: Site) -> None:
    browser = bare_site.at("2025-05-31")
    for path in ("/", "/tasks", "/units", "/items"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "lucheng plan load" in answer.text
    for path in ("/tasks/1", f"/units/{BUREAU}", f"/items/{BUREAU_ITEM}"):
        assert browser.get(path).status_code == 404
    assert browser.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/?as_of=2025-06-31", 422, "没有2025年6月31日这一天"),
        ("/tasks?as_of=昨天", 422, "日期须写作 2025-06-30 的样子"),
        ("/items?as_of=0001-01-01", 422, "日期须在2000年至2090年之间"),
        ("/?plan=nothing", 404, "没有代码为 nothing 的方案"),
        ("/tasks/77", 404, "方案中没有任务77"),
        ("/tasks/0", 422, "编号不能写作"),
        ("/tasks/abc", 422, "编号不能写作"),
        ("/phases/9", 404, "方案中没有第9阶段"),
        ("/safeguards/9", 404, "方案中没有保障措施9"),
        ("/units/none", 404, "没有代码为"),
        ("/units/" + "9" * 40, 422, "单位代码最多 24 个字"),
        ("/items/no-such-key", 404, "没有这个办理件"),
        ("/items/%00", 422, "不能识别的字符"),
        ("/units/%00", 422, "不能识别的字符"),
        ("/items?period=%01", 422, "不能识别的字符"),
        ("/?plan=%00", 422, "不能识别的字符"),
        ("/items?state=lost", 422, "状态不能写作"),
        ("/items?timing=soonish", 422, "办理状态不能写作"),
        ("/items?page=999", 404, "没有这一页"),
        ("/items?page=0", 422, "页码不能写作"),
        ("/units?q=" + "长" * 60, 422, "查找内容最多 40 个字"),
        ("/nowhere", 404, "没有这个页面"),
    ],
)
def test_bad_input_gets_one_sentence(site: Site, path: str, status: int, sentence: str) -> None:
    answer = site.at("2025-05-31").get(path)
    assert answer.status_code == status
    assert sentence in answer.text
    assert "Traceback" not in answer.text
    assert 'href="/"' in answer.text


def test_hostile_words_are_shown_and_not_run(site: Site) -> None:
    answer = site.at("2025-05-31").get("/units", params={"q": "<script>alert(1)</script>%_'\"\\"})
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "没有名称或代码相符的单位" in answer.text


def test_the_board_counts_and_names_what_is_late(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-01-20", by=VILLAGE, reviewer="900101")
    seen = text_of(site.at("2025-05-31").get("/").text)
    assert "办结 1/" in seen
    assert "逾期 " in seen
    assert "未来三十天" in seen
    assert "请于6月30日(周一)前报送 · 还有 20 个工作日" in seen
    assert "6月30日(周一)" in seen


def test_looking_back_shows_the_day_as_it_was(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-02-20", by=VILLAGE, reviewer="900101")
    browser = site.at("2025-05-31")
    now, then = browser.get(f"/items/{MONTHLY}").text, browser.get(f"/items/{MONTHLY}?as_of=2025-02-10").text
    assert "逾期办结" in now
    assert "逾期办结" not in then
    assert 'value="2025-02-10"' in browser.get("/?as_of=2025-02-10").text
    assert "as_of=2025-02-10" in browser.get("/?as_of=2025-02-10").text
    assert "as_of=2025-05-31" not in browser.get("/").text  # today is not pinned


def test_an_ended_plan_says_so_everywhere(site: Site) -> None:
    browser = site.at("2026-02-01")
    for path in ("/", "/tasks/1", f"/units/{BUREAU}", "/items"):
        assert "方案已于2025年12月31日结束" in browser.get(path).text
    assert "已结束" not in site.at("2025-12-31").get("/").text


def test_a_unit_sees_why_it_was_sent_back(site: Site) -> None:
    send_back(site.database, BUREAU_ITEM, "2025-05-30", by=BUREAU, reviewer=BUREAU)
    browser = site.at("2025-06-03")
    seen = text_of(browser.get(f"/units/{BUREAU}").text)
    assert "退回意见：缺签到表" in seen
    assert "已退回 1 次" in seen
    assert "还有 19 个工作日" in seen
    detail = text_of(browser.get(f"/items/{BUREAU_ITEM}").text)
    assert re.search(r"交办 系统 .* 报送 .* 退回", detail)
    assert "已办 ： 3.5 / 应办 4" in detail.replace("已办：", "已办 ：")


def test_two_plans_can_be_chosen(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    def another(files: dict[str, object]) -> None:
        head = files["plan.yaml"]
        assert isinstance(head, dict)
        head.update(code="tiny-two", title="另一个方案")

    load(site.database, tiny_pack(tmp_path_factory.mktemp("two"), another))
    browser = site.at("2025-05-31")
    assert "另一个方案" in browser.get("/").text
    chosen = browser.get("/?plan=tiny-two").text
    assert '<option value="tiny-two" selected>' in chosen
    assert "plan=tiny-two" in chosen
    assert '<option value="tiny-two" selected>' not in browser.get(f"/?plan={CODE}").text


def test_a_demonstration_says_that_it_is_one(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    database = connect(database_url)
    load(database, tiny_pack(tmp_path_factory.mktemp("demo")), demonstration=True)
    for path in ("/", "/tasks/1", "/units"):
        assert "均为虚构" in Site(database).at("2025-05-31").get(path).text
    database.close()


def test_backfill_is_told_apart_from_overdue(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    database = connect(database_url)
    load(
        database,
        tiny_pack(tmp_path_factory.mktemp("late")),
        instant("2025-05-01"),
        go_live_on=date(2025, 5, 1),
    )
    seen = text_of(Site(database).at("2025-05-02").get(f"/units/{VILLAGE}").text)
    assert "待补录 4" in seen or "待补录 5" in seen
    assert "逾期 0" in seen
    database.close()


def test_a_database_that_is_away_is_a_503_with_a_next_step(tmp_path: pytest.TempPathFactory) -> None:
    away = connect(f"sqlite:///{tmp_path}/no/such/folder/ledger.db")
    browser = Site(away).stranger("2025-05-31")
    browser.cookies.set(COOKIE, "a session that nobody can look up now")
    for path in ("/", "/login", "/items", f"/units/{BUREAU}"):
        answer = browser.get(path)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "30"
        assert "台账数据库暂时无法使用" in answer.text
        assert "lucheng doctor" in answer.text
        assert "folder" not in answer.text
    health = browser.get("/healthz")
    assert (health.status_code, health.json()["status"]) == (503, "unavailable")
    away.close()


def test_the_real_clock_is_used_without_a_virtual_one(bare_site: Site) -> None:
    from api.app import create_app

    answer = TestClient(create_app(bare_site.database, Settings())).get("/healthz")
    assert answer.json()["status"] == "ok"


def test_answers_carry_the_safe_headers(site: Site) -> None:
    browser = site.at("2025-05-31")
    for path in ("/", "/nowhere", "/api/v1/plans", "/healthz", "/static/lucheng.css"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_a_form_from_another_site_is_refused(site: Site) -> None:
    browser = site.at("2025-05-31")
    del browser.headers["sec-fetch-site"]
    address = f"/units/{VILLAGE}/feeds"
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ):
        answer = browser.post(address, data={"name": "x"}, headers=headers)
        assert answer.status_code == 403
        assert "不是从本系统的页面发出的" in answer.text
    assert browser.post(address, data={"name": "x"}, headers={"Origin": "http://testserver"}).status_code == 200
    assert browser.post(address, data={"name": "x"}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_healthz_tells_the_last_sweep(site: Site) -> None:
    from ledger.marks import mark

    with site.database.write() as session:
        mark(session, "sweep", as_of=date(2025, 5, 31), now=instant("2025-05-31"))
    facts = site.at("2025-05-31").get("/healthz").json()
    assert facts["sweep"] == {"as_of": "2025-05-31", "finished_at": "2025-05-31T01:00:00+00:00"}
