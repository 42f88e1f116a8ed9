"""Receivers of the tests' own, on a real port: group robots that sign, limit and fail as the real ones document it, a
webhook that checks signatures by Standard Webhooks, and wires that break."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "9f3c1d0e5b7a4862"
DING_SECRET = "SEC51d0c0ffee7e57ab1e"
FEISHU_SECRET = "kXq0secretOfFeishu"
HOOK_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
HOUR = 3600
KB = 1024
Reply = tuple[int, bytes]


@dataclass
class Request:
    """One request as it came."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def facts(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What listens. ``taken``: messages that people would have read; ``seen``: every request. ``next``: what is to
    happen to the next requests instead of an answer of the robot's own. ``at``: what it takes for the time."""

    answer: Callable[[Receiver, Request], Reply]
    at: float
    per_minute: int = 20
    taken: list[Any] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)
    next: list[Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    minute: list[float] = field(default_factory=list)
    locked_until: float = 0.0
    port: int = 0

    def count(self) -> bool:
        """Whether one more message in this minute is too many."""
        self.minute = [one for one in self.minute if one > self.at - 60] + [self.at]
        return len(self.minute) > self.per_minute


def plain(facts: Any) -> bytes:
    return json.dumps(facts).encode()


def dingtalk(robot: Receiver, request: Request) -> Reply:
    """HTTP 200 whatever happens; more than 20 a minute lock it for ten; signed in the query, in milliseconds."""

    def error(code: int, words: str) -> Reply:
        return 200, plain({"errcode": code, "errmsg": words})

    if robot.at < robot.locked_until:
        return error(130101, "send too fast, exceed 20 times per minute")
    if request.path != "/robot/send" or request.query.get("access_token") != [TOKEN]:
        return error(300005, f"token is not exist: {request.query.get('access_token')}")
    stamp = request.query.get("timestamp", [""])[0]
    wanted = hmac.new(DING_SECRET.encode(), f"{stamp}\n{DING_SECRET}".encode(), hashlib.sha256).digest()
    if not re.fullmatch(r"\d{13}", stamp) or abs(int(stamp) / 1000 - robot.at) > HOUR:
        return error(310000, "invalid timestamp")
    if request.query.get("sign") != [base64.b64encode(wanted).decode()]:
        return error(310000, "sign not match")
    if not request.headers["content-type"].startswith("application/json"):
        return error(43004, "content type is wrong")
    if len(request.body) > 20 * KB:
        return error(460101, "message too long")
    if request.facts["msgtype"] != "markdown" or not request.facts["markdown"]["title"]:
        return error(400105, "unsupported msgtype")
    if "鹿程" not in request.facts["markdown"]["title"] + request.facts["markdown"]["text"]:
        return error(310000, "keywords not in content")
    if robot.count():
        robot.locked_until = robot.at + 600
        return error(130101, "send too fast, exceed 20 times per minute")
    robot.taken.append(request.facts)
    return error(0, "ok")


def wecom(robot: Receiver, request: Request) -> Reply:
    def error(code: int, words: str) -> Reply:
        return 200, plain({"errcode": code, "errmsg": words})

    if request.path != "/cgi-bin/webhook/send" or request.query.get("key") != [TOKEN]:
        return error(93000, "invalid webhook url, hint: [1700000000], from ip: 10.0.0.1")
    kind = request.facts["msgtype"]
    content = request.facts[kind]["content"]
    if len(content.encode()) > {"text": 2048, "markdown": 4096}[kind]:
        return error(40058, f"{kind}.content exceed max length. invalid Request Parameter")
    if kind == "markdown" and set(request.facts[kind]) != {"content"}:
        return error(40058, "markdown knows nobody")
    if robot.count():
        return error(45009, "api freq out of limit")
    robot.taken.append(request.facts)
    return error(0, "ok")


def feishu(robot: Receiver, request: Request) -> Reply:
    """Signed in the body, in seconds; the key signs nothing."""

    def error(code: int, words: str) -> Reply:
        return (200 if code in (0, 19021, 19024, 11232) else 400), plain({"code": code, "data": {}, "msg": words})

    if request.path != f"/open-apis/bot/v2/hook/{TOKEN}":
        return error(19001, "param invalid: incoming webhook access token invalid")
    if len(request.body) > 20 * KB or request.facts.get("msg_type") != "post":
        return error(9499, "Bad Request")
    stamp = str(request.facts.get("timestamp", ""))
    wanted = base64.b64encode(hmac.new(f"{stamp}\n{FEISHU_SECRET}".encode(), b"", hashlib.sha256).digest()).decode()
    fresh = re.fullmatch(r"\d{10}", stamp) and abs(int(stamp) - robot.at) <= HOUR
    if not fresh or request.facts.get("sign") != wanted:
        return error(19021, "sign match fail or timestamp is not within one hour from current time")
    if "鹿程" not in json.dumps(request.facts, ensure_ascii=False):
        return error(19024, "Key Words Not Found")
    if robot.count():
        return error(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
    robot.taken.append(request.facts["content"]["post"]["zh_cn"])
    return error(0, "success")


def webhook(robot: Receiver, request: Request) -> Reply:
    """As the specification has a receiver check it: id, time within five minutes, HMAC-SHA256 over all three."""
    name, stamp = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
    if not name or not stamp.isdigit() or abs(int(stamp) - robot.at) > 300:
        return 400, b"timestamp"
    key = base64.b64decode(HOOK_SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{stamp}.{request.body.decode()}".encode(), hashlib.sha256).digest()
    given = [one.partition(",")[2] for one in request.headers.get("webhook-signature", "").split() if one[:3] == "v1,"]
    if base64.b64encode(digest).decode() not in given:
        return 401, b"signature"
    robot.taken.append((name, request.facts))
    return 204, b""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        query = parse_qs(url.query, keep_blank_values=True)
        request = Request(url.path, query, {name.lower(): value for name, value in self.headers.items()}, body)
        self.receiver.seen.append(request)
        if self.receiver.next:
            self.receiver.next.pop(0)(self)
            return
        status, found = self.receiver.answer(self.receiver, request)
        give(self, status, found)

    def do_GET(self) -> None:
        self.receiver.seen.append(Request(self.path, {}, {}, b""))
        give(self, 200, b"{}")

    def log_message(self, *_: Any) -> None:
        """Nothing: what is asked for is in ``seen``."""


def give(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    """Answer, and be done."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def answering(status: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: give(handler, status, body, **headers)


def silent(seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    """It has the request and says nothing for so long."""
    return lambda _handler: time.sleep(seconds)


def dripping(seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    """It answers, one byte after the other, each within any time-out."""

    def drip(handler: BaseHTTPRequestHandler) -> None:
        end = time.monotonic() + seconds
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 10_000:
            if time.monotonic() > end:
                return
            try:
                handler.wfile.write(bytes([byte]))
            except OSError:
                return
            time.sleep(0.05)

    return drip


def cut(handler: BaseHTTPRequestHandler) -> None:
    """It has the request, and the connection is gone."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def half(body: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """It begins an answer and breaks off."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        cut(handler)

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    """It answers and answers."""
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):  # nobody reads on
        for _ in range(10_000):
            handler.wfile.write(b"x" * 10_000)
    handler.close_connection = True


@contextmanager
def receiving(
    answer: Callable[[Receiver, Request], Reply], *, at: float, tls: ssl.SSLContext | None = None, per_minute: int = 20
) -> Iterator[Receiver]:
    """A receiver on a free port of the loopback, for as long as the block lasts."""
    receiver = Receiver(answer, at, per_minute)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"receiver": receiver}))
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.port = int(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
