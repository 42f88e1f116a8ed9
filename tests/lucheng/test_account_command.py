"""`lucheng account`, the first administrator's link, and what `doctor` says of accounts."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from ledger import accounts, invitations, passwords, signing_in
from ledger.account_checkup import accounts_stand
from ledger.checkup import Grade
from ledger.database import Database, sqlite_url
from lucheng.first_account import first_token
from policy_models.access import Grant, Role
from tests.accounts import PASSWORD, somebody
from tests.factories import BUREAU, CITY, load, opened, query, tiny_pack
from tests.lucheng.door import ROOT, call, refused, tiny

pytestmark = pytest.mark.thorough
NOW = datetime(2025, 3, 10, 1, tzinfo=UTC)
CLOCK = {"LUCHENG_CLOCK": NOW.isoformat()}
LINK = re.compile(r"^ *(http://127\.0\.0\.1:\d+|https://lucheng\.example)/invitations/([\w-]{43})$", re.MULTILINE)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    assert call("plan", "load", tiny(tmp_path / "pack"), "--data-dir", folder, env=CLOCK).code == 0
    return folder


@contextmanager
def ledger(data: Path) -> Iterator[Database]:
    with opened(sqlite_url(data)) as database:
        yield database


def said(data: Path, *words: object, **env: str) -> str:
    found = call("account", *words, "--data-dir", data, env={**CLOCK, **env})
    assert (found.code, found.err) == (0, ""), found
    return found.out


def refusal(data: Path, *words: object) -> str:
    return refused(call("account", *words, "--data-dir", data, env=CLOCK))


def listed(data: Path) -> list[dict[str, object]]:
    return call("account", "list", "--json", "--data-dir", data, env=CLOCK).json


def test_inviting_prints_a_link_that_the_ledger_knows_by_its_digest(data: Path) -> None:
    out = said(data, "invite", "Wang.Fang", "--name", "王芳", "--role", f"审核员@{BUREAU}", "--role", "auditor")
    [(base, token)] = LINK.findall(out)
    assert base == "http://127.0.0.1:8000"
    assert listed(data) == [
        {
            "name": "wang.fang",
            "display_name": "王芳",
            "state": "new",
            "machine": False,
            "totp": False,
            "roles": [{"role": "reviewer", "unit": BUREAU}, {"role": "auditor", "unit": ""}],
            "last_seen_at": None,
        }
    ]
    with ledger(data) as database, database.read() as session:
        invited = invitations.look_up(session, token, NOW)
        assert invited is not None
        assert invited.display_name == "王芳"
        assert query(session, "SELECT act, object, detail FROM audit") == [("邀请账号", "wang.fang", "在服务器上")]


def test_the_address_of_the_site_stands_in_the_link(data: Path) -> None:
    out = said(data, "invite", "wang", "--role", "liaison", LUCHENG_BASE_URL="https://lucheng.example/")
    assert LINK.findall(out)[0][0] == "https://lucheng.example"


def test_roles_state_and_password_from_the_machine(data: Path) -> None:
    said(data, "invite", "boss", "--role", "administrator")
    said(data, "create", "wang", "--role", f"liaison@{BUREAU}")
    said(data, "grant", "wang", "--role", f"reviewer@{CITY}")
    said(data, "revoke", "WANG", "--role", f"联络员@{BUREAU}")
    assert listed(data)[1]["roles"] == [{"role": "reviewer", "unit": CITY}]
    said(data, "deactivate", "wang")
    assert listed(data)[1]["state"] == "past"
    said(data, "restore", "wang")
    with ledger(data) as database, database.write() as session:
        for _ in range(5):
            signing_in.note_failure(session, accounts.account_id_of(session, "wang"), NOW)
    assert listed(data)[1]["state"] == "locked"
    said(data, "unlock", "wang")
    first, second = (LINK.findall(said(data, "reset", "wang"))[0][1] for _ in range(2))
    with ledger(data) as database, database.read() as session:
        assert invitations.look_up(session, first, NOW) is None
        assert invitations.look_up(session, second, NOW) is not None


def test_a_password_comes_from_standard_input_and_is_shown_nowhere(data: Path) -> None:
    words = [sys.executable, "-m", "lucheng", "account", "create", "wang", "--role", "liaison", "--password"]
    done = subprocess.run(
        [*words, "--data-dir", str(data)], input=f"{PASSWORD}\n", cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "已新建账号 wang\n")
    with ledger(data) as database, database.read() as session:
        lock = signing_in.lock_of(session, "wang")
    assert passwords.check(PASSWORD, lock.hashed).right


def test_a_program_has_no_password(data: Path) -> None:
    said(data, "create", "robot", "--role", f"auditor@{BUREAU}", "--machine")
    assert listed(data)[0]["machine"] is True
    assert "不能生成链接" in refusal(data, "reset", "robot")
    assert "没有密码" in refusal(data, "create", "r2", "--role", "auditor", "--machine", "--password")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("invite", "a b", "--role", "liaison"), "账号名须为 2 至 60 个"),
        (("invite", "wang", "--role", "emperor"), "没有角色“emperor”"),
        (("invite", "wang", "--role", "liaison@nowhere"), "没有代码为“nowhere”的单位"),
        (("invite", "wang", "--role", ""), "没有角色“”"),
        (("invite", "wang", "--role", "liaison", "--name", "王小明150203199003078895"), "不能提交"),
        (("reset", "nobody"), "没有账号“nobody”"),
        (("grant", "nobody", "--role", "liaison"), "没有账号“nobody”"),
        (("deactivate", "nobody"), "没有账号“nobody”"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_makes_nothing(data: Path, words: tuple[str, ...], sentence: str) -> None:
    told = refusal(data, *words)
    assert sentence in told
    assert "150203199003078895" not in told
    assert listed(data) == []


def test_the_last_administrator_stays_here_too(data: Path) -> None:
    said(data, "invite", "boss", "--role", "administrator")
    assert refusal(data, "deactivate", "boss").startswith("这是最后一位管理员")
    said(data, "grant", "boss", "--role", "liaison")
    assert refusal(data, "revoke", "boss", "--role", "administrator").startswith("这是最后一位管理员")


def test_without_a_ledger_it_says_so(tmp_path: Path) -> None:
    assert "还没有台账" in refusal(tmp_path / "none", "list")


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with opened(database_url) as found:
        load(found, tiny_pack(tmp_path / "pack"))
        yield found


def token(database: Database, now: datetime = NOW, *, anew: bool = True) -> str | None:
    with database.write() as session:
        return first_token(session, now, anew=anew)


def test_the_first_administrator_is_made_once_and_gets_a_link_until_somebody_can_sign_in(database: Database) -> None:
    first, second = token(database), token(database)
    with database.read() as session:
        assert first is not None
        assert second is not None
        assert invitations.look_up(session, first, NOW) is None  # the newer one counts
        invited = invitations.look_up(session, second, NOW)
        assert query(
            session, "SELECT name, role, unit_code FROM account JOIN account_grant g ON account_id = account.id"
        ) == [("admin", "administrator", None)]
    assert token(database, anew=False) is None  # another process has said it
    assert token(database, NOW + timedelta(hours=72), anew=False) is not None
    assert invited is not None
    with database.write() as session:
        signing_in.set_password(session, invited.account_id, passwords.hash_password(PASSWORD), NOW)
    assert token(database) is None


def test_an_invitation_of_somebody_else_does_not_stand_in_the_way(database: Database) -> None:
    made = somebody(database, "wang", [Grant(Role.LIAISON, BUREAU)], password=None, now=NOW)
    with database.write() as session:
        invitations.invite(session, made, NOW)
    assert token(database, anew=False) is not None


def test_a_demonstration_has_none(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE plan SET demonstration = true"))
    assert token(database) is None


def test_what_doctor_says(database: Database) -> None:
    def told(now: datetime = NOW, require_totp: bool = False) -> list[tuple[Grade, str]]:
        with database.read() as session:
            return [(one.grade, one.sentence) for one in accounts_stand(session, now, require_totp=require_totp)]

    invite = "lucheng account invite 账号名 --role administrator"
    assert told() == [(Grade.NOTE, f"还没有人能登录，请运行 {invite} 为第一位管理员生成链接")]
    somebody(database, "wang", [Grant(Role.LIAISON, BUREAU)], now=NOW)
    assert told() == [(Grade.NOTE, f"没有管理员，账号无人管理，请运行 {invite}"), (Grade.GOOD, "1 个账号在用")]
    somebody(database, "admin", now=NOW)
    assert told() == [(Grade.GOOD, "2 个账号在用")]
    late = NOW + timedelta(days=14, seconds=1)
    never = (Grade.NOTE, "2 个账号建立 14 天以上从未登录，请核实后重新交付链接或停用")
    assert told(NOW + timedelta(days=14)) == [(Grade.GOOD, "2 个账号在用")]
    assert told(late) == [never]
    bare = (Grade.NOTE, "1 位管理员还没有启用动态码，登录后会先被要求启用")
    assert told(late, require_totp=True) == [bare, never]
    with database.write() as session:
        session.execute(text("UPDATE plan SET demonstration = true"))
    assert told() == [(Grade.GOOD, "这是演示台账，登录页可选演示身份")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def web(data: Path, out: Path, *more: str) -> Iterator[int]:
    """The web app in a process of its own, answering; what it prints goes to ``out``."""
    port = free_port()
    command = [sys.executable, "-m", "lucheng", "web", "--port", str(port), *more]
    env = {**os.environ, "LUCHENG_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}
    with out.open("w") as sink:
        running = subprocess.Popen(command, cwd=ROOT, env=env, stdout=sink, stderr=sink, start_new_session=True)
    try:
        with httpx.Client(
            transport=httpx.HTTPTransport(retries=60), base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60
        ) as client:
            assert client.get("/healthz").status_code == 200
        yield port
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(20)


@pytest.mark.slow
def test_the_web_app_says_the_first_link_once_and_logs_it_never(data: Path, tmp_path: Path) -> None:
    first, second, child = tmp_path / "first", tmp_path / "second", tmp_path / "child"
    with web(data, first) as port:
        [(base, found)] = LINK.findall(first.read_text("utf-8"))
        assert base == f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=base, trust_env=False, headers={"sec-fetch-site": "same-origin"}) as client:
            assert client.get(f"/invitations/{found}").status_code == 200
            with web(data, second):
                pass
            assert LINK.findall(second.read_text("utf-8")) == []  # the first one's link is still good
            form = {"display_name": "管理员", "password": PASSWORD, "again": PASSWORD}
            assert client.post(f"/invitations/{found}", data=form).status_code == 303
            assert client.get("/accounts").status_code == 200
            assert client.get(f"/invitations/{found}").status_code == 404
    assert first.read_text("utf-8").count(found) == 1  # said, and in no line of the log
    with ledger(data) as database, database.write() as session:
        session.execute(text("UPDATE account SET password_hash = NULL"))
    with web(data, child, "--supervised"):
        pass
    assert LINK.findall(child.read_text("utf-8")) == []
