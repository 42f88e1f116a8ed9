"""What a browser calls itself, in words that its owner knows it by. Pure."""

from __future__ import annotations

PROGRAMS = (
    ("MicroMessenger", "微信"),
    ("wxwork", "企业微信"),
    ("DingTalk", "钉钉"),
    ("Lark", "飞书"),
    ("QQBrowser", "QQ 浏览器"),
    ("360SE", "360 浏览器"),
    ("QIHU", "360 浏览器"),
    ("UCBrowser", "UC 浏览器"),
    ("HuaweiBrowser", "华为浏览器"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
SYSTEMS = (
    ("HarmonyOS", "鸿蒙"),
    ("OpenHarmony", "鸿蒙"),
    ("Android", "安卓"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser_name(client: str) -> str:
    """``Chrome · Windows``; what cannot be told is 未知设备."""
    found = [_first(PROGRAMS, client), _first(SYSTEMS, client)]
    return " · ".join(filter(None, found)) or "未知设备"


def _first(known: tuple[tuple[str, str], ...], client: str) -> str:
    return next((word for mark, word in known if mark.lower() in client.lower()), "")
