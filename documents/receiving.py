"""收件: the gate for files. A file comes in when it is known what it is, that it can do no harm, and what it says.

It fails closed: what cannot be looked into is not taken in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import replace

from documents.deterministic import packed
from documents.file_names import clean_name
from documents.office_text import Office
from documents.photos import prepared
from documents.picture_facts import without_facts
from documents.reading import Reading, read
from documents.redaction import COPIED, redacted_copy
from documents.sheet_text import LONG_WHY
from documents.sniffing import OLD_WORD, PLAIN_TEXT, sniff
from policy_models.errors import FileRefused, Finding
from policy_models.files import EVIDENCE_KINDS, MEGABYTE, PHOTO_KINDS, FileKind, Limits, Received
from policy_models.privacy import sample, screen

UNSCREENED = "未能完成隐私筛查，文件没有收下，请另存或重新导出后再试，仍不成功请联系管理员"
KIND_NAMES = {
    FileKind.JPEG: "jpg 照片",
    FileKind.PNG: "png 图片",
    FileKind.HEIC: "heic 照片",
    FileKind.DOCX: "Word（.docx）",
    FileKind.XLSX: "Excel（.xlsx）",
    FileKind.PDF: "PDF",
    FileKind.TEXT: "文本（.txt）",
    FileKind.DOC: "旧版 Word（.doc）",
}
MOST_FINDINGS = 200  # kept of one file; the copy masks all of them
NAME_WHY, FACTS_WHY = "文件名中的", "照片附带信息中的"


def receive(name: str, data: bytes, *, limits: Limits, kinds: Collection[FileKind] = EVIDENCE_KINDS) -> Received:
    """Look into a file that came in; ``kinds``: what is taken in here. Pure but for .doc, which LibreOffice reads.

    Raises FileRefused, with a sentence for the person who sent it. What screening found is told in the result: whether
    it may enter all the same is the ledger's to say.
    """
    if len(data) > limits.file_bytes:
        raise FileRefused(f"文件超过 {limits.file_bytes // MEGABYTE} MB，请压缩图片或拆分后再上传")
    try:
        kind = sniff(data, limits)
        _require_wanted(kind, kinds)
        return _received(name, data, kind, limits)
    except FileRefused:
        raise
    except Exception as error:
        raise FileRefused(UNSCREENED) from error


def _require_wanted(kind: FileKind, kinds: Collection[FileKind]) -> None:
    if kind in kinds:
        return
    if kind is FileKind.DOC and FileKind.DOCX in kinds:
        raise FileRefused(OLD_WORD)
    if kind is FileKind.TEXT and frozenset(kinds) == EVIDENCE_KINDS:
        raise FileRefused(PLAIN_TEXT)
    wanted = "、".join(KIND_NAMES[one] for one in FileKind if one in kinds)
    raise FileRefused(f"这里只接收{wanted}，上传的是{KIND_NAMES[kind]}")


def _received(name: str, data: bytes, kind: FileKind, limits: Limits) -> Received:
    photo = prepared(data, kind, limits) if kind in PHOTO_KINDS else None
    reading = read(kind, data, limits)
    kept_kind, kept = photo or (kind, _kept(data, kind, reading))
    shown = clean_name(name, kept_kind)
    findings = _findings(shown, reading)
    blocked = any(finding.blocks for finding in findings)
    copy = redacted_copy(kind, kept, limits) if blocked and kind in COPIED else None
    if blocked and photo:
        copy = kept  # what was found stood beside the picture, and is gone
    return Received(shown, kept_kind, hashlib.sha256(data).hexdigest(), kept, findings[:MOST_FINDINGS], copy)


def _kept(data: bytes, kind: FileKind, reading: Reading) -> bytes:
    """The bytes to keep: as they came, but for pictures in documents, which lose what they tell beside the picture."""
    if reading.office and kind is not FileKind.DOC:
        entries = _without_facts(reading.office)
        if entries != reading.office.package.entries:
            return packed(entries)
    return data


def _without_facts(office: Office) -> dict[str, bytes]:
    entries = {name: without_facts(content) for name, content in office.package.entries.items()}
    return entries | {name: packed(_without_facts(inside)) for name, inside in office.inside.items() if inside.pictures}


def _findings(name: str, reading: Reading) -> tuple[Finding, ...]:
    """Whatever was found, in words, name and pictures; what blocks first."""
    text = reading.text
    found = list(screen(text))
    places = {(one.start, one.end) for one in found}
    found += [*_long_numbers(text, set(reading.office.long if reading.office else ()) - places), *reading.notes]
    found += _told(NAME_WHY, screen(name.rpartition(".")[0]))
    # the same remark is read in several encodings
    beside = {(one.kind, one.sample): one for one in screen(reading.facts) if one.blocks}
    found += _told(FACTS_WHY, beside.values())
    return tuple(sorted(found, key=lambda one: not one.blocks))


def _told(where: str, found: Iterable[Finding]) -> list[Finding]:
    return [replace(one, why=f"{where}{one.why}") for one in found]


def _long_numbers(text: str, spans: Iterable[tuple[int, int]]) -> list[Finding]:
    return [
        Finding("long_number", False, sample("long_number", text[start:end]), start, end, LONG_WHY)
        for start, end in sorted(spans)
    ]
