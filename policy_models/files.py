"""文件: what a file that came in is, once it has been looked into. The looking is done in documents/."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from policy_models.errors import Finding

MEGABYTE = 1 << 20


class FileKind(StrEnum):
    """Told from the content, never from the name."""

    JPEG = "jpg"
    PNG = "png"
    HEIC = "heic"
    DOCX = "docx"
    XLSX = "xlsx"
    PDF = "pdf"
    TEXT = "txt"
    DOC = "doc"  # by mail only, where LibreOffice can read it


MEDIA_TYPES = {
    FileKind.JPEG: "image/jpeg",
    FileKind.PNG: "image/png",
    FileKind.HEIC: "image/heic",
    FileKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileKind.PDF: "application/pdf",
    FileKind.TEXT: "text/plain; charset=utf-8",
    FileKind.DOC: "application/msword",
}
PHOTO_KINDS = frozenset({FileKind.JPEG, FileKind.PNG, FileKind.HEIC})
EVIDENCE_KINDS = frozenset(set(FileKind) - {FileKind.DOC, FileKind.TEXT})
LETTER_KINDS = frozenset({FileKind.DOCX, FileKind.DOC, FileKind.XLSX, FileKind.PDF})


@dataclass(frozen=True, slots=True)
class Limits:
    """``file_bytes``: of one file as it comes; ``files``: in one submission; ``unpacked_bytes`` and ``ratio``: of what
    lies packed inside an office document; ``pixels``: of a photo; ``photo_side``: longest side kept, in pixels."""

    file_bytes: int = 20 * MEGABYTE
    files: int = 300
    unpacked_bytes: int = 200 * MEGABYTE
    ratio: int = 200
    pixels: int = 80_000_000
    photo_side: int = 2000


@dataclass(frozen=True, slots=True)
class Received:
    """A file that was looked into and may be kept. ``sha256`` is of the bytes as they came; ``data`` are the bytes to
    keep (photos shrunk, without EXIF). ``findings`` also hold what blocks: whether it may enter all the same is the
    ledger's to say. ``redacted``: the bytes of a copy without the findings; None where there are none or no copy can
    be made of this kind."""

    name: str
    kind: FileKind
    sha256: str
    data: bytes
    findings: tuple[Finding, ...] = ()
    redacted: bytes | None = None

    @property
    def blocked(self) -> bool:
        return any(finding.blocks for finding in self.findings)
