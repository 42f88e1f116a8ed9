"""信息: short texts that a unit sends in during a year; the bureau counts them in or returns them."""

from __future__ import annotations

from enum import StrEnum

from policy_models.exemplars import characters

SHORTEST, LONGEST = 500, 1000  # characters, blanks not counted (domain facts §6)
TITLE_LENGTH, TEXT_LENGTH = 60, 10_000


class BulletinState(StrEnum):
    SUBMITTED = "submitted"
    COUNTED = "counted"
    RETURNED = "returned"


BULLETIN_STATE_NAMES = {
    BulletinState.SUBMITTED: "待审核",
    BulletinState.COUNTED: "已计入",
    BulletinState.RETURNED: "已退回",
}


def hint(text: str) -> str | None:
    """What is unusual about the length: told, never refused."""
    count = characters(text)
    if SHORTEST <= count <= LONGEST:
        return None
    return f"正文 {count} 字，一般为 {SHORTEST} 至 {LONGEST} 字"
