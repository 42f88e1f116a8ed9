"""The words of any other XML in a package: properties, comments, charts, drawings, links; and of attributes."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from documents.packages import local
from documents.passages import TAIL, TEXT, Passages

ENDS_LINE = frozenset({"p", "si", "comment", "text", "property", "pt", "row", "tr", "threadedComment"})
# what only programs read stands in every run and cell: it is left out before it costs anything
FOR_PROGRAMS = (
    "paraId",
    "textId",
    "ascii",
    "hAnsi",
    "eastAsia",
    "cs",
    "spans",
    "r",
    "uri",
    "space",
    "type",
    "typeface",
)
ATTRIBUTES = etree.XPath(
    "//@*[string-length() > 4 and not(starts-with(local-name(), 'rsid'))"
    + "".join(f" and local-name() != '{name}'" for name in FOR_PROGRAMS)
    + "]"
)
WORDS = re.compile(r"[^\x00-\x7f]|(?:\d\D{0,4}){8}\d")  # what could be Chinese words, or a number of a person


def read_xml(root: Any, into: Passages, *, skip: str = "") -> None:
    """All text, runs of a paragraph joined, everything else on a line of its own; not what lies in ``skip``."""
    walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walker:
        name = local(element)
        if event == "start":
            if skip and name == skip:
                walker.skip_subtree()
            else:
                _begin(element, name, into)
            continue
        if event != "end":
            into.line(element.text or "", element)
        elif name in ENDS_LINE or (name != "t" and element.text):
            into.end_line()
        if element.tail and element.tail.strip():
            into.line(element.tail, element, TAIL)


def _begin(element: Any, name: str, into: Passages) -> None:
    if name == "property" and element.get("name"):
        into.add(element.get("name"), element, "name")
        into.add("：")
    if element.text and element.text.strip():
        into.add(element.text, element, TEXT)


def read_attributes(root: Any, into: Passages) -> None:
    """Attributes that may hold words: titles, descriptions, targets of links, names of columns."""
    for value in ATTRIBUTES(root):
        if WORDS.search(value):
            into.line(str(value), value.getparent(), value.attrname)
