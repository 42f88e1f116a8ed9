"""A believable city: what its units might have handed in over two and a half years. All of it is invented.

Seeded, so that every demonstration shows the same board. Counts only, as everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from ledger import evenings, feed_tokens, history, issuing, loading, marks, outbox, reminders, rounds, tally
from ledger.acts import SYSTEM, Actor
from ledger.civil import at_hour
from ledger.database import Database
from ledger.history import PastAct
from lucheng import demo_accounts, demo_circulars, demo_people, demo_rounds
from notifications.render import render
from policy_models.calendars import WorkCalendar
from policy_models.evidence import Evidence
from policy_models.lifecycle import Act
from policy_models.plan import EvidenceRule, EvidenceType, Level, Requirement
from policy_models.plan_file import Pack
from policy_models.units import Unit, Units
from policy_models.work_items import WorkItem, work_items

VIRTUAL_DAY = date(2026, 9, 24)
GO_LIVE = date(2024, 5, 6)
SEED = 150200
# How a county works, by the last digits of its code: most well, two with trouble that a board must make visible.
DILIGENCE = {"150205": 0.90, "150206": 0.86, "150222": 0.93}
USUAL_DILIGENCE = 0.975
# Since when the two have had it: (county, tasks) whose items of late mostly stay undone.
TROUBLE = {("150206", 8), ("150206", 5), ("150222", 8), ("150205", 14), ("150205", 13), ("150222", 16)}
TROUBLE_SINCE = date(2026, 7, 15)
RETURN_SHARE = 0.05  # submissions sent back once
WAIVED_SHARE = 0.004
FORGOTTEN_AFTER = 120  # days: what is older was handed in late at some time
REASONS = ("缺签到表", "指标与上期不一致，请核对", "照片不能说明活动内容", "未写明参加人数")
WAIVERS = ("本辖区本期无此情形", "因整村搬迁停办")
TEXTS = {
    EvidenceType.PHOTO: "现场照片（演示）",
    EvidenceType.DOCUMENT: "工作材料（演示）",
    EvidenceType.SIGN_IN: "签到表（演示）",
    EvidenceType.LINK: "https://example.org/demo",
    EvidenceType.TEXT: "已按要求完成（演示文字）",
}


def morning(day: date) -> datetime:
    """09:10 in Shanghai on a day, as a UTC instant: when the demonstration believes to be opened."""
    return at_hour(day, 9, 10)


def build(database: Database, pack: Pack, day: date, *, base_url: str) -> Iterator[float]:
    """Build the whole ledger of a demonstration in a migrated, empty database; yields the share done, 0 to 1."""
    now = morning(day)
    with database.write() as session:
        loading.load_plan(session, pack, now=at_hour(GO_LIVE, 8, 30), go_live_on=GO_LIVE, demonstration=True)
    yield 0.15
    acts = list(invent(pack, day))
    yield 0.4
    with database.write() as session:
        history.record_history(session, pack.plan.code, acts)
    yield 0.7
    demo_rounds.play(database, pack, day)
    yield 0.9
    with database.write() as session:
        demo_people.settle(session, pack.units, at_hour(GO_LIVE, 9))
        demo_accounts.open_accounts(session, pack, at_hour(GO_LIVE, 9))
        issuing.issue_due(session, pack.plan.code, as_of=day, now=now)
        rounds.open_due(session, pack.plan.code, now=now)
        tally.compact(session, pack.plan.code)
        while evenings.keep(session, pack.plan.code, now=now):
            pass
        reminders.queue_due(session, pack.plan.code, as_of=day, now=now)
        feed_tokens.create(session, pack.plan.organs[pack.plan.coordinator], "演示", now)
        marks.mark(session, "sweep", as_of=day, now=now)
    yield 0.95
    demo_circulars.issue_last(database, pack, day, lambda at: _tell(database, at, base_url))
    _tell(database, now, base_url)
    yield 1.0


def _tell(database: Database, now: datetime, base_url: str) -> None:
    """Put the day's reminders into the units' inboxes, as the delivery flow does."""
    while True:
        with database.claim() as session:
            claimed = outbox.claim(session, now=now, by="demo", limit=500)
            for message in claimed:
                if message.notice is None:
                    raise RuntimeError(f"{message.key}: {message.fault}")
                words = render(message.kind, message.notice, base_url=base_url)
                outbox.record_sent(session, message.id, subject=words.subject, body=words.body, now=now)
        if not claimed:
            return


@dataclass(frozen=True)
class _City:
    pack: Pack
    units: Units
    work: WorkCalendar
    day: date
    chance: random.Random
    requirements: dict[str, Requirement]


def invent(pack: Pack, day: date) -> Iterator[PastAct]:
    """The acts of every item that has opened by ``day``, in the order of each item."""
    requirements = {r.code: r for _, r in pack.plan.requirements()}
    city = _City(pack, pack.units, pack.calendars.work, day, random.Random(SEED), requirements)
    written_out = {item.key for item in demo_rounds.report_items(pack, day)}
    for item in work_items(pack.plan, pack.units, pack.calendars):
        if item.key in written_out:  # the rounds open it and tell the rest
            continue
        if item.opens_on <= day:
            yield from _life(city, item)


def _life(city: _City, item: WorkItem) -> Iterator[PastAct]:
    opened = max(item.opens_on, GO_LIVE)
    yield PastAct(item.key, Act.ISSUE, SYSTEM, at_hour(opened, 7, 35))
    unit, chance = city.units[item.unit], city.chance
    reviewer = _office(city, city.units.superior(unit))
    if chance.random() < WAIVED_SHARE:
        at = _working_hour(city, min(city.day - timedelta(days=1), max(opened, item.deadline)))
        why = chance.choice(WAIVERS)
        if opened < city.day:  # the virtual day is only in its morning
            yield PastAct(item.key, Act.WAIVE, _office(city, None), at, why)
        return
    day = _submitted_on(city, item, unit, opened)
    evidence = _evidence(city, item)
    if day is None or day > city.day or (day == city.day):
        return
    by = _office(city, item.unit)
    yield PastAct(item.key, Act.SUBMIT, by, _working_hour(city, day), None, evidence)
    day = city.work.shift(day, chance.choice((1, 1, 2, 3, 5)))
    if chance.random() < RETURN_SHARE and day < city.day:
        yield PastAct(item.key, Act.SEND_BACK, reviewer, _working_hour(city, day), chance.choice(REASONS))
        day = city.work.shift(day, chance.choice((1, 2, 3)))
        if day >= city.day:
            return
        yield PastAct(item.key, Act.SUBMIT, by, _working_hour(city, day), "已补充", evidence)
        day = city.work.shift(day, chance.choice((1, 2)))
    if day < city.day:
        yield PastAct(item.key, Act.ACCEPT, reviewer, _working_hour(city, day))


def _submitted_on(city: _City, item: WorkItem, unit: Unit, opened: date) -> date | None:
    """Mostly in the last stretch before ``remind_by``, sometimes late, seldom not at all."""
    chance = city.chance
    county = city.units.county_of(unit.code) or ""
    diligence = DILIGENCE.get(county, USUAL_DILIGENCE)
    if (county, item.task) in TROUBLE and item.deadline > TROUBLE_SINCE and chance.random() < 0.45:
        return None
    if chance.random() < diligence:
        span = max(0, (item.remind_by - opened).days)
        return city.work.on_or_before(item.remind_by - timedelta(days=int(span * chance.betavariate(1.2, 4))))
    if (city.day - item.deadline).days > FORGOTTEN_AFTER or chance.random() < 0.7:
        return city.work.shift(item.deadline, chance.choice((1, 2, 3, 4, 6, 9, 15, 25)))
    return None


def _working_hour(city: _City, day: date) -> datetime:
    return at_hour(day, city.chance.randrange(9, 17), city.chance.randrange(60))


def _office(city: _City, code: str | None) -> Actor:
    code = code or city.pack.plan.organs[city.pack.plan.coordinator]
    unit = city.units[code]
    desk = "儿童主任" if unit.level is Level.VILLAGE else "儿童督导员" if unit.level is Level.TOWNSHIP else "联络员"
    return Actor(code, f"{unit.name}{desk}")


def _evidence(city: _City, item: WorkItem) -> tuple[Evidence, ...]:
    requirement = city.requirements[item.requirement]
    size = {Level.VILLAGE: 18, Level.TOWNSHIP: 120, Level.COUNTY: 400}.get(city.units[item.unit].level, 2500)
    pieces = []
    for rule in requirement.evidence:
        if rule.type is EvidenceType.MEASURE:
            pieces.append(_measure(city, rule, size))
        else:
            pieces += [Evidence(rule.type, text=TEXTS[rule.type])] * rule.min
    return tuple(pieces)


def _measure(city: _City, rule: EvidenceRule, size: int) -> Evidence:
    of = city.chance.randint(max(1, size // 3), size)
    if rule.of is None:
        target = int("".join(c for c in rule.target or "" if c.isdigit()) or 0)
        value = target + city.chance.randint(0, max(1, target // 10)) if target else max(1, of // 6)
        return Evidence(rule.type, rule.name, Decimal(value))
    value = of if rule.target == "100%" or city.chance.random() < 0.8 else of - city.chance.randint(0, max(1, of // 8))
    return Evidence(rule.type, rule.name, Decimal(value), Decimal(of))
