"""The renderer alone: escaping, folding, alarms, marks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.feed_entries import RENDERER_CHANGED_AT
from api.feed_render import render, render_stopped
from api.ics import escape, fold
from ledger.queries.feed import EVERYTHING, Feed, Frame
from ledger.queries.feed_extras import FeedBacklog
from ledger.queries.feed_items import FeedItem
from policy_models.calendar_file import load as load_calendars
from policy_models.calendars import Confidence
from policy_models.feeds import Choice, Component, Scope, Subject
from policy_models.lifecycle import State
from policy_models.plan_file import BUNDLED
from tests.feed.rules import check, events, unescape

BASE = "https://lucheng.example"
STAMP = datetime(2025, 3, 1, 8, 30, tzinfo=UTC)
CALENDARS = load_calendars([BUNDLED / "calendars"])
ITEM = FeedItem(
    key="tiny-2025:1.2:900101001:2025-06",
    sequence=3,
    requirement="1.2",
    title="每月联系",
    section="task-1",
    unit_name="甲村",
    period="2025-06",
    opens_on=date(2025, 6, 1),
    deadline=date(2025, 6, 29),
    remind_by=date(2025, 6, 27),
    planned=None,
    confidence=Confidence.ANNOUNCED,
    why="2025年6月，期末为2025年6月29日",
    state=State.OPEN,
    reason=None,
    created_at=STAMP,
    changed_at=STAMP,
    stamp=STAMP,
)
FRAME = Frame(
    subject=Subject(Scope.UNIT, "900101001"),
    choice=EVERYTHING,
    name="甲村",
    page="/units/900101001",
    plan_titles=("小方案",),
    demonstration=False,
    backlogs=(),
    groups=(),
    rounds=(),
    days=(),
    calendars={"tiny-2025": CALENDARS},
    stamp=STAMP,
    sequence=2,
    changed_at=STAMP,
)
FEED = Feed(FRAME, (ITEM,))
TODO = Choice(component=Component.TODO)


def framed(*items: FeedItem, alarm: int | None = 0, **changes: object) -> bytes:
    return render(Feed(replace(FRAME, **changes), items), base_url=BASE, alarm=alarm)  # type: ignore[arg-type]


def one_event(item: FeedItem, *, alarm: int | None = 0) -> bytes:
    return framed(item, alarm=alarm)


def test_an_open_item_says_what_by_when_and_where() -> None:
    [(uid, event)] = events(render(FEED, base_url=f"{BASE}/"))
    assert uid == "tiny-2025:1.2:900101001:2025-06@lucheng"
    assert event.one("SUMMARY") == "任务1 每月联系（2025年6月） · 甲村"
    assert (event.one("DTSTART"), event.one("DTEND")) == ("20250629", "20250630")
    assert (event.one("SEQUENCE"), event.one("DTSTAMP")) == ("3", "20250301T083000Z")
    assert event.one("URL") == f"{BASE}/items/tiny-2025:1.2:900101001:2025-06"
    assert unescape(event.one("DESCRIPTION")).splitlines() == [
        "时限：2025年6月29日(周日)",
        "请于2025年6月27日(周五)前报送",
        "日期依据：2025年6月，期末为2025年6月29日",
        "状态：待报送",
        event.one("URL"),
    ]
    [alarm] = event.parts
    assert alarm.one("TRIGGER") == "-P1DT15H"  # 09:00 on the Friday before


@pytest.mark.parametrize(("days", "trigger"), [(0, "PT9H"), (1, "-PT15H"), (2, "-P1DT15H"), (8, "-P7DT15H")])
def test_the_alarm_rings_at_nine_of_the_last_work_day(days: int, trigger: str) -> None:
    [(_, event)] = events(one_event(replace(ITEM, remind_by=ITEM.deadline - timedelta(days=days))))
    assert event.parts[0].one("TRIGGER") == trigger
    parsed = icalendar.Calendar.from_ical(one_event(replace(ITEM, remind_by=ITEM.deadline - timedelta(days=days))))
    [found] = parsed.walk("VALARM")
    midnight = datetime.combine(ITEM.deadline, datetime.min.time())
    assert midnight + found["TRIGGER"].dt == datetime(2025, 6, 29, 9) - timedelta(days=days)


@pytest.mark.parametrize(
    ("change", "summary", "status", "alarms"),
    [
        ({"state": State.ACCEPTED}, "✓ 任务1 每月联系（2025年6月） · 甲村", "CONFIRMED", 0),
        ({"state": State.SUBMITTED}, "任务1 每月联系（2025年6月） · 甲村", "CONFIRMED", 0),
        ({"state": State.SCHEDULED}, "任务1 每月联系（2025年6月） · 甲村", "CONFIRMED", 0),
        ({"state": State.CANCELLED}, "【已取消】任务1 每月联系（2025年6月） · 甲村", "CANCELLED", 0),
        ({"state": State.WAIVED, "reason": "整村搬迁"}, "【已取消】任务1 每月联系（2025年6月） · 甲村", "CANCELLED", 0),
        ({"confidence": Confidence.FORECAST}, "【推定】任务1 每月联系（2025年6月） · 甲村", "CONFIRMED", 1),
        ({"confidence": Confidence.PLACEHOLDER, "period": "once"}, "【推定】任务1 每月联系 · 甲村", "CONFIRMED", 1),
        ({"state": State.RETURNED, "reason": "缺签到表"}, "任务1 每月联系（2025年6月） · 甲村", "CONFIRMED", 1),
    ],
)
def test_marks_of_states_and_confidence(change: dict[str, object], summary: str, status: str, alarms: int) -> None:
    [(_, event)] = events(one_event(replace(ITEM, **change)))  # type: ignore[arg-type]
    assert (event.one("SUMMARY"), event.one("STATUS"), len(event.parts)) == (summary, status, alarms)
    if change.get("reason"):
        assert f"说明：{change['reason']}" in event.one("DESCRIPTION")


def test_a_moved_deadline_keeps_its_uid_and_tells_the_old_date() -> None:
    [(uid, event)] = events(one_event(replace(ITEM, deadline=date(2025, 7, 10), planned=ITEM.deadline)))
    assert uid == f"{ITEM.key}@lucheng"
    assert event.one("DTSTART") == "20250710"
    assert "原定：2025年6月29日(周日)" in event.one("DESCRIPTION")


def test_alarms_are_a_choice() -> None:
    [(_, event)] = events(one_event(ITEM, alarm=None))
    assert event.parts == []
    [(_, event)] = events(one_event(ITEM, alarm=3))
    assert event.parts[0].one("TRIGGER") == "-P4DT15H"  # two days from Friday to Sunday, and three before
    assert unescape(event.parts[0].one("DESCRIPTION")) == "请于6月27日(周五)前报送：任务1 每月联系（2025年6月）"


def test_a_backlog_is_one_event_that_says_how_many() -> None:
    backlog = FeedBacklog("tiny-2025", 12, date(2025, 5, 1), 5, STAMP, STAMP + timedelta(hours=1))
    [(uid, event)] = events(framed(backlogs=(backlog,)))
    assert uid == "tiny-2025:backfill:900101001@lucheng"
    assert event.one("SUMMARY") == "待补录 12 件 · 甲村"
    assert (event.one("DTSTART"), event.one("SEQUENCE"), event.one("DTSTAMP")) == ("20250501", "7", "20250301T093000Z")


def test_an_empty_feed_still_has_an_event() -> None:
    [(uid, event)] = events(framed())
    assert (uid, event.one("SUMMARY")) == ("nothing-due:900101001@lucheng", "暂无待办 · 甲村")


def test_the_revoked_feed_is_one_notice() -> None:
    raw = render_stopped("办公室\r\n电脑", datetime(2025, 6, 1, 18, tzinfo=UTC), base_url=BASE).body
    [(_, event)] = events(raw)
    assert event.one("SUMMARY") == "日历订阅已停用：办公室\\n电脑"
    assert event.one("DTSTART") == "20250602"  # already tomorrow in Shanghai


def test_a_to_do_that_is_done_says_since_when() -> None:
    [(_, todo)] = events(framed(choice=Choice(component=Component.TODO)))
    assert (todo.one("STATUS"), todo.one("PERCENT-COMPLETE")) == ("COMPLETED", "100")
    assert todo.one("COMPLETED") == todo.one("DTSTAMP")


def test_the_notice_of_a_revoked_feed_is_a_to_do_that_lists_show() -> None:
    at = datetime(2025, 6, 1, 18, tzinfo=UTC)
    [(_, todo)] = events(render_stopped("办公室", at, base_url=BASE, component=Component.TODO).body)
    assert (todo.one("STATUS"), todo.one("DUE")) == ("NEEDS-ACTION", "20250602")


def test_stamps_are_never_older_than_the_renderer() -> None:
    [(_, event)] = events(one_event(replace(ITEM, stamp=datetime(2001, 1, 1, tzinfo=UTC))))
    assert event.one("DTSTAMP") == RENDERER_CHANGED_AT.strftime("%Y%m%dT%H%M%SZ")


def test_a_name_in_the_head_cannot_break_out() -> None:
    name = "甲村\r\nMETHOD:PUBLISH\nBEGIN:VEVENT"
    calendar = check(framed(ITEM, name=name, plan_titles=(name,)))
    assert calendar.one("NAME") == calendar.one("X-WR-CALNAME") == "甲村\\nMETHOD:PUBLISH\\nBEGIN:VEVENT 办理时限"


HOSTILE = [
    r"第\N条\n与\\，;:,",
    "NUL\x00BEL\x07DEL\x7fBOM\ufeff",
    "换行\r\nX-EVIL:1\rX-EVIL:2\nX-EVIL:3",
    "分隔\u2028与\u2029与\x85",
    "表情👩‍👩‍👧‍👦" * 12,
    "孤\ud800立\udfff",
    '",;\\"',
    "长" * 500,
    "",
]


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_round_trip_or_are_stripped(title: str) -> None:
    item = replace(ITEM, title=title, unit_name=title, why=title, reason=title, state=State.RETURNED)
    raw = framed(item, name=title, plan_titles=(title,))
    [(_, event)] = events(raw)
    kept = unescape(escape(title))
    assert unescape(event.one("SUMMARY")) == f"任务1 {kept}（2025年6月） · {kept}"
    [parsed] = icalendar.Calendar.from_ical(raw).walk("VEVENT")
    assert parsed["UID"] == f"{ITEM.key}@lucheng"
    if "\\" not in title:  # icalendar reads a literal backslash and N as a line end
        assert str(parsed["SUMMARY"]) == f"任务1 {kept}（2025年6月） · {kept}"


def test_what_is_stripped_and_what_is_kept() -> None:
    assert escape("a\x00b\ud800c\ufeffd\x7fe") == "abcde"
    assert escape("a\r\nb\rc\nd") == r"a\nb\nc\nd"
    assert escape(r"a\Nb,c;d") == r"a\\Nb\,c\;d"
    assert escape("制表\t符") == "制表\t符"


@given(st.text(max_size=300))
def test_folding_loses_nothing_and_splits_no_character(text: str) -> None:
    line = f"SUMMARY:{escape(text)}"
    folded = fold(line)
    pieces = folded.split(b"\r\n")
    assert max(map(len, pieces)) <= 75
    assert all(piece.decode() for piece in pieces)
    assert folded.replace(b"\r\n ", b"").decode() == line


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_title_makes_a_feed_that_keeps_the_rules(title: str, name: str) -> None:
    check(framed(replace(ITEM, title=title, unit_name=name), name=name))


def test_the_hint_is_spread_over_feeds() -> None:
    hints = {
        check(framed(ITEM, subject=Subject(Scope.UNIT, f"90010{n:04}"))).one("REFRESH-INTERVAL") for n in range(200)
    }
    assert hints == {f"PT{minutes}M" for minutes in range(55, 66)}
