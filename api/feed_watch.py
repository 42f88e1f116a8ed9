"""Which feeds may have changed: the ledger's marks turned into ticks of topics. One look is one statement where nothing
changed; what an item's change touches is its unit, every unit above it, its line of work, its task and its phase."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from enum import Enum

from ledger import feed_changes
from ledger.database import Session
from ledger.feed_changes import LOGS, Marks, Touched, UnitMark
from policy_models.feeds import Scope, Subject

LAG_SECONDS = 11 * 60  # no transaction of the web or a flow stays open longer: see ledger/database.py
FIRST_LOOK_BACK = 10_000  # ids below the newest that may still appear when a process starts
MOST_IDS = 20_000  # more new ids than this: everything counts as changed
EVERYTHING, PEOPLE, UNITS = "*", "people", "units"


class Tokens(Enum):
    """Which tokens changed between two looks: none, new or stopped ones, or perhaps any."""

    NONE = "none"
    NEW = "new"
    ALL = "all"


class Watch:
    """``tick`` counts looks that found a change. Written by one thread at a time, read by any."""

    def __init__(self) -> None:
        self.tick = 0
        self._ticks: dict[str, int] = {}
        self._floors = dict.fromkeys(LOGS, 0)
        self._passed: dict[str, deque[tuple[float, int]]] = {name: deque() for name in LOGS}
        self._seen: dict[str, frozenset[int]] = {}
        self._marks: Marks | None = None
        self._units: dict[str, UnitMark] = {}

    def changed_since(self, tick: int, topics: Iterable[str]) -> bool:
        """Whether one of the topics, or everything, changed after a tick."""
        ticks = self._ticks
        return tick < ticks.get(EVERYTHING, 0) or any(tick < ticks.get(topic, 0) for topic in topics)

    @property
    def token_floor(self) -> int:
        """Every token below was there at the last look but one."""
        return self._floors["token"]

    def look(self, session: Session) -> Tokens:
        """Read the marks, and note what changed since the last look; which tokens are to be read anew.

        Raises what the database raises; nothing is half noted then.
        """
        before = self._marks
        if before is None:
            self._begin(session)
            return Tokens.ALL
        found = feed_changes.marks(session, self._floors)
        if found == before:
            self._raise_floors(found)
            return Tokens.NONE
        topics, seen = set[str](), dict(self._seen)
        units = feed_changes.unit_marks(session) if found.units != before.units else self._units
        topics |= _of_units(self._units, units)
        for name in LOGS:
            if found.logs[name] != before.logs[name]:
                seen[name] = feed_changes.ids_above(session, name, self._floors[name])
                topics |= (
                    set() if name == "token" else self._of_log(session, name, seen[name] - self._seen[name], units)
                )
        topics |= {PEOPLE} if found.people != before.people else set()
        if (found.plans, found.rounds) != (before.plans, before.rounds):
            topics.add(EVERYTHING)
        self._note(topics)
        self._seen, self._units, self._marks = seen, units, found
        self._raise_floors(found)
        if found.plans != before.plans:  # another coordinator sees other things
            return Tokens.ALL
        own = (found.logs["token"], found.revoked) != (before.logs["token"], before.revoked)
        return Tokens.NEW if own else Tokens.NONE

    def _begin(self, session: Session) -> None:
        newest = feed_changes.marks(session, self._floors)
        floors = {name: max(0, log.newest - FIRST_LOOK_BACK) for name, log in newest.logs.items()}
        self._seen = {name: feed_changes.ids_above(session, name, floor) for name, floor in floors.items()}
        self._units = feed_changes.unit_marks(session)
        self._floors = floors
        self._marks = feed_changes.marks(session, floors)
        self.tick += 1

    def _of_log(self, session: Session, name: str, new: frozenset[int], units: dict[str, UnitMark]) -> set[str]:
        if len(new) > MOST_IDS:
            return {EVERYTHING}
        where = feed_changes.touched(session, name, new)
        return {topic for one in where for topic in _of_item(one, units)}

    def _note(self, topics: Iterable[str]) -> None:
        tick = self.tick + 1
        for topic in topics:
            self._ticks[topic] = tick
        self.tick = tick

    def _raise_floors(self, found: Marks) -> None:
        """Forget what lies so far back that nothing can appear below it any more."""
        now, moved = time.monotonic(), False
        for name, log in found.logs.items():
            passed = self._passed[name]
            if not passed or passed[-1][1] != log.newest:
                passed.append((now, log.newest))
            while len(passed) > 1 and passed[1][0] < now - LAG_SECONDS:
                passed.popleft()
            if passed[0][0] < now - LAG_SECONDS and passed[0][1] > self._floors[name]:
                self._floors[name], moved = passed[0][1], True
                self._seen[name] = frozenset(id for id in self._seen[name] if id > self._floors[name])
        if moved:
            logs = {n: feed_changes.Log(found.logs[n].newest, len(self._seen[n])) for n in LOGS}
            self._marks = Marks(logs, found.revoked, found.units, found.plans, found.people, found.rounds)


def topics_of(subject: Subject, units: Iterable[str]) -> tuple[str, ...]:
    """Whose changes concern a feed. ``units``: of a person's."""
    target, of = subject.target, subject.scope
    if of is Scope.UNIT:
        return (f"u:{target}",)
    if of is Scope.BELOW:
        return (f"b:{target}",)
    if of is Scope.FUNCTION:
        return (f"f:{target}", UNITS)
    if of is Scope.PERSON:
        return (PEOPLE, *(f"u:{code}" for code in units))
    return (f"{'t' if of is Scope.TASK else 'p'}:{subject.plan_id}:{target}", UNITS)


def _of_item(one: Touched, units: dict[str, UnitMark]) -> Iterator[str]:
    yield from _of_unit(one.unit, units)
    yield f"t:{one.plan_id}:{one.task}"
    yield f"p:{one.plan_id}:{one.phase}"


def _of_unit(code: str, units: dict[str, UnitMark]) -> Iterator[str]:
    yield f"u:{code}"
    if code in units and units[code].function:
        yield f"f:{units[code].function}"
    above: str | None = code
    passed: set[str] = set()
    while above is not None and above not in passed:
        passed.add(above)
        yield f"b:{above}"
        above = units[above].parent if above in units else None


def _of_units(before: dict[str, UnitMark], after: dict[str, UnitMark]) -> set[str]:
    """The topics of units that changed, where they stood and where they stand."""
    changed = [code for code, mark in after.items() if before.get(code) != mark]
    if not changed:
        return set()
    return {UNITS, *(topic for code in changed for units in (before, after) for topic in _of_unit(code, units))}
