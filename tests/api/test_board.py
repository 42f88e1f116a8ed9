"""总览: four figures, tiles, heat map and round, for the whole city and for who sees a part of it; and its weight."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from api.attention import concerns, current_round
from api.board import board
from api.pages import STATIC
from ledger import rounds
from ledger.acts import Actor
from ledger.queries.reading import Reading, open_plan
from ledger.queries.rounds import RoundRow
from ledger.rounds import Round
from policy_models.access import Role
from policy_models.rounds import RoundFigures
from policy_models.timing import Light
from tests import charting
from tests.api.round_play import PLAN, ROUND, real_plan
from tests.api.site import BUREAU_ITEM, MONTHLY, VILLAGE, Site, finish, send_back
from tests.api.test_charts import pictures
from tests.api.test_pages import text_of
from tests.factories import BUREAU, CODE, COUNTIES, SCHOOLS, instant, opened

pytestmark = pytest.mark.thorough
DAY = date(2025, 5, 31)


def shown(site: Site, day: str = "2025-05-31", **roles: Any) -> str:
    answer = site.at(day, **roles).get("/")
    assert answer.status_code == 200
    return answer.text


def figures(page: str) -> dict[str, tuple[str, str]]:
    """By name: the value and where it leads."""
    found = re.findall(r'<a class="figure[^"]*" href="([^"]+)">(.*?)</a>', page, flags=re.S)
    values: dict[str, tuple[str, str]] = {}
    for link, body in found:
        name, value = (re.search(rf'figure-{one}">([^<]+)', body) for one in ("name", "value"))
        assert name is not None
        assert value is not None
        values[name.group(1).strip()] = (value.group(1).strip(), unescape(link))
    return values


def reading_of(site: Site, day: date = DAY) -> Reading:
    with site.database.read() as session:
        found = open_plan(session, CODE, as_of=None, now=instant(day))
    assert found is not None
    return found


def test_the_figures_are_counts_and_lead_to_what_they_count(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-01-20", by=VILLAGE, reviewer="900101")
    with site.database.read() as session:
        items = [one for one in charting.present_items(session, reading_of(site)) if one.expected]
    late = sum(one.timing in ("overdue", "long_overdue") for one in items)
    month = sum(date(2025, 5, 1) <= one.deadline <= DAY for one in items)
    found = figures(shown(site))
    assert {name: value for name, (value, _) in found.items()} == {
        "办结率": f"{100 // len(items)}%",
        "逾期": str(late),
        "本月到期": str(month),
        "待审核": "0",
    }
    browser = site.at("2025-05-31")
    for name, number in (("办结率", len(items) - 1), ("逾期", late), ("本月到期", month)):
        assert f"共 {number} 件" in browser.get(found[name][1]).text


def test_each_task_has_a_tile_with_light_progress_owner_and_link(site: Site) -> None:
    page = shown(site)
    tiles = re.findall(r'<a class="task light--(\w+)" href="([^"?]+)[^"]*"[^>]*>(.*?)</a>', page, flags=re.S)
    assert [link for _, link, _ in tiles] == ["/tasks/1", "/tasks/2"]
    assert [text_of(body).split()[:5] for _, _, body in tiles] == [
        ["1", "任务一", "民政局", "▲", "严重逾期"],
        ["2", "任务二", "教育局", "▲", "严重逾期"],
    ]
    assert all("办结率 0%，序时进度" in body for _, _, body in tiles)


def test_the_heat_map_has_a_row_for_each_county_that_owes(site: Site) -> None:
    page = shown(site)
    heat = page[page.index('id="heat"') : page.index('id="upcoming"')]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>', heat, flags=re.S)
    assert [text_of(row).strip() for row in rows] == ["市级", "1县", "2县"]
    cells = re.findall(r'<a class="tile light--\w+" href="([^"]+)" title="([^"]+)">', heat)
    assert len(cells) == 8
    browser = site.at("2025-05-31")
    for link, title in cells:
        done, expected = map(int, re.findall(r"办结 (\d+)/(\d+)", title)[0])
        assert f"共 {expected - done} 件" in browser.get(unescape(link)).text


SEEN: list[tuple[Any, str, list[str], str | None]] = [
    ({COUNTIES[0]: (Role.COORDINATOR,)}, "1县", ["旗县区本级", "1县镇"], COUNTIES[0]),
    ({"900101": (Role.REVIEWER,)}, "1县镇", ["1县1村", "1县2村"], "900101"),
    ({"900101": (Role.LIAISON,)}, "1县镇", ["1县1村", "1县2村"], None),
    ({SCHOOLS: (Role.REVIEWER,)}, "市教育局", [], None),
    ({COUNTIES[0]: (Role.REVIEWER,), "900201": (Role.REVIEWER,)}, "1县、2县镇", [], None),
]


@pytest.mark.parametrize(("roles", "name", "places", "chaser"), SEEN)
def test_the_board_of_a_part_is_of_that_part(
    site: Site, roles: Any, name: str, places: list[str], chaser: str | None
) -> None:
    page = shown(site, roles=roles)
    assert f"小方案 · {name}" in text_of(page)
    if places:
        heat = page[page.index('id="heat"') : page.index('id="upcoming"')]
        assert [text_of(row).strip() for row in re.findall(r'<th scope="row">(.*?)</th>', heat, flags=re.S)] == places
    chases = re.findall(r'href="/units/([\w-]+)/chase', page)
    assert chases == ([chaser] if chaser else [])
    browser = site.at("2025-05-31", roles=roles)
    for link in re.findall(r'href="(/items\?[^"]+|/units/[^"]+|/tasks/[^"]+)"', page):
        assert browser.get(unescape(link)).status_code == 200, link


def test_who_owes_nothing_is_told_so(site: Site) -> None:
    seen = text_of(shown(site, roles={SCHOOLS: (Role.REVIEWER,)}))
    assert "目前没有承担的事项" in seen
    assert "没有逾期单位" in seen


def test_looking_back_nobody_is_chased(site: Site) -> None:
    page = site.at("2025-05-31").get("/?as_of=2025-04-15").text
    assert "/chase" not in page
    assert "/chase" in shown(site)
    assert 'value="2025-04-15"' in page


def row(code: str, opens: date, *, closed: bool | None = None, owing: int = 3, skipped: bool = False) -> RoundRow:
    """A round with its days; ``closed`` None: not opened yet."""
    deadline = opens + timedelta(days=45)
    at = instant(opens)
    made = None
    if closed is not None:
        end = instant(deadline) if closed else None
        made = Round(1, 1, code, opens, deadline, deadline, None, at, "办公室", end, "办公室" if closed else None)
    return RoundRow(code, opens, deadline, opens, deadline, deadline, made, RoundFigures(owing=owing), skipped)


def test_the_present_round_is_the_open_one_else_the_nearest() -> None:
    day = date(2025, 6, 10)
    past = row("2024-H2", date(2024, 12, 1), closed=True)
    lately = row("2024-H2", date(2025, 4, 10), closed=True)
    here = row("2025-H1", date(2025, 6, 1), closed=False)
    late = row("2025-H1", date(2025, 6, 1))
    coming = row("2025-H2", date(2025, 12, 1))
    after = row("2026-H1", date(2026, 6, 1))
    skipped = row("2024-H1", date(2024, 6, 1), skipped=True)
    foreign = row("2025-H1", date(2025, 6, 1), closed=False, owing=0)
    assert current_round([after, coming, here, lately], day) is here
    assert current_round([after, coming, late, lately], day) is late
    assert current_round([after, coming, lately], day) is lately
    assert current_round([after, coming, past, skipped], day) is coming
    assert current_round([past, skipped], day) is past
    assert current_round([foreign, skipped], day) is None
    assert current_round([], day) is None


def test_reports_that_are_missing_are_a_concern(site: Site) -> None:
    reading = reading_of(site)
    here = row("2025-H1", date(2025, 4, 1), closed=False)
    missing = replace(here, figures=RoundFigures(owing=5, handed_in=3, on_time=3, missing=2, waiting=1))
    with site.database.read() as session:
        lines = concerns(reading, board(session, reading), 0, missing)
    told = [(one.light, one.sentence, one.link) for one in lines if "半年报告" in one.sentence]
    plan = f"plan={CODE}"
    assert told == [
        (Light.ORANGE, "2025年上半年半年报告：2 个单位过期未报", f"/rounds/2025-H1?show=overdue&{plan}"),
        (Light.GREEN, "2025年上半年半年报告：待审核 1 份", f"/rounds/2025-H1?show=submitted&{plan}"),
    ]


def test_what_was_sent_back_and_what_waits_is_on_the_board(site: Site) -> None:
    send_back(site.database, BUREAU_ITEM, "2025-05-20", by=BUREAU, reviewer=BUREAU)
    seen = text_of(shown(site))
    assert "需要关注" in seen
    assert "严重逾期" in seen


LIMIT = 300_000  # bytes without a cache: page, style sheets, scripts, pictures


@pytest.mark.slow
def test_the_real_board_weighs_little_and_answers_above_the_fold(sqlite_url: str) -> None:
    """The real plan and city: 18 tiles, 11 rows, and everything that the page loads together under 300 KB."""
    with opened(sqlite_url) as database:
        site = real_plan(database)
        with database.write() as session:
            rounds.open_round(session, PLAN, ROUND, by=Actor(site.coordinator, "办公室"), now=instant("2025-06-02"))
        browser = site.at("2025-06-10")
        page = browser.get("/")
        assert page.status_code == 200
        assert len(re.findall(r'class="task light--', page.text)) == 18
        assert figures(page.text)["本轮报送"][0] == "0/26"
        loaded = set(re.findall(r'(?:src|href)="/static/([^"?]+)', page.text))
        assert {"lucheng.css", "charts.css"} <= loaded
        weight = len(page.content) + sum((STATIC / name).stat().st_size for name in loaded)
        print(f"\nthe board weighs {weight:,} bytes, {len(page.content):,} of them the page")
        assert weight <= LIMIT
        assert len(pictures(page.text)) > 20
        order = [
            page.text.index(mark)
            for mark in ('class="figures"', "ribbon-bar", 'id="concerns"', 'id="tasks"', 'id="heat"', 'id="upcoming"')
        ]
        assert order == sorted(order)


def test_the_templates_have_no_inline_style() -> None:
    folder = Path(STATIC).parent / "templates"
    for path in sorted(folder.glob("*.html")):
        assert not re.search(r"\sstyle=|<style\b|\son\w+=", path.read_text("utf-8")), path.name
