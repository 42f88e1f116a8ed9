"""Logs without secrets: the address of a calendar feed or of a reviewer's page is its key, and access logs print
addresses."""

from __future__ import annotations

import copy
import logging
import re
from typing import Any

_FEED = re.compile(r"(/feeds/)[^/\s?\"']+?(\.ics|(?=[?\s\"'])|$)")
_SCORING = re.compile(r"(/scoring/)[^/\s?\"']+")


def redact(text: str) -> str:
    """The text with every token replaced: ``/feeds/***.ics``, ``/scoring/***``."""
    return _SCORING.sub(r"\1***", _FEED.sub(r"\1***\2", text))


class RedactFeedTokens(logging.Filter):
    """Replaces feed tokens in a record's message and arguments. Attach it to handlers: it never drops a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str):
            record.msg = redact(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(redact(value) if isinstance(value, str) else value for value in record.args)
        return True


def log_config() -> dict[str, Any]:
    """uvicorn's logging configuration with the filter on every handler: ``uvicorn.run(…, log_config=log_config())``."""
    from uvicorn.config import LOGGING_CONFIG

    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    config["filters"] = {"redact": {"()": "api.logging.RedactFeedTokens"}}
    for handler in config["handlers"].values():
        handler["filters"] = ["redact"]
    config["loggers"]["api"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config
