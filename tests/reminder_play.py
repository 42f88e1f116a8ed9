"""Years of a plan in a city that reports, returns and asks for time as it comes, by a seed: played day by day in the
ledger and in the oracle, so that both can be compared."""

from __future__ import annotations

import csv
import heapq
import random
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

from sqlalchemy import select

from ledger import extensions, outbox, reviews
from ledger.acts import Actor, act_on, standing
from ledger.civil import SHANGHAI
from ledger.database import Session, refresh_statistics
from ledger.issuing import issue_due
from ledger.loading import load_plan
from ledger.reminders import queue_due
from ledger.tables import outbox as outbox_table
from ledger.tables import outbox_line, person, work_item
from policy_models.channels import ChannelKind
from policy_models.lifecycle import Act
from policy_models.plan import Requirement
from policy_models.plan_file import BUNDLED, Pack, load_pack
from tests.factories import instant, query
from tests.reminder_oracle import DAY, MAKE_UP_2027, OFF_2027, Oracle, Owed, Somebody
from tests.staff import add_staff, confirm_channel

LOADED = instant("2024-04-26")
COUNTY, TOWN, VILLAGES = "150203", 1, 3
FESTIVALS_2027 = ["new_year", "spring_festival", "qingming", "labour_day"]
LATER_2027 = [("dragon_boat", "2027-06-09", 1), ("mid_autumn", "2027-09-15", 1), ("national_day", "2027-10-01", 7)]
TABLES = ("work_item", "entry", "reminder", "outbox", "outbox_line", "person", "person_address", "extension")
MORNING, OPENING = time(7, 30), time(8, 41)
CLAIMS = (time(12), time(18, 30))


@dataclass(frozen=True)
class Mail:
    """E-mail as its settings have it, fast enough to hold nothing back."""

    code: str = "email"
    kind: ChannelKind = ChannelKind.EMAIL
    digest: str = "d" * 64
    per_minute: int | None = 100_000


WAYS = {"inbox": outbox.Inbox(), "email": Mail()}


def small_city(folder: Path) -> Pack:
    """The bundled plan with its departments, one county, one township and three villages, and a notice for 2027."""
    shutil.copytree(BUNDLED, folder, dirs_exist_ok=True)
    rows = list(csv.DictReader((BUNDLED / "units.csv").read_text(encoding="utf-8").splitlines()))
    kept = [row for row in rows if row["level"] == "city" or row["code"] == COUNTY or row["parent"] == COUNTY]
    towns = [row["code"] for row in kept if row["level"] == "township"][:TOWN]
    kept = [row for row in kept if row["level"] != "township" or row["code"] in towns]
    kept += [row for row in rows if row["parent"] in towns][:VILLAGES]
    with (folder / "units.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(kept)
    (folder / "calendars/holidays/2027.yaml").write_text(notice_2027(), encoding="utf-8")
    return load_pack(folder)


def notice_2027() -> str:
    blocks = [*((name, *block) for name, block in zip(FESTIVALS_2027, OFF_2027, strict=True)), *LATER_2027]
    lines = ["year: 2027", "source: 试验用的通知", "days_off:"]
    for name, first, days in blocks:
        last = date.fromisoformat(first) + (days - 1) * DAY
        lines.append(f"  - {{festivals: [{name}], first: {first}, last: {last}}}")
    return "\n".join([*lines, f"make_up: [{', '.join(MAKE_UP_2027)}]", ""])


@dataclass
class Play:
    """``stopped``: civil days on which no flow runs, while people go on working. ``mornings``: what matters on each
    day on which they run."""

    session: Session
    pack: Pack
    seed: str
    go_live: date
    stopped: Collection[date] = ()
    done: Counter[str] = field(default_factory=Counter)
    acted: int = 0
    mornings: dict[date, list[tuple[str, date, int, str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.code, self.coordinator = self.pack.plan.code, self.pack.plan.organs[self.pack.plan.coordinator]
        load_plan(self.session, self.pack, now=LOADED, go_live_on=self.go_live)
        confirm_channel(self.session, "email", "email", LOADED)
        self.oracle = Oracle(self.go_live, self.coordinator, self._items(), list(self._people()))
        self.chance = {key: random.Random(f"{self.seed}:{key}") for key in self.oracle.items}
        self.agenda: list[tuple[datetime, str, str]] = []
        self.asked: dict[str, tuple[int, date]] = {}
        for item in self.oracle.items.values():
            self._plan_ahead(item)

    def _items(self) -> dict[str, Owed]:
        rhythms = {r.code: _rhythm(r) for _, r in self.pack.plan.requirements()}
        rows = query(
            self.session,
            "SELECT w.key, w.unit_code, u.superior, r.code, w.opens_on, w.deadline FROM work_item w "
            "JOIN unit u ON u.code = w.unit_code JOIN requirement r ON r.id = w.requirement_id ORDER BY w.key",
        )
        return {
            key: Owed(key, unit, superior, rhythms[code], _day(opens), _day(due), _day(due) < self.go_live)
            for key, unit, superior, code, opens, due in rows
        }

    def _people(self) -> Iterator[Somebody]:
        """Some units have nobody, some only people who cannot be reached, some one person for everything."""
        chance = random.Random(f"{self.seed}:people")
        units = query(self.session, "SELECT code FROM unit ORDER BY code")
        for n, (unit,) in enumerate(units):
            liaison = chance.choices(["email", "late", "inbox", "bounced", "left", ""], [60, 8, 8, 8, 8, 8])[0]
            if unit == self.coordinator:
                liaison = "email"
            both = chance.random() < 0.2
            if liaison:
                yield self._person(unit, f"甲{n}", liaison, {"liaison", "principal"} if both else {"liaison"})
            if not both and chance.random() < 0.7:
                yield self._person(unit, f"乙{n}", chance.choice(["email", "email", "bounced"]), {"principal"})

    def _person(self, unit: str, name: str, kind: str, roles: set[str]) -> Somebody:
        ways = {
            "email": [("email", f"{name}@example.cn")],
            "late": [("wecom", ""), ("email", f"{name}@example.cn")],  # the first was never confirmed
            "inbox": [("inbox", ""), ("email", f"{name}@example.cn")],
            "bounced": [("email", f"{name}@example.cn"), ("wecom", "")],
            "left": [("email", f"{name}@example.cn")],
        }[kind]
        flags = {role: role in roles for role in ("liaison", "principal")}
        bounced = ["email"] if kind == "bounced" else []
        add_staff(self.session, unit, name, LOADED, ways=ways, active=kind != "left", bounced=bounced, **flags)
        way = {"email": "email", "late": "email", "inbox": "inbox"}.get(kind, "")
        return Somebody(unit, name, frozenset(roles), way)

    def _plan_ahead(self, item: Owed) -> None:
        chance = self.chance[item.key]
        if chance.random() < 0.8:
            self._soon(item, "submit", max(item.opens_on, item.deadline + chance.randint(-25, 25) * DAY))
        if chance.random() < 0.15:
            self._soon(item, "ask", item.deadline - chance.randint(0, 8) * DAY)

    def _soon(self, item: Owed, act: str, day: date) -> None:
        chance = self.chance[item.key]
        hour = chance.choices([5, 8, chance.randint(9, 17), 20], [5, 10, 75, 10])[0]
        heapq.heappush(self.agenda, (datetime.combine(day, time(hour, 5)), item.key, act))

    def run(self, first: date, last: date) -> None:
        """Day by day; what somebody would have done before is not done."""
        self.agenda = [one for one in self.agenda if one[0].date() >= first]
        heapq.heapify(self.agenda)
        day = first
        while day <= last:
            for moment in (MORNING, OPENING, *CLAIMS):
                self._act_until(datetime.combine(day, moment))
                if day not in self.stopped:
                    self._flows(day, moment)
            self._act_until(datetime.combine(day, time(23, 59)))
            if day.day == 1:  # nothing is committed here, so PostgreSQL does not count by itself
                refresh_statistics(self.session, *TABLES)
            self.done["days"] += 1
            day += DAY

    def _flows(self, day: date, moment: time) -> None:
        """The sweep in the morning and, when people have begun, the reminders once more: nearly always in vain."""
        now = instant(day, moment.hour, moment.minute)
        if moment is MORNING:
            issue_due(self.session, self.code, as_of=day, now=now)
            self.oracle.issue(day)
        acted = self.done.total() - self.done["days"]
        if moment is MORNING or (moment is OPENING and (acted != self.acted or day.day % 7 == 0)):
            queue_due(self.session, self.code, as_of=day, now=now)
            self.oracle.remind(day)
        if moment is MORNING:
            self.mornings[day] = list(self.oracle.matters(day))
        self.acted = acted
        if not self.oracle.waiting:
            return  # a message too many in the ledger is found by its state in the end
        claimed = outbox.claim(self.session, now=now, by="play", ways=WAYS, limit=5000)
        sent = [outbox.Sent(one.id, "题", "文") for one in claimed]
        assert outbox.record_all(self.session, sent, now=now) == len(sent)
        self.oracle.send(datetime.combine(day, moment))

    def _act_until(self, moment: datetime) -> None:
        while self.agenda and self.agenda[0][0] < moment:
            at, key, act = heapq.heappop(self.agenda)
            getattr(self, f"_{act}")(self.oracle.items[key], at)

    def _submit(self, item: Owed, at: datetime) -> None:
        if item.state == "scheduled":  # nobody had opened it yet
            self._soon(item, "submit", at.date() + DAY)
        if not item.is_owed:
            return
        found = standing(self.session, item.key)
        facts = {} if found.first_submitted_on else {"first_submitted_on": at.date()}
        act_on(self.session, found, Act.SUBMIT, by=Actor(item.unit, "经办"), now=_instant(at), note=None, **facts)
        item.state = "submitted"
        self.done["submitted"] += 1
        self._soon(item, "review", at.date() + self.chance[item.key].randint(1, 16) * DAY)

    def _review(self, item: Owed, at: datetime) -> None:
        chance, by = self.chance[item.key], Actor(self.coordinator, "审核")
        if chance.random() < 0.6:
            reviews.accept(self.session, item.key, by=by, now=_instant(at))
            item.state = "accepted"
            self.done["accepted"] += 1
            return
        reviews.send_back(self.session, item.key, by=by, now=_instant(at), reason="与台账不符")
        item.state, item.returned_on, item.returns = "returned", at.date(), item.returns + 1
        self.oracle.tell("returned", at.date(), item)
        self.done["returned"] += 1
        if chance.random() < 0.9:
            self._soon(item, "submit", at.date() + chance.randint(0, 20) * DAY)

    def _ask(self, item: Owed, at: datetime) -> None:
        wanted = item.deadline + self.chance[item.key].randint(5, 60) * DAY
        late = at.date() > item.deadline or wanted > self.pack.plan.ends_on
        if late or not (item.is_owed or item.state == "scheduled") or item.key in self.asked:
            return
        by = Actor(item.unit, "经办")
        facts = {"wanted": wanted, "reason": "大雪封路", "by": by, "now": _instant(at)}
        self.asked[item.key] = (extensions.request(self.session, item.key, **facts), wanted)  # type: ignore[arg-type]
        self.done["asked"] += 1
        self._soon(item, "decide", at.date() + self.chance[item.key].randint(1, 4) * DAY)

    def _decide(self, item: Owed, at: datetime) -> None:
        (id, wanted), by = self.asked.pop(item.key), Actor(self.coordinator, "审批")
        if self.chance[item.key].random() < 0.7 and (item.is_owed or item.state == "scheduled"):
            extensions.grant(self.session, id, by=by, now=_instant(at))
            item.deadline = wanted
            self.done["granted"] += 1
            self._soon(item, "ask", wanted - self.chance[item.key].randint(0, 2) * DAY)
        else:
            extensions.refuse(self.session, id, by=by, now=_instant(at), reason="时间充裕")
            self.done["refused"] += 1
        self.oracle.tell("extension", at.date(), item)


def reminders_in(session: Session) -> dict[tuple[str, date, int, str, str], tuple[str | None, date]]:
    """The ledger's reminders, as the oracle has them."""
    rows = query(
        session,
        "SELECT w.key, m.deadline, m.step, m.recipient, m.audience, m.withheld, m.as_of FROM reminder m "
        "JOIN work_item w ON w.id = m.item_id",
    )
    found = {
        (key, _day(deadline), step, recipient, audience): (withheld, _day(as_of))
        for key, deadline, step, recipient, audience, withheld, as_of in rows
    }
    assert len(found) == len(rows)
    return found


def _rhythm(requirement: Requirement) -> str:
    """What comes by the month or on an event climbs the short ladder; a date, a year and half a year the long one."""
    every = requirement.recurrence.every if requirement.recurrence else None
    if requirement.kind == "on_event" or every in ("month", "fortnight_in_term"):
        return "short"
    return "long" if requirement.kind == "dated" or every in ("year", "half_year", "range") else "middle"


def _day(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _instant(at: datetime) -> datetime:
    return at.replace(tzinfo=SHANGHAI)


def _wall(at: datetime | None) -> datetime | None:
    return at and at.astimezone(SHANGHAI).replace(tzinfo=None)


Told = tuple[str, str, str | None, date, str, datetime | None, frozenset[str]]


def messages_in(session: Session) -> Counter[Told]:
    """The ledger's messages, with the instants when they were sent and what they said in the end."""
    lines: dict[int, set[str]] = {}
    said = select(outbox_line.c.message_id, work_item.c.key).join(work_item, work_item.c.id == outbox_line.c.item_id)
    for id, key in session.execute(said.where(outbox_line.c.omitted.is_(None))):
        lines.setdefault(id, set()).add(key)
    people = outbox_table.outerjoin(person, person.c.id == outbox_table.c.person_id)
    found: Counter[Told] = Counter()
    for row in session.execute(select(outbox_table, person.c.name).select_from(people)):
        told = frozenset(lines[row.id]) if row.state == "sent" else frozenset()
        found[row.kind, row.recipient, row.name, row.as_of, row.state, _wall(row.sent_at), told] += 1
    return found


def messages_of(oracle: Oracle) -> Counter[Told]:
    return Counter(
        (one.kind, one.recipient, one.person, one.as_of, one.state, one.sent_at, one.said) for one in oracle.messages
    )
