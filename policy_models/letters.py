"""来信: what a letter to the bureau's mailbox is, and the rules by which it finds its unit and its round. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policy_models.message_names import RECEIPT_ID, Returned

FIRST_LINES = 5  # of the body: where people write what the letter is about
ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@[A-Za-z0-9.-]{1,189}")
HALVES = {"上": 1, "下": 2}
_NUMERALS = {ord(c): str(n) for n, c in enumerate("零一二三四五六七八九")} | {ord("〇"): "0", ord("○"): "0"}
_HALF = re.compile(r"(?:(?P<year>(?:20)?\d{2})(?:年度?)?)?(?P<half>[上下])半年")
_CODE = re.compile(r"(?<!\d)(?P<year>20\d{2})年?[-/.]?[Hh](?P<half>[12])(?!\d)")
_MONTHS = re.compile(r"(?<!\d)(?P<year>(?:20)?\d{2})年(?P<from>1|7)月?[-—–~～至到](?P<to>6|12)月")


class LetterState(StrEnum):
    FILED = "filed"
    SET_ASIDE = "set_aside"
    REFUSED = "refused"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


LETTER_STATE_NAMES = {
    LetterState.FILED: "待确认",
    LetterState.SET_ASIDE: "待归口",
    LetterState.REFUSED: "已拒收",
    LetterState.CONFIRMED: "已确认",
    LetterState.DISMISSED: "不予办理",
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """``data`` is None where the attachment was not taken over: then ``reason`` says why, in one Chinese sentence.
    ``size`` in bytes, as it would lie on a disk."""

    name: str
    size: int
    data: bytes | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class IncomingLetter:
    """A letter as it came, read but not yet looked into.

    ``message_id``: the header's without brackets, else a digest of the letter. ``sender``: a bare address in lower
    case, "" where there is none. ``opening``: the first lines of the text. ``automatic``: sent by a program, such as an
    out-of-office answer; ``bounce``: says that something sent from here did not arrive, ``returned`` what that was,
    where it is a letter of ours; ``in_reply_to``: the identifiers of the letters that it answers. ``clouded``: speaks
    of files that lie on a server elsewhere.
    ``readable``: False where nothing could be made of it.
    """

    message_id: str
    sender: str
    subject: str
    sent_at: datetime | None
    opening: str
    attachments: tuple[Attachment, ...]
    automatic: bool = False
    bounce: bool = False
    returned: Returned | None = None
    in_reply_to: tuple[str, ...] = ()
    clouded: bool = False
    readable: bool = True


def unreadable(message_id: str) -> IncomingLetter:
    """A letter of which nothing could be made: it is set aside, for a person to look at in the mailbox."""
    return IncomingLetter(message_id, "", "", None, "", (), readable=False)


@dataclass(frozen=True, slots=True)
class KnownUnit:
    """A unit as far as matching needs it. ``owes``: the rounds that want a report of it; ``handed_in``: those of them
    in which its report is no longer in its own hands."""

    code: str
    name: str
    active: bool
    owes: frozenset[str] = frozenset()
    handed_in: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a letter. ``unit``, where it was set aside, is no more than a suggestion."""

    state: LetterState
    unit: str | None
    round: str | None
    reason: str | None


def canonical_address(text: str) -> str:
    """An address in the one form in which addresses are compared: half-width, lower case; "" for what is none."""
    folded = unicodedata.normalize("NFKC", text).strip().strip("<>").lower()
    sound = folded.isprintable() and len(folded) <= 254 and ".." not in folded
    return folded if sound and ADDRESS.fullmatch(folded) else ""


def folded(text: str) -> str:
    """Text with full-width forms made half-width and blanks and invisible characters gone, so that words can be
    found in it."""
    return "".join(
        c for c in unicodedata.normalize("NFKC", text) if not c.isspace() and unicodedata.category(c) != "Cf"
    )


def round_named(text: str) -> tuple[int | None, int] | None:
    """The half-year that a text names, (year, half), the year None where it names none; None where it names no half.

    Understands ``2025年上半年``, ``2025-H1``, ``二〇二五年上半年``, ``２０２５年１－６月`` and ``25年上半年``.
    """
    plain = folded(text).translate(_NUMERALS)
    if found := _CODE.search(plain):
        return int(found["year"]), int(found["half"])
    if (found := _MONTHS.search(plain)) and (found["from"], found["to"]) in {("1", "6"), ("7", "12")}:
        return _year(found["year"]), 1 if found["from"] == "1" else 2
    if found := _HALF.search(plain):
        return (_year(found["year"]) if found["year"] else None), HALVES[found["half"]]
    return None


def _year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


def round_of(subject: str, opening: str, rounds: Mapping[str, bool]) -> tuple[str | None, str | None]:
    """The code of the round that a letter belongs to, and why there is none. ``rounds``: whether each is open.

    What the subject names comes before what the first lines name; a half without year, and no word at all, mean the one
    open round that fits.
    """
    named = round_named(subject) or round_named(opening)
    running = [code for code, is_open in rounds.items() if is_open]
    if named and named[0] is not None:
        code = f"{named[0]}-H{named[1]}"
        words = f"{named[0]}年{'上' if named[1] == 1 else '下'}半年"
        if code not in rounds:
            return None, f"来信所写的{words}没有开启半年报送"
        return (code, None) if rounds[code] else (None, f"{words}的报送已经关闭")
    fitting = [code for code in running if named is None or code.endswith(f"-H{named[1]}")]
    if len(fitting) == 1:
        return fitting[0], None
    return None, "来信没有写明是哪一次半年报送" if running else "目前没有开启的半年报送"


def units_named(text: str, units: Iterable[KnownUnit], *, city: str = "") -> tuple[KnownUnit, ...]:
    """The units that a text names, those with the longest name first; a name inside a longer one that was found does
    not count. ``city``: the city's name, which people leave out."""
    rest = folded(text)
    names = [(name, one) for one in units for name in {one.name, one.name.removeprefix(city)} if len(name) > 2]
    found: list[KnownUnit] = []
    for name, one in sorted(names, key=lambda pair: -len(pair[0])):
        if name in rest:
            rest = rest.replace(name, "\n")
            found.append(one)
    return tuple(dict.fromkeys(found))


def decide(
    letter: IncomingLetter,
    *,
    sender_unit: KnownUnit | None,
    rounds: Mapping[str, bool],
    named: Sequence[KnownUnit],
    kept: int,
    refused: Sequence[str],
) -> Verdict:
    """What becomes of a letter of which ``kept`` attachments passed the gates and others were ``refused`` (reasons).

    ``named``: units that the subject names. Nothing is guessed: without a registered address it is set aside.
    """
    unit = sender_unit.code if sender_unit and sender_unit.active else None
    code, why_no_round = round_of(letter.subject, letter.opening, rounds)
    suggested = unit or (named[0].code if len(named) == 1 else None)
    if not letter.readable:
        return Verdict(LetterState.SET_ASIDE, None, None, "来信的格式无法识别，请在邮箱中查看")
    if letter.returned:
        return Verdict(LetterState.DISMISSED, None, None, f"退信：{letter.returned.reason}，已记入发送记录")
    if letter.bounce:
        return Verdict(LetterState.SET_ASIDE, None, None, "这是一封退信：本系统发出的回执可能没有送达")
    if not kept and refused:
        return Verdict(LetterState.REFUSED, unit, code, refused[0])
    if not kept and letter.automatic:
        return Verdict(LetterState.DISMISSED, unit, None, "自动回复，不需办理")
    if not kept:
        return Verdict(LetterState.SET_ASIDE, suggested, code, no_attachment(letter))
    if unit is None or sender_unit is None:
        return Verdict(LetterState.SET_ASIDE, suggested, code, _unknown(sender_unit, suggested))
    if code is None:
        return Verdict(LetterState.SET_ASIDE, unit, None, why_no_round)
    if code not in sender_unit.owes:
        return Verdict(LetterState.SET_ASIDE, unit, code, f"{sender_unit.name}在这次报送中没有应报的报告")
    return Verdict(LetterState.FILED, unit, code, _caution(sender_unit, named, code))


def _caution(sender_unit: KnownUnit, named: Sequence[KnownUnit], code: str) -> str | None:
    """What the coordinator should know before confirming."""
    if code in sender_unit.handed_in:
        return f"{sender_unit.name}这一期的报告已经报送，如要采用来信，请先退回"
    others = [one.name for one in named if one.code != sender_unit.code and code in one.owes]
    return f"按发件地址归入{sender_unit.name}，但主题写有{'、'.join(others)}，请核对" if others else None


def no_attachment(letter: IncomingLetter) -> str:
    if letter.clouded:
        return "来信没有附件，只有网盘或超大附件的链接，系统不能收取"
    return "来信没有附件"


def _unknown(sender_unit: KnownUnit | None, suggested: str | None) -> str:
    if sender_unit is not None:
        return f"发件地址登记的单位（{sender_unit.name}）已停用"
    return "发件地址没有登记，单位按主题推测，请核对" if suggested else "发件地址没有登记，不能确定是哪个单位"


def answerable(letter: IncomingLetter, *, own: Iterable[str]) -> bool:
    """Whether a letter may be answered: never a program, never ourselves, so that no two programs write to each other
    for ever. ``own``: our addresses.

    A letter without attachments that answers one of our receipts gets no second one: many out-of-office answers do not
    say that they are automatic.
    """
    name = letter.sender.partition("@")[0]
    if not letter.sender or letter.automatic or letter.bounce or letter.sender in set(own):
        return False
    if re.fullmatch(r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?([-+].*)?)", name):
        return False
    ours = any(one.startswith(RECEIPT_ID) for one in letter.in_reply_to)
    return not (ours and not letter.attachments)
