"""发件箱 in a browser: what has not arrived, why, and sending it again."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from ledger import chasing, outbox
from ledger.reminders import queue_due
from tests.api.site import MONTHLY, VILLAGE, Site
from tests.api.test_chase import seen
from tests.chasing import add_person, confirm_mail
from tests.factories import BUREAU, CODE, instant, office, query, village

pytestmark = pytest.mark.thorough

OTHER = village(1, 2)
DAY = "2025-01-24"
NOW = instant(DAY)
DESK = f"/units/{BUREAU}/messages"


@pytest.fixture(autouse=True)
def mail_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A mail server in the settings; nothing is ever sent to it here."""
    for name, value in (("HOST", "mail.invalid"), ("USER", "a@example.cn"), ("PASSWORD", "x")):
        monkeypatch.setenv(f"LUCHENG_SMTP_{name}", value)
    monkeypatch.setenv("LUCHENG_CHANNELS_FILE", "")


def digest() -> str:
    from notifications.channel_file import load_channels

    return load_channels()["email"].digest


def failed(site: Site, names: tuple[str, ...] = ("王敏", "李强", "赵六"), now: datetime = NOW) -> list[int]:
    """A chase to people by mail: one message dead, one uncertain, the others waiting."""
    with site.database.write() as session:
        confirm_mail(session)
        session.exec_driver_sql(f"UPDATE channel SET digest = '{digest()}'")
        for n, name in enumerate(names):
            add_person(session, VILLAGE, name, liaison=True, email=f"u{n}@example.cn")
        chasing.chase(session, [MONTHLY], by=office(BUREAU), now=now)
        ids = [row[0] for row in query(session, "SELECT id FROM outbox WHERE channel = 'email' ORDER BY id")]
        session.exec_driver_sql(f"UPDATE outbox SET state = 'claimed', attempts = 1 WHERE id IN ({ids[0]}, {ids[1]})")
        outbox.record_failed(session, ids[0], error="550 没有这个用户", permanent=True, now=now)
        outbox.record_failed(session, ids[1], error="没有答复", permanent=False, uncertain=True, now=now)
    return ids


def state(site: Site, id: int) -> tuple[object, ...]:
    with site.database.read() as session:
        return query(session, f"SELECT state, attempts, resent_by FROM outbox WHERE id = {id}")[0]


def test_the_piles_with_their_reasons(site: Site) -> None:
    failed(site)
    browser = site.at(DAY)
    page = seen(browser.get("/messages"))
    assert "不能确定是否送达 1 条 · 未能送达 1 条 · 等待发送 2 条" in page
    assert "对方可能已经收到。请先向对方核实，确未收到的再重新发送。" in page
    assert "1县1村 李强 催办 1 项 电子邮件 ▲ 不能确定是否送达 没有答复 已尝试 1 次 2025年1月24日 09:00" in page
    dead = seen(browser.get("/messages", params={"pile": "dead"}))
    assert "1县1村 王敏 催办 1 项 电子邮件 ▲ 未能送达 550 没有这个用户 已尝试 1 次" in dead
    waiting = seen(browser.get("/messages", params={"pile": "waiting"}))
    assert "等待的原因 待发送 2" in waiting
    night = seen(site.at("2025-01-25").get("/messages", params={"pile": "waiting"}))  # a Saturday
    assert "等待的原因 待发送 1 非工作时段待发 1" in night
    held = seen(site.at("2025-01-25").get("/messages", params={"outcome": "closed"}))
    assert "1县1村 赵六 催办 1 项 电子邮件 ○ 非工作时段待发 2025年1月26日 08:30 起发出" in held
    assert "本单位 催办" not in held
    inbox = seen(site.at("2025-01-25").get("/messages", params={"pile": "waiting", "channel": "inbox"}))
    assert ("1县1村 本单位 催办 1 项 站内消息 ○ 待发送" in inbox, "赵六" in inbox) == (True, False)


def test_other_settings_than_those_that_were_tested_wait(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    failed(site)
    monkeypatch.setenv("LUCHENG_SMTP_HOST", "other.invalid")
    assert "等待的原因 待发送 1 渠道未确认 1" in seen(site.at(DAY).get("/messages", params={"pile": "waiting"}))
    monkeypatch.delenv("LUCHENG_SMTP_HOST")
    assert "等待的原因 待发送 1 渠道未配置 1" in seen(site.at(DAY).get("/messages", params={"pile": "waiting"}))


def test_a_channels_file_that_is_wrong_is_said_and_stops_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failed(site)
    wrong = tmp_path / "channels.yaml"
    wrong.write_text("- code: ding\n  kind: carrier-pigeon\n  secret: s3cret\n", encoding="utf-8")
    monkeypatch.setenv("LUCHENG_CHANNELS_FILE", str(wrong))
    for path in ("/messages", "/reminders", f"/items/{MONTHLY}"):
        answer = site.at(DAY).get(path)
        assert (answer.status_code, "s3cret" in answer.text) == (200, False)
        if not path.startswith("/items"):
            assert "渠道文件有误，除站内消息外都不能发送：channels.yaml" in seen(answer)


def test_a_dead_message_is_sent_again(site: Site) -> None:
    ids = failed(site)
    browser = site.at(DAY)
    answer = browser.post(f"{DESK}/resend", data={"pick": [ids[0]], "by_name": "李强"})
    assert answer.headers["location"] == "/messages?sent=1"
    assert "已安排重新发送 1 条消息" in seen(browser.get(answer.headers["location"]))
    assert state(site, ids[0]) == ("pending", 0, "李强")
    assert "李强曾要求重新发送" in seen(browser.get("/messages", params={"pile": "waiting"}))
    again = browser.post(f"{DESK}/resend", data={"pick": [ids[0]]})
    assert (again.status_code, "其中有消息刚刚已被处理" in again.text) == (409, True)


def test_an_uncertain_message_only_one_at_a_time(site: Site) -> None:
    ids = failed(site)
    browser = site.at(DAY)
    page = browser.get("/messages", params={"pile": "uncertain"}).text
    assert f'formaction="{DESK}/{ids[1]}/resend?plan={CODE}">仍要重新发送' in page
    assert "对方可能已经收到，再发会收到两次。" in page
    for pick in ([ids[1]], [ids[0], ids[1]], [ids[0], 10**6]):
        answer = browser.post(f"{DESK}/resend", data={"pick": pick})
        assert answer.status_code == 409
    assert [state(site, id)[0] for id in ids[:2]] == ["dead", "uncertain"]
    assert browser.post(f"{DESK}/{ids[1]}/resend").status_code == 303
    assert state(site, ids[1]) == ("pending", 0, "测试员")
    waiting = browser.post(f"{DESK}/{ids[2]}/resend")
    assert (waiting.status_code, "可以重新发送" in waiting.text) == (409, True)


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        (f"{DESK}/resend", {}, 404),
        (f"{DESK}/resend", {"pick": ["x"]}, 422),
        (f"{DESK}/resend", {"pick": ["0"]}, 422),
        (f"{DESK}/resend", {"pick": [str(2**70)]}, 422),
        (f"{DESK}/resend", {"pick": [str(n) for n in range(1, 202)]}, 404),
        (f"{DESK}/999999/resend", {}, 404),
        (f"{DESK}/x/resend", {}, 422),
    ],
)
def test_what_cannot_be_sent_again(site: Site, path: str, data: dict[str, list[str]], status: int) -> None:
    ids = failed(site)
    assert site.at(DAY).post(path, data=data).status_code == status
    assert state(site, ids[0])[0] == "dead"


def test_only_the_coordinators_desk(site: Site) -> None:
    ids = failed(site)
    browser = site.at(DAY)
    for desk in ("/units/900101/messages", f"/units/{VILLAGE}/messages", "/units/9000-jy/messages"):
        assert browser.post(f"{desk}/{ids[0]}/resend").status_code == 403
        assert browser.post(f"{desk}/resend", data={"pick": [ids[0]]}).status_code == 403
    cross = {"sec-fetch-site": "cross-site"}
    assert browser.post(f"{DESK}/resend", data={"pick": [ids[0]]}, headers=cross).status_code == 403
    assert state(site, ids[0])[0] == "dead"


def test_nothing_waits(site: Site) -> None:
    browser = site.at(DAY)
    assert "没有等待或未能送达的消息。" in seen(browser.get("/messages"))
    failed(site)
    assert "没有符合条件的消息。 清除条件" in seen(browser.get("/messages", params={"pile": "dead", "channel": "ding"}))
    assert browser.get("/messages", params={"pile": "dead", "page": 2}).status_code == 404
    assert browser.get("/messages", params={"pile": "heap"}).status_code == 422


def test_many_in_pages(site: Site) -> None:
    with site.database.write() as session:
        queue_due(session, CODE, as_of=date(2025, 1, 23), now=instant("2025-01-23", 7))
        session.exec_driver_sql("UPDATE outbox SET state = 'dead', error = '故障'")
        for n in range(60):
            session.exec_driver_sql(
                "INSERT INTO outbox (key, channel, kind, plan_id, recipient, as_of, state, queued_at, next_try_at, error) "
                f"SELECT 'more{n}', channel, kind, plan_id, '{OTHER}', as_of, state, queued_at, next_try_at, error "
                "FROM outbox WHERE id = (SELECT min(id) FROM outbox)"
            )
    browser = site.at(DAY)
    first, second = (seen(browser.get("/messages", params={"page": n})) for n in (1, 2))
    assert "第 1—50 条，共 64 条 下一页" in first
    assert "上一页 第 51—64 条，共 64 条" in second
