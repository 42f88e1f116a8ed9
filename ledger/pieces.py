"""A piece of evidence as a row of ``evidence`` or ``draft_evidence``, and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from policy_models.evidence import Evidence
from policy_models.plan import EvidenceType

COLUMNS = ("name", "value", "of", "text", "file_id", "file_name", "effective_on")


def columns_of(piece: Evidence) -> dict[str, Any]:
    """The columns that both tables share, but for the item."""
    return {"type": piece.type.value, **{name: getattr(piece, name) for name in COLUMNS}}


def evidence_from(row: Any) -> Evidence:
    """The piece in a row of either table; figures without the zeros of the column's scale: 412.0000 is 412."""
    facts = {name: getattr(row, name) for name in COLUMNS}
    return Evidence(EvidenceType(row.type), **{**facts, "value": _plain(row.value), "of": _plain(row.of)})


def _plain(value: Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(format(Decimal(value).normalize(), "f"))
