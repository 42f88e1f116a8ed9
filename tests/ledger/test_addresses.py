"""Whose address is whose, as the ledger keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.addresses import AddressReport, addresses, count, register, save_addresses
from policy_models.errors import ActNotAllowed, NotFound
from tests.factories import BUREAU, SCHOOLS, instant, load, opened, tiny_pack

NOW = instant("2025-06-01")


def test_saved_twice_is_once_and_the_newest_word_counts(database_url: str, tmp_path: Path) -> None:
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path / "pack"))
        with database.write() as session:
            assert save_addresses(session, {"a@x.y": BUREAU, "b@x.y": BUREAU}, now=NOW) == AddressReport(2, 0, 2)
            assert save_addresses(session, {"a@x.y": BUREAU}, now=NOW) == AddressReport(0, 0, 2)
            assert save_addresses(session, {"a@x.y": SCHOOLS, "c@x.y": SCHOOLS}, now=NOW) == AddressReport(1, 1, 3)
        with database.read() as session:
            found = [(one.address, one.unit_code, one.unit_name) for one in addresses(session)]
            assert found == [
                ("a@x.y", SCHOOLS, "市教育局"),
                ("c@x.y", SCHOOLS, "市教育局"),
                ("b@x.y", BUREAU, "市民政局"),
            ]
            assert count(session) == 3


def test_registered_one_by_one(database_url: str, tmp_path: Path) -> None:
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path / "pack"))
        with database.write() as session:
            register(session, "A＠X.y", BUREAU, now=NOW)
            with pytest.raises(NotFound, match="没有代码为 nobody 的单位"):
                register(session, "b@x.y", "nobody", now=NOW)
            with pytest.raises(ActNotAllowed, match="不是完整的邮箱地址"):
                register(session, "x", BUREAU, now=NOW)
            assert [one.address for one in addresses(session)] == ["a@x.y"]
