"""图表: every page with its table and exports, for every scope; the picture is sound XML and says what it shows."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import openpyxl
import pytest
from defusedxml.ElementTree import fromstring

from api.burden import burden_view
from api.burn_up import burn_up_view
from api.pages import STATIC
from api.timeliness import bar_cell
from ledger import issuing
from ledger.queries.grounds import Place
from ledger.queries.reading import open_plan
from policy_models.access import Role
from policy_models.series import WEEK, Punctuality, Step, burn_up, mondays
from tests import charting
from tests.api.site import MONTHLY, VILLAGE, Site, finish
from tests.api.test_pages import read, text_of
from tests.factories import CODE, COUNTIES, SCHOOLS, instant, item, load, statements, tiny_pack, village

pytestmark = pytest.mark.thorough
SVG = "{http://www.w3.org/2000/svg}"
CHARTS = ("heat", "burn-up", "timeliness", "burden")
PAGES = (
    "/charts",
    "/charts/heat",
    f"/charts/heat?under={COUNTIES[0]}",
    "/charts/heat?under=city",
    "/charts/burn-up",
    "/charts/burn-up?step=day",
    "/charts/burn-up?part=task-1&under=city",
    f"/charts/burn-up?part=action-1&under={COUNTIES[1]}&step=week",
    "/charts/burn-up?part=phase-1",
    "/charts/burn-up?part=&under=&step=&as_of=",
    "/charts/timeliness",
    "/charts/timeliness?by=department",
    "/charts/timeliness?by=section",
    "/charts/burden",
    "/charts/burden?start=2025-03-05",
    f"/charts/burden?under={COUNTIES[0]}",
    "/charts/burden?under=city&start=2089-12-31",
)


@pytest.mark.parametrize("day", ["2024-12-15", "2025-05-31", "2025-12-31", "2026-02-01"])
def test_every_chart_answers_on_every_day(site: Site, day: str) -> None:
    finish(site.database, MONTHLY, "2025-01-20", by=VILLAGE, reviewer="900101")
    browser = site.at(day)
    for path in (*PAGES, "/charts/burn-up?as_of=2025-02-10", "/charts/burden?as_of=2025-02-10", "/tasks", "/"):
        answer = browser.get(path)
        assert (path, answer.status_code) == (path, 200)
        tags = read(answer.text)
        own = [one for one in tags.forbidden if one != "script"]
        assert (path, tags.faults, tags.open, own) == (path, [], [], [])
        assert answer.text.count("<h1") == 1


def pictures(page: str) -> list[Element]:
    """Every picture of a page, read as XML."""
    found: list[Element] = []
    depth, begin = 0, 0
    for match in re.finditer(r"<svg\b[^>]*>|</svg>", page):
        if match.group() != "</svg>":
            begin = match.start() if depth == 0 else begin
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                text = page[begin : match.end()].replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
                found.append(fromstring(text))
    assert depth == 0
    return found


def test_pictures_are_sound_and_say_what_they_show(site: Site) -> None:
    browser = site.at("2025-05-31")
    for path in ("/", *PAGES):
        page = browser.get(path).text
        shown = pictures(page)
        assert shown or path.startswith("/charts/heat") or path.endswith("2089-12-31"), path
        assert "style=" not in page
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path
        for picture in shown:
            hidden = picture.get("aria-hidden") == "true"
            told = picture.get("aria-label") or picture.get("aria-labelledby")
            assert hidden != (picture.get("role") in ("img", "group") and bool(told)), (path, picture.attrib)


def test_the_burn_up_has_title_description_and_a_word_for_each_point(site: Site) -> None:
    picture = next(
        one for one in pictures(site.at("2025-05-31").get("/charts/burn-up").text) if one.get("class") == "chart"
    )
    title, described = picture.find(f"{SVG}title"), picture.find(f"{SVG}desc")
    assert title is not None
    assert described is not None
    assert picture.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert title.text == "全部事项办结进度"
    assert "截至2025年5月31日，已办结 0 件" in str(described.text)
    spots = [spot for spot in picture.iter(f"{SVG}rect") if spot.get("class") == "spot"]
    assert [round(sum(float(str(spot.get(name)).rstrip("%")) for name in ("x", "width")), 1) for spot in spots][
        -1
    ] == 100
    lines = [line.get("points") for line in picture.iter(f"{SVG}polyline")]
    assert len(lines) == 2


def tables(site: Site, path: str, query: str = "", *, day: str = "2025-05-31", **roles: Any) -> tuple[Any, Any]:
    """The rows of both exports."""
    browser = site.at(day, **roles)
    answer = browser.get(f"{path}.csv{query}")
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    told = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    book = openpyxl.load_workbook(io.BytesIO(browser.get(f"{path}.xlsx{query}").content))
    rows = [list(row) for row in book.active.iter_rows(min_row=3, values_only=True)]
    return told, rows


def words(cell: Any) -> str:
    return "" if cell is None else cell.strftime("%Y-%m-%d") if hasattr(cell, "strftime") else str(cell)


@pytest.mark.parametrize("name", CHARTS)
def test_page_csv_and_workbook_hold_the_same_table(site: Site, name: str) -> None:
    finish(site.database, MONTHLY, "2025-01-20", by=VILLAGE, reviewer="900101")
    told, rows = tables(site, f"/charts/{name}")
    assert told == [[words(cell) for cell in row] for row in rows]
    page = site.at("2025-05-31").get(f"/charts/{name}").text
    behind = page[page.index('class="panel behind"') :]
    shown = re.findall(r"<tr>(.*?)</tr>", behind[: behind.index("</details>")], flags=re.S)
    cells = [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in shown]
    assert cells == told
    assert f"数据表 {len(told) - 1} 行" in text_of(page)
    assert f"/charts/{name}.xlsx?" in page


def test_the_exports_count_what_the_items_say(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-02-20", by=VILLAGE, reviewer="900101")
    finish(site.database, item("1.2", village(2, 1), "2025-02"), "2025-02-21", by=village(2, 1), reviewer="900201")
    day = date(2025, 5, 31)
    with site.database.read() as session:
        reading = open_plan(session, CODE, as_of=None, now=instant(day))
        assert reading is not None
        items = charting.present_items(session, reading)
    curve, _ = tables(site, "/charts/burn-up", "?step=day")
    for row in curve[1:]:
        due, done, total = charting.curve(items, date.fromisoformat(row[0]))
        later = row[0] > "2025-05-31"
        wanted = ["", "", str(due * 100 // total), ""] if later else _standing(due, done, total)
        assert row == [row[0], str(due), *wanted]
    punctual, _ = tables(site, "/charts/timeliness")
    naive = charting.punctual(items, day, lambda one: one.county)
    names = {"市级": "", "1县": COUNTIES[0], "2县": COUNTIES[1]}
    for row in punctual[1:]:
        if row[0] in names:
            on_time, late, waiting, missing, before = naive[names[row[0]], "2025-H1"]
            total = on_time + late + waiting + missing
            share = str(on_time * 100 // total) if total else ""
            assert row[2:] == list(map(str, (on_time, late, waiting, missing, total, share, before)))
    assert {row[0] for row in punctual[1:]} == {"1县", "2县", "合计"}
    weeks, _ = tables(site, "/charts/burden", "?start=2025-01-01")
    loads = charting.loads(items, date(2024, 12, 30), date(2025, 6, 29), lambda one: one.county)
    for row in weeks[1:-1]:
        by_week = [loads.get((names[row[0]], week), 0) for week in mondays(date(2025, 1, 1), 26)]
        assert row[1:] == list(map(str, [sum(by_week), *by_week]))


def _standing(due: int, done: int, total: int) -> list[str]:
    return list(map(str, (done, done - due, due * 100 // total, done * 100 // total)))


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/charts/nothing", 404, "没有这个页面"),
        ("/charts/burn-up?part=task-77", 404, "方案中没有“task-77”这一部分"),
        ("/charts/burn-up?part=task-1%27", 404, "这一部分"),
        ("/charts/burn-up?part=action-9", 404, "方案中没有“action-9”这一部分"),
        ("/charts/burn-up?part=%00", 422, "不能识别的字符"),
        ("/charts/burn-up?part=" + "长" * 41, 422, "范围最多 40 个字"),
        ("/charts/burn-up?step=month", 422, "间隔不能写作“month”"),
        ("/charts/burn-up?under=9999", 404, "没有可查看的旗县区“9999”"),
        ("/charts/burn-up?under=900101", 404, "没有可查看的旗县区“900101”"),
        ("/charts/burn-up?as_of=2025-02-30", 422, "没有2025年2月30日这一天"),
        ("/charts/heat?under=9999", 404, "没有可查看的旗县区"),
        ("/charts/heat.csv?under=9999", 404, "没有可查看的旗县区"),
        ("/charts/timeliness?by=person", 422, "分组不能写作“person”"),
        ("/charts/timeliness.xlsx?by=person", 422, "分组不能写作“person”"),
        ("/charts/burden?start=昨天", 422, "日期须写作 2025-06-30 的样子"),
        ("/charts/burden?start=1999-01-01", 422, "日期须在2000年至2090年之间"),
        ("/charts/burden?plan=nothing", 404, "没有代码为 nothing 的方案"),
    ],
)
def test_a_bad_filter_gets_one_sentence(site: Site, path: str, status: int, sentence: str) -> None:
    answer = site.at("2025-05-31").get(path)
    assert answer.status_code == status
    assert sentence in answer.text
    assert "Traceback" not in answer.text


def test_the_number_of_a_cell_is_that_of_the_list_it_leads_to(site: Site) -> None:
    browser = site.at("2025-05-31")
    for path in ("/charts/burden?start=2025-01-01", f"/charts/burden?start=2025-01-01&under={COUNTIES[0]}"):
        cells = re.findall(r'<a class="load load--\d" href="([^"]+)"[^>]*>(\d+)</a>', browser.get(path).text)
        assert len(cells) > 5
        for link, number in cells[::3]:
            assert f"共 {number} 件" in browser.get(link.replace("&amp;", "&")).text


ROLES = [
    ({COUNTIES[0]: (Role.COORDINATOR,)}, "1县", ("2县", "90020")),
    ({"900101": (Role.LIAISON,)}, "1县1村", ("2县", "9002", "1县民政局")),
    ({SCHOOLS: (Role.REVIEWER,)}, "没有", ("1县1村", "900101", "1县民政局")),
]


@pytest.mark.parametrize(("roles", "own", "foreign"), ROLES)
def test_charts_show_the_visitors_units_and_no_others(
    site: Site, roles: Any, own: str, foreign: tuple[str, ...]
) -> None:
    browser = site.at("2025-05-31", roles=roles)
    for path in ("/charts/heat", "/charts/burden?start=2025-01-01"):
        page = browser.get(path)
        assert page.status_code == 200
        assert own in page.text
    for path in ("/", *(path for path in PAGES if "under=900" not in path)):
        page = browser.get(path)
        assert page.status_code == 200
        assert [word for word in foreign if word in page.text] == [], path
    seen = 200 if SCHOOLS in roles else 404  # the schools of both counties are in the line of work of the city's
    assert browser.get(f"/charts/heat?under={COUNTIES[1]}").status_code == seen


def test_a_stranger_is_sent_to_the_door(site: Site) -> None:
    stranger = site.stranger("2025-05-31")
    for path in ("/charts", *(f"/charts/{name}{end}" for name in CHARTS for end in ("", ".csv", ".xlsx"))):
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login")


def test_an_empty_ledger_says_what_to_do(bare_site: Site) -> None:
    browser = bare_site.at("2025-05-31")
    assert "lucheng plan load" in browser.get("/charts").text
    for name in CHARTS:
        assert browser.get(f"/charts/{name}").status_code == 404


def test_pages_take_as_many_statements_for_four_villages_as_for_three_hundred(site: Site, tmp_path: Path) -> None:
    few = {path: sent(site, path) for path in ("/", "/tasks", *PAGES)}
    load(site.database, tiny_pack(tmp_path / "large", villages=150))
    with site.database.write() as session:
        issuing.issue_due(session, CODE, as_of=date(2025, 5, 31), now=instant("2025-05-31"))
    page = site.at("2025-05-31").get("/").text
    late = re.search(r"涉及 (\d+) 个单位", text_of(page))
    assert late is not None
    assert int(late.group(1)) >= 300
    assert {path: sent(site, path) for path in few} == few
    assert max(few.values()) < 30


def sent(site: Site, path: str) -> int:
    browser = site.at("2025-05-31")
    with statements(site.database) as found:
        assert browser.get(path).status_code == 200
    return len(found)


def test_colours_of_the_charts_stand_out_from_the_ground() -> None:
    """WCAG 1.4.11: what carries meaning has a contrast of at least 3:1 to what is behind it; words 4.5:1."""
    sheet = (STATIC / "charts.css").read_text("utf-8")
    tokens = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", (STATIC / "lucheng.css").read_text("utf-8")))

    def colour(selector: str, name: str) -> str:
        rule = re.search(rf"^{re.escape(selector)} {{([^}}]*)}}", sheet, flags=re.M)
        assert rule is not None, selector
        value = re.search(rf"(?:^|[ ;]){name}: ([^;]+);", rule.group(1))
        assert value is not None, (selector, name)
        told = value.group(1).strip()
        return tokens[told[6:-1]] if told.startswith("var(") else told.ljust(7, told[-1])

    for selector, name in (
        (".curve--done", "stroke"),
        (".curve--due", "stroke"),
        (".axis", "stroke"),
        (".part--on_time", "fill"),
        (".part--late", "fill"),
        (".part--waiting", "fill"),
        (".part-edge", "stroke"),
        (".sum", "fill"),
    ):
        assert contrast(colour(selector, name), "#ffffff") >= 3, selector
    for number in range(1, 6):
        words_colour = "#ffffff" if number > 3 else tokens["text"]
        assert contrast(colour(f".load--{number}", "background"), words_colour) >= 4.5, number


def contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_flat_plan_and_a_single_day_are_drawn() -> None:
    day = date(2025, 3, 1)
    view = burn_up_view(burn_up((day, day), day, {}, {}, Step.DAY))
    assert view.words == "这一范围没有应办事项。"
    assert view.due == "1000,1000"
    view = burn_up_view(burn_up((day, day), day, {day: 3}, {day: 3}, Step.DAY))
    assert (view.due, view.accepted) == ("1000,250", "1000,250")
    assert "与序时进度持平" in view.words
    ahead = burn_up_view(burn_up((day, day + WEEK), day, {day: 1, day + WEEK: 3}, {day: 2}, Step.DAY))
    assert "超前 1 件；全部应办 4 件，尚余 2 件" in ahead.words
    assert ahead.today == 12.5


def test_a_bar_is_filled_to_its_end() -> None:
    cell = bar_cell(Punctuality(1, 1, 1, 0))
    assert [(one.part, one.left, one.width) for one in cell.slices] == [
        ("on_time", 0.0, 33.33),
        ("late", 33.33, 33.33),
        ("waiting", 66.67, 33.33),
    ]
    assert cell.words == "及时率 33%；按期办结 1，逾期办结 1，待审核 1"
    assert bar_cell(Punctuality(before=2)).slices == ()


def test_the_heaviest_week_is_named() -> None:
    weeks = mondays(date(2025, 6, 2), 3)
    places = [Place(code, name, {"within": code}) for code, name in (("a", "甲乡"), ("b", "乙乡"), ("c", "丙乡"))]
    counts = {("a", weeks[0]): 2, ("a", weeks[1]): 1, ("b", weeks[1]): 7}
    view = burden_view(counts, places, weeks)
    assert view.words == "到期最集中的一周是6月9日至6月15日，共 8 件，其中乙乡最多，7 件。"
    assert [line.place.code for line in view.lines] == ["a", "b"]
    assert [load.band for load in view.lines[1].loads] == [0, 5, 0]
    assert (view.sums, view.heights) == ((2, 8, 0), (25, 100, 0))
    assert view.bands == ((1, 1, 1), (2, 2, 2), (3, 3, 4), (4, 5, 5), (5, 6, 7))
    assert burden_view({}, places, weeks).words == "这段时间没有到期事项。"
