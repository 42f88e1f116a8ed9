"""iCalendar as octets (RFC 5545, RFC 7986): pure, so that equal facts give equal bytes.

Written by hand, because a client must get exactly these octets: own escaping, folding by octets between characters.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from policy_models.feeds import Component

PRODID = "-//Lucheng//Unit feed 1//ZH"
DOMAIN = "lucheng"
# Clients would all poll in the same second: the hint is spread over feeds, from 55 to 65 minutes.
REFRESH_MINUTES = (55, 65)
ALARM_HOUR = 9  # of the day that the subscriber chose, by default the last work day on or before the deadline
MARKED = "TRIGGER:@"  # where the feed's own choice is written
NAMES = {Component.EVENT: "VEVENT", Component.TODO: "VTODO"}
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event or to-do, in words and civil dates. ``status``: none for what stands, as a to-do for what is done since
    ``stamp``. ``completed`` (UTC): when a to-do was done."""

    uid: str
    stamp: datetime
    sequence: int
    first: date
    last: date
    summary: str
    description: str
    url: str
    status: str = ""
    created: datetime | None = None
    categories: str = ""
    priority: int | None = None
    completed: datetime | None = None


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


def joined(lines: Iterable[str]) -> str:
    """Content lines, folded, each with its CRLF."""
    return b"".join(fold(line) + b"\r\n" for line in lines).decode()


def stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def head(name: str, words: str, seed: str) -> Iterator[str]:
    """The calendar's own properties, BEGIN included. ``seed``: what the refresh hint is spread over."""
    low, high = REFRESH_MINUTES
    minutes = low + hashlib.sha256(seed.encode("utf-8", "replace")).digest()[0] % (high - low + 1)
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield f"PRODID:{PRODID}"
    yield "CALSCALE:GREGORIAN"
    yield f"NAME:{escape(name)}"
    yield f"X-WR-CALNAME:{escape(name)}"
    yield f"DESCRIPTION:{escape(words)}"
    yield f"X-WR-CALDESC:{escape(words)}"
    yield "X-WR-TIMEZONE:Asia/Shanghai"
    yield f"REFRESH-INTERVAL;VALUE=DURATION:PT{minutes}M"
    yield f"X-PUBLISHED-TTL:PT{minutes}M"
    yield "COLOR:teal"


TAIL = "END:VCALENDAR\r\n"


def begun(entry: Entry, component: Component) -> Iterator[str]:
    """An entry up to the place of its alarm; ``ended`` closes it."""
    moved = stamp(entry.stamp)
    yield f"BEGIN:{NAMES[component]}"
    yield f"UID:{escape(entry.uid)}@{DOMAIN}"
    yield f"DTSTAMP:{moved}"
    yield f"LAST-MODIFIED:{moved}"
    if entry.created:
        yield f"CREATED:{stamp(entry.created)}"
    yield f"SEQUENCE:{entry.sequence}"
    if component is Component.EVENT:
        yield f"DTSTART;VALUE=DATE:{entry.first:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{entry.last + timedelta(days=1):%Y%m%d}"
        yield "TRANSP:TRANSPARENT"
    else:
        yield f"DUE;VALUE=DATE:{entry.last:%Y%m%d}"
    yield f"SUMMARY:{escape(entry.summary)}"
    yield f"DESCRIPTION:{escape(f'{entry.description}{chr(10)}{entry.url}')}"
    if entry.categories:
        yield f"CATEGORIES:{escape(entry.categories)}"
    yield f"STATUS:{entry.status or ('CONFIRMED' if component is Component.EVENT else 'COMPLETED')}"
    completed = entry.completed if entry.status else entry.stamp
    if component is Component.TODO and completed:  # where it is missing, KDE writes the time of its poll
        yield f"COMPLETED:{stamp(completed)}"
        yield "PERCENT-COMPLETE:100"
    if entry.priority is not None:
        yield f"PRIORITY:{entry.priority}"
    yield f"URL:{entry.url}"


def ended(component: Component) -> str:
    return f"END:{NAMES[component]}\r\n"


def alarm(uid: str, words: str, component: Component) -> Iterator[str]:
    """A display alarm whose TRIGGER is still to be written: see ``rung``. A to-do has no start to count from."""
    yield "BEGIN:VALARM"
    yield f"UID:alarm-{hashlib.sha256(uid.encode('utf-8', 'replace')).hexdigest()[:24]}@{DOMAIN}"
    yield "ACTION:DISPLAY"
    yield MARKED if component is Component.EVENT else MARKED.replace(":", ";RELATED=END:")
    yield f"DESCRIPTION:{escape(words)}"
    yield "END:VALARM"


def rung(alarm: str, days_before: int) -> str:
    """The alarm, to ring at ALARM_HOUR so many days before the day of its entry."""
    return alarm.replace(":@\r\n", f":{trigger(days_before)}\r\n", 1)


def trigger(days_before: int) -> str:
    """From the midnight that begins a day to ALARM_HOUR of the day so many days before."""
    if not days_before:
        return f"PT{ALARM_HOUR}H"
    whole, hours = days_before - 1, 24 - ALARM_HOUR
    return f"-P{whole}DT{hours}H" if whole else f"-PT{hours}H"
