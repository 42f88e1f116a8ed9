"""`lucheng mail` and what `doctor` says of mail."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks import clock
from tests.letters import ONE, docx, letter, named, word
from tests.lucheng.door import call, refused, tiny
from tests.mail_servers import PASSWORD, MailServers, running_mail
from tests.reporting import with_reports

pytestmark = pytest.mark.thorough

CLOCK = {"LUCHENG_CLOCK": "2025-06-25T14:00:00+08:00"}
TABLE = f"邮箱,单位\n{ONE},1县民政局\nx@y.example,9002-mz\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    pack = tiny(tmp_path / "pack", with_reports)
    folder = tmp_path / "data"
    said = call("plan", "load", pack, "--go-live", "2025-01-01", "--data-dir", folder, env=CLOCK)
    assert said.code == 0, said
    return folder


@pytest.fixture(scope="module")
def servers() -> Iterator[MailServers]:
    with running_mail() as servers:
        yield servers


def table(folder: Path, text: str = TABLE, encoding: str = "gb18030") -> Path:
    path = folder / "邮箱.csv"
    path.write_bytes(text.encode(encoding))
    return path


def about_mail(data: Path, env: dict[str, str]) -> list[tuple[str, str]]:
    said = call("doctor", "--json", "--data-dir", data, env={**CLOCK, **env})
    return [(one["grade"], one["sentence"]) for one in json.loads(said.out) if one["matter"] == "来信"]


def test_addresses_from_a_table(data: Path, tmp_path: Path) -> None:
    dry = call("mail", "addresses", "import", table(tmp_path), "--dry-run", "--data-dir", data)
    assert dry.out == "将新增邮箱 2 个，更改单位 0 个，共 2 个\n"
    assert call("mail", "addresses", "list", "--json", "--data-dir", data).json == []
    done = call("mail", "addresses", "import", table(tmp_path), "--data-dir", data)
    assert done.out == "已新增邮箱 2 个，更改单位 0 个，共 2 个\n"
    assert call("mail", "addresses", "list", "--json", "--data-dir", data).json == [
        {"address": ONE, "unit": "9001-mz", "name": "1县民政局"},
        {"address": "x@y.example", "unit": "9002-mz", "name": "2县民政局"},
    ]
    shown = call("mail", "addresses", "list", "--data-dir", data).out
    assert (ONE in shown, shown.splitlines()[-1]) == (True, "共 2 个")


def test_a_table_with_a_fault_changes_nothing(data: Path, tmp_path: Path) -> None:
    bad = table(tmp_path, "邮箱,单位\na@b.c,1县民政局\nx,1县民政局\n", "utf-8-sig")
    said = refused(call("mail", "addresses", "import", bad, "--data-dir", data))
    assert said == "邮箱.csv:3 [邮箱] 不是完整的邮箱地址：x"
    assert call("mail", "addresses", "list", "--json", "--data-dir", data).json == []
    assert "文件无法读取" in refused(call("mail", "addresses", "import", tmp_path / "none.csv", "--data-dir", data))
    binary = tmp_path / "a.csv"
    binary.write_bytes(b"PK\x00\x01")
    assert "不是 UTF-8 或 GB18030 编码的文本" in refused(
        call("mail", "addresses", "import", binary, "--data-dir", data)
    )


def test_without_a_mailbox(data: Path) -> None:
    said = call("mail", "check")
    assert (said.code, said.out.splitlines()) == (
        0,
        [
            "正常  收信：没有配置收信邮箱（LUCHENG_IMAP_HOST），不收取来信",
            "正常  发信：没有配置发信服务器（LUCHENG_SMTP_HOST），不发回执",
        ],
    )
    assert "没有配置收信邮箱" in refused(call("mail", "fetch", "--data-dir", data))
    assert about_mail(data, {}) == []


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"LUCHENG_IMAP_HOST": "imap.163.com"}, "写了 LUCHENG_IMAP_HOST，还须写 LUCHENG_IMAP_USER"),
        ({"LUCHENG_IMAP_PORT": "many"}, "环境变量 LUCHENG_IMAP_PORT 的值无效"),
        (
            {"LUCHENG_IMAP_SECURITY": "tls", "LUCHENG_IMAP_PASSWORD": PASSWORD},
            "环境变量 LUCHENG_IMAP_SECURITY 的值无效",
        ),
    ],
)
def test_settings_that_are_wrong_are_one_sentence(data: Path, env: dict[str, str], sentence: str) -> None:
    assert refused(call("mail", "check", env=env)) == sentence
    assert about_mail(data, env) == [("fault", sentence)]


@pytest.mark.slow
def test_check_fetch_and_doctor_on_real_servers(
    data: Path, tmp_path: Path, servers: MailServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a virtual clock runs on from the start of its process, and this one may have run for minutes
    monkeypatch.setattr(clock, "_STARTED", time.monotonic())
    env = {**CLOCK, **servers.environment()}
    said = call("mail", "check", env=env)
    assert (said.code, PASSWORD in said.out) == (0, False)
    assert said.out.splitlines() == [
        f"正常  收信：已登录 localhost:{servers.dovecot.imap}，bureau@mz.example 的“INBOX”中有 0 封邮件，只读取不改动",
        f"正常  发信：已登录 localhost:{servers.smtp}，回执从 bureau@mz.example 发出",
    ]
    assert about_mail(data, env) == [
        ("note", "还没有收取过来信；可运行 lucheng mail check 检查邮箱，lucheng mail fetch 立即收取"),
        ("note", "还没有登记单位邮箱，来信都会待归口；请运行 lucheng mail addresses import 导入"),
    ]
    call("mail", "addresses", "import", table(tmp_path), "--data-dir", data)
    for number in (1, 2):
        raw = letter(number, ONE, word("2025年上半年"), named("报告.docx", docx(str(number))))
        servers.dovecot.append(raw)
    servers.dovecot.append(raw)
    fetched = call("mail", "fetch", "--data-dir", data, env=env)
    assert fetched.out == "已读取 3 封，其中重复 1 封，待确认 2 封\n", fetched
    assert call("mail", "fetch", "--data-dir", data, env=env).out == "已读取 0 封，其中重复 0 封\n"
    assert about_mail(data, env) == [
        ("good", "最近收取于 2025-06-25 14:00"),
        ("note", "2 封来信待统筹单位确认或归口，请在其“来信”页面办理"),
    ]
    late = {**env, "LUCHENG_CLOCK": "2025-06-25T15:30:00+08:00", "LUCHENG_SMTP_HOST": ""}
    assert about_mail(data, late)[::2] == [
        ("fault", "已超过 1 小时没有收取来信（上次 2025-06-25 14:00），请运行 lucheng mail check 查看原因"),
        ("note", "没有配置发信服务器（LUCHENG_SMTP_HOST），来信不发回执"),
    ]


@pytest.mark.slow
def test_check_says_what_does_not_work(servers: MailServers) -> None:
    env = servers.environment(LUCHENG_IMAP_PASSWORD="wrong", LUCHENG_SMTP_PASSWORD="wrong")
    said = call("mail", "check", env=env)
    assert said.code == 1
    assert said.out.splitlines() == [
        "不可用  收信：收信服务器拒绝登录，请核对用户名和授权码，并确认邮箱已开通 IMAP",
        "不可用  发信：发信服务器拒绝登录（535），请核对用户名和授权码",
    ]
    missing = servers.environment(LUCHENG_MAIL_CA_FILE="/none.pem")
    said = call("mail", "check", env=missing)
    assert (said.code, [line[:3] for line in said.out.splitlines()]) == (1, ["不可用", "不可用"])
