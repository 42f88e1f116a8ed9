"""Copies that others see: every finding replaced where it stands, in whatever part of the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from documents.office_text import PICTURES, Office, write_office
from documents.packages import local
from documents.passages import CELL, TAIL, TEXT
from documents.photos import Box, mask_picture
from documents.picture_facts import facts, without_facts
from documents.reading import Reading, read
from policy_models.files import FileKind, Limits
from policy_models.privacy import MASK, masked, screen

__all__ = ["Box", "mask_picture", "redacted_copy"]

COPIED = frozenset({FileKind.DOCX, FileKind.XLSX, FileKind.TEXT})
ROUNDS = 3  # what was masked can bring something else to light
SHORTEST = 2  # characters of a value that is looked for elsewhere in the file
Span = tuple[int, int]


def redacted_copy(kind: FileKind, data: bytes, limits: Limits | None = None) -> bytes | None:
    """The same file without anything that screening finds; None where no copy of this kind can be made, or where
    something remains after all. The same bytes give the same bytes. Raises FileRefused as ``read`` does."""
    if kind not in COPIED:
        return None
    limits = limits or Limits()
    for _ in range(ROUNDS):
        reading = read(kind, data, limits)
        spans = _spans(reading)
        if not spans and not screen(reading.facts):
            return data
        if reading.office is None:
            data = masked(reading.text, spans).encode("utf-8")
        else:
            _mask(reading, reading.office, spans)
            data = write_office(reading.office)
    reading = read(kind, data, limits)
    return None if _spans(reading) or screen(reading.facts) else data


def _spans(reading: Reading) -> list[Span]:
    """What is found, wherever else in the file the same value stands, and numbers that a cell could not hold."""
    text = reading.text
    found = [(one.start, one.end) for one in screen(text)]
    spans = {*found, *(reading.office.long if reading.office else ())}
    for value in {text[start:end] for start, end in found}:
        if len(value) >= SHORTEST:
            at = text.find(value)
            while at >= 0:
                spans.add((at, at + len(value)))
                at = text.find(value, at + len(value))
    return _joined(sorted(spans))


def _joined(spans: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _mask(reading: Reading, office: Office, spans: Sequence[Span]) -> None:
    for (element, place), inside in reading.passages.parts(spans).items():
        _mask_at(element, place, _joined(sorted(set(inside))))
    _mask_pictures(office)


def _mask_at(element: Any, place: str, spans: Sequence[Span]) -> None:
    if place == CELL:
        _mask_cell(element)
    elif place == TEXT:
        element.text = masked(element.text, spans)
    elif place == TAIL:
        element.tail = masked(element.tail, spans)
    else:
        element.set(place, masked(element.get(place), spans))


def _mask_cell(cell: Any) -> None:
    """A number becomes a text; a formula that would bring it back goes."""
    for part in list(cell):
        cell.remove(part)
    cell.set("t", "inlineStr")
    inside = etree.SubElement(cell, cell.tag[: -len(local(cell))] + "is")
    etree.SubElement(inside, cell.tag[: -len(local(cell))] + "t").text = MASK


def _mask_pictures(office: Office) -> None:
    """No metadata that tells of somebody, and no picture of the first page: it shows what was masked."""
    for inside in office.inside.values():
        _mask_pictures(inside)
    entries = office.package.entries
    for name in [name for name in entries if name.lower().startswith("docprops/thumbnail")]:
        del entries[name]
        for link in office.trees["_rels/.rels"]:
            if str(link.get("Target", "")).lstrip("/") == name:
                link.getparent().remove(link)
    for name, content in entries.items():
        if name.lower().endswith(PICTURES) and screen(facts(content)):
            entries[name] = without_facts(content)
