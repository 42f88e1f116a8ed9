"""A calendar feed as bytes: pure, so that equal facts give equal bytes (RFC 5545, RFC 7986).

Written by hand, because a client must get exactly these octets: own escaping, folding by octets between characters.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

from api.words import date_basis
from ledger.civil import civil_date
from ledger.queries.feed import Feed, FeedBacklog, FeedItem
from policy_models.calendars import Calendars
from policy_models.lifecycle import OWED, State
from policy_models.periods import period_name, section_name
from policy_models.spans import month_day, weekday_name

# Part of every stamp: raise it when the words or properties below change, or clients keep the old ones.
RENDERER_CHANGED_AT = datetime(2025, 1, 1, tzinfo=UTC)
PRODID = "-//Lucheng//Unit feed 1//ZH"
DOMAIN = "lucheng"
ALARM_HOUR = 9  # of the last work day on or before the deadline
# Clients would all poll in the same second: the hint is spread over feeds, from 55 to 65 minutes.
REFRESH_MINUTES = (55, 65)
ENDED = {State.CANCELLED: "【已取消】", State.WAIVED: "【已取消】"}
STATE_SENTENCES = {
    State.SCHEDULED: "未启动",
    State.OPEN: "待报送",
    State.SUBMITTED: "已报送，待审核",
    State.RETURNED: "已退回，请补正后重新报送",
    State.ACCEPTED: "已办结",
    State.WAIVED: "已豁免，无须报送",
    State.CANCELLED: "已取消，无须报送",
}
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


def render(feed: Feed, *, base_url: str, alarm: bool = True) -> bytes:
    """The feed of a unit: CRLF, UTF-8, at most 75 octets a line, one VEVENT for each dated item.

    ``alarm``: one display alarm for each item that is still owed.
    """
    base_url = base_url.rstrip("/")
    events = [line for item in feed.items for line in _event(item, feed.calendars[_plan_of(item)], base_url, alarm)]
    for backlog in feed.backlogs:
        events += _backlog(backlog, feed, base_url)
    if not events:
        events = list(
            _notice(feed, "nothing-due", f"暂无待办 · {feed.unit_name}", "目前没有需要报送的事项。", base_url)
        )
    return _calendar(feed, events)


def render_revoked(name: str, revoked_at: datetime, *, base_url: str) -> bytes:
    """What a stopped subscription still shows for a while: one all-day notice on the day it was stopped."""
    words = "这个日历订阅已停用，不再更新。如需继续使用，请在单位页面重新订阅，并在日历软件中删除本订阅。"
    day = civil_date(revoked_at)
    summary = f"日历订阅已停用：{name}"
    event = _plain_event(
        f"revoked-{_stamp(revoked_at)}", 0, revoked_at, revoked_at, day, summary, words, f"{base_url}/units"
    )
    return _join(_head("日历订阅已停用", words, name) + list(event) + ["END:VCALENDAR"])


def content_tag(body: bytes) -> str:
    """The strong validator of a body, without quotes."""
    return hashlib.sha256(body).hexdigest()[:32]


def escape(text: str) -> str:
    """A TEXT value: control characters and lone surrogates dropped, line ends written as ``\\n``."""
    clean = _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return clean.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def fold(line: str) -> bytes:
    """A content line in UTF-8, folded so that no line has more than 75 octets and no character is split."""
    raw = line.encode()
    if len(raw) <= 75:
        return raw
    pieces, start, room = [], 0, 75
    while len(raw) - start > room:
        end = start + room
        while raw[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        pieces.append(raw[start:end])
        start, room = end, 74  # the space that begins a continuation counts
    pieces.append(raw[start:])
    return b"\r\n ".join(pieces)


def _join(lines: list[str]) -> bytes:
    return b"\r\n".join(map(fold, lines)) + b"\r\n"


def _calendar(feed: Feed, events: list[str]) -> bytes:
    name = f"{feed.unit_name} 办理时限"
    demonstration = "（演示数据）" if feed.demonstration else ""
    words = f"{'、'.join(feed.plan_titles)}{demonstration}：{feed.unit_name}的报送时限。标【推定】的日期以后可能调整。"
    return _join(_head(name, words, feed.unit_code) + events + ["END:VCALENDAR"])


def _head(name: str, words: str, seed: str) -> list[str]:
    low, high = REFRESH_MINUTES
    minutes = low + hashlib.sha256(seed.encode("utf-8", "replace")).digest()[0] % (high - low + 1)
    return [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODID}",
        "CALSCALE:GREGORIAN",
        f"NAME:{escape(name)}",
        f"X-WR-CALNAME:{escape(name)}",
        f"DESCRIPTION:{escape(words)}",
        f"X-WR-CALDESC:{escape(words)}",
        "X-WR-TIMEZONE:Asia/Shanghai",
        f"REFRESH-INTERVAL;VALUE=DURATION:PT{minutes}M",
        f"X-PUBLISHED-TTL:PT{minutes}M",
        "COLOR:teal",
    ]


def _event(item: FeedItem, calendars: Calendars, base_url: str, alarm: bool) -> Iterator[str]:
    url = f"{base_url}/items/{quote(item.key, safe=':-._~', errors='replace')}"
    stamp = _stamp(max(item.stamp, RENDERER_CHANGED_AT))
    ended = item.state in ENDED
    yield "BEGIN:VEVENT"
    yield f"UID:{escape(item.key)}@{DOMAIN}"
    yield f"DTSTAMP:{stamp}"
    yield f"LAST-MODIFIED:{stamp}"
    yield f"CREATED:{_stamp(item.created_at)}"
    yield f"SEQUENCE:{item.revision}"
    yield from _on_day(item.deadline)
    yield f"SUMMARY:{escape(_title(item, calendars))}"
    yield f"DESCRIPTION:{escape(_description(item, calendars, url))}"
    yield f"CATEGORIES:{escape(section_name(item.section))}"
    yield f"STATUS:{'CANCELLED' if ended else 'CONFIRMED'}"
    yield f"PRIORITY:{1 if item.state is State.RETURNED else 5}"
    yield f"URL:{url}"
    if alarm and item.state in OWED:
        yield from _alarm(item, calendars)
    yield "END:VEVENT"


def _title(item: FeedItem, calendars: Calendars) -> str:
    mark = ENDED.get(item.state) or ("✓ " if item.state is State.ACCEPTED else "")
    inferred = "【推定】" if item.inferred else ""
    return f"{mark}{inferred}{_matter(item, calendars)} · {item.unit_name}"


def _matter(item: FeedItem, calendars: Calendars) -> str:
    period = period_name(item.period, calendars)
    return f"{section_name(item.section)} {item.title}{f'（{period}）' if period else ''}"


def _description(item: FeedItem, calendars: Calendars, url: str) -> str:
    lines = [f"时限：{_written(item.deadline)}"]
    if item.remind_by != item.deadline:
        lines.append(f"请于{_written(item.remind_by)}前报送")
    if item.planned:
        lines.append(f"原定：{_written(item.planned)}")
    lines += [f"日期依据：{date_basis(item.why, item.doubted)}", f"状态：{STATE_SENTENCES[item.state]}"]
    if item.reason and item.state in (State.RETURNED, State.WAIVED):
        lines.append(f"说明：{item.reason}")
    return "\n".join([*lines, url])


def _alarm(item: FeedItem, calendars: Calendars) -> Iterator[str]:
    yield "BEGIN:VALARM"
    yield f"UID:alarm-{hashlib.sha256(item.key.encode('utf-8', 'replace')).hexdigest()[:24]}@{DOMAIN}"
    yield "ACTION:DISPLAY"
    yield f"TRIGGER:{_trigger((item.deadline - item.remind_by).days)}"
    yield f"DESCRIPTION:{escape(f'请于今日报送：{_matter(item, calendars)}')}"
    yield "END:VALARM"


def _trigger(days_before: int) -> str:
    """From the midnight that begins the deadline to ALARM_HOUR of the day so many days before."""
    if not days_before:
        return f"PT{ALARM_HOUR}H"
    whole, hours = days_before - 1, 24 - ALARM_HOUR
    return f"-P{whole}DT{hours}H" if whole else f"-PT{hours}H"


def _backlog(backlog: FeedBacklog, feed: Feed, base_url: str) -> Iterator[str]:
    summary = f"待补录 {backlog.count} 件 · {feed.unit_name}"
    words = "方案启用前的事项，请在方便时补录佐证材料；不催办，不计逾期。"
    uid = f"{backlog.plan_code}:backfill:{feed.unit_code}"
    url = f"{base_url}/units/{quote(feed.unit_code, errors='replace')}"
    created, stamp = backlog.created_at, max(backlog.stamp, feed.stamp)
    return _plain_event(uid, backlog.revision, created, stamp, backlog.go_live_on, summary, words, url)


def _notice(feed: Feed, kind: str, summary: str, words: str, base_url: str) -> Iterator[str]:
    url = f"{base_url}/units/{quote(feed.unit_code, errors='replace')}"
    return _plain_event(f"{kind}:{feed.unit_code}", 0, None, feed.stamp, civil_date(feed.stamp), summary, words, url)


def _plain_event(
    uid: str, revision: int, created: datetime | None, stamp: datetime, day: date, summary: str, words: str, url: str
) -> Iterator[str]:
    moved = _stamp(max(stamp, RENDERER_CHANGED_AT))
    yield "BEGIN:VEVENT"
    yield f"UID:{escape(uid)}@{DOMAIN}"
    yield f"DTSTAMP:{moved}"
    yield f"LAST-MODIFIED:{moved}"
    if created:
        yield f"CREATED:{_stamp(created)}"
    yield f"SEQUENCE:{revision}"
    yield from _on_day(day)
    yield f"SUMMARY:{escape(summary)}"
    yield f"DESCRIPTION:{escape(f'{words}{chr(10)}{url}')}"
    yield "STATUS:CONFIRMED"
    yield f"URL:{url}"
    yield "END:VEVENT"


def _on_day(day: date) -> Iterator[str]:
    yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}"
    yield "TRANSP:TRANSPARENT"


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _written(day: date) -> str:
    return f"{day.year}年{month_day(day)}({weekday_name(day)})"


def _plan_of(item: FeedItem) -> str:
    return item.key.split(":", 1)[0]
