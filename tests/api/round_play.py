"""A half-year round played through HTTP alone, as a browser would send its forms: the real plan, 26 submitters."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlsplit

from fastapi.testclient import TestClient

from ledger import issuing, loading
from ledger.database import Database
from ledger.settings import Settings
from policy_models.plan_file import BUNDLED, Pack, load_pack
from tests.api.site import open_browser
from tests.factories import instant

PLAN, ROUND = "baotou-2024", "2025-H1"
OPEN_DAY, SUBMIT_DAY, REVIEW_DAY, AGAIN_DAY, ACCEPT_DAY = (
    "2025-06-02",
    "2025-07-10",
    "2025-07-14",
    "2025-07-15",
    "2025-07-17",
)
RETURNED = {"problems": "过于笼统，请写明数量", "task-1": "请补充法治副校长到岗情况"}


@dataclass
class RoundSite:
    """The ledger with the real plan in force, and browsers that believe it is 09:00 of a day."""

    database: Database
    pack: Pack
    settings: dict[str, object] = field(default_factory=dict)

    def at(self, day: str) -> TestClient:
        settings = Settings(base_url="http://testserver", clock=instant(day), **self.settings)  # type: ignore[arg-type]
        return open_browser(self.database, settings)

    @property
    def coordinator(self) -> str:
        return self.pack.plan.organs[self.pack.plan.coordinator]

    @property
    def submitters(self) -> list[str]:
        asked = [one for _, one in self.pack.plan.requirements() if one.collects == "report"]
        return [unit.code for one in asked for unit in self.pack.units.assigned(one.assignee, self.pack.plan.organs)]


def real_plan(database: Database, **settings: object) -> RoundSite:
    """The real plan, in force from 2025 on, all of it issued up to the day the round opens. No round is open yet."""
    pack = load_pack(BUNDLED)
    with database.write() as session:
        loading.load_plan(session, pack, now=instant("2025-01-01"), go_live_on=date(2025, 1, 1))
        issuing.issue_due(session, PLAN, as_of=date.fromisoformat("2025-05-30"), now=instant("2025-05-30"))
    return RoundSite(database, pack, dict(settings))


@dataclass(frozen=True)
class Form:
    """A form as it stands on a page: where it goes, and what its fields hold."""

    action: str
    fields: dict[str, str]


def forms(page: str) -> list[Form]:
    """Every POST form of a page but those of its frame, with the values a browser would send if nothing were touched."""
    found = []
    for opening, body in re.findall(r'<form([^>]*method="post"[^>]*)>(.*?)</form>', page, re.DOTALL):
        action = html.unescape(re.search(r'action="([^"]*)"', opening).group(1))  # type: ignore[union-attr]
        if action == "/logout":
            continue
        fields: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]*>", body):
            kept = dict(re.findall(r'([a-z_]+)="([^"]*)"', tag))
            if kept.get("type") in ("checkbox", "radio") and " checked" not in tag:
                continue
            if "name" in kept:
                fields[kept["name"]] = html.unescape(kept.get("value", ""))
        for name, text in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', body, re.DOTALL):
            fields[name] = html.unescape(text)
        found.append(Form(action, fields))
    return found


def form(page: str, ending: str) -> Form:
    """The form whose address ends so."""
    return next(one for one in forms(page) if urlsplit(one.action).path.endswith(ending))


def get(browser: TestClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, (address, answer.status_code, answer.text[-2000:])
    return answer.text


def send(browser: TestClient, asked: Form, **changed: str) -> str:
    """Send a form and follow to the page it leads to."""
    answer = browser.post(asked.action, data={**asked.fields, **changed})
    assert answer.status_code == 303, (asked.action, answer.status_code, answer.text[-3000:])
    return get(browser, answer.headers["location"])


def editor(unit: str, section: str = "") -> str:
    return f"/units/{unit}/reports/{ROUND}" + (f"?section={section}" if section else "")


def review_page(site: RoundSite, unit: str) -> str:
    return f"/units/{site.coordinator}/reports/{ROUND}/{unit}"


def open_round(site: RoundSite) -> str:
    """The coordinator opens the round from its page; the page that follows."""
    browser = site.at(OPEN_DAY)
    page = get(browser, f"/rounds/{ROUND}")
    return send(browser, form(page, "/open"), guidance="请于7月15日前报送，只填数量，不写儿童姓名。")


def section_names(page: str) -> list[str]:
    """The sections at the left of an editor."""
    nav = page.split('class="report-nav"')[1].split("</nav>")[0]
    return [name for name in re.findall(r"section=([\w-]+)", nav) if name != "check"]


def fill_in(browser: TestClient, unit: str) -> list[str]:
    """Write every section of a unit's report as its pages ask for it; their names."""
    names = section_names(get(browser, editor(unit)))
    for place, name in enumerate(names):
        asked = form(get(browser, editor(unit, name)), f"/sections/{name}")
        answers = {
            f"none-{field.removeprefix('answer-')}" if n % 3 == 2 else field: "on"
            if n % 3 == 2
            else f"本期已落实（{unit}）。"
            for n, field in enumerate(f for f in asked.fields if f.startswith("answer-"))
        }
        text = f"{unit}第{place + 1}节：按照方案要求推进，完成走访{place + 3}次。"
        saved = browser.post(asked.action, data={**asked.fields, **answers, "text": text})
        assert saved.status_code == 303, (asked.action, saved.status_code, saved.text[-3000:])
    return names


def hand_in(browser: TestClient, unit: str) -> str:
    return send(browser, form(get(browser, editor(unit, "check")), "/submit"), by_name="联络员")


def submit_all(site: RoundSite, day: str = SUBMIT_DAY) -> dict[str, list[str]]:
    """All submitters write and hand in; the sections of each."""
    browser = site.at(day)
    written = {}
    for unit in site.submitters:
        written[unit] = fill_in(browser, unit)
        page = hand_in(browser, unit)
        assert "报告已报送，等待审核。" in page
    return written


def send_back(site: RoundSite, unit: str, returned: dict[str, str] = RETURNED) -> str:
    """The coordinator returns sections of one report, each with its reason."""
    browser = site.at(REVIEW_DAY)
    asked = form(get(browser, review_page(site, unit)), "/review")
    marks = {f"verdict-{name}": "returned" for name in returned} | {f"reason-{n}": why for n, why in returned.items()}
    return send(browser, asked, **marks, act="return")


def hand_in_again(site: RoundSite, unit: str, texts: dict[str, str]) -> str:
    """The unit changes these sections and hands in again."""
    browser = site.at(AGAIN_DAY)
    for name, text in texts.items():
        send(browser, form(get(browser, editor(unit, name)), f"/sections/{name}"), text=text)
    return hand_in(browser, unit)


def accept(site: RoundSite, unit: str, day: str = ACCEPT_DAY) -> str:
    browser = site.at(day)
    return send(browser, form(get(browser, review_page(site, unit)), "/review"), act="accept")


def play_round(site: RoundSite) -> dict[str, list[str]]:
    """The whole round: opened, written, handed in by all, two sections of one report sent back, handed in again with
    the changes shown, all accepted. The sections of each unit's report."""
    open_round(site)
    written = submit_all(site)
    other = next(one for one in site.submitters if "task-1" in written[one])
    send_back(site, other)
    hand_in_again(site, other, {"problems": "基层力量不足，缺口12人。", "task-1": "法治副校长到岗率100%。"})
    for one in site.submitters:
        accept(site, one)
    return written


def close(site: RoundSite, day: str = "2025-07-18") -> str:
    browser = site.at(day)
    return send(browser, form(get(browser, f"/rounds/{ROUND}"), "/close"))
