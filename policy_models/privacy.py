"""隐私筛查: what must not enter. Children are counted, never named (domain facts §9).

Text is folded first (see privacy_fold), so that full-width digits, zero-width characters and spaces hide nothing.
What blocks: identity, certificate, pupil, card and passport numbers, a mobile number, name or home address that is
labelled as one. What warns: a mobile number or name without a label, 15-digit numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from policy_models.errors import Finding
from policy_models.privacy_fold import fold
from policy_models.privacy_numbers import Hit, numbers, plain
from policy_models.privacy_tables import tables
from policy_models.privacy_words import words

KINDS = {
    "resident_id": "公民身份号码",
    "disability_certificate": "残疾人证号",
    "student_number": "学籍号",
    "mobile": "手机号码",
    "bank_card": "银行卡号",
    "passport": "护照或通行证号码",
    "birth_paper": "出生医学证明编号",
    "name": "姓名",
    "address": "家庭住址",
    "long_number": "长数字单元格",
    "place": "拍摄位置",
    "scan": "扫描件",
}
WORD_KINDS = ("name", "address")
MASK = "████"
ANY = re.compile(r"[^\x00-\x7f]|(?:\d[^\n]{0,3}?){9}|[A-Za-z]{3}")  # without any of these nothing can be found


def screen(text: str) -> tuple[Finding, ...]:
    """Everything personal in a text, in order, none overlapping; empty means that it may enter. ``start`` and ``end``
    index the text as it was given."""
    if not ANY.search(text):
        return ()
    folded = fold(text)
    hits = [*numbers(folded.text), *words(folded.text)]
    if "\t" in folded.text:
        hits += tables(folded.text)
    return tuple(
        Finding(
            hit.kind,
            hit.blocks,
            sample(hit.kind, folded.text[hit.start : hit.end]),
            *folded.span(hit.start, hit.end),
            hit.why,
        )
        for hit in _apart(hits)
    )


def redact(text: str) -> str:
    """The text with every finding masked; screened again it is clean."""
    return masked(text, [(finding.start, finding.end) for finding in screen(text)])


def masked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with these spans (in order, apart) replaced."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], MASK]
        at = end
    return "".join([*pieces, text[at:]])


def sample(kind: str, value: str) -> str:
    """What may be shown and stored: of a number at most the first three and last two characters, of a name the first,
    of an address the first three."""
    if kind == "name":
        return f"{value[:1]}某"
    if kind == "address":
        return f"{value[:3]}***"
    number = plain(value)
    return "*" * len(number) if len(number) < 8 else f"{number[:3]}{'*' * (len(number) - 5)}{number[-2:]}"


def _apart(hits: Iterable[Hit]) -> list[Hit]:
    """Hits in order; of those that overlap the one that blocks stays, then the longer, then the first."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
        elif (hit.blocks, hit.end - hit.start) > (kept[-1].blocks, kept[-1].end - kept[-1].start):
            kept[-1] = hit
    return kept
