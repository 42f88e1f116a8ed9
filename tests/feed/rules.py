"""What a feed's bytes must be, read without a parser that would forgive (RFC 5545 §3, RFC 7986, and our own rules)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

ESCAPED = re.compile(r"(?:[^\\,;]|\\[\\,;nN])*")
PROPERTY = re.compile(r"(?P<name>[A-Z0-9-]+)(?P<parameters>(?:;[A-Z0-9-]+=[^:;]+)*):(?P<value>.*)", re.S)
WORDED = {"SUMMARY", "DESCRIPTION", "NAME", "X-WR-CALNAME", "X-WR-CALDESC", "CATEGORIES"}
CALENDAR_NEEDS = ("PRODID", "CALSCALE", "NAME", "X-WR-CALNAME", "REFRESH-INTERVAL", "X-PUBLISHED-TTL")
TODO_NEEDS = ("UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "SUMMARY", "DUE", "STATUS", "URL")
EVENT_NEEDS = ("UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "SUMMARY", "DTSTART", "DTEND", "TRANSP", "STATUS", "URL")
NEVER = {"METHOD", "ORGANIZER", "TIMEZONE-ID", "SOURCE", "RRULE", "RDATE", "EXDATE", "DUE", "ATTENDEE"}


@dataclass
class Part:
    """A component with its properties (name with parameters → values) and the parts inside it."""

    kind: str
    properties: dict[str, list[str]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    def one(self, name: str) -> str:
        """The value of a property that stands exactly once, whatever its parameters."""
        [value] = [value for key, values in self.properties.items() if key.split(";")[0] == name for value in values]
        return value

    def names(self) -> Counter[str]:
        return Counter(key.split(";")[0] for key, values in self.properties.items() for _ in values)


def unfolded(raw: bytes) -> list[str]:
    """The content lines. Raises AssertionError where the octets themselves are wrong."""
    assert raw.endswith(b"\r\n")
    lines = raw[:-2].split(b"\r\n")
    for line in lines:
        assert 0 < len(line) <= 75, line
        text = line.decode("utf-8")  # a fold inside a character would fail here
        assert not re.search("[\x00-\x08\x0a-\x1f\x7f\ufeff\ud800-\udfff]", text), line
    return re.sub(r"\r\n ", "", raw[:-2].decode()).split("\r\n")


def read(raw: bytes) -> Part:
    """The calendar, checked line by line."""
    stack = [Part("")]
    for line in unfolded(raw):
        found = PROPERTY.fullmatch(line)
        assert found, line
        name, value = found["name"], found["value"]
        if name == "BEGIN":
            stack.append(Part(value))
        elif name == "END":
            part = stack.pop()
            assert part.kind == value
            stack[-1].parts.append(part)
        else:
            assert name not in WORDED or ESCAPED.fullmatch(value), line
            stack[-1].properties.setdefault(name + found["parameters"], []).append(value)
    [root] = stack
    [calendar] = root.parts
    return calendar


def check(raw: bytes) -> Part:
    """The calendar of a feed that keeps every rule; AssertionError names the first that it breaks."""
    assert raw.startswith(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    calendar = read(raw)
    assert calendar.kind == "VCALENDAR"
    names = calendar.names()
    assert [name for name in CALENDAR_NEEDS if names[name] != 1] == []
    for hint in ("REFRESH-INTERVAL", "X-PUBLISHED-TTL"):
        assert re.fullmatch(r"PT(5[5-9]|6[0-5])M", calendar.one(hint))
    assert calendar.parts, "a client does not apply an empty calendar"
    assert len({part.one("UID") for part in calendar.parts}) == len(calendar.parts)
    [kind] = {part.kind for part in calendar.parts}
    for part in [calendar, *calendar.parts]:
        assert not NEVER - ({"DUE"} if part.kind == "VTODO" else set()) & set(part.names())
    for part in calendar.parts:
        check_event(part) if kind == "VEVENT" else check_todo(part)
    return calendar


def check_todo(todo: Part) -> None:
    names = todo.names()
    assert todo.kind == "VTODO"
    assert [name for name in TODO_NEEDS if names[name] != 1] == []
    assert max(names.values()) == 1
    assert not {"DTSTART", "DTEND", "TRANSP"} & set(names)
    assert "DUE;VALUE=DATE" in todo.properties
    assert todo.one("DTSTAMP") == todo.one("LAST-MODIFIED")
    assert todo.one("STATUS") in {"NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED"}
    assert (names["COMPLETED"] == 1) == (todo.one("STATUS") == "COMPLETED")
    assert unescape(todo.one("DESCRIPTION")).splitlines()[-1] == todo.one("URL")
    for alarm in todo.parts:
        assert alarm.one("ACTION") == "DISPLAY"
        [trigger] = alarm.properties["TRIGGER;RELATED=END"]  # a to-do has no start to count from
        assert re.fullmatch(r"PT9H|-PT15H|-P\d+DT15H", trigger)
        assert todo.one("STATUS") == "NEEDS-ACTION"


def check_event(event: Part) -> None:
    names = event.names()
    assert [name for name in EVENT_NEEDS if names[name] != 1] == []
    assert max(names.values()) == 1
    assert re.fullmatch(r"\d{8}T\d{6}Z", event.one("DTSTAMP"))
    assert event.one("DTSTAMP") == event.one("LAST-MODIFIED")
    assert "DTSTART;VALUE=DATE" in event.properties
    assert "DTEND;VALUE=DATE" in event.properties
    assert event.one("DTSTART") < event.one("DTEND")
    assert event.one("TRANSP") == "TRANSPARENT"
    assert re.match(r"https?://", event.one("URL"))
    if "DESCRIPTION" in names:
        assert unescape(event.one("DESCRIPTION")).splitlines()[-1] == event.one("URL")
    for alarm in event.parts:
        assert alarm.kind == "VALARM"
        assert alarm.one("ACTION") == "DISPLAY"
        assert alarm.one("DESCRIPTION")
        assert re.fullmatch(r"PT9H|-PT15H|-P\d+DT15H", alarm.one("TRIGGER"))
        assert event.one("STATUS") == "CONFIRMED"
        assert not event.one("SUMMARY").startswith(("✓", "【已取消】"))


def unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text)


def events(raw: bytes) -> Iterator[tuple[str, Part]]:
    """Every event by its UID."""
    yield from ((event.one("UID"), event) for event in check(raw).parts)
