"""Encodings as they arrive."""

from __future__ import annotations

import pytest

from policy_models.errors import Faulty
from policy_models.text import decode_text, normalize_digits, written

TEXT = "南圪洞街道、圐圙"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_either_encoding_is_read(encoding: str) -> None:
    assert decode_text(TEXT.encode(encoding)) == TEXT


@pytest.mark.parametrize("data", [TEXT.encode("utf-16"), b"\xff\xff\xff", b"PK\x03\x04\x00\x00"])
def test_anything_else_is_one_sentence(data: bytes) -> None:
    with pytest.raises(Faulty, match=r"^名单\.csv 不是 UTF-8 或 GB18030 编码的文本，无法读取$"):
        decode_text(data, "名单.csv")


def test_digits() -> None:
    assert normalize_digits("２０２５年1月") == "2025年1月"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (" 一\r\n二\r三\n\t四 ", "一\n二\n三\n\t四"),
        ("姓\x00名\x07\x1b\x7f\x85", "姓名"),
        ("gpj\u202eexe\u2066\u2069", "gpjexe"),
        ("\ud800代理\udfff", "代理"),
        ("ᠮᠣᠩᠭᠣᠯ\u200d圐圙𠮷", "ᠮᠣᠩᠭᠣᠯ\u200d圐圙𠮷"),
        ("\u3000\n", ""),
    ],
)
def test_written(sent: str, kept: str) -> None:
    assert written(sent) == kept
