"""A second reading of the rule of reminders, in its words and one day at a time. Of the product it imports nothing.

Steps are work days from the deadline; up to it they count back from the last work day before it, beyond it forward from
the deadline, or from the day of a return that came later. Of what is owed, the highest step that has come is told, once
for a deadline, step and listener, on the mornings of work days; nothing that is dated before go-live. Within 08:30 and
18:00 of work days a message may leave the machine; the inbox takes it at once. What is settled by then is left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache

import chinese_calendar

DAY = timedelta(days=1)
STEPS = {"long": (-30, -7, -3, 0, 1, 3, 7), "middle": (-7, -3, 0, 1, 3, 7), "short": (-3, 0, 1, 3, 7)}
MOST = 12  # times that one listener hears of one item
# 2027 is beyond the package: this notice is invented, and is in the pack of the play too
OFF_2027 = [("2027-01-01", 3), ("2027-02-05", 7), ("2027-04-03", 3), ("2027-05-01", 5)]
MAKE_UP_2027 = ["2027-01-31", "2027-02-13", "2027-04-25", "2027-05-08"]


@cache
def works(day: date) -> bool:
    """Whether people are at work on a day."""
    if day.year < 2027:
        return bool(chinese_calendar.is_workday(day))
    if str(day) in MAKE_UP_2027:
        return True
    off = {str(date.fromisoformat(first) + n * DAY) for first, days in OFF_2027 for n in range(days)}
    return day.weekday() < 5 and str(day) not in off


@cache
def walk(day: date, workdays: int) -> date:
    """So many work days on, or back where negative."""
    way = DAY if workdays > 0 else -DAY
    while workdays:
        day += way
        workdays -= (1 if way > timedelta(0) else -1) * works(day)
    return day


def last_workday(day: date) -> date:
    while not works(day):
        day -= DAY
    return day


@dataclass
class Owed:
    """An item as the rule sees it. ``rhythm`` names its ladder; ``past``: dated before go-live."""

    key: str
    unit: str
    superior: str | None
    rhythm: str
    opens_on: date
    deadline: date
    past: bool
    state: str = "scheduled"
    returned_on: date | None = None
    returns: int = 0

    @property
    def is_owed(self) -> bool:
        return self.state in ("open", "returned")

    def reached(self, day: date) -> int | None:
        come = [step for step in STEPS[self.rhythm] if self._comes(step) <= day]
        return max(come, default=None)

    def _comes(self, step: int) -> date:
        if step <= 0:
            return walk(last_workday(self.deadline), step)
        returned = self.returned_on if self.state == "returned" and self.returned_on else self.deadline
        return walk(max(self.deadline, returned), step)


@dataclass(frozen=True)
class Somebody:
    """A person at a unit; ``way``: "email", "inbox" (has chosen it), or "" for none that works."""

    unit: str
    name: str
    roles: frozenset[str]
    way: str


@dataclass
class Message:
    """``lines``: by item, what it said when it was queued (a deadline, or how often the item had been returned)."""

    kind: str
    recipient: str
    person: str | None
    as_of: date
    lines: dict[str, object]
    state: str = "pending"
    sent_at: datetime | None = None
    said: frozenset[str] = frozenset()


@dataclass
class Oracle:
    """What has to be told until now. ``reminders``: (item, deadline, step, recipient, audience) → (withheld, day)."""

    go_live: date
    coordinator: str
    items: dict[str, Owed]
    people: Collection[Somebody]
    reminders: dict[tuple[str, date, int, str, str], tuple[str | None, date]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    heard: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    staff: dict[str, list[Somebody]] = field(default_factory=lambda: defaultdict(list))
    waiting: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        for one in self.people:
            self.staff[one.unit].append(one)

    def issue(self, day: date) -> None:
        for item in self.items.values():
            if item.state == "scheduled" and item.opens_on <= day:
                item.state = "open"

    def listeners(self, item: Owed, step: int) -> set[tuple[str, str]]:
        """Up to a day late the unit's liaison; from three on its principal too; from seven on the liaisons of the
        superior and of the coordinator."""
        found = {(item.unit, "liaison")}
        if step >= 3:
            found.add((item.unit, "principal"))
        if step >= 7:
            found |= {(unit, "liaison") for unit in (item.superior, self.coordinator) if unit}
        return found

    def remind(self, day: date) -> None:
        if not works(day) or day < self.go_live:
            return
        told = {one.recipient for one in self.messages if one.kind == "reminder" and one.as_of == day}
        lines: list[tuple[str, str, Owed]] = []
        for item in self.items.values():
            step = item.reached(day) if item.is_owed and not item.past else None
            if step is None:
                continue
            for recipient, audience in self.listeners(item, step):
                row = (item.key, item.deadline, step, recipient, audience)
                if recipient in told or row in self.reminders:
                    continue
                withheld = self._withheld(item.key, recipient, audience)
                self.reminders[row] = (withheld, day)
                if withheld is None:
                    self.heard[item.key, recipient, audience] += 1
                if withheld != "cap":
                    lines.append((recipient, audience, item))
        self._queue("reminder", day, lines, {item.key: item.deadline for _, _, item in lines})

    def matters(self, day: date) -> Iterator[tuple[str, date, int, str, str]]:
        """What every listener of an item has to have heard of by now: the step that it has reached."""
        for item in self.items.values():
            step = item.reached(day) if item.is_owed and not item.past else None
            if step is not None:
                yield from ((item.key, item.deadline, step, *listener) for listener in self.listeners(item, step))

    def _withheld(self, key: str, recipient: str, audience: str) -> str | None:
        if self.heard[key, recipient, audience] >= MOST:
            return "cap"
        return None if any(audience in one.roles and one.way for one in self.staff[recipient]) else "nobody"

    def tell(self, kind: str, day: date, item: Owed) -> None:
        """A decision about an item, to those who report it."""
        self._queue(kind, day, [(item.unit, "liaison", item)], {item.key: item.returns})

    def _queue(self, kind: str, day: date, lines: Iterable[tuple[str, str, Owed]], facts: dict[str, object]) -> None:
        to: dict[tuple[str, str | None], dict[str, object]] = defaultdict(dict)
        for recipient, audience, item in lines:
            to[recipient, None][item.key] = facts[item.key]
            for one in self.staff[recipient]:
                if audience in one.roles and one.way == "email":
                    to[recipient, one.name][item.key] = facts[item.key]
        for (recipient, person), told in to.items():
            queued = Message(kind, recipient, person, day, told)
            if kind == "reminder":
                self._take_over(queued)
            self.messages.append(queued)
            self.waiting.append(queued)

    def _take_over(self, newest: Message) -> None:
        """What could not be sent on earlier days goes into today's message."""
        for one in self.waiting:
            if (one.kind, one.recipient, one.person) == ("reminder", newest.recipient, newest.person):
                newest.lines = {**one.lines, **newest.lines}
                one.state = "dropped"
        self.waiting = [one for one in self.waiting if one.state == "pending"]

    def send(self, now: datetime) -> None:
        """``now``: Shanghai's wall clock."""
        is_open = works(now.date()) and time(8, 30) <= now.time() < time(18)
        for one in self.waiting:
            if one.person is not None and not is_open:
                continue
            one.said = frozenset(key for key, fact in one.lines.items() if self._stands(one.kind, key, fact))
            one.state, one.sent_at = ("sent", now) if one.said else ("dropped", None)
        self.waiting = [one for one in self.waiting if one.state == "pending"]

    def _stands(self, kind: str, key: str, fact: object) -> bool:
        item = self.items[key]
        if kind == "reminder":
            return item.is_owed and item.deadline == fact
        if kind == "returned":
            return item.state == "returned" and item.returns == fact
        return item.is_owed or item.state == "scheduled"
