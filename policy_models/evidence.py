"""佐证材料: what a unit hands in, held against the requirement's rules. Counts, never children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from policy_models.plan import EvidenceRule, EvidenceType

TOO_LARGE = Decimal(10) ** 12  # no count or sum of a city; the ledger's column ends there too
TYPE_NAMES = {
    EvidenceType.MEASURE: "指标",
    EvidenceType.PHOTO: "照片",
    EvidenceType.DOCUMENT: "文件",
    EvidenceType.SIGN_IN: "签到表",
    EvidenceType.LINK: "链接",
    EvidenceType.TEXT: "文字说明",
    EvidenceType.NOTHING_NEW: "无新增",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece: a measure has ``name``, ``value`` and, where the rule says so, ``of``; all others have ``text``
    (a title, an address, a sentence) or a file. ``effective_on``: the civil date of what it shows."""

    type: EvidenceType
    name: str | None = None
    value: Decimal | None = None
    of: Decimal | None = None
    text: str | None = None
    file_id: int | None = None
    file_name: str | None = None
    effective_on: date | None = None


def missing(rules: Sequence[EvidenceRule], given: Sequence[Evidence], *, nothing_new: bool = False) -> list[str]:
    """What the rules still want, in Chinese words; an empty list means that it may be submitted.

    ``nothing_new``: whether the requirement may be answered with 无新增 and a reason, instead of everything else.
    """
    for piece in given:
        if piece.type is EvidenceType.NOTHING_NEW:
            if not nothing_new:
                return ["佐证材料（本事项不能以“无新增”答复）"]
            return [] if piece.text and piece.text.strip() else ["“无新增”的理由"]
    measures = {piece.name: piece for piece in given if piece.type is EvidenceType.MEASURE}
    wanted = []
    for rule in rules:
        if rule.type is EvidenceType.MEASURE:
            wanted += _wanted_of(rule, measures.get(rule.name))
            continue
        count = sum(piece.type is rule.type and _is_there(piece) for piece in given)
        if count < rule.min:
            wanted.append(f"{rule.label or TYPE_NAMES[rule.type]}{rule.min - count}份")
    return wanted


def _is_there(piece: Evidence) -> bool:
    return piece.file_id is not None or bool(piece.text and piece.text.strip())


def _wanted_of(rule: EvidenceRule, piece: Evidence | None) -> list[str]:
    """What a measure still lacks: its value, what it is counted of, or sense."""
    if piece is None or piece.value is None:
        return [str(rule.label)]
    if rule.of and piece.of is None:
        return [str(rule.of_label)]
    sound = all(
        figure.is_finite() and abs(figure) < TOO_LARGE for figure in (piece.value, piece.of) if figure is not None
    )
    if not sound or piece.value < 0 or (piece.of is not None and piece.value > piece.of):
        return [f"{rule.label}（须在 0 与{rule.of_label or '合理范围'}之间）"]
    return []
