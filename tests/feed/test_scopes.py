"""Every scope of a feed against an independent reading of the tables, with every option, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.feed_options import read_options
from api.feed_render import render
from ledger import extensions, plans
from ledger.database import Session
from ledger.queries.feed import Feed, feed
from policy_models.errors import NotFound
from policy_models.feeds import Scope, Subject
from tests.api.site import BUREAU_ITEM, MONTHLY, VILLAGE, Site, finish, tiny_site
from tests.factories import (
    BUREAU,
    CODE,
    SCHOOLS,
    instant,
    item,
    load,
    office,
    query,
    requirement_of,
    tiny_pack,
    village,
)
from tests.feed.rules import check, events
from tests.feed.test_tokens import enrol
from tests.reporting import opened as open_rounds
from tests.reporting import with_reports

pytestmark = pytest.mark.thorough

DAY = "2025-06-03"
QUERIES = (
    "",
    "alarm=off",
    "alarm=7",
    "kind=todo",
    "open=1",
    "open=1&kind=todo",
    "tasks=2",
    "levels=village",
    "levels=county,city&tasks=1,2",
    "holidays=1",
    "holidays=1&kind=todo",
)


def changed(files: dict[str, Any]) -> None:
    with_reports(files)
    requirement_of(files, "1.2")["evidence"] = []


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """Everything that a feed may show: done, returned, extended, cancelled, open rounds."""
    with tiny_site(database_url, tmp_path / "pack", changed) as found:
        open_rounds(found.database)
        finish(found.database, MONTHLY, "2025-05-31", by=VILLAGE, reviewer="900101")
        finish(found.database, item("2.1", "9001-mz", "2025Q1"), "2025-03-31", by="9001-mz", reviewer=BUREAU)
        with found.database.write() as session:
            asked = extensions.request(
                session,
                BUREAU_ITEM,
                wanted=date(2025, 7, 15),
                reason="数据未齐",
                by=office(BUREAU),
                now=instant("2025-06-01"),
            )
            extensions.grant(session, asked, by=office(BUREAU), now=instant("2025-06-02"))
        yield found


def subjects(session: Session) -> dict[str, Subject]:
    [plan] = plans.plans(session)
    return {
        "unit": Subject(Scope.UNIT, VILLAGE),
        "bureau": Subject(Scope.UNIT, BUREAU),
        "below": Subject(Scope.BELOW, "9001"),
        "city": Subject(Scope.BELOW, "9000"),
        "function": Subject(Scope.FUNCTION, "民政"),
        "task": Subject(Scope.TASK, "2", plan.id),
        "task within": Subject(Scope.TASK, "1", plan.id, "9001"),
        "phase": Subject(Scope.PHASE, "1", plan.id),
    }


UNITS = {
    "unit": f"u.code = '{VILLAGE}'",
    "bureau": f"u.code = '{BUREAU}'",
    "below": "(u.code LIKE '9001%')",
    "city": "1 = 1",
    "function": "u.function = '民政'",
}
ROWS = (
    "SELECT w.key, w.deadline, w.state, w.revision + u.version + p.version, r.task, u.level FROM work_item w "
    "JOIN unit u ON u.code = w.unit_code JOIN plan p ON p.id = w.plan_id "
    "JOIN requirement r ON r.id = w.requirement_id WHERE w.catch_up = '' AND "
)


def shown(rows: list[tuple[Any, ...]], today: date, wanted: str) -> dict[str, tuple[str, int]]:
    """What a feed must hold of these rows: the window and the options told again in plain Python."""
    found = {}
    for key, deadline, state, sequence, task, level in rows:
        day = date.fromisoformat(str(deadline))
        owed, ended = state in ("open", "returned"), state in ("waived", "cancelled")
        near = today - timedelta(days=90) <= day <= today + timedelta(days=400)
        keeps = owed if "open=1" in wanted else owed or (near and not ended)
        keeps &= "tasks" not in wanted or task in ((2,) if "tasks=2" in wanted else (1, 2))
        keeps &= "levels" not in wanted or level in (("village",) if "levels=village" in wanted else ("county", "city"))
        if keeps:
            found[key] = (f"{day:%Y%m%d}", sequence)
    return found


@pytest.mark.parametrize("wanted", QUERIES)
@pytest.mark.parametrize("name", UNITS)
def test_every_scope_of_units_is_what_the_tables_say(site: Site, name: str, wanted: str) -> None:
    options = read_options(wanted.encode())
    with site.database.read() as session:
        facts = feed(session, subjects(session)[name], now=instant(DAY), choice=options.choice)
        rows = query(session, ROWS + UNITS[name])
    expected = shown(rows, date.fromisoformat(DAY), wanted)
    raw = render(facts, base_url="https://lucheng.example", alarm=options.alarm)
    day = "DUE" if "todo" in wanted else "DTSTART"
    found = {uid.removesuffix("@lucheng"): part for uid, part in events(raw)}
    items = {uid: (part.one(day), int(part.one("SEQUENCE"))) for uid, part in found.items() if uid in expected}
    assert items == expected
    others = {uid for uid in found if uid not in expected}
    assert all(uid.split(":")[0] in ("days-off", "make-up", "nothing-due") or ":round:" in uid for uid in others), (
        others
    )
    assert bool({uid for uid in others if uid.startswith("days-off")}) == (wanted == "holidays=1")
    alarms = [part for part in found.values() if part.parts]
    assert len(alarms) == (
        0 if wanted == "alarm=off" else sum(one.state in ("open", "returned") for one in facts.items)
    )


@pytest.mark.parametrize("wanted", QUERIES)
@pytest.mark.parametrize("name", ["task", "task within", "phase"])
def test_a_task_or_a_phase_is_told_by_its_dates(site: Site, name: str, wanted: str) -> None:
    options = read_options(wanted.encode())
    with site.database.read() as session:
        facts = feed(session, subjects(session)[name], now=instant(DAY), choice=options.choice)
        of = {"task": "r.task = 2", "task within": "r.task = 1 AND u.code LIKE '9001%'", "phase": "w.phase = 1"}[name]
        rows = query(
            session,
            "SELECT r.code, w.period, d.deadline, w.state, w.revision, r.task, u.level, p.version FROM work_item w "
            "JOIN unit u ON u.code = w.unit_code JOIN duty d ON d.id = w.duty_id JOIN plan p ON p.id = w.plan_id "
            f"JOIN requirement r ON r.id = w.requirement_id WHERE w.catch_up = '' AND {of}",
        )
    expected: dict[tuple[str, str], list[Any]] = {}
    for code, period, deadline, state, revision, task, level, version in rows:
        if "tasks" in wanted and task not in ((2,) if "tasks=2" in wanted else (1, 2)):
            continue
        if "levels" in wanted and level not in (("village",) if "levels=village" in wanted else ("county", "city")):
            continue
        group = expected.setdefault((code, period), [date.fromisoformat(str(deadline)), version, 0, 0, 0])
        group[1] += revision + 1
        group[2] += 1
        group[3] += state in ("open", "returned")
        group[4] += state == "accepted"
    today = date.fromisoformat(DAY)
    near = {
        key: tuple(group)
        for key, group in expected.items()
        if group[3] or ("open=1" not in wanted and -90 <= (group[0] - today).days <= 400)
    }
    found = {
        (one.requirement, one.period): (one.deadline, one.sequence, one.wanted, one.waiting, one.accepted)
        for one in facts.frame.groups
    }
    assert found == near
    check(render(facts, base_url="https://lucheng.example", alarm=options.alarm))


def test_a_done_group_and_what_it_says(site: Site) -> None:
    finish(site.database, item("2.1", "9002-mz", "2025Q1"), "2025-06-01", by="9002-mz", reviewer=BUREAU)
    with site.database.read() as session:
        raw = render(feed(session, subjects(session)["task"], now=instant(DAY)), base_url="https://lucheng.example")
    found = dict(events(raw))
    quarter = found[f"{CODE}:2.1:2025Q1@lucheng"]
    assert quarter.one("SUMMARY") == "✓ 任务2 事项2.1（2025年第一季度）"
    assert "进展：应报 2 件，其中已办结 2 件" in quarter.one("DESCRIPTION").replace("\\,", ",")
    assert quarter.parts == []


def shown_to(site: Site, subject: Subject, day: str = DAY) -> Feed:
    with site.database.read() as session:
        return feed(session, subject, now=instant(day))


def test_a_persons_feed_follows_the_roles(site: Site) -> None:
    with site.database.write() as session:
        own = enrol(session, VILLAGE, "甲", liaison=True)
        other = enrol(session, "9001-mz", "甲", principal=True)
        stranger = enrol(session, village(2, 1), "甲", liaison=True)  # of the same name, and nothing else in common
        for who, address in ((own, "jia@example.org"), (other, "jia@example.org"), (stranger, "x@example.org")):
            added = "INSERT INTO person_address (person_id, channel, address, position) VALUES (:p, 'email', :a, 1)"
            session.execute(text(added), {"p": who, "a": address})
    subject = Subject(Scope.PERSON, str(own))

    def units() -> set[str]:
        return {one.key.split(":")[2] for one in shown_to(site, subject).items}

    assert units() == {VILLAGE, "9001-mz"}
    assert shown_to(site, subject).frame.name == "甲"
    before = shown_to(site, subject).frame.changed_at
    with site.database.write() as session:
        change(session, other, "principal", False)
    assert units() == {VILLAGE}
    assert shown_to(site, subject).frame.changed_at >= before
    with site.database.write() as session:
        change(session, own, "active", False)
    raw = render(shown_to(site, subject), base_url="https://lucheng.example")
    [(uid, event)] = events(raw)
    assert (uid, event.one("SUMMARY")) == (f"nothing-due:person:{own}@lucheng", "暂无待办")


def change(session: Session, person: int, column: str, value: bool) -> None:
    session.execute(text(f"UPDATE person SET {column} = :value WHERE id = :id"), {"value": value, "id": person})


def test_rounds_are_told_to_those_who_submit_and_to_the_coordinator(site: Site) -> None:
    def rounds(subject: Subject) -> set[tuple[str, str, str]]:
        raw = render(shown_to(site, subject), base_url="https://lucheng.example")
        found = dict(events(raw))
        return {
            (uid.split(":")[2], part.one("SUMMARY"), part.one("DTSTART"))
            for uid, part in found.items()
            if ":round:" in uid
        }

    opening = {
        ("2025-H1", "半年报送启动（2025年上半年）", "20250601"),
        ("2025-H2", "半年报送启动（2025年下半年）", "20251116"),
    }
    closing = {
        ("2025-H1", "半年报送截止（2025年上半年）", "20250715"),
        ("2025-H2", "半年报送截止（2025年下半年）", "20251231"),
    }
    assert rounds(Subject(Scope.UNIT, SCHOOLS)) == opening
    assert rounds(Subject(Scope.UNIT, BUREAU)) == opening | closing
    assert rounds(Subject(Scope.UNIT, VILLAGE)) == set()


def test_an_extended_item_tells_its_first_date(site: Site) -> None:
    [(_, event)] = [
        pair
        for pair in events(render(shown_to(site, Subject(Scope.UNIT, BUREAU)), base_url="https://lucheng.example"))
        if pair[0] == f"{BUREAU_ITEM}@lucheng"
    ]
    assert event.one("DTSTART") == "20250715"
    assert "原定：2025年6月30日(周一)" in event.one("DESCRIPTION")


def test_a_date_that_the_plan_moved_tells_the_first_one(site: Site, tmp_path: Path) -> None:
    def later(files: dict[str, Any]) -> None:
        changed(files)
        files["plan.yaml"]["revision"] = 2
        requirement_of(files, "P1.1")["recurrence"] = {"deadline": "2025-08-20"}

    before = {one.key: one for one in shown_to(site, Subject(Scope.UNIT, "9001-mz")).items}
    load(site.database, tiny_pack(tmp_path / "second", later), now=instant("2025-06-02"))
    after = {one.key: one for one in shown_to(site, Subject(Scope.UNIT, "9001-mz")).items}
    key = item("P1.1", "9001-mz", "once")
    assert (after[key].planned, after[key].deadline) == (date(2025, 3, 31), date(2025, 8, 20))
    assert all(after[one].sequence > before[one].sequence for one in before)  # the plan's version is part of each
    assert all(after[one].stamp >= instant("2025-06-02") for one in before)


def test_what_is_not_there_is_refused(site: Site) -> None:
    with site.database.read() as session:
        for subject in (Subject(Scope.UNIT, "none"), Subject(Scope.BELOW, "none"), Subject(Scope.TASK, "1", 99)):
            with pytest.raises(NotFound):
                feed(session, subject, now=instant(DAY))
