"""Group robots and the webhook, each against a real server that signs, limits and fails as the real one documents."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from pydantic import SecretStr

from notifications import outgoing
from notifications.channel_config import ChannelConfig
from notifications.channels import Letter, deliver, messages, robot, webhook
from policy_models.channels import ChannelKind
from policy_models.errors import DeliveryError
from tests import robot_servers
from tests.postgres import free_port
from tests.robot_servers import DING_SECRET, FEISHU_SECRET, HOOK_SECRET, TOKEN, Receiver, receiving

NOW = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
LINK = "http://lucheng.example/units/150203-mz?from=a_b&x=1"
BODY = f"昆都仑区民政局：\n请办理 *重点*_事项_。\n\n1. 任务5 随访：时限2026年12月31日，还有7个工作日。\n\n办理页面：{LINK}\n"
LETTER = Letter(
    7, "reminder:7", "reminder", "150203-mz", "昆都仑区民政局", "提醒：1项请按期报送", BODY, LINK, "乌云", "13800001234"
)
SECRETS = {"dingtalk": DING_SECRET, "wecom": "", "feishu": FEISHU_SECRET, "webhook": HOOK_SECRET}
PATHS = {
    "dingtalk": f"/robot/send?access_token={TOKEN}",
    "wecom": f"/cgi-bin/webhook/send?key={TOKEN}",
    "feishu": f"/open-apis/bot/v2/hook/{TOKEN}",
    "webhook": f"/in/{TOKEN}",
}
KINDS = list(SECRETS)
ROBOTS = KINDS[:3]


@dataclass
class Pair:
    """A receiver and the channel that leads to it."""

    kind: str
    robot: Receiver

    def config(self, path: str = "", **facts: object) -> ChannelConfig:
        values: dict[str, object] = {
            "code": self.kind,
            "kind": self.kind,
            "url": f"http://127.0.0.1:{self.robot.port}{path or PATHS[self.kind]}",
            "secret": SECRETS[self.kind],
            "allow_private": True,
            "keyword": "鹿程" if self.kind in ("dingtalk", "feishu") else "",
        }
        return ChannelConfig.model_validate({**values, **facts})

    def send(self, letter: Letter = LETTER, *, now: datetime = NOW, **facts: object) -> str:
        return deliver(self.config(**facts), letter, now=now)  # type: ignore[arg-type]

    def fails(self, letter: Letter = LETTER, *, now: datetime = NOW, **facts: object) -> DeliveryError:
        with pytest.raises(DeliveryError) as error:
            self.send(letter, now=now, **facts)
        assert not [one for one in (TOKEN, DING_SECRET, FEISHU_SECRET, HOOK_SECRET) if one in str(error.value)]
        return error.value


def told(error: DeliveryError) -> tuple[bool, bool, timedelta | None]:
    return error.permanent, error.uncertain, error.pause


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, Receiver]]:
    with ExitStack() as stack:
        limits = {"feishu": 100, "webhook": 1000}
        yield {
            kind: stack.enter_context(receiving(getattr(robot_servers, kind), at=0, per_minute=limits.get(kind, 20)))
            for kind in KINDS
        }


@pytest.fixture
def pair(request: pytest.FixtureRequest, running: dict[str, Receiver]) -> Pair:
    robot = running[request.param]
    robot.at, robot.locked_until = NOW.timestamp(), 0.0
    for one in (robot.taken, robot.seen, robot.next, robot.minute):
        one.clear()
    return Pair(request.param, robot)


every = pytest.mark.parametrize("pair", KINDS, indirect=True)
robots = pytest.mark.parametrize("pair", ROBOTS, indirect=True)


def only(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("pair", kinds, indirect=True)


@only("dingtalk")
def test_dingtalk_shows_title_words_link_and_calls(pair: Pair) -> None:
    assert pair.send() == "errcode 0 ok"
    [message] = pair.robot.taken
    assert message == {
        "msgtype": "markdown",
        "markdown": {
            "title": "提醒：1项请按期报送（鹿程）",
            "text": (
                "#### 提醒：1项请按期报送（鹿程）\n\n昆都仑区民政局：  \n请办理 ＊重点＊＿事项＿。  \n  \n"
                "1. 任务5 随访：时限2026年12月31日，还有7个工作日。  \n  \n"
                f"办理页面：[{LINK}]({LINK})\n\n@13800001234"
            ),
        },
        "at": {"atMobiles": ["13800001234"], "isAtAll": False},
    }


@only("wecom")
def test_wecom_shows_text_and_calls(pair: Pair) -> None:
    assert pair.send() == "errcode 0 ok"
    assert pair.robot.taken == [
        {
            "msgtype": "text",
            "text": {"content": f"{LETTER.subject}\n{BODY.rstrip()}", "mentioned_mobile_list": ["13800001234"]},
        }
    ]


@only("feishu")
def test_feishu_shows_a_post_and_calls(pair: Pair) -> None:
    assert pair.send(replace(LETTER, address="ou_18eac85d35a26f989317ad4f02e8bbbb")) == "code 0 success"
    [post] = pair.robot.taken
    assert post["title"] == "提醒：1项请按期报送（鹿程）"
    assert post["content"] == [
        [{"tag": "text", "text": "昆都仑区民政局："}],
        [{"tag": "text", "text": "请办理 *重点*_事项_。"}],
        [{"tag": "text", "text": " "}],
        [{"tag": "text", "text": "1. 任务5 随访：时限2026年12月31日，还有7个工作日。"}],
        [{"tag": "text", "text": " "}],
        [{"tag": "text", "text": "办理页面："}, {"tag": "a", "text": LINK, "href": LINK}],
        [{"tag": "at", "user_id": "ou_18eac85d35a26f989317ad4f02e8bbbb"}],
    ]


@only("dingtalk")
def test_signatures_arrive_whatever_signs_they_hold(pair: Pair) -> None:
    """Base64 has +, / and = in it, which mean something else in an address."""
    for minute in range(40):
        at = NOW + timedelta(minutes=4 * minute)
        pair.robot.at = at.timestamp()
        assert pair.send(now=at) == "errcode 0 ok"
    signs = "".join(one.query["sign"][0] for one in pair.robot.seen)
    assert {"+", "/", "="} <= set(signs)


@only("webhook")
def test_a_webhook_by_standard_webhooks(pair: Pair) -> None:
    assert pair.send() == "HTTP 204"
    pair.robot.at = (NOW + timedelta(minutes=7)).timestamp()
    assert pair.send(now=NOW + timedelta(minutes=7)) == "HTTP 204"
    (first, facts), (second, _) = pair.robot.taken
    assert first == second  # the same message at another attempt: a receiver can tell the double
    assert first.startswith("msg_7_")
    assert facts == {
        "type": "notice.reminder",
        "timestamp": "2026-12-01T01:30:00.000+00:00",
        "data": {
            "key": "reminder:7",
            "kind": "reminder",
            "recipient": {"code": "150203-mz", "name": "昆都仑区民政局", "person": "乌云"},
            "subject": LETTER.subject,
            "body": BODY,
            "link": LINK,
        },
    }
    assert "13800001234" not in pair.robot.seen[0].body.decode()


def test_signatures_are_those_of_the_specification() -> None:
    """The example that Standard Webhooks publishes for its libraries."""
    secret = SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    config = ChannelConfig(code="a", kind=ChannelKind.WEBHOOK, secret=secret)
    at = datetime.fromtimestamp(1614265330, UTC)
    assert webhook.signature(config, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@robots
def test_who_is_no_number_is_called_by_name_and_never_all(pair: Pair) -> None:
    for address in ("wuyun", "@all", "ALL", "", None, "+86 138-0000-1234", "１３８００００１２３４"):
        pair.send(replace(LETTER, address=address))
    called: dict[str, Callable[[Any], Any]] = {
        "dingtalk": lambda one: one["at"],
        "wecom": lambda one: {name: value for name, value in one["text"].items() if name != "content"},
        "feishu": lambda one: [piece for line in one["content"] for piece in line if piece["tag"] == "at"],
    }
    by_mobile = {"dingtalk": {"atMobiles": ["13800001234"]}, "wecom": {"mentioned_mobile_list": ["13800001234"]}}
    by_name = {"dingtalk": {"atUserIds": ["wuyun"]}, "wecom": {"mentioned_list": ["wuyun"]}}
    nobody: Any = {"isAtAll": False} if pair.kind == "dingtalk" else [] if pair.kind == "feishu" else {}
    found = [called[pair.kind](one) for one in pair.robot.taken]
    if pair.kind == "feishu":  # it knows nobody by a mobile number
        assert found == [[]] * 7
    else:
        name, mobile = {**by_name[pair.kind], **nobody}, {**by_mobile[pair.kind], **nobody}
        assert found == [name, nobody, nobody, nobody, nobody, mobile, mobile]


@every
def test_letters_that_are_empty_or_odd_arrive(pair: Pair) -> None:
    for body in ("", "\n\n", "\ud800坏", "a\x00b", '<at user_id="all"></at> <@all> [点我](http://evil.example)'):
        pair.send(replace(LETTER, body=body, link="", address=None))
    assert len(pair.robot.taken) == 5
    if pair.kind == "dingtalk":
        assert "[点我]" not in pair.robot.taken[-1]["markdown"]["text"]


@robots
def test_long_letters_go_in_parts(pair: Pair) -> None:
    lines = [
        f"{n}. 任务{n % 18 + 1} 每季度随访留守儿童家庭（2026年第四季度）：时限2026年12月31日。" for n in range(700)
    ]
    letter = replace(LETTER, body="\n".join([*lines, "长" * 9000, f"办理页面：{LINK}"]), address=None)
    count = messages(pair.config(), letter)
    pair.robot.per_minute, allowed = 1000, pair.robot.per_minute
    try:
        said = pair.send(letter)
    finally:
        pair.robot.per_minute = allowed
    assert said.endswith(f"（共 {count} 段）")
    assert len(pair.robot.taken) == count > 3
    texts = {
        "dingtalk": lambda one: one["markdown"]["text"].partition("\n\n")[2].replace("  \n", "\n"),
        "wecom": lambda one: one[one["msgtype"]]["content"].partition("\n")[2],
        "feishu": lambda one: "\n".join("".join(p["text"] for p in line) for line in one["content"]),
    }[pair.kind]
    joined = "\n".join(texts(one) for one in pair.robot.taken)
    assert [line for line in joined.split("\n") if line.startswith(tuple("0123456789"))] == lines
    assert joined.count("长") == 9000
    assert "�" not in joined
    sizes = [len(one.body) for one in pair.robot.seen]
    assert min(sizes[:3]) > {"dingtalk": 19_000, "feishu": 19_000, "wecom": 3_900}[pair.kind]  # few parts, well filled
    titles = json.dumps(pair.robot.taken, ensure_ascii=False)
    assert f"（1/{count}）" in titles
    assert f"（{count}/{count}）" in titles


@only("wecom")
def test_wecom_text_within_its_smaller_limit_where_somebody_is_called(pair: Pair) -> None:
    letter = replace(LETTER, body="请办理事项。\n" * 300)
    assert messages(pair.config(), letter) == 3
    pair.send(letter)
    kinds = [(one["msgtype"], one["text"].get("mentioned_mobile_list")) for one in pair.robot.taken]
    assert kinds == [("text", ["13800001234"]), ("text", None), ("text", None)]
    assert messages(pair.config(), replace(letter, address=None)) == 2


@robots
def test_a_part_that_fails_leaves_the_whole_uncertain(pair: Pair) -> None:
    letter = replace(LETTER, body="请办理事项。\n" * 4000)
    count = messages(pair.config(), letter)
    answer = robot_servers.plain(
        {"dingtalk": {"errcode": -1}, "wecom": {"errcode": -1}, "feishu": {"code": 1}}[pair.kind]
    )

    def takes(handler: BaseHTTPRequestHandler) -> None:
        robot_servers.give(handler, 200, robot_servers.plain({"errcode": 0, "code": 0}))

    pair.robot.next[:] = [takes, robot_servers.answering(200, answer)]
    error = pair.fails(letter)
    assert str(error).startswith(f"消息分 {count} 段发送，前 1 段已送达，第 2 段没有确认送达：")
    assert told(error) == (False, True, None)
    assert len(pair.robot.seen) == 2  # and the rest is not sent


@only("wecom", "feishu", "dingtalk")
def test_a_limit_between_two_parts_is_waited_for_once(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        pair.robot.at += seconds

    monkeypatch.setattr(robot.time, "sleep", sleep)
    monkeypatch.setattr(pair.robot, "per_minute", 2)
    long = {"wecom": 500, "feishu": 900, "dingtalk": 2600}[pair.kind]  # in three parts
    letter = replace(LETTER, body="请办理事项。\n" * long, address=None)
    assert messages(pair.config(), letter) == 3
    if pair.kind == "dingtalk":  # it locks for ten minutes
        error = pair.fails(letter)
        assert "前 2 段已送达，第 3 段没有确认送达：钉钉机器人没有接受（130101）" in str(error)
        assert (told(error), slept) == ((False, True, TEN), [])
        return
    assert pair.send(letter).endswith("（共 3 段）")
    assert (len(pair.robot.taken), len(pair.robot.seen), slept) == (3, 4, [60.0])
    monkeypatch.setattr(pair.robot, "per_minute", 1)
    pair.robot.minute.clear()
    assert told(pair.fails(letter)) == (False, True, MINUTE)  # after the second wait it is given up
    assert slept == [60.0, 60.0]


MINUTE, TEN = timedelta(minutes=1), timedelta(minutes=10)


@pytest.mark.parametrize(
    ("pair", "sentence", "verdict"),
    [
        ("dingtalk", "钉钉机器人没有接受（130101）：发送过快，对方 10 分钟内不再接受", (False, False, TEN)),
        ("wecom", "企业微信机器人没有接受（45009）：发送过快，超过对方限制", (False, False, MINUTE)),
        ("feishu", "飞书机器人没有接受（11232）：发送过快，超过对方限制", (False, False, MINUTE)),
    ],
    indirect=["pair"],
)
def test_one_more_than_a_minute_may_have(pair: Pair, sentence: str, verdict: tuple[object, ...]) -> None:
    for _ in range(pair.robot.per_minute):
        pair.send()
    error = pair.fails()
    assert (str(error), told(error)) == (sentence, verdict)
    assert len(pair.robot.taken) == pair.robot.per_minute


@pytest.mark.parametrize(
    ("pair", "facts", "sentence"),
    [
        ("dingtalk", {"secret": "SECwrong-one"}, "钉钉机器人没有接受（310000）：安全设置不符，请核对加签密钥、关键词、IP 地址段和本机时钟"),
        ("dingtalk", {"keyword": ""}, "钉钉机器人没有接受（310000）：安全设置不符，请核对加签密钥、关键词、IP 地址段和本机时钟"),
        ("dingtalk", {"path": "/robot/send?access_token=otherwise"}, "钉钉机器人没有接受（300005）：网址中的 access_token 无效"),
        ("wecom", {"path": "/cgi-bin/webhook/send?key=otherwise"}, "企业微信机器人没有接受（93000）：网址中的 key 无效，机器人可能已被移除"),
        ("feishu", {"secret": "wrong"}, "飞书机器人没有接受（19021）：签名不符，请核对密钥和本机时钟"),
        ("feishu", {"keyword": ""}, "飞书机器人没有接受（19024）：内容不含机器人要求的关键词"),
        ("feishu", {"path": "/open-apis/bot/v2/hook/otherwise"}, "飞书机器人没有接受（19001）：网址无效，机器人可能已被移除"),
        ("webhook", {"secret": "whsec_" + "A" * 32}, "Webhook没有接受（401），请核对网址和设置"),
        ("webhook", {"secret": "whsec_short"}, "Webhook 须有密钥：whsec_ 加 24 至 64 字节随机数的 Base64"),
    ],
    indirect=["pair"],
)  # fmt: skip
def test_what_only_an_administrator_can_set_right_is_permanent(
    pair: Pair, facts: dict[str, str], sentence: str
) -> None:
    error = pair.fails(**facts)
    assert (str(error), told(error), pair.robot.taken) == (sentence, (True, False, None), [])


@only("dingtalk", "feishu", "webhook")
def test_a_clock_that_is_off_is_refused(pair: Pair) -> None:
    for off in (timedelta(hours=1, seconds=5), -timedelta(hours=1, seconds=5)):
        assert told(pair.fails(now=NOW + off)) == (True, False, None)
    pair.send(now=NOW + timedelta(minutes=4))
    assert len(pair.robot.taken) == 1


@robots
def test_a_code_that_nobody_knows_is_tried_again(pair: Pair) -> None:
    names = ("code", "msg") if pair.kind == "feishu" else ("errcode", "errmsg")
    hostile = f"busy {TOKEN} {SECRETS[pair.kind] or 'x'} 13800001234\n<b>\x00" + "长" * 500
    pair.robot.next.append(robot_servers.answering(200, robot_servers.plain({names[0]: 60020, names[1]: hostile})))
    error = pair.fails()
    assert told(error) == (False, False, None)
    assert "（60020）：busy *** " in str(error)
    assert "13800001234" not in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 160


@robots
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ok",
        b"<html>captive portal</html>",
        b"[]",
        b"null",
        b'{"errcode": "0", "code": "0"}',
        b'{"errcode": true, "code": true}',
        b'{"errcode": null, "code": 0.0}',
        b'{"errmsg": "ok"}',
        b"\xff\xfe\x00",
        b'{"errcode": 0, "code": 0, "errmsg": "' + b"x" * 70_000 + b'"}',
        b"[" * 60_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_an_answer_that_nobody_can_read_is_uncertain(pair: Pair, body: bytes) -> None:
    pair.robot.next.append(robot_servers.answering(200, body))
    error = pair.fails()
    assert (str(error), told(error)) == ("对方的答复无法识别，不能确定是否送达", (False, True, None))


@every
@pytest.mark.parametrize(
    ("status", "headers", "verdict"),
    [
        (500, {}, (False, False, None)),
        (503, {}, (False, False, None)),
        (503, {"Retry_After": "120"}, (False, False, timedelta(seconds=120))),
        (429, {}, (False, False, MINUTE)),
        (429, {"Retry_After": "30"}, (False, False, timedelta(seconds=30))),
        (429, {"Retry_After": "9999999"}, (False, False, MINUTE)),
        (429, {"Retry_After": "999999"}, (False, False, timedelta(hours=1))),
        (429, {"Retry_After": "Fri, 31 Dec 2027 23:59:59 GMT"}, (False, False, MINUTE)),
        (429, {"Retry_After": "-5"}, (False, False, MINUTE)),
        (408, {}, (False, False, None)),
        (502, {}, (False, True, None)),
        (504, {}, (False, True, None)),
        (400, {}, (True, False, None)),
        (403, {}, (True, False, None)),
        (404, {}, (True, False, None)),
        (410, {}, (True, False, None)),
        (301, {"Location": "http://127.0.0.1:1/"}, (True, False, None)),
    ],
)
def test_what_a_status_means(
    pair: Pair, status: int, headers: dict[str, str], verdict: tuple[bool, bool, timedelta | None]
) -> None:
    pair.robot.next.append(robot_servers.answering(status, b"<html></html>", **headers))
    assert told(pair.fails()) == verdict
    assert len(pair.robot.seen) == 1


@every
@pytest.mark.parametrize("end", [robot_servers.silent(9), robot_servers.dripping(9), robot_servers.cut])
def test_no_answer_is_uncertain(
    pair: Pair, end: Callable[[BaseHTTPRequestHandler], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "WHOLE_SECONDS", 0.5)
    pair.robot.next.append(end)
    began = time.monotonic()
    error = pair.fails()
    assert time.monotonic() - began < 5
    assert told(error) == (False, True, None)
    why = "连接在对方答复前中断" if end is robot_servers.cut else "对方在限定时间内没有答复"
    assert str(error) == f"消息已发出，{why}，不能确定是否送达"


@robots
def test_half_an_answer_is_uncertain(pair: Pair) -> None:
    pair.robot.next.append(robot_servers.half(b'{"errcode": 0, "code": 0, "errmsg": "ok"}'))
    assert told(pair.fails()) == (False, True, None)


@every
def test_an_answer_without_end_is_not_read_to_it(pair: Pair) -> None:
    pair.robot.next.append(robot_servers.endless)
    if pair.kind == "webhook":
        assert pair.send() == "HTTP 200"  # the status says it all
    else:
        assert told(pair.fails()) == (False, True, None)


@every
def test_nobody_listens(pair: Pair) -> None:
    url = f"http://127.0.0.1:{free_port()}{PATHS[pair.kind]}"
    error = pair.fails(url=url)
    assert (str(error), told(error)) == ("不能连接，没有发送", (False, False, None))


@every
def test_secrets_stay_out_of_logs_and_representations(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    pair.send()
    pair.robot.next.append(robot_servers.answering(500))
    pair.fails()
    config = pair.config()
    shown = f"{config!r} {config} {config.model_dump_json()} {config.digest} {caplog.text}"
    assert "http" in caplog.text  # something was logged, and it was looked at
    assert not [one for one in (TOKEN, SECRETS[pair.kind]) if one and one in shown]


def test_the_limits_are_those_that_were_decided() -> None:
    assert (outgoing.CONNECT_SECONDS, outgoing.WHOLE_SECONDS, outgoing.ANSWER_LIMIT) == (5, 15, 65536)
