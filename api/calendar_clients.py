"""Which calendar program polls a feed: a short name from its User-Agent. Pure."""

from __future__ import annotations

import re

# The first that fits: what embeds another's name stands before it. Versions change, these words have not for years.
_CLIENTS: tuple[tuple[str, str], ...] = (
    (r"Google-Calendar-Importer", "Google 日历"),
    (r"ICSx5|ICSdroid", "ICSx5（安卓）"),
    (r"DAVx5|DAVdroid", "DAVx5（安卓）"),
    (r"DingTalk|Dingtalk", "钉钉"),
    (r"Feishu|Lark\b", "飞书"),
    (r"wxwork|WeCom", "企业微信"),
    (r"MicroMessenger", "微信"),
    (r"Microsoft Outlook|Microsoft Office|MSOffice", "Outlook（经典版）"),
    (r"Exchange|OutlookWeb|Outlook", "Outlook（新版、网页版）"),
    (r"macOS|Mac[ +_]OS[ +_]X.*CalendarAgent|CalendarAgent", "苹果电脑"),
    (r"\biOS/|iPadOS/|dataaccessd", "苹果手机或平板"),
    (r"Thunderbird", "Thunderbird"),
    (r"Evolution", "Evolution"),
    (r"akonadi|KOrganizer|Merkuro", "KDE 日历"),
    (r"vdirsyncer", "vdirsyncer"),
    (r"HomeAssistant|Home Assistant", "Home Assistant"),
    (r"Nextcloud", "Nextcloud"),
    (r"HarmonyOS|OpenHarmony", "鸿蒙日历"),
    (r"Edg/|Chrome/|Firefox/|Safari/|Trident/", "浏览器"),
)
_FIRST_WORD = re.compile(r"[\w.\-]{2,24}")


def client_name(user_agent: str | None) -> str:
    """``苹果手机或平板``; of an unknown program the first word of what it calls itself, ``–`` where it says nothing."""
    told = user_agent or ""
    for pattern, name in _CLIENTS:
        if re.search(pattern, told, re.IGNORECASE):
            return name
    found = _FIRST_WORD.search(told)
    return found.group() if found else "–"
