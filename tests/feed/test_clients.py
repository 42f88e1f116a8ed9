"""Real calendar programs over HTTP: each sees the same days, a moved deadline once, a cancelled one as cancelled."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import icalendar
import pytest
import recurring_ical_events  # type: ignore[import-untyped]

from tests.factories import query
from tests.feed.rules import Part, check
from tests.feed.subscribed import (
    DAY,
    DISTRICT,
    IDLE,
    Desk,
    Occurrence,
    Town,
    move,
    town,
    waive,
)

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

FIRST, LAST = date(2024, 1, 1), date(2028, 12, 31)


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town") / "data") as found:
        yield found


def shown(address: str) -> bytes:
    answer = httpx.get(address, timeout=60)
    assert answer.status_code == 200
    return answer.content


def strictly(body: bytes) -> list[Occurrence]:
    """The events as the octets say, without a library."""
    return sorted((part.one("URL"), _day(part), part.one("STATUS")) for part in check(body).parts)


def _day(event: Part) -> str:
    raw = event.one("DTSTART")
    assert event.one("DTEND") == (date.fromisoformat(raw) + timedelta(days=1)).strftime("%Y%m%d")
    return f"{raw[:4]}-{raw[4:6]}-{raw[6:]}"


def by_icalendar(body: bytes) -> list[Occurrence]:
    return _occurrences(icalendar.Calendar.from_ical(body).walk("VEVENT"))


def _occurrences(events: Iterable[icalendar.Component]) -> list[Occurrence]:
    return sorted((str(one["URL"]), str(one.decoded("DTSTART")), str(one["STATUS"])) for one in events)


def by_recurring(body: bytes) -> list[Occurrence]:
    """Each day that the library unfolds, so that a deadline repeated by mistake would show twice."""
    calendar = icalendar.Calendar.from_ical(body)
    return _occurrences(recurring_ical_events.of(calendar).between(FIRST, LAST))


def everywhere(body: bytes, desk: Desk) -> list[Occurrence]:
    """What all programs agree on."""
    desk.sync()
    expected = strictly(body)
    assert by_icalendar(body) == expected
    assert by_recurring(body) == expected
    assert desk.listed(FIRST, LAST) == expected
    return expected


def of_item(found: list[Occurrence], key: str) -> list[tuple[str, str]]:
    return [(day, status) for address, day, status in found if address.endswith(f"/items/{quote(key, safe=':-._~')}")]


def due_in_the_window(found: Town) -> int:
    """How many items the ledger has for the district's feed, counted without the feed's own query."""
    with found.database.read() as session:
        [(count,)] = query(
            session,
            "SELECT count(*) FROM work_item WHERE unit_code LIKE :district AND catch_up = '' AND ("
            " state IN ('scheduled', 'open', 'returned', 'submitted')"
            " AND (state IN ('open', 'returned') OR deadline BETWEEN :low AND :high)"
            " OR state = 'accepted' AND deadline BETWEEN :low AND :high"
            " OR state IN ('waived', 'cancelled') AND changed_at >= :lately)",
            district=f"{DISTRICT}%",
            low=str(DAY - timedelta(days=90)),
            high=str(DAY + timedelta(days=400)),
            lately=str(DAY - timedelta(days=31)),
        )
    return int(count)


def test_programs_follow_a_district_for_two_months(district: Town, tmp_path: Path) -> None:
    address = district.subscribe(DISTRICT, "below")
    with district.serving():
        body = shown(address)
        desk = Desk.set_up(tmp_path / "home", address)
        before = everywhere(body, desk)
        items = [address for address, _, _ in before if "/items/" in address]
        assert len(items) == due_in_the_window(district) > 100
        for mark in ("✓", "【推定】"):
            assert mark in body.decode().replace("\r\n ", "")

        (moved, owner, planned), (waived, _, _), (kept, _, same) = district.owed()[:3]
        later = date.fromisoformat(planned) + timedelta(days=9)
        move(district, moved, owner, later)
        waive(district, waived)
        after = everywhere(changed(address, body), desk)
        assert of_item(before, moved) == [(planned, "CONFIRMED")]
        assert of_item(after, moved) == [(str(later), "CONFIRMED")]
        assert of_item(after, waived) == [(of_item(before, waived)[0][0], "CANCELLED")]
        assert of_item(after, kept) == [(same, "CONFIRMED")]
        untouched = {one for one in before if not of_item([one], moved) and not of_item([one], waived)}
        assert untouched < set(after)
        assert len(after) == len(before)
        old, new = properties(body, moved), properties(shown(address), moved)
        assert new["UID"] == old["UID"]
        assert int(new["SEQUENCE"]) > int(old["SEQUENCE"])
        assert "原定" in new["DESCRIPTION"]
        assert new["DTSTAMP"] > old["DTSTAMP"]

    with district.serving(DAY + timedelta(days=45)):
        body = shown(address)
        last = everywhere(body, desk)
        assert of_item(last, waived) == []
        assert of_item(last, moved) == [(str(later), "CONFIRMED")]


def changed(address: str, before: bytes) -> bytes:
    """The feed once it is another: a change shows at the next poll, or as soon as the server has looked again."""
    for _ in range(100):
        if (body := shown(address)) != before:
            return body
        time.sleep(0.1)
    raise AssertionError("the feed stayed as it was for ten seconds after a change")


def properties(body: bytes, key: str) -> dict[str, str]:
    [event] = [one for one in check(body).parts if of_item([(one.one("URL"), "", "")], key)]
    return {name: event.one(name) for name in ("UID", "SEQUENCE", "DESCRIPTION", "DTSTAMP")}


def test_an_empty_feed_and_a_stopped_one_keep_one_event(district: Town, tmp_path: Path) -> None:
    """vdirsyncer refuses to empty a calendar that had entries: one always stays, so the change is taken over."""
    idle, busy = district.subscribe(IDLE), district.subscribe(DISTRICT, "below")
    with district.serving():
        empty = everywhere(shown(idle), Desk.set_up(tmp_path / "idle", idle))
        assert [status for _, _, status in empty] == ["CONFIRMED"]
        assert "暂无待办" in shown(idle).decode().replace("\r\n ", "")

        desk, body = Desk.set_up(tmp_path / "busy", busy), shown(busy)
        assert len(everywhere(body, desk)) > 100
        district.stop(busy)
        told = everywhere(changed(busy, body), desk)
        assert [status for _, _, status in told] == ["CONFIRMED"]
        assert "已停用" in shown(busy).decode().replace("\r\n ", "")
