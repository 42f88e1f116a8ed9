"""Requests that leave the machine: where they may go, and that they go there and nowhere else."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import trustme

from notifications import public_addresses
from notifications.outgoing import Answer, post
from notifications.public_addresses import allowed
from policy_models.errors import DeliveryError
from tests import robot_servers
from tests.robot_servers import Receiver, receiving

INSIDE = "渠道的网址指向内部网络或保留的地址，没有发送；如确为内网的渠道，请在渠道文件中写 allow_private: true"
RESERVED = "渠道的网址指向内部网络或保留的地址，没有发送；不能作为渠道的地址"
NO_ADDRESS = "渠道网址的域名查不到地址，没有发送"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving(lambda _robot, _request: (200, b"{}"), at=0) as receiver:
        yield receiver


@pytest.fixture(autouse=True)
def quiet(receiver: Receiver) -> None:
    receiver.seen.clear()
    receiver.next.clear()


def refused(url: str, *, allow_private: bool = False) -> str:
    with pytest.raises(DeliveryError) as error:
        post(url, b"{}", {}, allow_private=allow_private)
    assert error.value.uncertain is False
    return str(error.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.9.10",
        "localhost",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "100.100.100.200",  # the metadata of a cloud, in the range of carriers
        "169.254.169.254",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "127.1",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:10.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[2001:db8::1]",
    ],
)
def test_addresses_inside_are_refused(host: str, receiver: Receiver) -> None:
    assert refused(f"https://{host}:{receiver.port}/") == INSIDE
    assert receiver.seen == []


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "224.0.0.1", "[ff02::1]", "0.0.0.0", "[::ffff:169.254.169.254]", "240.1.1.1"]
)  # fmt: skip
def test_some_are_never_allowed(host: str) -> None:
    assert refused(f"http://{host}/latest/meta-data/", allow_private=True) == RESERVED


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        ("39.106.1.1", True, True),
        ("223.5.5.5", True, True),
        ("2408:4001::1", True, True),
        ("64:ff9b::2769:101", True, True),
        ("10.1.2.3", False, True),
        ("::ffff:192.168.0.1", False, True),
        ("::1", False, True),
        ("fd00::1", False, True),
        ("::", False, False),
        ("169.254.1.1", False, False),
        ("239.1.1.1", False, False),
    ],
)
def test_which_addresses_are_allowed(address: str, public: bool, private: bool) -> None:
    one = ip_address(address)
    assert (allowed(one, allow_private=False), allowed(one, allow_private=True)) == (public, private)


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names mean these addresses, from one question to the next; what was asked."""
    asked: list[str] = []
    waiting = list(answers)

    real = socket.getaddrinfo

    def look_up(host: str, port: int, *more: Any, **named: Any) -> list[Any]:
        if host.replace(".", "").isdigit():  # whoever connects to an address asks as well
            return real(host, port, *more, **named)
        asked.append(host)
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(public_addresses.socket, "getaddrinfo", look_up)
    return asked


def test_a_name_that_means_an_address_inside(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    names(monkeypatch, ["10.0.0.7"])
    assert refused("https://hooks.example/x") == INSIDE
    names(monkeypatch, ["39.106.1.1", "127.0.0.1"])  # one good address does not excuse the other
    assert refused(f"https://hooks.example:{receiver.port}/x") == INSIDE
    assert receiver.seen == []


def test_a_name_is_asked_once_and_the_answer_used(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    """What was checked is what is connected to, even when the name means something else a moment later."""
    asked = names(monkeypatch, ["127.0.0.1"], ["10.255.255.1"])
    answer = post(f"http://hooks.example:{receiver.port}/x?a=b%2Bc", b"{}", {}, allow_private=True)
    assert (answer, asked) == (Answer(200, b"{}"), ["hooks.example"])
    [request] = receiver.seen
    assert (request.path, request.query, request.headers["host"]) == (
        "/x",
        {"a": ["b+c"]},
        f"hooks.example:{receiver.port}",
    )


def test_a_chinese_domain_as_it_travels(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    asked = names(monkeypatch, ["127.0.0.1"])
    post(f"http://xn--fiqs8s.example:{receiver.port}/", b"{}", {}, allow_private=True)
    assert asked == ["xn--fiqs8s.example"]
    assert receiver.seen[0].headers["host"] == f"xn--fiqs8s.example:{receiver.port}"


def test_the_next_address_where_one_does_not_answer(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    names(monkeypatch, ["127.0.0.9", "127.0.0.1"])  # the receiver listens at the second alone
    assert post(f"http://hooks.example:{receiver.port}/", b"{}", {}, allow_private=True).status == 200
    assert len(receiver.seen) == 1


def test_names_that_mean_nothing_and_a_resolver_that_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused("https://no-such-name.invalid/") == NO_ADDRESS
    assert refused("https://" + "a" * 70 + ".example/") == NO_ADDRESS
    monkeypatch.setattr(public_addresses.socket, "getaddrinfo", lambda *_a, **_k: [time.sleep(2)][:0])
    began = time.monotonic()
    with pytest.raises(DeliveryError, match=r"^查询渠道网址的域名超时，没有发送$"):
        public_addresses.resolve("hooks.example", 443, allow_private=False, timeout=0.2)
    assert time.monotonic() - began < 1


def test_only_https_and_only_addresses(receiver: Receiver) -> None:
    https = "渠道的网址须以 https:// 开头，没有发送"
    assert refused(f"http://127.0.0.1:{receiver.port}/") == https
    assert refused("ftp://hooks.example/", allow_private=True) == https
    assert refused("file:///etc/passwd", allow_private=True) == https
    assert refused("https://[::1", allow_private=True) == "渠道的网址不完整，没有发送"
    assert refused("https://host:port/", allow_private=True) == "渠道的网址不完整，没有发送"


def test_redirects_are_told_and_not_followed(receiver: Receiver) -> None:
    inside = f"http://127.0.0.1:{receiver.port}/inside"
    receiver.next.append(robot_servers.answering(307, Location=inside))
    assert post(f"http://localhost:{receiver.port}/", b"{}", {}, allow_private=True).status == 307
    assert [one.path for one in receiver.seen] == ["/"]


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    with receiving(lambda _robot, _request: (200, b"proxied"), at=0) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert post(f"http://localhost:{receiver.port}/", b"{}", {}, allow_private=True).body == b"{}"
        assert proxy.seen == []


def test_passwords_of_the_user_are_not_sent(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login me password hidden\n", "utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    post(f"http://localhost:{receiver.port}/", b"{}", {}, allow_private=True)
    assert "authorization" not in receiver.seen[0].headers


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example").configure_cert(context)
    with receiving(lambda _robot, _request: (200, b"{}"), at=0, tls=context) as receiver:
        yield receiver


def test_the_certificate_is_that_of_the_name(
    secure: Receiver, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Connected to an address, and checked by the name: another name's certificate does not do, nor an unknown signer."""
    names(monkeypatch, ["127.0.0.1"])
    wrong = "对方的 TLS 证书不能验证，没有发送"
    assert refused(f"https://hooks.example:{secure.port}/", allow_private=True) == wrong
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert post(f"https://hooks.example:{secure.port}/", b"{}", {}, allow_private=True).status == 200
    assert refused(f"https://other.example:{secure.port}/", allow_private=True) == wrong
    assert refused(f"https://127.0.0.1:{secure.port}/", allow_private=True) == wrong
    assert len(secure.seen) == 1


def test_a_greeting_that_never_comes_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that takes connections and never speaks TLS: nothing was sent, so it may be tried again."""
    monkeypatch.setattr("notifications.outgoing.CONNECT_SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        began = time.monotonic()
        port = listener.getsockname()[1]
        assert refused(f"https://127.0.0.1:{port}/", allow_private=True) == "连接超时，没有发送"
        assert time.monotonic() - began < 2


def test_a_request_that_is_not_taken_whole_may_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side reads nothing: the request stays in the wires, and no part of it counts."""
    monkeypatch.setattr("notifications.outgoing.WHOLE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(DeliveryError) as error:
            post(f"http://127.0.0.1:{port}/", b"x" * 30_000_000, {}, allow_private=True)
    assert (str(error.value), error.value.uncertain) == ("发送途中连接中断，对方没有收全，稍后再试", False)
