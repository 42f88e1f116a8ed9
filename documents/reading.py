"""What a file says: every word in it, whatever part it stands in, and what its pictures tell of themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

from documents.office_text import Office, read_office
from documents.old_word import as_docx
from documents.passages import Passages
from documents.pdf_text import read_pdf
from documents.picture_facts import facts, has_place
from policy_models.errors import Finding
from policy_models.files import PHOTO_KINDS, FileKind, Limits
from policy_models.text import decode_text

PLACE_WHY = "文档内的照片带有拍摄位置"


@dataclass(slots=True)
class Reading:
    """``passages``: the words; ``facts``: what pictures tell beside what they show; ``office``: the package, where it is
    one; ``notes``: findings that are no words."""

    passages: Passages = field(default_factory=Passages)
    facts: str = ""
    office: Office | None = None
    notes: tuple[Finding, ...] = ()

    @property
    def text(self) -> str:
        return self.passages.text


def read(kind: FileKind, data: bytes, limits: Limits) -> Reading:
    """Read a file of a known kind. Raises FileRefused for what may not come in or cannot be read."""
    reading = Reading()
    if kind in PHOTO_KINDS:
        reading.facts = facts(data)
    elif kind is FileKind.PDF:
        pictures, reading.notes = read_pdf(data, reading.passages)
        reading.facts = "\n".join(map(facts, pictures))
        if any(map(has_place, pictures)):
            reading.notes += (Finding("place", False, "经纬度", 0, 0, PLACE_WHY),)
    elif kind is FileKind.TEXT:
        reading.passages.add(decode_text(data))
    else:
        packed = as_docx(data) if kind is FileKind.DOC else data
        reading.office = read_office(packed, limits, reading.passages)
        reading.facts = "\n".join(map(facts, reading.office.pictures.values()))
    return reading
