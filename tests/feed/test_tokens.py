"""Feed tokens: long, hashed, named, touched once an hour, revoked once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger import feed_tokens
from policy_models.errors import ChangedMeanwhile, NotFound
from tests.api.site import VILLAGE, Site
from tests.factories import BUREAU, instant, query

NOW = instant("2025-05-31")


def test_a_token_is_long_and_only_its_hash_is_kept(site: Site) -> None:
    with site.database.write() as session:
        token = feed_tokens.create(session, VILLAGE, "  手机\n一号\x00 ", NOW)
        other = feed_tokens.create(session, VILLAGE, "", NOW)
    assert len(token) == 32
    assert token != other
    with site.database.read() as session:
        rows = query(session, "SELECT hash, name, unit_code FROM feed_token ORDER BY id")
        found = feed_tokens.look_up(session, token)
        assert feed_tokens.look_up(session, token[:-1]) is None
        assert feed_tokens.look_up(session, "\ud800") is None
    assert all(token not in str(row) for row in rows)
    assert [row[1:] for row in rows] == [("手机一号", VILLAGE), ("未命名订阅", VILLAGE)]
    assert found is not None
    assert (found.unit_code, found.revoked_at, found.last_used_at) == (VILLAGE, None, None)


def test_an_unknown_unit_gets_no_token(site: Site) -> None:
    with site.database.write() as session, pytest.raises(NotFound):
        feed_tokens.create(session, "none", "x", NOW)


def test_touching_writes_at_most_once_an_hour(site: Site) -> None:
    with site.database.write() as session:
        feed_tokens.create(session, VILLAGE, "x", NOW)
        [token] = feed_tokens.listing(session, VILLAGE)
        steps = (0, 30, 59, 60, 61, 120)
        written = [feed_tokens.touch(session, token.id, "khal", NOW + timedelta(minutes=m)) for m in steps]
    assert written == [True, False, False, True, False, True]


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
