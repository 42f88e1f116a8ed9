"""The page of channels: tested, confirmed, withdrawn by the coordinator; no address of a channel, no secret on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from ledger import channels
from ledger.queries.messages import UNSETTLED
from notifications.channel_file import load_channels
from tests.api.site import Site, tiny_site
from tests.factories import BUREAU, instant, query, statements
from tests.receiver import SECRET, Receiver, running_receiver
from tests.telling import confirm_channel

pytestmark = pytest.mark.thorough

PAGE = f"/units/{BUREAU}/channels"
DAY = "2025-03-10"
NOW = instant(DAY)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as found:
        yield found


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("LUCHENG_CHANNELS_FILE", str(receiver.channels_file(tmp_path)))
    with tiny_site(sqlite_url, tmp_path / "pack") as found:
        yield found


@pytest.fixture
def browser(site: Site) -> TestClient:
    return site.at(DAY)


def shown(answer: Response, status: int = 200) -> str:
    """What a person reads; never a secret or where a channel leads."""
    assert answer.status_code == status, answer.text
    assert SECRET not in answer.text
    assert "127.0.0.1" not in answer.text
    text = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def number_in(receiver: Receiver) -> str:
    return re.findall(r"确认码：(\d{6})\n", receiver.log[-1].body["data"]["body"])[0]


def test_from_untested_to_confirmed_to_withdrawn(site: Site, browser: TestClient, receiver: Receiver) -> None:
    page = shown(browser.get(PAGE))
    assert "站内消息 ● 始终可用" in page
    assert "测试接收端 ○ 未测试 Webhook · 代码 mz-group · 还没有发出过消息 发送测试消息" in page
    sent = browser.post(f"{PAGE}/mz-group/test")
    assert (sent.status_code, sent.headers["location"]) == (303, f"{PAGE}?told=test#mz-group")
    page = shown(browser.get(sent.headers["location"]))
    assert "测试消息已发出，请到收到消息的群或邮箱核对" in page
    assert "测试接收端 ◐ 待确认" in page
    number = number_in(receiver)
    assert number not in page
    wrong = browser.post(f"{PAGE}/mz-group/confirm", data={"number": "12345"})
    assert "确认码不对，请核对测试消息后重新填写。" in shown(wrong, 409)
    right = browser.post(f"{PAGE}/mz-group/confirm", data={"number": f" {number} ", "by_name": "王处"})
    assert right.headers["location"] == f"{PAGE}?told=confirm#mz-group"
    page = shown(browser.get(right.headers["location"]))
    assert "测试接收端 ● 已确认" in page
    assert "王处" in page
    with site.database.read() as session:
        assert channels.confirmed(session) == {"mz-group"}
        assert query(session, "SELECT tries FROM channel") == [(1,)]  # the wrong one is counted, though refused
    gone = browser.post(f"{PAGE}/mz-group/withdraw")
    assert gone.headers["location"] == f"{PAGE}?told=withdraw#mz-group"
    with site.database.read() as session:
        assert channels.confirmed(session) == frozenset()


def test_a_test_message_that_does_not_arrive_is_told_and_leaves_what_was(
    site: Site, browser: TestClient, receiver: Receiver
) -> None:
    with site.database.write() as session:
        confirm_channel(session, load_channels()["mz-group"], NOW)
    receiver.status = lambda _n, _handed: 500
    assert "Webhook暂时不能接受（500）。" in shown(browser.post(f"{PAGE}/mz-group/test"), 502)
    with site.database.read() as session:
        assert channels.confirmed(session) == {"mz-group"}


def test_the_network_is_in_no_transaction(site: Site, browser: TestClient, receiver: Receiver) -> None:
    """While the receiver has the test message and does not answer, another can write to the ledger (SQLite: only one
    can at a time)."""

    def meanwhile(_n: int, _handed: object) -> int:
        with site.database.write() as session:
            channels.note_test(session, "other", "webhook", "d", number="1", now=NOW)
        return 200

    receiver.status = meanwhile
    assert browser.post(f"{PAGE}/mz-group/test").status_code == 303
    with site.database.read() as session:
        assert set(channels.standings(session)) == {"mz-group", "other"}


def test_only_the_coordinator_and_only_from_the_page(browser: TestClient, receiver: Receiver) -> None:
    other = "/units/9001-mz/channels"
    assert "消息渠道由统筹单位管理" in shown(browser.get(other), 403)
    for act in ("test", "confirm", "withdraw"):
        assert browser.post(f"{other}/mz-group/{act}", data={"number": "1"}).status_code == 403
        strange = browser.post(f"{PAGE}/mz-group/{act}", headers={"sec-fetch-site": "cross-site"})
        assert strange.status_code == 403
    assert receiver.log == []


@pytest.mark.parametrize(
    ("path", "data", "status", "says"),
    [
        ("other/test", {}, 404, "没有这个渠道，可能已从渠道文件中删除"),
        ("inbox/test", {}, 409, "这个渠道不向外发送，无需测试"),
        ("mz-group/confirm", {"number": "123456"}, 404, "还没有发送过测试消息"),
        ("mz-group/withdraw", {}, 404, "没有测试或确认过，无需停用"),
        ("mz-group/confirm", {"number": "1" * 300}, 422, "编号"),
        (f"{'x' * 41}/test", {}, 422, "渠道代码"),
        ("mz%00group/test", {}, 422, "不能识别的字符"),
        ("mz-group/test", {"by_name": "\u202e王"}, 422, "不能识别的字符"),
    ],
)
def test_what_cannot_be_done_is_said(
    browser: TestClient, path: str, data: dict[str, str], status: int, says: str
) -> None:
    assert says in shown(browser.post(f"{PAGE}/{path}", data=data), status)


@pytest.mark.parametrize(
    "to", ["", "nobody", "a b@c.example", "a@b.example\r\nBcc: c@d.example", "<script>alert(1)</script>"]
)
def test_e_mail_needs_an_address(browser: TestClient, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    monkeypatch.setenv("LUCHENG_SMTP_HOST", "smtp.invalid")
    monkeypatch.setenv("LUCHENG_SMTP_FROM", "bureau@mz.example")
    page = browser.post(f"{PAGE}/email/test", data={"to": to})
    assert "收件邮箱，测试消息将发到那里" in shown(page, 409)
    assert "<script>alert" not in page.text


def test_wrong_settings_are_told_by_line_and_the_page_stands(browser: TestClient, tmp_path: Path, site: Site) -> None:
    path = tmp_path / "channels.yaml"
    path.write_text(path.read_text("utf-8").replace("kind: webhook", "kind: fax"), "utf-8")
    page = shown(browser.get(PAGE))
    assert "渠道设置有误，更正之前只投递站内消息：channels.yaml:2 [" in page
    path.chmod(0o644)
    assert "渠道文件可被本机其他用户读取" in shown(browser.get(PAGE))


def test_a_channel_that_is_down_and_one_that_is_gone(site: Site, browser: TestClient, tmp_path: Path) -> None:
    way = load_channels()["mz-group"]
    with site.database.write() as session:
        confirm_channel(session, way, NOW)
        for message in (1, 2, 3):
            channels.note_failed(
                session, way.code, message, error="对方<b>没有</b>答复", now=NOW + timedelta(minutes=-1)
            )
        states = [state.value for state in UNSETTLED]
        for number, state in enumerate([*states, "sent"]):
            session.exec_driver_sql(
                "INSERT INTO outbox (key, channel, kind, plan_id, recipient, as_of, state, queued_at, next_try_at, sent_at)"
                f" VALUES ('{number}', 'mz-group', 'reminder', 1, '{BUREAU}', '2025-03-10', '{state}', '2025-03-10',"
                " '2025-03-10', '2025-03-10')"
            )
    answer = browser.get(PAGE)
    assert "对方&lt;b&gt;没有" in answer.text
    page = shown(answer)
    assert "▲ 暂停（渠道不可用）" in page
    assert "待发 1 条 · 不能确定是否送达 1 条 · 未能送达 1 条" in page
    (tmp_path / "channels.yaml").write_text("", "utf-8")
    page = shown(browser.get(PAGE))
    assert "mz-group ○ 未配置" in page
    assert "渠道文件中已没有这个渠道，它的消息留在发件箱。" in page
    assert "还没有配置向外发送的渠道" in page


def test_as_many_statements_for_one_channel_as_for_many(site: Site, browser: TestClient, tmp_path: Path) -> None:
    counted = []
    path = tmp_path / "channels.yaml"
    one = path.read_text("utf-8")
    for copies in (1, 40):
        path.write_text("".join(one.replace("mz-group", f"group-{n}") for n in range(copies)), "utf-8")
        with statements(site.database) as sent:
            assert browser.get(PAGE).text.count("发送测试消息</button>") == copies
        counted.append(len(sent))
    assert counted[0] == counted[1]
