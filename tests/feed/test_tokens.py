"""Feed tokens: long, hashed, named, of one scope, touched once an hour, revoked once, rotated with a tombstone."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from ledger import feed_tokens, plans
from ledger.database import Session
from ledger.feed_tokens import Use
from policy_models.errors import ChangedMeanwhile, NotFound, NotResponsible
from policy_models.feeds import Scope, Subject
from tests.api.site import VILLAGE, Site
from tests.factories import BUREAU, SCHOOLS, instant, query

NOW = instant("2025-05-31")
COUNTY = "9001"


def test_a_token_is_long_and_only_its_hash_is_kept(site: Site) -> None:
    with site.database.write() as session:
        token = feed_tokens.create(session, VILLAGE, "  手机\n一号\x00 ", NOW)
        other = feed_tokens.create(session, VILLAGE, "", NOW)
    assert len(token) == 32
    assert token != other
    with site.database.read() as session:
        rows = query(session, "SELECT hash, name, unit_code, scope, target FROM feed_token ORDER BY id")
        found = feed_tokens.look_up(session, token)
        assert feed_tokens.look_up(session, token[:-1]) is None
        assert feed_tokens.look_up(session, "\ud800") is None
    assert all(token not in str(row) for row in rows)
    own = (VILLAGE, "unit", VILLAGE)
    assert [row[1:] for row in rows] == [("手机一号", *own), ("未命名订阅", *own)]
    assert found is not None
    assert (found.unit_code, found.revoked_at, found.last_used_at) == (VILLAGE, None, None)


def test_an_unknown_unit_gets_no_token(site: Site) -> None:
    with site.database.write() as session, pytest.raises(NotFound):
        feed_tokens.create(session, "none", "x", NOW)


def enrol(session: Session, unit: str, name: str, **roles: bool) -> int:
    """A person of a unit, written as the tables keep it."""
    values = {"liaison": False, "principal": False, "active": True, **roles}
    query_of = (
        "INSERT INTO person (unit_code, name, liaison, principal, active, added_at, changed_at) "
        "VALUES (:unit, :name, :liaison, :principal, :active, :at, :at) RETURNING id"
    )
    at = NOW.astimezone(UTC).replace(tzinfo=None)
    [(id,)] = query(session, query_of, unit=unit, name=name, at=at, **values)
    return int(id)


def subject(session: Session, unit: str, **wanted: Any) -> Subject:
    token = feed_tokens.look_up(session, feed_tokens.create(session, unit, "x", NOW, **wanted))
    assert token is not None
    return feed_tokens.subject_of(token, [one.coordinator for one in plans.plans(session)])


def test_what_a_unit_may_subscribe_to(site: Site) -> None:
    with site.database.write() as session:
        [plan] = plans.plans(session)
        own, other = enrol(session, COUNTY, "甲", liaison=True), enrol(session, VILLAGE, "乙")
        assert subject(session, COUNTY) == Subject(Scope.UNIT, COUNTY)
        assert subject(session, COUNTY, scope="below") == Subject(Scope.BELOW, COUNTY)
        assert subject(session, COUNTY, scope="person", target=str(own)) == Subject(Scope.PERSON, str(own))
        assert subject(session, COUNTY, scope="task", target="02") == Subject(Scope.TASK, "2", plan.id, COUNTY)
        assert subject(session, COUNTY, scope="phase", target="1") == Subject(Scope.PHASE, "1", plan.id, COUNTY)
        assert subject(session, SCHOOLS, scope="function") == Subject(Scope.FUNCTION, "教育")
        refused: list[tuple[str, dict[str, Any], type[Exception]]] = [
            (COUNTY, {"target": VILLAGE}, NotResponsible),
            (COUNTY, {"scope": "below", "target": "9002"}, NotResponsible),
            (COUNTY, {"scope": "function", "target": "民政"}, NotResponsible),
            (f"{COUNTY}-mz", {"scope": "function"}, NotResponsible),  # of its county only: not across the city
            (SCHOOLS, {"scope": "function", "target": "民政"}, NotResponsible),
            (COUNTY, {"scope": "function"}, NotFound),
            (COUNTY, {"scope": "person", "target": str(other)}, NotFound),
            (COUNTY, {"scope": "person", "target": "²"}, NotFound),
            (COUNTY, {"scope": "person"}, NotFound),
            (COUNTY, {"scope": "task", "target": "9"}, NotFound),
            (COUNTY, {"scope": "task", "target": "x"}, NotFound),
            (COUNTY, {"scope": "task", "target": "1", "plan_id": 99}, NotFound),
            (COUNTY, {"scope": "phase", "target": "2"}, NotFound),
            (COUNTY, {"scope": "all"}, NotFound),
        ]
        for unit, wanted, error in refused:
            with pytest.raises(error):
                feed_tokens.create(session, unit, "x", NOW, **wanted)


def test_the_coordinator_may_subscribe_to_everything(site: Site) -> None:
    with site.database.write() as session:
        [plan] = plans.plans(session)
        person = enrol(session, VILLAGE, "乙")
        assert subject(session, BUREAU, target=VILLAGE) == Subject(Scope.UNIT, VILLAGE)
        assert subject(session, BUREAU, scope="below", target="9000") == Subject(Scope.BELOW, "9000")
        assert subject(session, BUREAU, scope="function", target="教育") == Subject(Scope.FUNCTION, "教育")
        assert subject(session, BUREAU, scope="person", target=str(person)) == Subject(Scope.PERSON, str(person))
        assert subject(session, BUREAU, scope="task", target="1") == Subject(Scope.TASK, "1", plan.id)
        assert subject(session, BUREAU, scope="phase", target="1", plan_id=plan.id).within == ""
        with pytest.raises(NotFound):
            feed_tokens.create(session, BUREAU, "x", NOW, target="none")


def test_uses_are_noted_at_most_once_an_hour_each(site: Site) -> None:
    seen = []
    with site.database.write() as session:
        for name in ("一", "二"):
            feed_tokens.create(session, VILLAGE, name, NOW)
        second, first = feed_tokens.listing(session, VILLAGE)
        feed_tokens.touch(session, [])
        for minutes in (0, 30, 59, 60, 61, 120):
            at = NOW + timedelta(minutes=minutes)
            feed_tokens.touch(session, [Use(first.id, f"khal\x7f {minutes}", at)])
            seen.append(feed_tokens.listing(session, VILLAGE)[1].last_used_at == at)
        assert seen == [True, False, False, True, False, True]
        later = NOW + timedelta(hours=3)
        feed_tokens.touch(session, [Use(second.id, "", later), Use(first.id, "x" * 500, later)])
        assert [(one.client, one.last_used_at) for one in feed_tokens.listing(session, VILLAGE)] == [
            (None, later),
            ("x" * 120, later),
        ]


def test_revoking(site: Site) -> None:
    with site.database.write() as session:
        feed_tokens.create(session, VILLAGE, "一", NOW)
        feed_tokens.create(session, VILLAGE, "二", NOW)
        newest, oldest = feed_tokens.listing(session, VILLAGE)
        with pytest.raises(NotFound):
            feed_tokens.revoke(session, BUREAU, newest.id, NOW)
        feed_tokens.revoke(session, VILLAGE, newest.id, NOW)
        with pytest.raises(ChangedMeanwhile):
            feed_tokens.revoke(session, VILLAGE, newest.id, NOW)
        assert [token.id for token in feed_tokens.listing(session, VILLAGE)] == [oldest.id, newest.id]


def test_rotating_leaves_a_tombstone(site: Site) -> None:
    with site.database.write() as session:
        old = feed_tokens.create(session, COUNTY, "办公室", NOW, scope="below")
        [before] = feed_tokens.listing(session, COUNTY)
        with pytest.raises(NotFound):
            feed_tokens.rotate(session, VILLAGE, before.id, NOW)
        new = feed_tokens.rotate(session, COUNTY, before.id, NOW + timedelta(hours=1))
        assert new != old
        fresh, stopped = feed_tokens.listing(session, COUNTY)
        assert (fresh.name, fresh.scope, fresh.target, fresh.revoked_at) == ("办公室", Scope.BELOW, COUNTY, None)
        assert (stopped.id, stopped.replaced, stopped.revoked_at) == (before.id, True, NOW + timedelta(hours=1))
        assert feed_tokens.look_up(session, new) == fresh
        assert feed_tokens.look_up(session, old) == stopped
        with pytest.raises(ChangedMeanwhile):
            feed_tokens.rotate(session, COUNTY, before.id, NOW)
        assert len(feed_tokens.listing(session, COUNTY)) == 2
