"""The words and figures of the submit page: what was typed, read as evidence, with a sentence for each wrong field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Self, TypeVar

from ledger.drafts import Piece
from ledger.queries.evidence import Former
from policy_models import workbook_cells as written
from policy_models.evidence import Evidence
from policy_models.plan import EvidenceRule, EvidenceType, Requirement

LONGEST_TEXT, LONGEST_LINK, LONGEST_NOTE = 2000, 500, 500
Found = TypeVar("Found")


@dataclass(frozen=True)
class Sheet:
    """As typed. ``figures``: by measure, the value and what it is counted of; ``days``: of files, by piece;
    ``former``: measures whose 应办 was filled in from the last accepted item, with its period."""

    figures: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    text: str = ""
    link: str = ""
    nothing_new: bool = False
    reason: str = ""
    effective_on: str = ""
    note: str = ""
    by_name: str = ""
    days: Mapping[int, str] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_draft(cls, pieces: Sequence[Piece], former: Mapping[str, Former]) -> Self:
        """What the draft holds; where it has no figure yet, 应办 as last accepted."""
        given = [piece.evidence for piece in pieces]
        measures = {one.name: one for one in given if one.name}
        figures = {name: ("", plain(one.value)) for name, one in former.items() if name not in measures}
        figures |= {str(name): (plain(one.value), plain(one.of)) for name, one in measures.items()}
        answer = _first(given, EvidenceType.NOTHING_NEW)
        words = [one for one in given if one.file_id is None and one.effective_on]
        return cls(
            figures=figures,
            text=_words(_first(given, EvidenceType.TEXT)),
            link=_words(_first(given, EvidenceType.LINK)),
            nothing_new=answer is not None,
            reason=_words(answer),
            effective_on=str(words[0].effective_on) if words else "",
            days={one.id: str(one.evidence.effective_on or "") for one in pieces if one.file},
            former={name: one.period for name, one in former.items() if name not in measures},
        )

    @classmethod
    def of_form(cls, form: Mapping[str, str], requirement: Requirement) -> Self:
        names = [rule.name for rule in requirement.measures if rule.name]
        days = {name.removeprefix("day-"): value for name, value in form.items() if name.startswith("day-")}
        return cls(
            figures={name: (form.get(f"value-{name}", ""), form.get(f"of-{name}", "")) for name in names},
            text=form.get("text", ""),
            link=form.get("link", ""),
            nothing_new=form.get("nothing_new", "") == "on",
            reason=form.get("reason", ""),
            effective_on=form.get("effective_on", ""),
            note=form.get("note", ""),
            by_name=form.get("by_name", ""),
            days={int(id): value for id, value in days.items() if id.isascii() and id.isdigit() and len(id) < 19},
        )


@dataclass(frozen=True)
class Read:
    """A sheet as it was understood. ``faults``: a sentence by field; where there is any, nothing is taken over."""

    evidence: tuple[Evidence, ...]
    days: Mapping[int, date | None]
    note: str | None
    faults: Mapping[str, str]


def read(sheet: Sheet, requirement: Requirement, today: date) -> Read:
    """The sheet as evidence; a date must not lie in the future."""
    faults: dict[str, str] = {}

    def told(name: str, reading: Callable[[], Found]) -> Found | None:
        try:
            return reading()
        except written.Wrong as wrong:
            faults[name] = str(wrong)
            return None

    happened = told("effective_on", lambda: written.day(sheet.effective_on, today))
    found = [_measure(rule, sheet, happened, told, faults) for rule in requirement.measures]
    text = told("text", lambda: written.words(sheet.text, LONGEST_TEXT))
    found.append(Evidence(EvidenceType.TEXT, text=text, effective_on=happened) if text else None)
    link = told("link", lambda: _link(sheet.link))
    found.append(Evidence(EvidenceType.LINK, text=link, effective_on=happened) if link else None)
    reason = told("reason", lambda: written.words(sheet.reason, LONGEST_NOTE))
    if sheet.nothing_new and not reason and "reason" not in faults:
        faults["reason"] = "请写明无新增、无此情况的理由"
    if sheet.nothing_new:
        found.append(Evidence(EvidenceType.NOTHING_NEW, text=reason, effective_on=happened))
    days = {id: told(f"day-{id}", lambda typed=typed: written.day(typed, today)) for id, typed in sheet.days.items()}  # type: ignore[misc]
    note = told("note", lambda: written.words(sheet.note, LONGEST_NOTE))
    return Read(tuple(one for one in found if one), days, note, faults)


def _measure(
    rule: EvidenceRule,
    sheet: Sheet,
    happened: date | None,
    told: Callable[[str, Callable[[], Decimal | None]], Decimal | None],
    faults: dict[str, str],
) -> Evidence | None:
    """A figure, or None where neither it nor what it is counted of was given."""
    name = str(rule.name)
    value_typed, of_typed = sheet.figures.get(name, ("", ""))
    value = told(f"value-{name}", lambda: written.number(value_typed))
    of = told(f"of-{name}", lambda: written.number(of_typed)) if rule.of else None
    if value is None and of is None:
        return None
    if value is not None and of is not None and value > of:
        faults[f"value-{name}"] = f"不能大于{rule.of_label}（{plain(of)}）"
    return Evidence(EvidenceType.MEASURE, name, value, of, effective_on=happened)


def _link(typed: str) -> str | None:
    found = written.words(typed, LONGEST_LINK)
    if found and not found.lower().startswith(("http://", "https://")):
        raise written.Wrong("链接须以 http:// 或 https:// 开头")
    if found and any(c.isspace() or not c.isprintable() for c in found):
        raise written.Wrong("链接中不能有空格或换行，一次填写一个")
    return found


def plain(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")


def _first(given: Sequence[Evidence], type: EvidenceType) -> Evidence | None:
    return next((one for one in given if one.type is type), None)


def _words(piece: Evidence | None) -> str:
    return (piece.text or "") if piece else ""
