"""Tables pasted or read as lines of cells: what stands in a column is told by the head of the column."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_models.privacy_numbers import Hit, numbers
from policy_models.privacy_words import STAFF, words

SPACING = re.compile(r"[\s_:*]+")
NOTE = re.compile(r"\([^()]*\)")
HEADS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r".{0,8}(?:姓名|名字|曾用名)"), "姓名:"),
    (
        re.compile(
            r"(?:法定|委托|被)?(?:监护|照护|照料|委托|受委托|抚养)人|家长|父亲|母亲|(?:农村|留守|困境|流动|孤)?(?:儿童|学生|孩子)|户主|受助人|.{0,2}对象"
        ),
        "监护人:",
    ),
    (re.compile(r".{0,8}(?:电话|手机|联系方式|微信).{0,3}"), "电话:"),
    (re.compile(r".{0,8}(?:身份证|证件|公民身份).{0,4}"), "身份证号:"),
    (re.compile(r".{0,8}(?:残疾证|残疾人证).{0,4}"), "残疾人证号:"),
    (re.compile(r".{0,4}学籍.{0,4}"), "学籍号:"),
    (re.compile(r".{0,8}(?:银行卡|卡号|一卡通|存折|账号).{0,4}"), "卡号:"),
    (
        re.compile(r".{0,4}(?:住址|家庭地址|家庭住址|居住地|现住地|户籍地|户籍地址|户籍所在地|居住地址).{0,4}"),
        "家庭住址:",
    ),
)
WIDEST = 60  # characters of a head of a column


def tables(text: str) -> Iterator[Hit]:
    """What the heads of columns make personal, in every run of lines that have tabs in them."""
    heads: dict[int, str] = {}
    start, after_heads = 0, False
    for line in text.split("\n"):
        cells = line.split("\t") if "\t" in line else []
        found = {n: label for n, cell in enumerate(cells) if (label := label_of(cell))}
        if not cells:
            heads = {}
        elif len(found) > 1 or (found and not heads):
            heads = {**heads, **found} if after_heads else found
        elif heads:
            yield from _row(cells, heads, start)
        after_heads = bool(found)
        start += len(line) + 1


def label_of(cell: str) -> str | None:
    """The label that a head of a column stands for; None for any other cell."""
    if not 2 <= len(cell) <= WIDEST:
        return None
    head = NOTE.sub("", SPACING.sub("", cell))
    for pattern, label in HEADS:
        if pattern.fullmatch(head):
            staff = label == "姓名:" and STAFF.search(re.sub("姓名$|名字$", "", head))
            return None if staff else label
    return None


def _row(cells: list[str], heads: dict[int, str], start: int) -> Iterator[Hit]:
    for n, cell in enumerate(cells):
        label = heads.get(n)
        if label and len(cell) > 1:
            look = words if label in ("姓名:", "监护人:", "家庭住址:") else numbers
            moved = start - len(label)
            for hit in look(label + cell):
                if hit.start >= len(label):
                    yield Hit(hit.kind, hit.blocks, hit.start + moved, hit.end + moved, hit.why)
        start += len(cell) + 1
