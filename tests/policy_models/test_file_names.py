"""Names of files as they are really sent."""

from __future__ import annotations

import pytest

from policy_models.file_names import LONGEST, NAMELESS, plain_name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("走访照片.jpg", "走访照片.jpg"),
        ("C:\\Users\\王\\桌面\\总结.docx", "总结.docx"),
        ("../../etc/passwd", "passwd"),
        ("/a/b/", "b"),
        ("a\r\nContent-Type: text/html.pdf", "html.pdf"),
        ("一\n二.pdf", "一 二.pdf"),
        ("照片\u202egpj.exe", "照片gpj.exe"),
        ("\u2066签到表\u2069\u200b.png", "签到表.png"),
        ("\x00\x1b总结.pdf", "总结.pdf"),
        ('a<b>:"c|?*.pdf', "a_b___c___.pdf"),
        ("  总结  (1) .pdf. ", "总结 (1) .pdf"),
        ("达布素\u0065\u0301.pdf", "达布素\u00e9.pdf"),
        ("\ud800.pdf", "pdf"),
        ("圐圙.pdf", "圐圙.pdf"),
        ("", NAMELESS),
        ("..", NAMELESS),
        ("\u202e", NAMELESS),
    ],
)
def test_a_name_is_one_printable_line(raw: str, name: str) -> None:
    assert plain_name(raw) == name


def test_a_long_name_keeps_its_ending() -> None:
    assert plain_name("长" * 300 + ".docx") == "长" * (LONGEST - 5) + ".docx"
    assert plain_name("长" * 300) == "长" * LONGEST
    assert len(plain_name("a." + "b" * 300)) == LONGEST
