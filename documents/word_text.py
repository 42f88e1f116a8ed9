"""The words of a .docx: paragraphs as lines, table rows as lines of cells, then text boxes, deleted text, fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from documents.packages import local
from documents.passages import Passages

WORDS = frozenset({"t", "delText", "instrText", "delInstrText"})
PROPERTIES = frozenset({"pPr", "rPr", "sectPr"})  # tab stops are no tabs
BREAKS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
NAMESPACES = ("wordprocessingml/main", "wordprocessingml/2006/main")


def is_word_part(root: Any) -> bool:
    return isinstance(root.tag, str) and any(f"{name}}}" in root.tag for name in NAMESPACES)


def read_word(root: Any, into: Passages) -> None:
    """All text of a part of a word document."""
    _blocks(root, into)


def _blocks(parent: Any, into: Passages) -> None:
    for child in parent:
        name = local(child)
        if name == "p":
            _boxes(_paragraph(child, into), into)
        elif name == "tbl":
            _table(child, into)
        elif name:
            _blocks(child, into)


def _boxes(boxes: list[Any], into: Passages) -> None:
    into.end_line()
    for box in boxes:
        _blocks(box, into)


def _table(table: Any, into: Passages) -> None:
    for row in _below(table, "tr", ("tbl",)):
        boxes: list[Any] = []
        for n, cell in enumerate(_below(row, "tc", ("tr",))):
            if n:
                into.add("\t")
            for m, paragraph in enumerate(_below(cell, "p", ("tbl",))):
                if m:
                    into.add(" ")
                boxes += _paragraph(paragraph, into, flat=True)
        _boxes(boxes, into)
        for nested in _below(row, "tbl", ()):
            _table(nested, into)


def _below(element: Any, name: str, stop: tuple[str, ...]) -> Iterator[Any]:
    """The nearest elements of this name, whatever wraps them; not into those at which to stop."""
    for child in element:
        found = local(child)
        if found == name:
            yield child
        elif found and found not in stop:
            yield from _below(child, name, stop)


def _paragraph(paragraph: Any, into: Passages, *, flat: bool = False) -> list[Any]:
    """Visible words first; deleted ones and fields after them, since they would tear numbers apart. The text boxes."""
    boxes: list[Any] = []
    deleted: list[Any] = []
    fields: list[Any] = []
    for element in _inline(paragraph, boxes):
        name = local(element)
        if name in BREAKS:
            into.add(" " if flat else BREAKS[name])
        elif name == "t":
            into.add(element.text or "", element, flat=flat)
        else:
            (deleted if name == "delText" else fields).append(element)
    for elements in (deleted, fields):
        if elements:
            into.add(" " if flat else "\n")
        for element in elements:
            into.add(element.text or "", element, flat=flat)
    return boxes


def _inline(element: Any, boxes: list[Any]) -> Iterator[Any]:
    for child in element:
        name = local(child)
        if name == "txbxContent":
            boxes.append(child)
        elif name in WORDS or name in BREAKS:
            yield child
        elif name and name not in PROPERTIES:
            yield from _inline(child, boxes)
