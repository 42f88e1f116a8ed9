"""The pictures of docs/用户指南.md, taken of a demonstration: ``bin/guide --pictures``. What a picture shows is what the
page shows; whoever changes a page takes them again."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page

from api.guard import COOKIE
from ledger import accounts, exemplars, logins
from ledger.database import Database, connect, sqlite_url
from ledger.migrations import migrate
from lucheng import demo
from policy_models.access import Grant, Role
from policy_models.errors import NotFound
from policy_models.exemplars import Content
from policy_models.plan_file import BUNDLED, load_pack
from tests.browser.dressing import BUREAU, COUNTY, OPEN_ROUND, TOWN
from tests.browser.pictures import scene
from tests.browser.running import chromium, person, serving, sign_in_as
from tests.browser.table_of_pages import ADMINISTRATOR, COORDINATOR, LIAISON, NOBODY
from tests.factories import office, query

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "guide"
WIDE, TALL, PHONE = (1200, 760), (1200, 900), (390, 780)
COUNTY_LIAISON = "东河区民政局联络员"
EXEMPLAR = Content(
    "一村一队伍，邻里共守护",
    "辖区外出务工人员较多，部分嘎查村日常关爱力量不足，走访靠儿童主任一人完成。",
    "由村“两委”牵头，儿童主任、邻里志愿者和退休教师组成关爱队伍，分片联系、按月走访。假期开放村活动室，"
    "安排作业辅导和集体活动。街道每季度组织一次培训，统一走访要点和记录办法。",
    "走访覆盖率由八成提高到全覆盖，假期陪伴活动每村每周不少于两次。",
    "把力量放在村里，把办法写成制度，事情才能长期做下去。",
)
MOST_COLOURS = 96
NOW = demo.morning(demo.VIRTUAL_DAY)


@dataclass(frozen=True)
class Picture:
    """``path``: where the page lies; ``act``: what is done on it before it is taken."""

    name: str
    who: str
    path: str
    size: tuple[int, int] = WIDE
    act: Callable[[Page], None] = lambda _page: None


def hand_in(page: Page) -> None:
    """Two photos on the draft, one figure filled in."""
    for n in (1, 2):
        photo = {"name": f"走访照片{n}.jpg", "mimeType": "image/jpeg", "buffer": scene(n)}
        page.get_by_label("选择文件").set_input_files(photo)  # type: ignore[arg-type]
        page.get_by_role("button", name="上传", exact=True).click()
        page.locator(".card").nth(n - 1).wait_for()
    page.locator("[name^=value-]").first.fill("16")
    page.locator("#files").scroll_into_view_if_needed()


def pictures(database: Database) -> list[Picture]:
    """All that the chapters name, in their order."""
    with database.read() as session:
        item, village = query(
            session,
            "SELECT w.key, w.unit_code FROM work_item w JOIN requirement r ON r.id = w.requirement_id JOIN unit u ON "
            f"u.code = w.unit_code WHERE u.parent = '{TOWN}' AND w.state = 'open' AND r.code = '8.6' ORDER BY w.key",
        )[0]
        reviewing, *_ = query(
            session,
            "SELECT u.parent FROM work_item w JOIN unit u ON u.code = w.unit_code WHERE w.state = 'submitted' AND "
            "u.level = 'village' GROUP BY u.parent ORDER BY count(*) DESC, u.parent",
        )[0]
        requirement, period = query(
            session,
            "SELECT r.code, w.period FROM work_item w JOIN requirement r ON r.id = w.requirement_id JOIN unit u ON "
            f"u.code = w.unit_code WHERE u.parent = '{TOWN}' AND w.state = 'open' ORDER BY w.deadline, r.code",
        )[0]
    with database.write() as session:
        (plan,) = query(session, "SELECT id FROM plan")[0]
        told = EXEMPLAR
        by = office(COUNTY)
        exemplar = exemplars.create(session, int(str(plan)), OPEN_ROUND, told.title, by=by, now=NOW)
        exemplars.save(session, exemplar, told, version=1, by=by, now=NOW)
    return [
        Picture("sign-in", NOBODY, "/login"),
        Picture("board", COORDINATOR, "/", TALL),
        Picture("desk", LIAISON, f"/units/{village}/desk"),
        Picture("submit", LIAISON, f"/units/{village}/submit/{item}", PHONE, hand_in),
        Picture("sheet", LIAISON, f"/units/{TOWN}/sheet/{requirement}/{period}"),
        Picture("review", COORDINATOR, f"/units/{reviewing}/review"),
        Picture("register", COORDINATOR, "/register?light=orange&light=red"),
        Picture("chase", COORDINATOR, f"/units/{BUREAU}/chase?late=on"),
        Picture("rounds", COORDINATOR, f"/rounds/{OPEN_ROUND}"),
        Picture("report", COUNTY_LIAISON, f"/units/{COUNTY}/reports/{OPEN_ROUND}"),
        Picture("exemplar", COUNTY_LIAISON, f"/units/{COUNTY}/exemplars/{exemplar}"),
        Picture("calendar", COORDINATOR, "/calendar"),
        Picture("subscribe", LIAISON, f"/units/{TOWN}/subscribe"),
        Picture("circular", COORDINATOR, "/circulars/monthly/2026-08"),
        Picture("people", COORDINATOR, f"/units/{COUNTY}/people"),
        Picture("admin", ADMINISTRATOR, "/admin"),
    ]


def at_the_county(database: Database) -> str:
    """The key of a session of the county department's liaison, whom the demonstration does not offer."""
    with database.write() as session:
        try:
            found = accounts.account_id_of(session, COUNTY_LIAISON)
        except NotFound:
            found = accounts.create_account(session, COUNTY_LIAISON, COUNTY_LIAISON, NOW)
        accounts.set_grants(session, found, [Grant(Role.LIAISON, COUNTY)], NOW)
        return logins.open_login(session, found, NOW)


def take(browser: Browser, base: str, database: Database, one: Picture, folder: Path) -> None:
    with person(browser, base, one.size) as window:
        if one.who == COUNTY_LIAISON:
            window.context.add_cookies([{"name": COOKIE, "value": at_the_county(database), "url": base}])
        elif one.who:
            sign_in_as(window, one.who)
        page = window.open(one.path)
        page.wait_for_load_state("networkidle")
        one.act(page)
        if window.faults or window.answers:
            raise RuntimeError(f"{one.name}: {window.faults} {window.answers}")
        taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = taken.quantize(MOST_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(folder / f"{one.name}.png", optimize=True)


def take_all(folder: Path) -> None:
    """Builds a demonstration for it, which takes half a minute."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch, ExitStack() as stack:
        migrate(sqlite_url(Path(scratch)))
        database = connect(sqlite_url(Path(scratch)))
        stack.callback(database.close)
        for _ in demo.build(database, load_pack(BUNDLED), demo.VIRTUAL_DAY, base_url="http://127.0.0.1"):
            pass
        settings = {"files_dir": Path(scratch) / "files", "base_url": "http://lucheng.example"}
        served = stack.enter_context(serving(database, NOW, **settings))
        browser = stack.enter_context(chromium())
        for one in pictures(database):
            take(browser, served.base, database, one, folder)


def named(text: str) -> set[str]:
    """The pictures that a document shows."""
    return set(re.findall(r"!\[[^]]*\]\(images/guide/([^)]+)\)", text))


if __name__ == "__main__":
    take_all(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
