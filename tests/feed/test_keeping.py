"""What is kept between polls: fragments, validators, tokens; what each change makes anew, and what it leaves alone."""

from __future__ import annotations

import gzip
import os
import re
import statistics
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api import feed_keeper
from api.app import create_app
from api.feed_keeper import FeedKeeper, digest_of
from api.feed_options import read_options
from api.feed_render import render
from ledger import feed_tokens, issuing, submissions
from ledger.database import connect
from ledger.queries.feed import feed
from ledger.settings import Settings
from ledger.units import all_units, save_units
from policy_models.feeds import Scope, Subject
from policy_models.units import Unit
from tests.api.site import VILLAGE, Site, finish
from tests.factories import BUREAU, CODE, full_evidence, instant, item, office, query, statements, village
from tests.feed.rules import Part, check, events

pytestmark = pytest.mark.thorough

DAY = "2025-06-03"
BASE = "http://testserver"
OPEN_MONTH = item("1.2", VILLAGE, "2025-05")
SUBJECT = Subject(Scope.UNIT, VILLAGE)


@pytest.fixture
def browser(site: Site) -> TestClient:
    return site.at(DAY)


def subscribe(site: Site, unit: str = VILLAGE, **wanted: Any) -> str:
    with site.database.write() as session:
        return f"/feeds/{feed_tokens.create(session, unit, '电脑', instant('2025-05-01'), **wanted)}.ics"


def keeper_of(browser: TestClient) -> FeedKeeper:
    found: FeedKeeper = browser.app.state.feeds  # type: ignore[attr-defined]
    return found


def poll(browser: TestClient, path: str, **headers: str) -> Any:
    """A poll that looks at the ledger first, as one does that comes a while later."""
    keeper_of(browser).look_again()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.get(path, headers={"Accept-Encoding": "identity", **named})


def test_what_is_served_is_what_the_facts_say(site: Site, browser: TestClient) -> None:
    for wanted in ("", "?kind=todo&alarm=3", "?alarm=off&holidays=1", "?open=1", "?nonsense=1&alarm=never"):
        path = subscribe(site) + wanted
        options = read_options(wanted.removeprefix("?").encode())
        with site.database.read() as session:
            facts = feed(session, SUBJECT, now=instant(DAY), choice=options.choice)
        once = poll(browser, path)
        assert once.content == render(facts, base_url=BASE, alarm=options.alarm)
        assert poll(site.at(DAY), path).content == once.content  # another process, from the fragments of the first
        assert poll(site.at(DAY), path).headers["etag"] == once.headers["etag"]


def test_one_changed_item_renders_one_fragment(
    site: Site, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []
    real = feed_keeper.item_piece

    def counted(one: Any, *rest: Any) -> Any:
        rendered.append(one.key)
        return real(one, *rest)

    monkeypatch.setattr(feed_keeper, "item_piece", counted)
    path = subscribe(site)
    before = poll(browser, path)
    assert len(rendered) == len(list(events(before.content)))
    rendered.clear()
    assert poll(browser, path + "?alarm=7").status_code == 200  # another alarm needs no rendering
    assert poll(browser, path + "?open=1").status_code == 200
    assert poll(site.at(DAY), path).content == before.content
    assert rendered == []
    finish(site.database, OPEN_MONTH, DAY, by=VILLAGE, reviewer="900101")
    after = poll(browser, path)
    assert rendered == [OPEN_MONTH]
    old, new = dict(events(before.content)), dict(events(after.content))
    assert [uid for uid in new if new[uid] != old.get(uid)] == [f"{OPEN_MONTH}@lucheng"]
    changed = new[f"{OPEN_MONTH}@lucheng"]
    assert int(changed.one("SEQUENCE")) == int(old[f"{OPEN_MONTH}@lucheng"].one("SEQUENCE")) + 2
    assert changed.one("DTSTAMP") > old[f"{OPEN_MONTH}@lucheng"].one("DTSTAMP")
    assert after.headers["etag"] != before.headers["etag"]
    with site.database.read() as session:
        versions = query(session, "SELECT count(*), count(DISTINCT item_id) FROM feed_fragment")
    assert versions == [(len(old), len(old))]


def test_only_the_feeds_that_a_change_concerns_are_made_anew(site: Site, browser: TestClient) -> None:
    paths = {
        "own": subscribe(site),
        "township": subscribe(site, "900101", scope="below"),
        "city": subscribe(site, BUREAU, scope="below", target="9000"),
        "task": subscribe(site, BUREAU, scope="task", target="1"),
        "phase": subscribe(site, BUREAU, scope="phase", target="1"),
        "other village": subscribe(site, village(2, 1)),
        "other county": subscribe(site, "9002", scope="below"),
        "other task": subscribe(site, BUREAU, scope="task", target="2"),
        "function": subscribe(site, BUREAU, scope="function"),
    }
    first = {name: poll(browser, path).headers["etag"] for name, path in paths.items()}
    finish(site.database, OPEN_MONTH, DAY, by=VILLAGE, reviewer="900101")
    keeper, made = keeper_of(browser), []
    real = keeper.build
    keeper.build = lambda key: (made.append(key[0]), real(key))[1]  # type: ignore[method-assign, func-returns-value]
    second = {name: poll(browser, path).headers["etag"] for name, path in paths.items()}
    concerned = {"own", "township", "city", "task", "phase"}
    assert {name for name in paths if first[name] != second[name]} == concerned
    assert len(made) == len(concerned)


def test_a_poll_of_a_feed_that_is_known_asks_the_ledger_one_thing(site: Site, browser: TestClient) -> None:
    path = subscribe(site)
    tag = poll(browser, path).headers["etag"]
    with statements(site.database) as sent:
        assert poll(browser, path, If_None_Match=tag).status_code == 304
    assert len([one for one in sent if one.startswith("SELECT")]) == 1
    assert "deadline" not in sent[-1]
    with statements(site.database) as sent:
        assert browser.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert sent == []  # looked at less than a second ago


def test_a_rename_moves_the_stamps_and_midnight_does_not(site: Site, browser: TestClient) -> None:
    path = subscribe(site)
    before, tomorrow = poll(browser, path), poll(site.at("2025-06-04"), path)
    assert (tomorrow.content, tomorrow.headers["etag"]) == (before.content, before.headers["etag"])
    assert tomorrow.headers["last-modified"] == before.headers["last-modified"]
    with site.database.write() as session:
        own = all_units(session)[VILLAGE]
        renamed = Unit(own.code, "新村", own.level, own.function, own.parent, own.functional_zone)
        save_units(session, [renamed], now=instant("2025-06-02"), replace=True)
    after = poll(browser, path)
    old, new = dict(events(before.content)), dict(events(after.content))
    assert set(old) == set(new)
    for uid, event in new.items():
        assert event.one("SUMMARY").endswith(" · 新村")
        assert event.one("LAST-MODIFIED") > old[uid].one("LAST-MODIFIED")
        assert int(event.one("SEQUENCE")) == int(old[uid].one("SEQUENCE")) + 1
    assert check(after.content).one("NAME") == "新村 办理时限"
    other = subscribe(site, village(1, 2))
    assert {part.one("SEQUENCE") for _, part in events(poll(browser, other).content)} <= {"0", "1", "2"}


def test_hostile_words_in_the_ledger_never_break_a_feed(site: Site, browser: TestClient) -> None:
    hostile = '第\\N条,;\\" \ufeff\x7f\u2028👩‍👩‍👧‍👦\r\nX-EVIL:1'
    with site.database.write() as session:
        session.execute(text("UPDATE requirement SET title = :title"), {"title": hostile})
        session.execute(text("UPDATE unit SET name = :name, version = version + 1"), {"name": hostile})
    for wanted in ("", "?kind=todo"):
        answer = poll(browser, subscribe(site) + wanted)
        assert answer.status_code == 200
        assert "X-EVIL" not in check(answer.content).properties
    assert poll(browser, subscribe(site, BUREAU, scope="task", target="1")).status_code == 200


def test_a_new_address_works_at_once_and_an_old_one_says_that_it_was_replaced(site: Site, browser: TestClient) -> None:
    path = subscribe(site)
    assert poll(browser, path).status_code == 200
    page = browser.post(f"/units/{VILLAGE}/feeds", data={"name": "手机"}).text
    [fresh] = set(re.findall(r"http://testserver(/feeds/[\w-]{32}\.ics)", page))
    assert browser.get(fresh).status_code == 200  # within the second: what this process wrote is looked at
    with site.database.write() as session:
        mine = next(one for one in feed_tokens.listing(session, VILLAGE) if one.name == "电脑")
        new = feed_tokens.rotate(session, VILLAGE, mine.id, instant(DAY))
    answer = poll(browser, path)
    [(_, event)] = events(answer.content)
    assert event.one("SUMMARY") == "日历订阅已停用：电脑"
    assert "地址已更换" in event.one("DESCRIPTION")
    assert poll(browser, path, If_None_Match=answer.headers["etag"]).status_code == 304
    [todo] = check(poll(browser, path + "?kind=todo").content).parts
    assert todo.kind == "VTODO"
    assert poll(browser, f"/feeds/{new}.ics").status_code == 200
    assert poll(site.at("2025-07-10"), path).status_code == 410


def test_gzip_is_made_once_and_is_the_same_everywhere(site: Site, browser: TestClient) -> None:
    path = subscribe(site)
    raw = []
    for one in (browser, browser, site.at(DAY)):
        with one.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
            raw.append(b"".join(answer.iter_raw()))
    assert len(set(raw)) == 1
    assert gzip.decompress(raw[0]) == poll(browser, path).content


def test_many_threads_poll_while_items_change(site: Site, browser: TestClient) -> None:
    """No answer is an error, and each is the feed before a change or after it; in the end all is told."""
    path = subscribe(site)
    poll(browser, path)
    months = [item("1.2", VILLAGE, f"2025-{month:02}") for month in range(1, 6)]
    seen: list[int] = []

    def ask(_: int) -> None:
        answer = browser.get(path, headers={"Accept-Encoding": "identity"})
        check(answer.content)
        seen.append(answer.status_code)

    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(ask, number) for number in range(24)]
        for month in months:
            with site.database.write() as session:
                submissions.submit(session, month, by=office(VILLAGE), evidence=full_evidence(), now=instant(DAY))
            keeper_of(browser).look_again()
        for one in waiting:
            one.result()
    assert seen == [200] * 24
    final: dict[str, Part] = dict(events(poll(browser, path).content))
    assert all("已报送" in final[f"{key}@lucheng"].one("DESCRIPTION") for key in months[2:])


def test_an_entry_that_appears_below_a_newer_one_is_seen(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """PostgreSQL gives ids before it commits: the transaction that began first may end last."""
    from tests.api.site import tiny_site

    with tiny_site(postgres_url, tmp_path_factory.mktemp("pack")) as site:
        browser, path = site.at(DAY), subscribe(site)
        other = subscribe(site, village(2, 1))
        before = poll(browser, path).headers["etag"]
        with site.database.write() as slow:
            submissions.submit(slow, OPEN_MONTH, by=office(VILLAGE), evidence=full_evidence(), now=instant(DAY))
            with site.database.write() as quick:
                key = item("1.2", village(2, 1), "2025-05")
                submissions.submit(quick, key, by=office(village(2, 1)), evidence=full_evidence(), now=instant(DAY))
            assert poll(browser, other).status_code == 200
            assert poll(browser, path).headers["etag"] == before
        assert poll(browser, path).headers["etag"] != before


def test_a_new_item_and_a_moved_one_are_seen(site: Site, browser: TestClient) -> None:
    path = subscribe(site)
    before = poll(browser, path)
    with site.database.write() as session:
        key = issuing.raise_event(session, CODE, "1.3", VILLAGE, by=office(VILLAGE), now=instant(DAY))
    assert f"{key}@lucheng" in dict(events(poll(browser, path).content))
    assert f"{key}@lucheng" not in dict(events(before.content))
    task = poll(browser, subscribe(site, BUREAU, scope="task", target="1"))
    assert f"{key}@lucheng" in dict(events(task.content))  # raised on an event: told by itself


@pytest.mark.slow
def test_nothing_in_the_time_tells_known_stopped_and_unknown_apart(site: Site, browser: TestClient) -> None:
    known, stopped = subscribe(site), subscribe(site)
    tag = poll(browser, known).headers["etag"]
    with site.database.write() as session:
        [newest, _] = feed_tokens.listing(session, VILLAGE)
        feed_tokens.revoke(session, VILLAGE, newest.id, instant("2025-03-01"))
    poll(browser, stopped)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
    near = known.removesuffix(".ics")[:-1]  # all but its last character is right
    kinds = {
        "known": lambda n: known,
        "stopped": lambda n: stopped,
        "unknown": lambda n: f"/feeds/{alphabet[n % 32] * 32}.ics",
        "almost": lambda n: f"{near}{'-' if known[-5] != '-' else '_'}.ics",
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    expected = {"known": {304}, "stopped": {410}, "unknown": {404, 429}, "almost": {404, 429}}
    for turn in range(400):
        for name, path in kinds.items():
            began = time.perf_counter()
            answer = browser.get(path(turn), headers={"If-None-Match": tag})
            times[name].append(time.perf_counter() - began)
            assert answer.status_code in expected[name]
    medians = [statistics.median(found) for found in times.values()]
    assert max(medians) < 1.5 * min(medians), dict(zip(times, medians, strict=True))


@pytest.mark.slow
def test_a_hundred_thousand_feeds_need_less_than_three_kilobytes_each(sqlite_url: str) -> None:
    count = 100_000
    database = connect(sqlite_url)
    add_unit = "INSERT INTO unit (code, name, level, changed_at) VALUES (:code, :code, 'village', '2025-01-01')"
    add_token = (
        "INSERT INTO feed_token (hash, name, unit_code, scope, target, created_at) "
        "VALUES (:hash, 'x', :code, 'unit', :code, '2025-01-01')"
    )
    codes = [f"{number:012}" for number in range(count)]
    with database.write() as session:
        session.execute(text(add_unit), [{"code": code} for code in codes])
        session.execute(text(add_token), [{"hash": digest_of(code).hex(), "code": code} for code in codes])
    app = create_app(database, Settings(base_url=BASE, clock=instant(DAY)))
    keeper: FeedKeeper = app.state.feeds
    tracemalloc.start()
    keeper.look()
    for number, code in enumerate(codes):
        key = (keeper.tokens[digest_of(code)].subject, read_options(b""))
        tag, modified = os.urandom(16).hex(), instant(DAY) + timedelta(seconds=number)
        keeper._hold(key, feed_keeper._built(tag, modified, 1, 1, feed_keeper.topics_of(key[0], ())))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(keeper.tokens) == count
    assert held / count < 3_000, held / count
    database.close()
