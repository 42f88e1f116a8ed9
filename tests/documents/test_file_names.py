"""Names of files as people and programs send them."""

import pytest

from documents.file_names import LONGEST, clean_name
from policy_models.files import FileKind


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("总结.docx", "总结.docx"),
        ("C:\\Users\\张\\桌面\\总结.DOCX", "总结.docx"),
        ("../../etc/passwd", "passwd.docx"),
        ("/总结.doc", "总结.docx"),
        ("总结", "总结.docx"),
        ("总结.docx.exe", "总结.docx"),
        ("总结.pdf.exe", "总结.pdf.docx"),
        ("总结\u202excod.exe", "总结xcod.docx"),
        ("总\u200b结\ufeff.docx", "总结.docx"),
        ("总结\r\nSet-Cookie: a.docx", "总结 Set-Cookie_ a.docx"),
        ("总\x00结\x07.docx", "总结.docx"),
        ("总\ud800结.docx", "总结.docx"),
        ("２０２４年上半年（终稿）　２.docx", "２０２４年上半年（终稿）　２.docx"),
        ("达尔罕茂明安联合旗 ᠪᠠᠭᠤᠲᠤ.docx", "达尔罕茂明安联合旗 ᠪᠠᠭᠤᠲᠤ.docx"),
        ("2024.12.31.docx", "2024.12.31.docx"),
        ("截至2024.6", "截至2024.6.docx"),
        ("......", "未命名.docx"),
        ("", "未命名.docx"),
        (" . .docx", "未命名.docx"),
        (".docx", "未命名.docx"),
        ("a/", "未命名.docx"),
        ('a<b>:"c|?*.docx', "a_b___c___.docx"),
    ],
)
def test_clean_names(sent: str, kept: str) -> None:
    assert clean_name(sent, FileKind.DOCX) == kept


def test_long_names() -> None:
    name = clean_name("长" * 500 + ".xlsx", FileKind.XLSX)
    assert (len(name), name[-6:]) == (LONGEST, "长.xlsx")
