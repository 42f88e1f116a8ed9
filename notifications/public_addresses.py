"""Where the product may connect to: a channel's address is written by a person, and must not lead into the network
that the product itself stands in, unless the channel says so. Names are resolved once, here; whoever connects uses the
answer and not the name, so that it cannot be another address by then."""

from __future__ import annotations

import socket
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from policy_models.errors import DeliveryError

Address = IPv4Address | IPv6Address
PRIVATE = [
    ip_network(one)
    for one in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7")
]
# IPv6 addresses that carry an IPv4 address in their last 32 bits: NAT64, and the oldest form ("::127.0.0.1")
CARRIERS = [ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"), ip_network("::/96")]


def resolve(host: str, port: int, *, allow_private: bool, timeout: float) -> tuple[Address, ...]:
    """The addresses of a host that may be connected to, in the order of preference; every form of writing an address
    that the system understands (decimal, hexadecimal, short) counts as the address it means.

    Raises DeliveryError: permanent when any of them is refused, passing when the name has no address or the answer
    does not come within ``timeout`` seconds.
    """
    found = _looked_up(host, port, timeout)
    for one in found:
        if not allowed(one, allow_private=allow_private):
            hint = "不能作为渠道的地址" if allow_private else "如确为内网的渠道，请在渠道文件中写 allow_private: true"
            raise DeliveryError(f"渠道的网址指向内部网络或保留的地址，没有发送；{hint}", permanent=True)
    return found


def allowed(address: Address, *, allow_private: bool) -> bool:
    """Whether it is a public unicast address, or, with ``allow_private``, one of a private network or this machine.
    Never link-local ones (cloud metadata), multicast, broadcast and reserved ones."""
    plain = _carried(address)
    if allow_private and any(plain in network for network in PRIVATE if network.version == plain.version):
        return True
    odd = plain.is_multicast or plain.is_link_local or plain.is_unspecified or plain.is_reserved or plain.is_loopback
    old = isinstance(plain, IPv6Address) and plain.is_site_local
    return plain.is_global and not odd and not old


def _carried(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it stands for one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    special = address.is_loopback or address.is_unspecified
    if not special and any(address in network for network in CARRIERS):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _looked_up(host: str, port: int, timeout: float) -> tuple[Address, ...]:
    """The resolver has no time-out of its own, so it runs beside; what it finds too late is not used."""
    found: list[Address] = []
    failed: list[bool] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            found.extend(ip_address(str(row[4][0]).partition("%")[0]) for row in rows)
        except (OSError, UnicodeError):
            failed.append(True)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise DeliveryError("查询渠道网址的域名超时，没有发送", permanent=False)
    if failed or not found:
        raise DeliveryError("渠道网址的域名查不到地址，没有发送", permanent=False)
    return tuple(dict.fromkeys(found))
