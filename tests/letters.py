"""Fifty letters as a bureau's mailbox gets them within two weeks: what is asked for, and everything else."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docx import Document
from openpyxl import Workbook
from pypdf import PdfWriter

from documents.pdf import program
from tests.factories import BUREAU, SCHOOLS
from tests.reporting import COUNTY, OTHER

ADDRESSES = {
    "office@county1.example": COUNTY,
    "office@county2.example": OTHER,
    "jiaoyu@city.example": SCHOOLS,
    "minzheng@city.example": BUREAU,
}
ONE, TWO, THREE, FOUR = ADDRESSES
IDENTITY = "15020320120405123"  # seventeen digits of a made-up number; the last is its check digit
LARGE = 30 * 1024 * 1024
REPORT = [
    "一、总体情况",
    "上半年总体平稳。",
    "二、重点任务进展",
    "走访 12 次。",
    "三、存在问题",
    "无。",
    "四、下一步打算",
    "继续。",
]


@dataclass(frozen=True)
class Sent:
    """A letter as it is sent, and what is to become of it: its state, and words of the answer (None: none is due)."""

    raw: bytes
    sender: str
    state: str
    answer: str | None
    double: bool = False


def check_digit(number: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(a) * b for a, b in zip(number, weights, strict=True)) % 11]


def whole_identity() -> str:
    return IDENTITY + check_digit(IDENTITY)


def docx(*lines: str, more: dict[str, bytes] | None = None) -> bytes:
    document = Document()
    for line in lines or REPORT:
        document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    if more:
        with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as packed:
            for name, content in more.items():
                packed.writestr(name, content)
    return out.getvalue()


def macro() -> bytes:
    return docx(more={"word/vbaProject.bin": b"\xd0\xcf\x11\xe0 Sub AutoOpen()"})


def bomb() -> bytes:
    return docx(more={"word/media/image1.bin": bytes(300 * 1024 * 1024)})


def xlsx() -> bytes:
    book, out = Workbook(), io.BytesIO()
    book.active.append(["指标", "数量"])  # type: ignore[union-attr]
    book.save(out)
    return out.getvalue()


def pdf() -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    writer.write(out)
    return out.getvalue()


def old_word() -> bytes:
    """A .doc as Word 97 wrote it. Raises RuntimeError where LibreOffice is not installed: the test fails, it is not
    skipped."""
    found = program()
    if found is None:
        raise RuntimeError("未找到 LibreOffice，请先安装 libreoffice-writer；bin/test 会代为安装。")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.docx").write_bytes(docx())
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        subprocess.run(
            [found, profile, "--headless", "--convert-to", "doc", "--outdir", name, str(folder / "a.docx")],
            check=True,
            capture_output=True,
            timeout=120,
            env={**os.environ, "HOME": name},
        )
        return (folder / "a.doc").read_bytes()


def word(text: str, charset: str = "utf-8", declared: str = "") -> bytes:
    return f"=?{declared or charset}?B?".encode() + base64.b64encode(text.encode(charset)) + b"?="


def percent(text: str, charset: str = "utf-8") -> bytes:
    return f"{charset}''".encode() + b"".join(b"%%%02X" % byte for byte in text.encode(charset))


def attachment(data: bytes, disposition: bytes, kind: bytes = b"application/octet-stream") -> bytes:
    lines = base64.encodebytes(data).replace(b"\n", b"\r\n")
    head = b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: " + disposition
    return head + b"\r\n\r\n" + lines


def named(name: str, data: bytes) -> bytes:
    return attachment(data, b"attachment; filename*=" + percent(name))


def letter(
    number: int,
    sender: str,
    subject: bytes,
    *parts: bytes,
    more: bytes = b"",
    text: bytes = "您好，请查收附件。".encode(),
    known: bool = True,
) -> bytes:
    head = b"From: <" + sender.encode() + b">\r\nTo: <bureau@mz.example>\r\nSubject: " + subject + b"\r\n"
    head += b"Date: Tue, 24 Jun 2025 10:%02d:00 +0800\r\n" % number + more
    head += b"Message-ID: <%d@unit.example>\r\n" % number if known else b""
    head += b"MIME-Version: 1.0\r\n"
    if not parts:
        return head + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text + b"\r\n"
    body = [b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text + b"\r\n", *parts]
    mixed = b"Content-Type: multipart/mixed; boundary=" + b"=_%d\r\n\r\n" % number
    return head + mixed + b"".join(b"--=_%d\r\n" % number + part for part in body) + b"--=_%d--\r\n" % number


HALF = "2025年上半年工作报告"


def ordinary(number: int) -> Iterator[Sent]:
    """Twenty reports, each with its subject and name written another way."""
    subjects = [
        HALF.encode("gb18030"),
        HALF.encode(),
        word(HALF),
        word(HALF, "gb18030"),
        word("二〇二五年上半年工作报告（圐圙镇）", "gb18030", "gb2312"),
        word(HALF, "gb18030", "utf-8"),
        word(HALF, "gb18030", "iso-8859-1"),
        word(HALF, "utf-8", "gb2312"),
        word("２０２５年上半年"),
        b"2025-H1 report",
    ]
    name = "半年报告.docx"
    places = [
        b"attachment; filename*=" + percent(name),
        b"attachment; filename*=" + percent(name, "gb18030"),
        b'attachment; filename="' + word(name, "gb18030", "gb2312") + b'"',
        b'attachment; filename="' + name.encode("gb18030") + b'"',
        b"attachment;\r\n filename*0*=" + percent(name)[:31] + b";\r\n filename*1*=" + percent(name)[31:],
    ]
    for n in range(20):
        data = docx(*REPORT, f"第{n}份。")
        raw = letter(number + n, list(ADDRESSES)[n % 4], subjects[n % 10], attachment(data, places[n % 5]))
        yield Sent(raw, list(ADDRESSES)[n % 4], "filed", "待市民政局确认")


def strange(number: int) -> Iterator[Sent]:
    """What is refused, set aside, or needs no answer."""
    half = word(HALF)
    filed, aside, refused, dismissed = "filed", "set_aside", "refused", "dismissed"
    large = bytes(LARGE)
    yield Sent(letter(number, ONE, half, named("大附件.docx", large)), ONE, refused, "超过单个附件 20 MB 的上限")
    both = letter(number + 1, TWO, half, named("大附件.docx", large), named("小附件.docx", docx()))
    yield Sent(both, TWO, filed, "超过单个附件 20 MB 的上限")
    yield Sent(letter(number + 2, ONE, half, named("宏.docx", macro())), ONE, refused, "宏")
    yield Sent(letter(number + 3, TWO, half, named("压缩.docx", bomb())), TWO, refused, "没有收取的附件（1个）")
    private = docx("名单：", f"身份证号 {whole_identity()}")
    yield Sent(letter(number + 4, ONE, half, named("名单.docx", private)), ONE, refused, "疑似公民身份号码")
    yield Sent(letter(number + 5, ONE, b"", text=b""), ONE, aside, "来信没有附件")
    yield Sent(letter(number + 6, TWO, half), TWO, aside, "来信没有附件")
    cloud = letter(number + 7, TWO, half, text="从QQ邮箱发来的超大附件：报告.docx".encode())
    yield Sent(cloud, TWO, aside, "网盘或超大附件的链接")
    away = b"Auto-Submitted: auto-replied\r\n"
    yield Sent(letter(number + 8, THREE, word("出差中"), more=away), THREE, dismissed, None)
    yield Sent(letter(number + 9, FOUR, word("自动回复：收到")), FOUR, dismissed, None)
    listed = letter(number + 10, "news@list.example", b"news", more=b"List-Id: <news.list.example>\r\n")
    yield Sent(listed, "news@list.example", dismissed, None)
    bounce = letter(
        number + 11, "mailer-daemon@x.example", b"Undelivered Mail", more=b"Auto-Submitted: auto-replied\r\n"
    )
    yield Sent(bounce, "", aside, None)
    tnef = attachment(b"\x78\x9f\x3e\x22", b"attachment; filename=winmail.dat", b"application/ms-tnef")
    yield Sent(letter(number + 12, ONE, half, tnef), ONE, refused, "winmail.dat")
    yield Sent(letter(number + 13, "a@b.example", half, named("报告.docx", docx())), "a@b.example", aside, "没有登记")
    guess = letter(number + 14, "li@b.example", word(f"2县民政局{HALF}"), named("报告.docx", docx()))
    yield Sent(guess, "li@b.example", aside, "请核对")
    other = letter(number + 15, ONE, word("2023年下半年工作报告"), named("报告.docx", docx()))
    yield Sent(other, ONE, aside, "没有开启半年报送")
    program_file = letter(number + 16, TWO, half, named("报告.docx", b"MZ\x90\x00" + bytes(600)))
    yield Sent(program_file, TWO, refused, "没有收取的附件（1个）")
    yield Sent(letter(number + 17, "bureau@mz.example", half), "bureau@mz.example", aside, None)  # ourselves


def kinds(number: int) -> Iterator[Sent]:
    """Other formats, letters without an identifier, letters in letters, and what is hardly a letter."""
    half = word(HALF)
    yield Sent(letter(number, ONE, half, named("报告.doc", old_word())), ONE, "filed", "报告.doc")
    yield Sent(letter(number + 1, TWO, half, named("表.xlsx", xlsx())), TWO, "filed", "表.xlsx")
    yield Sent(letter(number + 2, THREE, half, named("报告.pdf", pdf())), THREE, "filed", "报告.pdf")
    for n in (3, 4):
        raw = letter(number + n, ONE, half, named("报告.docx", docx()), known=False)
        yield Sent(raw, ONE, "filed", "报告.docx")
    inner = letter(number + 5, "x@y.example", half, named("转发.docx", docx()))
    forwarded = letter(number + 6, FOUR, half, b"Content-Type: message/rfc822\r\n\r\n" + inner)
    yield Sent(forwarded, FOUR, "filed", "转发.docx")
    junk = b'\x80\xff=?gbk?B?//?=\r\nContent-Type: multipart/mixed; boundary="\r\n\r\n\xfe\xff--\r\n'
    yield Sent(b"From: <t@junk.example>\r\nMessage-ID: <junk@x>\r\n" + junk, "t@junk.example", "set_aside", "没有附件")


def fifty() -> list[Sent]:
    """All of them in the order they are sent; five are doubles of letters before them."""
    first, second, third = list(ordinary(0)), list(strange(20)), list(kinds(40))
    doubles = [first[0], first[7], second[0], second[4], third[4]]
    again = [Sent(one.raw, one.sender, one.state, one.answer, double=True) for one in doubles]
    found = [*first[:12], *second[:6], again[0], *first[12:], again[1], *second[6:], *third, *again[2:]]
    assert len(found) == 50, len(found)
    return found
