"""`lucheng channel`: tested by a message with a number, confirmed by that number, never a secret on the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.database import connect, sqlite_url
from tests.factories import query
from tests.lucheng.door import Said, call, refused, tiny
from tests.receiver import SECRET, Receiver, running_receiver

pytestmark = pytest.mark.thorough
CLOCK = {"LUCHENG_CLOCK": "2025-03-10T09:00:00+08:00"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as found:
        yield found


@pytest.fixture
def data(tmp_path: Path, receiver: Receiver) -> Path:
    folder = tmp_path / "data"
    assert call("plan", "load", tiny(tmp_path / "pack"), "--data-dir", folder, env=CLOCK).code == 0
    receiver.channels_file(folder)
    return folder


def channel(data: Path, *words: str, **env: str) -> Said:
    said = call("channel", *words, "--data-dir", data, env={**CLOCK, **env})
    assert SECRET not in said.out + said.err
    assert "127.0.0.1" not in said.out + said.err
    return said


def state(data: Path, code: str = "mz-group") -> str:
    return str({one["code"]: one["state"] for one in channel(data, "list", "--json").json}[code])


def number_in(receiver: Receiver) -> str:
    text = receiver.log[-1].body["data"]["body"]
    return re.findall(r"确认码：(\d{6})\n", text)[0]


def test_from_untested_to_confirmed_to_withdrawn(data: Path, receiver: Receiver) -> None:
    assert state(data) == "未测试"
    said = channel(data, "test", "mz-group")
    assert (said.code, said.err) == (0, "")
    assert said.out == "测试消息已发出，对方答复：HTTP 200\n收到后请运行 lucheng channel confirm mz-group 确认码\n"
    assert receiver.log[0].body["type"] == "notice.trial"
    number = number_in(receiver)
    assert number not in said.out
    assert state(data) == "待确认"
    wrong = f"{(int(number) + 1) % 10**6:06}"
    assert refused(channel(data, "confirm", "mz-group", wrong)) == "确认码不对，请核对测试消息后重新填写"
    assert channel(data, "confirm", "mz-group", number, "--by", "王处").out == "渠道 mz-group 已确认\n"
    assert state(data) == "已确认"
    assert refused(channel(data, "confirm", "mz-group", number)) == "渠道 mz-group 此前已确认"
    database = connect(sqlite_url(data))
    with database.read() as session:
        assert query(session, "SELECT confirmed_by FROM channel") == [("王处",)]
    database.close()
    assert channel(data, "withdraw", "mz-group").out == "渠道 mz-group 已停用\n"
    assert state(data) == "未测试"


def test_five_wrong_numbers_are_counted_although_each_is_refused(data: Path, receiver: Receiver) -> None:
    channel(data, "test", "mz-group")
    number = number_in(receiver)
    for _ in range(5):
        assert "确认码不对" in refused(channel(data, "confirm", "mz-group", "abcdef"))
    assert refused(channel(data, "confirm", "mz-group", number)).startswith("渠道 mz-group 的确认码已作废")


def test_other_settings_void_what_was_tested(data: Path, receiver: Receiver) -> None:
    channel(data, "test", "mz-group")
    number = number_in(receiver)
    path = data / "channels.yaml"
    path.write_text(path.read_text("utf-8").replace("/in", "/elsewhere"), "utf-8")
    assert refused(channel(data, "confirm", "mz-group", number)) == (
        "渠道 mz-group 的设置在测试之后有变，请重新发送测试消息"
    )
    assert state(data) == "设置有变，未测试"


def test_a_test_message_that_does_not_arrive_confirms_nothing(data: Path, receiver: Receiver) -> None:
    receiver.status = lambda _n, _handed: 500
    assert refused(channel(data, "test", "mz-group")) == "Webhook暂时不能接受（500）"
    assert state(data) == "未测试"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["test", "other"], "没有名为 other 的渠道，已配置：inbox、mz-group"),
        (["test", "inbox"], "渠道 inbox 不向外发送，无需测试"),
        (["confirm", "mz-group", "123456"], "渠道 mz-group 还没有发送过测试消息"),
        (["withdraw", "mz-group"], "渠道 mz-group 没有测试或确认过，无需停用"),
    ],
)
def test_what_cannot_be_done_is_said(data: Path, words: list[str], says: str) -> None:
    assert refused(channel(data, *words)) == says


@pytest.mark.parametrize("to", [[], ["--to", "nobody"], ["--to", "a@b.example\nBcc: c@d.example"]])
def test_e_mail_needs_an_address(data: Path, to: list[str]) -> None:
    mail = {"LUCHENG_SMTP_HOST": "smtp.example", "LUCHENG_SMTP_FROM": "bureau@mz.example"}
    sentence = refused(channel(data, "test", "email", *to, **mail))
    assert "收件地址" in sentence or "收件邮箱" in sentence


def test_a_channel_of_the_ledger_that_is_no_longer_in_the_file_is_listed(data: Path, receiver: Receiver) -> None:
    channel(data, "test", "mz-group")
    (data / "channels.yaml").unlink()
    assert state(data) == "未配置"
    assert channel(data, "list").out.count("未配置") == 1


def test_what_did_not_arrive_is_listed_and_sent_again(data: Path) -> None:
    database = connect(sqlite_url(data))
    with database.write() as session:
        for number, state in enumerate(("dead", "pending", "uncertain", "sent"), 1):
            session.exec_driver_sql(
                "INSERT INTO outbox (id, key, channel, kind, plan_id, recipient, as_of, state, attempts, error, queued_at,"
                f" next_try_at, sent_at) VALUES ({number}, 'k{number}', 'mz-group', 'reminder', 1, '9000-mz',"
                f" '2025-03-10', '{state}', 1, '对方没有答复', '2025-03-10', '2025-03-10', '2025-03-10')"
            )
    listed = channel(data, "messages", "--json").json
    assert [(one["id"], one["state"], one["to"], one["error"]) for one in listed] == [
        (3, "不能确定是否送达", "市民政局", "对方没有答复"),
        (2, "渠道未确认", "市民政局", "对方没有答复"),
        (1, "未能送达", "市民政局", "对方没有答复"),
    ]
    assert {one["kind"] for one in listed} == {"按时限提醒"}
    assert [one["id"] for one in channel(data, "messages", "--state", "sent", "--json").json] == [4]
    assert channel(data, "messages", "--limit", "1").out.endswith("只列出最近 1 条\n")
    assert channel(data, "resend", "1", "--by", "王处").out == "消息 1 已重新列入待发\n"
    assert refused(channel(data, "resend", "4")) == "只有未能送达或不能确定是否送达的消息可以重新发送"
    assert refused(channel(data, "resend", "99")) == "没有编号为 99 的消息"
    with database.read() as session:
        assert query(session, "SELECT state, attempts, resent_by FROM outbox WHERE id = 1") == [("pending", 0, "王处")]
    database.close()
