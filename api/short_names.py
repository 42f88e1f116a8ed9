"""Names of units as the head of a wide table has room for them; the full name stands beside in a title."""

from __future__ import annotations

CUSTOMARY = {
    "白云鄂博矿区": "白云矿区",
    "土默特右旗": "土右旗",
    "达尔罕茂明安联合旗": "达茂旗",
    "包头稀土高新技术产业开发区": "稀土高新区",
}


def short_name(name: str) -> str:
    """The customary short form; else the name without the city's own before it: ``包头市民政局`` → ``民政局``."""
    return CUSTOMARY.get(name) or (name.removeprefix("包头市") if len(name) > 4 else name) or name
