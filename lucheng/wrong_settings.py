"""A wrong setting in the environment, in one sentence that names it and never shows a value."""

from __future__ import annotations

from pydantic import ValidationError

from ledger.settings import LadderSettings, Settings
from notifications.servers import ImapSettings, SmtpSettings
from notifications.settings import NoticeSettings

SETTINGS = frozenset(one.__name__ for one in (Settings, LadderSettings, NoticeSettings, ImapSettings, SmtpSettings))


def wrong_setting(error: ValidationError) -> str:
    """``环境变量 LUCHENG_IMAP_PORT 的值无效``; what only several settings together get wrong says so itself."""
    names, told = [], []
    for one in error.errors(include_input=False):
        reason = (one.get("ctx") or {}).get("error")
        if one["loc"]:
            names.append(f"LUCHENG_{'.'.join(map(str, one['loc']))}".upper())
        elif reason is not None:
            told.append(str(reason))
    return "；".join([*([f"环境变量 {'、'.join(names)} 的值无效"] if names else []), *told])
