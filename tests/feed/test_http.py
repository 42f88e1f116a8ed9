"""A feed over HTTP, as calendars poll it."""

from __future__ import annotations

import gzip
import logging
import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import httpx2
import icalendar
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ledger import feed_tokens
from ledger.database import connect
from ledger.settings import Settings
from tests.api.site import MONTHLY, VILLAGE, Site, finish, tiny_site
from tests.factories import BUREAU, instant
from tests.feed.rules import check, events

pytestmark = pytest.mark.thorough

PLAIN = {"Accept-Encoding": "identity"}
Answer = httpx2.Response


def subscribe(site: Site, unit: str = VILLAGE) -> str:
    """The path of a new subscription."""
    with site.database.write() as session:
        return f"/feeds/{feed_tokens.create(session, unit, '电脑', instant('2025-05-01'))}.ics"


def get(site: Site, path: str, day: str = "2025-05-31", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.at(day).get(path, headers={**PLAIN, **named})


def test_a_feed_has_the_units_dates_and_keeps_the_rules(site: Site) -> None:
    answer = get(site, subscribe(site))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, max-age=900, must-revalidate"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert re.fullmatch(
        r"inline; filename=\"[\w.]+\"; filename\*=UTF-8''[\w%.]+", answer.headers["content-disposition"]
    )
    assert int(answer.headers["content-length"]) == len(answer.content)
    found = dict(events(answer.content))
    # 12 months and two vacations, of which those dated from 2025-03-02 on are within 90 days back
    assert f"{MONTHLY}@lucheng" in found  # owed: shown however old
    parsed = icalendar.Calendar.from_ical(answer.content)
    assert {str(event["UID"]) for event in parsed.walk("VEVENT")} == set(found)


def test_two_gets_are_the_same_bytes_and_midnight_moves_nothing(site: Site) -> None:
    path = subscribe(site)
    first, second, tomorrow = get(site, path), get(site, path), get(site, path, "2025-06-01")
    assert first.content == second.content == tomorrow.content
    assert first.headers["etag"] == tomorrow.headers["etag"]
    assert first.headers["last-modified"] == tomorrow.headers["last-modified"]


def test_gzip_is_the_same_feed_under_its_own_tag(site: Site) -> None:
    path, browser = subscribe(site), site.at("2025-05-31")
    plain = browser.get(path, headers=PLAIN)
    with browser.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        zipped = b"".join(answer.iter_raw())
        headers = answer.headers
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped) == plain.content
    assert zipped[4:8] == b"\0\0\0\0"  # no time inside
    assert int(headers["content-length"]) == len(zipped)
    assert headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'
    refused = browser.get(path, headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in refused.headers


def test_conditions(site: Site) -> None:
    path = subscribe(site)
    answer = get(site, path)
    tag, changed = answer.headers["etag"], answer.headers["last-modified"]
    zipped_tag = tag[:-1] + '-gzip"'
    for matching in (tag, f"W/{tag}", f'"other", {tag}', "*", zipped_tag, f'W/{zipped_tag} , "x"'):
        again = get(site, path, If_None_Match=matching)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == answer.headers["cache-control"]
        assert "content-length" not in again.headers or again.headers["content-length"] == "0"
    assert get(site, path, If_None_Match='"other"', If_Modified_Since=changed).status_code == 200
    assert get(site, path, If_Modified_Since=changed).status_code == 304
    assert get(site, path, If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT").status_code == 200
    assert get(site, path, If_Modified_Since="yesterday").status_code == 200


def test_head_has_the_same_headers_and_no_body(site: Site) -> None:
    path, browser = subscribe(site), site.at("2025-05-31")
    head, whole = browser.head(path, headers=PLAIN), browser.get(path, headers=PLAIN)
    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(whole.headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_other_methods_are_refused_by_name(site: Site, method: str) -> None:
    answer = site.at("2025-05-31").request(method, subscribe(site))
    assert answer.status_code == 405
    assert {part.strip() for part in answer.headers["allow"].split(",")} == {"GET", "HEAD"}


def test_unknown_tokens_are_missing_and_in_the_end_too_many(site: Site) -> None:
    browser, known = site.at("2025-05-31"), subscribe(site)
    for token in ("x", "A" * 32, "%E6%B1%89", "%00", "a" * 190):
        answer = browser.get(f"/feeds/{token}.ics")
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/plain")
    answers = [browser.get("/feeds/wrong.ics").status_code for _ in range(60)]
    assert answers == [404] * 55 + [429] * 5
    assert browser.get(known).status_code == 200  # a valid one never waits


def test_a_revoked_token_tells_so_for_thirty_days_and_is_gone_then(site: Site) -> None:
    path = subscribe(site)
    with site.database.write() as session:
        [token] = feed_tokens.listing(session, VILLAGE)
        feed_tokens.revoke(session, VILLAGE, token.id, instant("2025-05-31"))
    answer = get(site, path, "2025-06-29")
    assert answer.status_code == 200
    [(_, event)] = events(answer.content)
    assert event.one("SUMMARY") == "日历订阅已停用：电脑"
    assert get(site, path, "2025-07-01").status_code == 410


def test_a_change_moves_tag_and_time_and_only_its_own_event(site: Site) -> None:
    path = subscribe(site)
    before = get(site, path)
    finish(site.database, MONTHLY, "2025-05-31", by=VILLAGE, reviewer="900101")
    after = get(site, path, "2025-06-01")
    assert before.headers["etag"] != after.headers["etag"]
    assert before.headers["last-modified"] != after.headers["last-modified"]
    old, new = dict(events(before.content)), dict(events(after.content))
    assert f"{MONTHLY}@lucheng" not in new  # January is done and more than 90 days back
    assert {uid for uid in new if new[uid] != old[uid]} == set()
    assert get(site, path, If_Modified_Since=before.headers["last-modified"]).status_code == 200


def test_last_modified_never_goes_back(site: Site) -> None:
    from email.utils import parsedate_to_datetime

    path, seen = subscribe(site), []
    days = [instant("2025-06-01") + timedelta(days=step) for step in range(0, 500, 20)]
    for number, day in enumerate(days):
        if number == 6:
            finish(site.database, MONTHLY, f"{day:%Y-%m-%d}", by=VILLAGE, reviewer="900101")
        answer = get(site, path, f"{day:%Y-%m-%d}")
        check(answer.content)
        seen.append((parsedate_to_datetime(answer.headers["last-modified"]), answer.headers["etag"]))
        assert seen[-1][0] <= day + timedelta(hours=3)
    times = [time for time, _ in seen]
    assert times == sorted(times)
    for (earlier, old), (later, new) in pairwise(seen):
        assert (earlier < later) or old == new  # whatever changed, a client that knows only the time sees it


def test_the_last_good_bytes_outlive_the_database(
    tmp_path: Path, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with tiny_site(sqlite_url, tmp_path / "pack") as site:
        path, browser = subscribe(site), site.at("2025-05-31")
        good = browser.get(path, headers=PLAIN)
        keeper = browser.app.state.feeds  # type: ignore[attr-defined]
        keeper.database = connect(f"sqlite:///{tmp_path}/gone/ledger.db")
        keeper.look_again()
        again = browser.get(path, headers=PLAIN)
        assert (again.status_code, again.content) == (200, good.content)
        assert dict(again.headers) == dict(good.headers)
        assert browser.get(path, headers={"If-None-Match": good.headers["etag"]}).status_code == 304
        assert caplog.text.count("feeds are served as last seen") == 1
        assert path.removeprefix("/feeds/")[:32] not in caplog.text
        assert browser.get("/feeds/never-seen.ics").status_code == 404


def test_a_process_that_never_saw_the_ledger_tells_clients_to_keep_what_they_have(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/gone/ledger.db")
    settings = Settings(base_url="http://testserver", clock=instant("2025-05-31"))
    browser = TestClient(create_app(database, settings), raise_server_exceptions=False)
    answer = browser.get("/feeds/any.ics")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert browser.get("/feeds/any.ics", headers={"If-None-Match": '"x"'}).status_code == 304
    database.close()


def test_the_use_is_noted_once_an_hour(site: Site) -> None:
    path = subscribe(site, BUREAU)
    get(site, path, "2025-05-31", User_Agent="Thunderbird/153\x7f")
    get(site, path, "2025-05-31", User_Agent="khal/0.11")
    with site.database.read() as session:
        [token] = feed_tokens.listing(session, BUREAU)
    assert token.client == "Thunderbird/153"
    assert token.last_used_at is not None
    get(site, path, "2025-06-01", User_Agent="khal/0.11")
    with site.database.read() as session:
        assert feed_tokens.listing(session, BUREAU)[0].client == "khal/0.11"


def test_access_logs_hold_no_token(caplog: pytest.LogCaptureFixture) -> None:
    from api.logging import QuietPolls, Redact, log_config, redact

    token = "Zx0_-" + "k" * 27
    record = logging.LogRecord("uvicorn.access", 20, "", 0, '%s - "%s %s HTTP/%s" %d', (), None)
    record.args = ("127.0.0.1:1", "GET", f"/feeds/{token}.ics?alarm=off", "1.1", 200)
    assert Redact().filter(record)
    assert record.getMessage() == '127.0.0.1:1 - "GET /feeds/***.ics?alarm=off HTTP/1.1" 200'
    for text in (f"/feeds/{token}.ics", f"/feeds/{token}", f"GET /feeds/{token}?x", f'"/feeds/{token}"'):
        assert token not in redact(text)
    assert redact("/units/9001/feeds") == "/units/9001/feeds"
    record.args = ("127.0.0.1:1", "GET", f"/feeds/{token}.ics?x=13812345678&/feeds/{token}.ics", "1.1", 404)
    assert Redact().filter(record)
    assert token not in record.getMessage()
    assert "13812345678" not in record.getMessage()
    quiet = [("/feeds/x.ics", 304), ("/feeds/x.ics", 200), ("/units", 304)]
    kept = []
    for path, status in quiet:
        record.args = ("127.0.0.1:1", "GET", path, "1.1", status)
        kept.append(bool(QuietPolls().filter(record)))
    assert kept == [False, True, True]
    assert log_config()["loggers"]["uvicorn.access"]["filters"] == ["polls"]
    assert all(handler["filters"] == ["redact"] for handler in log_config()["handlers"].values())


def test_alarms_can_be_left_out_by_the_address(site: Site) -> None:
    path = subscribe(site)
    with_alarms, without = get(site, path), get(site, f"{path}?alarm=off")
    assert b"BEGIN:VALARM" in with_alarms.content
    assert b"BEGIN:VALARM" not in without.content
    assert with_alarms.headers["etag"] != without.headers["etag"]


def test_a_feed_needs_no_settings_but_the_base_address(site: Site) -> None:
    path = subscribe(site)
    app = create_app(site.database, Settings(base_url="https://lucheng.example/", clock=instant("2025-05-31")))
    found = dict(events(TestClient(app).get(path, headers=PLAIN).content))
    assert found[f"{MONTHLY}@lucheng"].one("URL") == f"https://lucheng.example/items/{MONTHLY}"
