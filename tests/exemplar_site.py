"""A plan that asks for exemplars each half-year and for bulletin items each year; exemplars in any state."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from ledger import exemplars, issuing, plans, shortlisting
from ledger.acts import standing
from ledger.database import Database, Session
from policy_models.exemplars import Content
from tests.factories import BUREAU, CODE, Files, duty, instant, item, load, office, query, tiny_pack

ROUND = "2025-H1"
FIRST, SECOND = "9001-mz", "9002-mz"
ASKED = item("2.8", FIRST, ROUND)
CITY_ASKED = item("2.7", BUREAU, ROUND)
YEARLY = item("2.9", FIRST, "2025")
DAY = instant("2025-06-20")
LONG = Content("牵手成长", "背景" * 200, "做法" * 400, "成效" * 200, "启示" * 100)


def collecting(files: Files) -> None:
    """Exemplars from county 民政 and the bureau, bulletin items from county 民政."""
    county, bureau = {"level": "county", "function": "民政"}, {"units": ["民政局"]}
    sent = {"type": "measure", "name": "exemplars_sent", "label": "本期报送优秀案例数"}
    words = {"type": "text", "label": "案例题目和主要做法"}
    half = {"every": "half_year", "due": {"at": "end", "days": 15}}
    more = {"opens": {"days_before": 45}, "evidence": [sent, words], "collects": "exemplars", "nothing_new": True}
    items = {"type": "measure", "name": "items_sent", "label": "本年报送信息篇数", "target": ">=1"}
    document = {"type": "document", "min": 1, "label": "信息文稿"}
    yearly = {"evidence": [items, document], "collects": "bulletin"}
    files["tasks/02.yaml"]["requirements"] += [
        duty("2.7", "recurring", bureau, half, **more),
        duty("2.8", "recurring", county, half, **more),
        duty("2.9", "recurring", county, {"every": "year"}, **yearly),
    ]


def load_collecting(database: Database, folder: Path, *, villages: int = 2, issued: str = "2025-06-15") -> None:
    load(database, tiny_pack(folder, collecting, villages=villages))
    with database.write() as session:
        issuing.issue_due(session, CODE, as_of=date.fromisoformat(issued), now=instant(issued))


def plan_id(session: Session) -> int:
    return plans.plan_summary(session, CODE).id


def draft(session: Session, content: Content = LONG, unit: str = FIRST, now: datetime = DAY) -> tuple[int, int]:
    """A saved draft: its id and version."""
    new = exemplars.create(session, plan_id(session), ROUND, content.title, by=office(unit), now=now)
    return new, exemplars.save(session, new, content, version=1, by=office(unit), now=now)


def hand_in(session: Session, content: Content = LONG, unit: str = FIRST, now: datetime = DAY) -> tuple[int, int]:
    """An exemplar handed in: its id and version."""
    new, version = draft(session, content, unit, now)
    exemplars.submit(session, new, version=version, by=office(unit), now=now)
    return new, version + 1


def publish(session: Session, exemplar: int, version: int, now: datetime = DAY) -> None:
    shortlisting.shortlist(session, exemplar, version=version, by=office(BUREAU), now=now)
    shortlisting.publish(session, exemplar, version=version, by=office(BUREAU), now=now)


def states(session: Session, key: str = ASKED) -> list[str]:
    """The acts on a work item so far."""
    rows = query(session, "SELECT act FROM entry WHERE item_id = :id ORDER BY id", id=standing(session, key).id)
    return [str(row[0]) for row in rows]


def given(session: Session, key: str = ASKED) -> list[tuple[str, str | None, int | None, str | None]]:
    """The evidence last handed in for a work item: type, name, value, text."""
    rows = query(
        session,
        "SELECT type, name, value, text FROM evidence WHERE item_id = :id AND revision = "
        "(SELECT max(revision) FROM evidence WHERE item_id = :id) ORDER BY id",
        id=standing(session, key).id,
    )
    return [(str(t), n, None if v is None else int(v), x) for t, n, v, x in rows]
