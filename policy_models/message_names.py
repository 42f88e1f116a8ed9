"""邮件标识: how our own letters are named (Message-ID before the @), so that what comes back can be told to be ours.

The name holds the outbox row and a digest of what only that row has: its key and its address. Whoever wants to pretend
that a letter came back has to know both.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

RECEIPT_ID = "lucheng.receipt."  # how the identifiers of our receipts begin
NOTICE_ID = "lucheng.notice."  # and those of all other letters of ours
_NAME = re.compile(r"lucheng\.(?:notice|receipt)\.([0-9]{1,18})\.[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Returned:
    """A letter that came back for good. ``name``: of our letter; ``reason``: one Chinese sentence without full stop,
    with the status code and no address."""

    name: str
    reason: str


def message_name(kind: str, row: int, key: str, address: str) -> str:
    """The name of the letter that an outbox row makes, the same at every attempt, in every ledger another."""
    digest = hashlib.sha256(f"{kind}\n{row}\n{key}\n{address}".encode()).hexdigest()[:16]
    return f"{RECEIPT_ID if kind == 'receipt' else NOTICE_ID}{row}.{digest}"


def row_named(name: str) -> int | None:
    """The outbox row that a name speaks of; None for what is not the name of a letter of ours."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def is_name_of(name: str, kind: str, row: int, key: str, address: str) -> bool:
    """Whether a name is the one that this row gives."""
    return name == message_name(kind, row, key, address)
