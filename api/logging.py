"""Logs without secrets: the address of a calendar feed, a reviewer's page or an invitation is its key, and access logs
print addresses."""

from __future__ import annotations

import copy
import logging
import re
from typing import Any
from urllib.parse import unquote_plus

from policy_models import privacy

_FEED = re.compile(r"(/feeds/)[^/\s?\"']+?(\.ics|(?=[?\s\"'])|$)")
_SCORING = re.compile(r"(/(?:scoring|invitations)/)[^/\s?\"']+")
_SIGN_ON = re.compile(r"(/oidc/callback\?)[^\s\"']+")
_FIELDS = re.compile(r"([?&=])")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def redact(text: str) -> str:
    """The text with every token of a feed, a reviewer or an invitation replaced (``/feeds/***.ics``), what the single
    sign-on sends back too, and everything personal masked, percent-encoded or not."""
    secretless = _SIGN_ON.sub(r"\1***", _SCORING.sub(r"\1***", _FEED.sub(r"\1***\2", text)))
    text = privacy.redact(secretless)
    if "%" in text or "+" in text:
        # each field by itself: what stands in one is a text of its own
        plain = [unquote_plus(piece, errors="replace") for piece in _FIELDS.split(text)]
        clean = "".join(map(privacy.redact, plain))
        if clean != "".join(plain) or privacy.screen(clean):
            return _UNPRINTABLE.sub(" ", privacy.redact(clean))
    return text


_POLL = re.compile(r"/feeds/[^?]*\.ics(\?.*)?", re.DOTALL)
ACCESS = "uvicorn.access"  # its arguments: client, method, path with query, version, status


class QuietPolls(logging.Filter):
    """Leaves out polls of calendars that found nothing new: thousands an hour, each noted with its subscription."""

    def filter(self, record: logging.LogRecord) -> bool:
        found = record.args
        if not isinstance(found, tuple) or len(found) != 5 or found[4] != 304:
            return True
        return not str(found[2]).startswith("/feeds/")


def _redact_poll(record: logging.LogRecord) -> bool:
    """The short way for the line of a poll: nothing of its path stays but that it was a feed."""
    if record.name != ACCESS or not isinstance(record.args, tuple) or len(record.args) != 5:
        return False
    found = _POLL.fullmatch(str(record.args[2]))
    if found is None:
        return False
    query = redact(found[1]) if found[1] else ""
    record.args = (*record.args[:2], f"/feeds/***.ics{query}", *record.args[3:])
    return True


class Redact(logging.Filter):
    """Masks a record's message, arguments and traceback. Attach it to handlers: it never drops a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _redact_poll(record):
            return True
        if isinstance(record.msg, str):
            record.msg = redact(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(
                redact(str(one)) if isinstance(one, (str, BaseException)) else one for one in record.args
            )
        if record.exc_info and not record.exc_text:  # formatters take over what stands here
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


def log_config() -> dict[str, Any]:
    """uvicorn's logging configuration with the filter on every handler: ``uvicorn.run(…, log_config=log_config())``."""
    from uvicorn.config import LOGGING_CONFIG

    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    config["filters"] = {"redact": {"()": "api.logging.Redact"}, "polls": {"()": "api.logging.QuietPolls"}}
    config["loggers"][ACCESS]["filters"] = ["polls"]
    for handler in config["handlers"].values():
        handler["filters"] = ["redact"]
    config["loggers"]["api"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config
