"""Requests that leave the machine: to a checked address only, without redirects and without proxies from the
environment, within a time that no slow answer stretches, reading no more than an answer may have.

What was not sent can be sent again; of what was sent and not answered nobody knows. So it is watched how far a request
got.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from notifications.public_addresses import Address, resolve
from notifications.servers import tls_context
from policy_models.errors import DeliveryError

CONNECT_SECONDS = 5.0
WHOLE_SECONDS = 15.0
ANSWER_LIMIT = 64 * 1024  # bytes that are read of an answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: ``body`` up to ANSWER_LIMIT bytes, or as much as came before it broke off."""

    status: int
    body: bytes
    retry_after: str = ""


def post(url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool) -> Answer:
    """Send one request. ``url``: ASCII, http only with ``allow_private``.

    Raises DeliveryError: permanent for an address that is refused, passing for what was not sent, uncertain for what
    was sent and got no answer. No sentence has the address in it.
    """
    end = time.monotonic() + WHOLE_SECONDS
    target = _target(url)
    if target.scheme != "https" and not (allow_private and target.scheme == "http"):
        raise DeliveryError("渠道的网址须以 https:// 开头，没有发送", permanent=True)
    port = target.port or (443 if target.scheme == "https" else 80)
    addresses = resolve(_name(target), port, allow_private=allow_private, timeout=CONNECT_SECONDS)
    for place, address in enumerate(addresses):
        wire = _Wire()
        try:
            return _exchange(target, address, body, headers, wire, end)
        except (httpx.HTTPError, httpx.StreamError, OSError, ssl.SSLError) as error:
            if wire.connected or place == len(addresses) - 1 or time.monotonic() >= end:
                raise _told(error, wire) from None  # its words may hold the address, which is a secret
    raise DeliveryError("渠道网址的域名查不到地址，没有发送", permanent=False)


def _target(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise DeliveryError("渠道的网址不完整，没有发送", permanent=True) from None  # its words hold the address


def _name(target: httpx.URL) -> str:
    """The host as it travels: ``host`` would be a Chinese domain in Chinese, which each library encodes in its own way."""
    return target.raw_host.decode("ascii")


class _Discretion(logging.Filter):
    """httpx logs the address of each request; ours are secrets."""

    def __init__(self) -> None:
        super().__init__()
        self._ours = threading.local()

    def filter(self, _record: logging.LogRecord) -> bool:
        return not getattr(self._ours, "busy", False)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self._ours.busy = True
        try:
            yield
        finally:
            self._ours.busy = False


_discretion = _Discretion()
logging.getLogger("httpx").addFilter(_discretion)


class _Wire:
    """How far a request got, and its socket, so that it can be cut when time is up."""

    def __init__(self) -> None:
        self.connected = self.sent = self.out_of_time = False
        self._socket: socket.socket | None = None

    def trace(self, event: str, facts: Mapping[str, Any]) -> None:
        """What httpx tells on the way (its extension ``trace``)."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = facts["return_value"].get_extra_info("socket")
            if self.out_of_time:
                self.cut()
        if event.endswith("send_request_headers.started"):
            self.connected = True
        if event.endswith("send_request_body.complete"):
            self.sent = True

    def cut(self) -> None:
        """Time is up: whatever waits for this socket goes on at once, with an error."""
        self.out_of_time = True
        if self._socket is not None:
            with suppress(OSError):  # closed already
                self._socket.shutdown(socket.SHUT_RDWR)


def _exchange(
    target: httpx.URL, address: Address, body: bytes, headers: Mapping[str, str], wire: _Wire, end: float
) -> Answer:
    """To this address and no other; the name is for the certificate and the Host header alone."""
    left = max(end - time.monotonic(), 0.001)
    timeout = httpx.Timeout(left, connect=min(CONNECT_SECONDS, left))
    # making the one takes 30 ms, since it reads every authority there is
    context = tls_context(None) if target.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    host = target.netloc.decode("ascii")
    watch = threading.Timer(left, wire.cut)
    watch.daemon = True
    watch.start()
    try:
        with (
            _discretion(),
            httpx.Client(verify=context, trust_env=False, follow_redirects=False, timeout=timeout) as client,
            client.stream(
                "POST",
                target.copy_with(host=str(address)),
                content=body,
                headers={**headers, "Host": host, "Accept-Encoding": "identity", "Connection": "close"},
                extensions={"sni_hostname": _name(target), "trace": wire.trace},
            ) as response,
        ):
            return Answer(response.status_code, _read(response), response.headers.get("retry-after", ""))
    finally:
        watch.cancel()


def _read(response: httpx.Response) -> bytes:
    """As much of the body as is wanted; of one that breaks off, what came."""
    found = b""
    with suppress(httpx.TransportError):  # whoever reads the body sees that it is half
        for chunk in response.iter_raw():
            found += chunk
            if len(found) > ANSWER_LIMIT:
                return found[:ANSWER_LIMIT]
    return found


def _told(error: Exception, wire: _Wire) -> DeliveryError:
    """What went wrong, without the words of the error."""
    late = wire.out_of_time or isinstance(error, httpx.TimeoutException)
    if wire.sent:
        why = "对方在限定时间内没有答复" if late else "连接在对方答复前中断"
        return DeliveryError(f"消息已发出，{why}，不能确定是否送达", permanent=False, uncertain=True)
    if wire.connected:
        return DeliveryError("发送途中连接中断，对方没有收全，稍后再试", permanent=False)
    if "certificate" in str(error).lower():
        return DeliveryError("对方的 TLS 证书不能验证，没有发送", permanent=False)
    why = "连接超时" if late else "不能连接"
    return DeliveryError(f"{why}，没有发送", permanent=False)
