"""Conditional requests and content coding as RFC 9110 words them. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def http_date(instant: datetime) -> str:
    """``Sun, 06 Nov 1994 08:49:37 GMT``."""
    return format_datetime(instant.astimezone(UTC).replace(microsecond=0), usegmt=True)


def is_fresh(tags: set[str], changed_at: datetime, if_none_match: str | None, if_modified_since: str | None) -> bool:
    """Whether the client's copy is still good (304). ``tags``: every coding's tag, without quotes.

    If-None-Match (a list, weak tags, ``*``) decides alone where it is given (RFC 9110 §13.1.3).
    """
    if if_none_match is not None:
        return is_named(tags, if_none_match)
    if if_modified_since is None:
        return False
    try:
        since = parsedate_to_datetime(if_modified_since)
    except ValueError:
        return False  # an invalid date is to be ignored
    return changed_at.replace(microsecond=0) <= (since if since.tzinfo else since.replace(tzinfo=UTC))


def is_named(tags: set[str], if_none_match: str) -> bool:
    """Whether If-None-Match names one of these tags, or any (``*``)."""
    return if_none_match.strip() == "*" or bool(tags & set(_TAG.findall(if_none_match)))


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether gzip may be sent: named (or ``*``) and not with q=0."""
    weights: dict[str, float] = {}
    for part in (accept_encoding or "").lower().split(","):
        name, _, parameter = part.strip().partition(";")
        found = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", parameter) if parameter else None
        weights[name.strip()] = float(found.group(1)) if found else 1.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0
