"""Every page at the width of a desk and of a telephone: no fault, nothing from elsewhere, no violation that axe-core
knows, no sideways scrolling; a picture of each is kept (in LUCHENG_SHOTS, where that is set). No link leads nowhere."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from api.guard import COOKIE
from api.rights import RULES, Place
from ledger.database import Session, connect, sqlite_url
from ledger.logins import visitor_of_login
from ledger.migrations import migrate
from ledger.scope import line_of
from ledger.settings import Settings
from lucheng import demo
from policy_models.access import Visitor
from policy_models.plan_file import BUNDLED, load_pack
from tests.api.site import EVERY_ROLE, signed_in
from tests.browser.dressing import Facts, dress
from tests.browser.running import DESK, PHONE, Served, Watched, keep, person, serving, sign_in_as
from tests.browser.table_of_pages import COORDINATOR, EVERYBODY, NO_PAGES, Shown, pages

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

NOW = demo.morning(demo.VIRTUAL_DAY)
RULESETS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LIGHT_BOARD = 300 * 1024  # bytes on the wire, with an empty cache


@dataclass
class City:
    """The dressed demonstration as it runs, and a window for each person and width, opened once."""

    served: Served
    facts: Facts
    browser: Browser
    kept: Path
    stack: ExitStack
    windows: dict[tuple[str, int], Watched] = field(default_factory=dict)

    def window(self, who: str, size: tuple[int, int]) -> Watched:
        key = (who, size[0])
        if key not in self.windows:
            made = self.stack.enter_context(person(self.browser, self.served.base, size))
            if who == EVERYBODY:
                session_key = signed_in(self.served.database, EVERY_ROLE, NOW)
                made.context.add_cookies([{"name": COOKIE, "value": session_key, "url": self.served.base}])
            elif who:
                sign_in_as(made, who)
            self.windows[key] = made
        found = self.windows[key]
        found.faults.clear()
        found.answers.clear()
        return found


@pytest.fixture(scope="module")
def city(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("city")
    migrate(sqlite_url(folder))
    database = connect(sqlite_url(folder))
    for _ in demo.build(database, load_pack(BUNDLED), demo.VIRTUAL_DAY, base_url="http://127.0.0.1"):
        pass
    facts = dress(database, folder / "files", NOW)
    kept = Path(os.environ.get("LUCHENG_SHOTS") or folder / "shots")
    with ExitStack() as stack:
        served = stack.enter_context(serving(database, NOW, files_dir=folder / "files", data_dir=folder))
        yield City(served, facts, browser, kept, stack)
    database.close()
    shutil.rmtree(folder / "files")


def test_the_table_has_every_page() -> None:
    """A new page is looked at, or the table does not agree."""
    facts = Facts(**{name: ("monthly", "2026-08") if name == "circular" else "" for name in Facts.__annotations__})
    told = {one.rule for one in pages(facts)} | NO_PAGES
    served = {path for method, path in RULES if method == "GET" and not path.startswith("/api/v1")}
    assert (served - told, told - served) == (set(), set())


def names() -> list[str]:
    facts = Facts(**{name: ("monthly", "2026-08") if name == "circular" else "" for name in Facts.__annotations__})
    return [one.name for one in pages(facts)]


def row(city: City, name: str) -> Shown:
    return next(one for one in pages(city.facts) if one.name == name)


def violations(page: Page) -> list[tuple[str, str]]:
    found = Axe().run(page, options={"runOnly": RULESETS}).response["violations"]
    return [(one["id"], node["html"][:200]) for one in found for node in one["nodes"]]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["1440", "360"])
@pytest.mark.parametrize("name", names())
def test_a_page(city: City, name: str, size: tuple[int, int]) -> None:
    one = row(city, name)
    window = city.window(one.who, size)
    page = window.open(one.path)
    keep(page, city.kept / str(size[0]) / f"{name}.png")
    assert (urlsplit(page.url).path, window.faults, window.answers) == (urlsplit(one.path).path, [], [])
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert violations(page) == []
    assert page.locator("html").get_attribute("lang") == "zh-CN"


def patterns(wanted: str) -> list[tuple[re.Pattern[str], str]]:
    """The rows of a method in the table of rights, as patterns of paths with named parts."""
    written = [(path, re.sub(r"\{(\w+)(:path)?\}", named_part, path)) for method, path in RULES if method == wanted]
    return [(re.compile(pattern + "$"), path) for path, pattern in written]


def named_part(match: re.Match[str]) -> str:
    return f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})"


PATTERNS = {method: patterns(method) for method in ("GET", "POST")}


def rule_of(path: str, method: str = "GET") -> tuple[str, dict[str, str]]:
    """The row in the table of rights that a path falls under, the most literal one first, and its parts; "" for none."""
    fitting = [(rule, found.groupdict()) for pattern, rule in PATTERNS[method] if (found := pattern.match(path))]
    return min(fitting, key=lambda one: (one[0].count("{"), -len(one[0])), default=("", {}))


@pytest.mark.parametrize("name", names())
def test_no_link_leads_nowhere(city: City, name: str) -> None:
    """One link of each kind on the page, followed as the person who sees it."""
    one = row(city, name)
    window = city.window(one.who, DESK)
    page = window.open(one.path)
    chosen: dict[tuple[str, tuple[str, ...]], str] = {}
    for address in page.eval_on_selector_all(
        "a[href]", "all => all.map(a => new URL(a.getAttribute('href'), location).href)"
    ):
        parts = urlsplit(address)
        if f"{parts.scheme}://{parts.netloc}" == city.served.base and not parts.path.startswith("/static/"):
            fields = tuple(sorted(re.findall(r"(?:^|&)(\w+)=", parts.query)))
            chosen.setdefault((rule_of(parts.path)[0], fields), address)
    dead = []
    for address in chosen.values():
        answer = window.context.request.get(address, headers={"Accept": "text/html"}, max_redirects=5)
        went_out = one.who and urlsplit(answer.url).path == "/login"
        if answer.status >= 400 or went_out:
            dead.append((answer.status, address.removeprefix(city.served.base)))
    assert dead == []


@pytest.mark.parametrize("name", names())
def test_no_button_is_refused(city: City, name: str) -> None:
    """What a page's forms do is within the rights of the person who sees them."""
    one = row(city, name)
    window = city.window(one.who, DESK)
    page = window.open(one.path)
    targets = page.eval_on_selector_all(
        "form[method=post], button[formaction]:not([formmethod=get])",
        "all => all.map(a => new URL(a.getAttribute('formaction') || a.getAttribute('action'), location).pathname)",
    )
    key = next((cookie["value"] for cookie in window.context.cookies() if cookie["name"] == COOKIE), "")
    with city.served.database.read() as session:
        found = visitor_of_login(session, key, NOW, Settings().login_rules)
        refused = [target for target in targets if not permitted(session, found.visitor if found else None, target)]
    assert refused == []


def permitted(session: Session, visitor: Visitor | None, target: str) -> bool:
    """Whether the guard would let a visitor do what a form does."""
    path, parts = rule_of(unquote(target), "POST")
    rule = RULES["POST", path]
    if rule.place is Place.ANYONE:
        return True
    if visitor is None or rule.place in (Place.SIGNED_IN, Place.LISTED):
        return visitor is not None and (rule.place is Place.SIGNED_IN or rule.right in visitor.rights)
    line = frozenset[str]() if rule.place is Place.WHOLE else line_of(session, parts["code"])
    return rule.right in visitor.rights_at(line)


def test_the_board_is_light(city: City) -> None:
    """All that travels for the board with an empty cache, as the browser counts it."""
    with person(city.browser, city.served.base) as window:
        page = sign_in_as(window, COORDINATOR)
        window.context.clear_permissions()
        client = window.context.new_cdp_session(page)
        client.send("Network.enable")
        client.send("Network.setCacheDisabled", {"cacheDisabled": True})
        weights: list[float] = []
        client.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))
        window.open("/").wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
    assert len(weights) >= 3, json.dumps(weights)
    print(f"board: {sum(weights) / 1024:.0f} KiB in {len(weights)} answers")
    assert sum(weights) <= LIGHT_BOARD
