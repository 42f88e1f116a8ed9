"""隐私筛查: what must not enter. Children are counted, never named (domain facts §9).

Text is folded first (NFKC, zero-width characters dropped), so that full-width digits and spaces hide nothing.
"""

from __future__ import annotations

import re

from policy_models.errors import Finding

RESIDENT_ID = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")


def screen(text: str) -> tuple[Finding, ...]:
    """Everything personal in a text, in order; empty means that it may enter."""
    return tuple(
        Finding(
            "resident_id",
            True,
            found.group()[:3] + "*" * 13 + found.group()[-2:],
            found.start(),
            found.end(),
            "疑似公民身份号码",
        )
        for found in RESIDENT_ID.finditer(text)
    )


def redact(text: str) -> str:
    """The text with every finding masked."""
    for finding in reversed(screen(text)):
        text = text[: finding.start] + "█" * 4 + text[finding.end :]
    return text
