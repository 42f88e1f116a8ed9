"""`lucheng token`: an account for another system, a token that is shown once, stopping it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.database import connect, sqlite_url
from ledger.logins import visitor_of_token
from policy_models.access import Right
from tests.factories import instant
from tests.lucheng.door import call, tiny

pytestmark = pytest.mark.thorough
CLOCK = {"LUCHENG_CLOCK": "2025-01-01T09:00:00+08:00"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    assert call("plan", "load", tiny(tmp_path / "pack"), "--data-dir", folder, env=CLOCK).code == 0
    return folder


def rights(data: Path, token: str, day: str = "2025-01-02") -> set[Right] | None:
    database = connect(sqlite_url(data))
    try:
        with database.read() as session:
            found = visitor_of_token(session, token, instant(day))
            return set(found.visitor.rights_at(frozenset({"9001"}))) if found else None
    finally:
        database.close()


def test_from_the_account_to_the_stopped_token(data: Path) -> None:
    made = call("token", "account", "Platform", "--role", "reviewer", "--unit", "9001", "--data-dir", data, env=CLOCK)
    assert made.code == 0, made.err
    words = ("--account", "platform", "--data-dir", data)
    reads = call("token", "create", "--name", "取数", *words, env=CLOCK).out.strip()
    acts = call("token", "create", "--name", "审核", "--writes", "--days", 30, *words, env=CLOCK).out.strip()
    assert (rights(data, reads), rights(data, acts)) == ({Right.READ}, {Right.READ, Right.REVIEW})
    assert (rights(data, acts, "2025-02-01"), rights(data, reads, "2025-12-31")) == (None, {Right.READ})
    listed = call("token", "list", "--json", "--data-dir", data)
    assert [(one["id"], one["name"], one["only_reads"]) for one in listed.json] == [
        (2, "审核", False),
        (1, "取数", True),
    ]
    assert reads not in listed.out
    assert call("token", "revoke", 1, "--data-dir", data, env=CLOCK).code == 0
    assert rights(data, reads) is None
    again = call("token", "revoke", 1, "--data-dir", data, env=CLOCK)
    assert (again.code, again.err.strip()) == (1, "这个令牌此前已停用")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("create", "--account", "nobody", "--name", "x"), "没有账号“nobody”"),
        (("account", "x", "--role", "auditor", "--unit", "8888"), "没有代码为“8888”的单位"),
        (("revoke", "99"), "没有这个令牌"),
    ],
)
def test_what_is_refused(data: Path, words: tuple[str, ...], sentence: str) -> None:
    said = call("token", *words, "--data-dir", data, env=CLOCK)
    assert (said.code, sentence in said.err) == (1, True), said.err
