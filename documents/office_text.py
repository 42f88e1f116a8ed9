"""Everything that a .docx or .xlsx says, in any of its parts, and how its parts are written back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from documents.deterministic import packed
from documents.packages import TYPES, Package, local, open_package
from documents.passages import Passages
from documents.sheet_text import SHEET_ROOTS, Sheets, read_shared, read_sheet, read_unused
from documents.word_text import is_word_part, read_word
from documents.xml_text import read_attributes, read_xml
from policy_models.files import Limits

PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic", ".emf", ".wmf")
WORDLESS = frozenset({"styles", "settings", "webSettings", "fonts", "numbering"})  # but for their attributes
INSIDE = ".xlsx"  # the figures of a chart


@dataclass(slots=True)
class Office:
    """A package as it was read. ``inside``: workbooks that lie in it, by their entry; ``long``: see Sheets."""

    package: Package
    trees: dict[str, Any]
    inside: dict[str, Office] = field(default_factory=dict)
    long: list[tuple[int, int]] = field(default_factory=list)

    @property
    def pictures(self) -> dict[str, bytes]:
        """Embedded pictures by their entry, those of workbooks inside too."""
        own = {name: data for name, data in self.package.entries.items() if name.lower().endswith(PICTURES)}
        for name, office in self.inside.items():
            own |= {f"{name}!{inner}": data for inner, data in office.pictures.items()}
        return own


def read_office(data: bytes, limits: Limits, into: Passages) -> Office:
    """Raises FileRefused for what may not come in."""
    package = open_package(data, limits)
    office = Office(package, package.trees())
    _words(office, into)
    _sheets(office, into)
    for name, root in office.trees.items():
        if name == TYPES:
            continue
        into.end_line()
        if local(root) == "sst":
            pass
        elif local(root) in SHEET_ROOTS:
            read_xml(root, into, skip="sheetData")
        elif not is_word_part(root):
            read_xml(root, into)
        read_attributes(root, into)
    for name, content in package.entries.items():
        if name.lower().endswith(INSIDE):
            office.inside[name] = read_office(content, limits, into)
            office.long += office.inside[name].long
    return office


def _words(office: Office, into: Passages) -> None:
    """The document first: heads of its tables tell what stands in them."""
    parts = [(name, root) for name, root in office.trees.items() if is_word_part(root) and local(root) not in WORDLESS]
    for _, root in sorted(parts, key=lambda part: (not part[0].endswith("/document.xml"), part[0])):
        read_word(root, into)
        into.end_line()


def _sheets(office: Office, into: Passages) -> None:
    sheets = Sheets(long=office.long)
    for root in office.trees.values():
        if local(root) == "sst":
            read_shared(root, sheets)
    for root in office.trees.values():
        if local(root) == "worksheet":
            read_sheet(root, sheets, into)
            into.line("")
            into.add("\n")
    read_unused(sheets, into)


def write_office(office: Office) -> bytes:
    """The package with its trees as they are now; the same trees give the same bytes."""
    entries = dict(office.package.entries)
    for name, root in office.trees.items():
        if name != TYPES:
            entries[name] = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    for name, inside in office.inside.items():
        entries[name] = write_office(inside)
    return packed(entries)
