"""Numbers that name a person: resident identity, disability certificate, pupil, telephone, bank card, passport.

All patterns read folded text and are bounded, so that time grows with length alone. ``\\b`` is of no use: between a
Chinese character and a digit there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

# 91: residents from abroad
PROVINCES = frozenset(
    {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83, 91}
)
# where digits stand close enough to be one number; the detectors look there alone
DENSE = re.compile(r"\d(?:\D{0,4}\d){6,500}")
AROUND = 64  # characters before and after: labels, and the rest of a number
BETWEEN = r"[ \-._·]{0,3}"  # what people put inside a number
LOOSE = r"[\s\-._·|]{0,3}"  # with a label before it, line ends and cells too


def _spaced(pattern: str, between: str) -> str:
    return pattern.replace("~", between)


BIRTH = r"(?:1~9|2~0)~\d~\d~(?:0~[1-9]|1~[0-2])~(?:[0-2]~\d|3~[01])"
RESIDENT = rf"[1-9]~\d~\d~\d~\d~\d~{BIRTH}~\d~\d~\d~[\dXx]"
ID = re.compile(
    rf"(?<!\d)(?=(?P<pupil>(?<![A-Za-z])[GLgl]{BETWEEN})?(?P<id>{_spaced(RESIDENT, BETWEEN)})"
    rf"(?P<more>(?P<gap>{BETWEEN})\d\d(?:[Bb]\d)?)?(?!\d))"
)
# one digit in each cell or line of a form
BOXES = re.compile(r"(?<![\dXx])(?=(" + _spaced(RESIDENT, r"[ ]{0,2}[\t\n|][ ]{0,2}") + r")(?![\dXx]))")
LABELLED_ID = re.compile(
    r"(?P<label>身份证|公民身份|身份号|证件|证号|残疾证|残疾人证|学籍|学号|ID ?(?:号|card|no))[^\d\n]{0,16}?\s{0,3}"
    rf"(?P<number>(?<![A-Za-z])[GLgl]?{LOOSE}\d(?:{LOOSE}[\dXx]){{14,19}})(?![\dXx])",
    re.IGNORECASE,
)
PUPIL = re.compile(r"学籍(?:编|辅)?号(?:码)?[^\dA-Za-z\n]{0,8}(?P<number>[A-Za-z]?\d[\d\-]{7,21}[Xx]?)")
OLD_ID = re.compile(
    r"(?<!\d)(?<!\d\.)(?=([1-6]\d{5}(?:2[5-9]|[3-9]\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3})(?!\.?\d))"
)
MOBILE = re.compile(
    r"(?<!\d)(?<!\d[.,])(?P<before>\(?(?:\+? ?86|0086)\)?[ -]?|0)?"
    r"(?P<number>1[ \-._·]{0,2}[3-9](?:[ \-._·]{0,2}\d){9})(?!\d)(?!\.\d)"
)
MOBILE_GROUPS = re.compile(r"1\d{10}|1\d\d\D+\d{4}\D+\d{4}|1\d{3}\D+\d{3}\D+\d{4}|1\d\d\D+\d{3}\D+\d{5}|1\d\d\D+\d{8}")
MOBILE_LABEL = re.compile(
    r"电 *话|手 *机|联系|微 *信|QQ|号码|致电|拨打|来电|短信|通讯|监护人|家长|父亲|母亲|爷爷|奶奶|本人|户主|学生"
    r"|tel|phone|mobile|wechat|cell|[☎✆📞📱]",
    re.IGNORECASE,
)
AFTER_MOBILE = re.compile(r"[^\d\n]{0,3}(?:微信|同号|电话|手机)")
AMOUNT = re.compile(r" {0,2}(?:元|万|亿|人次|人|名|户|件|条|%|平方|公里)")
CARD_TIGHT = re.compile(r"(?<!\d)(?<!\d\.)[3-6]\d{15,18}(?!\.?\d)")
CARD_GROUPS = re.compile(
    r"(?<!\d)(?<!\d\.)[3-6]\d{3}(?P<gap>[ \-._·]{1,2})\d{4}(?P=gap)\d{4}(?P=gap)\d{4}(?P<more>(?P=gap)\d{1,3})?(?!\d)"
    r"|(?<!\d)62\d{4}[ \-]{1,2}\d{10,13}(?!\d)|(?<!\d)62\d{2}[ \-]{1,2}\d{4}[ \-]{1,2}\d{4}[ \-]{1,2}\d{5,7}(?!\d)"
)
CARD_LABELLED = re.compile(
    r"(?P<label>卡 *号|银行卡|一卡通|存折|借记卡|储蓄卡|账 *号|帐 *号|账户)[^\d\n]{0,16}?\s{0,3}"
    r"(?P<number>\d(?:[\s\-._·]{0,2}\d){15,18})(?!\d)"
)
PERSONAL_CARD = ("卡", "存折")
HEX_LETTER, HASH = re.compile("[a-fA-F]"), re.compile("[0-9a-f]{32,}|[0-9A-F]{32,}")
PASSPORT = re.compile(r"(?:护照|通行证|台胞证)[^A-Za-z0-9\n]{0,12}(?P<number>[A-Za-z]{1,2} ?\d{7,10})(?!\d)")
BIRTH_PAPER = re.compile(r"出生(?:医学)?证[^A-Za-z0-9\n]{0,12}(?P<number>[A-Za-z] ?\d{9})(?!\d)")

PAPERS = (
    (PASSPORT, "passport", "疑似护照或通行证号码"),
    (BIRTH_PAPER, "birth_paper", "疑似出生医学证明编号"),
)

RESIDENT_WHY, OLD_WHY = "疑似公民身份号码", "疑似15位旧版公民身份号码"
DISABILITY_WHY, PUPIL_WHY, CARD_WHY = "疑似残疾人证号", "疑似学籍号", "疑似银行卡号"
ID_LENGTHS = (
    (18, "resident_id", RESIDENT_WHY),
    (20, "disability_certificate", DISABILITY_WHY),
    (15, "resident_id", OLD_WHY),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """Something met in folded text. ``start`` and ``end`` index that text."""

    kind: str
    blocks: bool
    start: int
    end: int
    why: str


def numbers(text: str) -> Iterator[Hit]:
    """Every number in a folded text that names a person, in no order; they may overlap."""
    for start, end in _regions(text):
        for look in (_resident_ids, _labelled_ids, _mobiles, _cards, _papers):
            yield from look(text, start, end)


def _regions(text: str) -> Iterator[tuple[int, int]]:
    start = end = -1
    for dense in DENSE.finditer(text):
        if dense.start() - AROUND > end:
            if end > 0:
                yield start, end
            start = max(0, dense.start() - AROUND)
        end = dense.end() + AROUND
    if end > 0:
        yield start, end


def _resident_ids(text: str, at: int, until: int) -> Iterator[Hit]:
    for found in ID.finditer(text, at, until):
        if hit := _as_id(text, found):
            yield hit
    for found in BOXES.finditer(text, at, until):
        if is_resident_id(plain(found.group(1))):
            yield Hit("resident_id", True, *found.span(1), RESIDENT_WHY)
    for found in OLD_ID.finditer(text, at, until):
        if _is_old(found.group(1)):
            yield Hit("resident_id", False, *found.span(1), OLD_WHY)


def _as_id(text: str, found: re.Match[str]) -> Hit | None:
    """An 18-digit number as what it is: a pupil's with its letter, a certificate's with its two digits more."""
    number = plain(found["id"])
    if not _plausible(number):
        return None
    start, end = found.span("id")
    if _in_hash(text, start, end):
        return None
    if found["pupil"]:
        return Hit("student_number", True, found.start("pupil"), end, PUPIL_WHY)
    sound = is_resident_id(number)
    if found["more"]:
        apart = bool(found["gap"]) and "残" not in text[max(0, start - 30) : start]
        if sound and not apart:
            return Hit("disability_certificate", True, start, found.end("more"), DISABILITY_WHY)
        if not apart:
            return None
    if not sound and (not found["id"].isalnum() or number[14:17] == "000"):
        return None  # a region, a day and a serial number: case and certificate numbers are made so
    return Hit("resident_id", sound, start, end, RESIDENT_WHY if sound else f"{RESIDENT_WHY}（校验码不符）")


def _labelled_ids(text: str, at: int, until: int) -> Iterator[Hit]:
    """With its label before it a number is one even when a digit of it is wrong."""
    for found in LABELLED_ID.finditer(text, at, until):
        if hit := _as_labelled(text, found):
            yield hit
    for found in PUPIL.finditer(text, at, until):
        yield Hit("student_number", True, *found.span("number"), PUPIL_WHY)


def _as_labelled(text: str, found: re.Match[str]) -> Hit | None:
    start = found.start("number")
    pupil = text[start] in "GLgl"
    ends = [n + 1 for n in range(start + pupil, found.end("number")) if text[n].isalnum()]
    for length, kind, why in ID_LENGTHS:
        if len(ends) < length or text[ends[length - 1] : ends[length - 1] + 1].isdigit():
            continue
        end = ends[length - 1]
        digits = plain(text[start + pupil : end])
        known = _is_old(digits) if length == 15 else _plausible(digits[:18])
        if known or (found["label"] in ("身份证", "公民身份") and end - start == length):
            return Hit("student_number", True, start, end, PUPIL_WHY) if pupil else Hit(kind, True, start, end, why)
    return None


def _mobiles(text: str, at: int, until: int) -> Iterator[Hit]:
    known_until = -100  # where the last labelled number ended: what follows it closely is of its kind
    for found in MOBILE.finditer(text, at, until):
        start, end = found.span("number")
        before, after = text[max(0, start - 30) : start], text[end : end + 12]
        labelled = bool(start - known_until < 9 or MOBILE_LABEL.search(before) or AFTER_MOBILE.match(after))
        if AMOUNT.match(after):
            continue
        if labelled:
            known_until = end
            yield Hit("mobile", True, start, end, "手机号码")
        elif MOBILE_GROUPS.fullmatch(found["number"]) and not (_is_letter(before[-1:]) or _is_letter(after[:1])):
            yield Hit("mobile", False, start, end, "疑似手机号码")


def _cards(text: str, at: int, until: int) -> Iterator[Hit]:
    for found in CARD_TIGHT.finditer(text, at, until):
        if luhn(found.group()) and not (is_credit_code(found.group()) or _in_hash(text, *found.span())):
            yield Hit("bank_card", True, *found.span(), CARD_WHY)
    for found in CARD_GROUPS.finditer(text, at, until):
        number, end = plain(found.group()), found.end()
        if found["more"] and not luhn(number):
            number, end = number[:16], found.start("more")
        round_figures = all(number[at] == "0" for at in (3, 7, 11, 15))  # four sums in a row of a table
        if luhn(number) and not round_figures:
            yield Hit("bank_card", True, found.start(), end, CARD_WHY)
    for found in CARD_LABELLED.finditer(text, at, until):
        number = plain(found["number"])
        personal = any(word in found["label"] for word in PERSONAL_CARD)
        if luhn(number) or (personal and found["number"].isdigit()):
            yield Hit("bank_card", True, *found.span("number"), CARD_WHY)


def _papers(text: str, at: int, until: int) -> Iterator[Hit]:
    for pattern, kind, why in PAPERS:
        yield from (Hit(kind, True, *found.span("number"), why) for found in pattern.finditer(text, at, until))


def plain(number: str) -> str:
    """Letters and digits alone, letters large."""
    return "".join(filter(str.isalnum, number)).upper()


def is_resident_id(number: str) -> bool:
    """18 characters with a region, a date and the check character of GB 11643 (ISO 7064 mod 11-2)."""
    return (
        _plausible(number)
        and "10X98765432"[sum(int(d) << (17 - n) for n, d in enumerate(number[:17])) % 11] == number[17]
    )


def luhn(number: str) -> bool:
    """The check digit of bank cards (ISO/IEC 7812)."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(map(int, number[-1::-2])) + doubled) % 10 == 0


def is_credit_code(number: str) -> bool:
    """统一社会信用代码 (GB 32100): of an organisation, never of a person."""
    values = {char: n for n, char in enumerate("0123456789ABCDEFGHJKLMNPQRTUWXY")}
    if len(number) != 18 or any(char not in values for char in number):
        return False
    return (31 - sum(values[char] * pow(3, n, 31) for n, char in enumerate(number[:17])) % 31) % 31 == values[
        number[17]
    ]


def _plausible(number: str) -> bool:
    if len(number) != 18 or not number[:17].isdigit() or int(number[:2]) not in PROVINCES:
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return 1900 <= born.year < 2060


def _is_old(digits: str) -> bool:
    return len(digits) == 15 and _plausible(f"{digits[:6]}19{digits[6:]}0")


def _in_hash(text: str, start: int, end: int) -> bool:
    """Whether these digits lie inside a checksum written in hexadecimal."""
    if not (HEX_LETTER.match(text, end) or HEX_LETTER.match(text, max(0, start - 1))):
        return False
    around = text[max(0, start - 64) : end + 64]
    at = min(start, 64)
    return any(run.start() <= at < run.end() for run in HASH.finditer(around))


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalpha()
