"""来信: which unit, which round, what becomes of a letter, and whether it is answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policy_models.letters import (
    Attachment,
    IncomingLetter,
    KnownUnit,
    LetterState,
    Verdict,
    answerable,
    canonical_address,
    decide,
    round_named,
    round_of,
    units_named,
    unreadable,
)
from policy_models.message_names import RECEIPT_ID, Returned

OPEN, CLOSED = "2025-H1", "2024-H2"
ROUNDS = {OPEN: True, CLOSED: False}
COUNTY = KnownUnit("9001-mz", "石拐区民政局", True, frozenset({OPEN, CLOSED}))
OTHER = KnownUnit("9002-mz", "东河区民政局", True, frozenset({OPEN}))
REPORT = Attachment("报告.docx", 3, b"abc")
LETTER = IncomingLetter("1@x", "a@x.example", "2025年上半年报告", None, "", (REPORT,))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("关于2025年上半年工作情况的报告", (2025, 1)),
        ("2025-H1", (2025, 1)),
        ("2025h2 总结", (2025, 2)),
        ("二〇二五年上半年", (2025, 1)),
        ("二○二五年下半年", (2025, 2)),
        ("２０２５年上半年", (2025, 1)),
        ("2025 年 上 半 年", (2025, 1)),
        ("2025年度下半年", (2025, 2)),
        ("25年上半年", (2025, 1)),
        ("2025年1-6月", (2025, 1)),
        ("2025年7月—12月", (2025, 2)),
        ("2025年1月至6月", (2025, 1)),
        ("包民发〔2024〕3号 2025年上半年", (2025, 1)),
        ("上半年总结", (None, 1)),
        ("2025年1-12月", None),
        ("2025年工作报告", None),
        ("", None),
    ],
)
def test_the_half_year_that_a_text_names(text: str, found: tuple[int | None, int] | None) -> None:
    assert round_named(text) == found


@pytest.mark.parametrize(
    ("subject", "opening", "code", "why"),
    [
        ("2025年上半年报告", "", OPEN, None),
        ("报告", "现报送2025年上半年工作情况", OPEN, None),
        ("2025年上半年", "2024年下半年", OPEN, None),  # the subject comes before the text
        ("报告", "", OPEN, None),
        ("上半年总结", "", OPEN, None),
        ("下半年总结", "", None, "来信没有写明是哪一次半年报送"),
        ("2024年下半年", "", None, "2024年下半年的报送已经关闭"),
        ("2023年上半年", "", None, "来信所写的2023年上半年没有开启半年报送"),
    ],
)
def test_the_round_of_a_letter(subject: str, opening: str, code: str | None, why: str | None) -> None:
    assert round_of(subject, opening, ROUNDS) == (code, why)


def test_no_word_of_a_half_year_is_no_guess_between_two_open_rounds() -> None:
    assert round_of("报告", "", {OPEN: True, "2025-H2": True}) == (None, "来信没有写明是哪一次半年报送")
    assert round_of("下半年报告", "", {OPEN: True, "2025-H2": True}) == ("2025-H2", None)
    assert round_of("报告", "", {CLOSED: False}) == (None, "目前没有开启的半年报送")
    assert round_of("报告", "", {}) == (None, "目前没有开启的半年报送")


def test_units_that_a_text_names() -> None:
    city = KnownUnit("9000-mz", "包头市民政局", True)
    units = [COUNTY, OTHER, city, KnownUnit("9001", "石拐区", True)]
    assert units_named("石拐区民政局关于上半年的报告", units, city="包头市") == (COUNTY,)
    assert units_named("石拐 区民政局、东河区民政局", units) == (COUNTY, OTHER)
    assert units_named("报市民政局", units, city="包头市") == (city,)
    assert units_named("半年报告", units) == ()


def told(letter: IncomingLetter = LETTER, sender: KnownUnit | None = COUNTY, **more: object) -> Verdict:
    facts = {"rounds": ROUNDS, "named": (), "kept": len(letter.attachments), "refused": (), **more}
    return decide(letter, sender_unit=sender, **facts)  # type: ignore[arg-type]


def test_what_becomes_of_a_letter() -> None:
    empty = replace(LETTER, attachments=())
    filed, aside, refused = LetterState.FILED, LetterState.SET_ASIDE, LetterState.REFUSED
    assert told() == Verdict(filed, COUNTY.code, OPEN, None)
    assert told(refused=("含宏",)) == Verdict(filed, COUNTY.code, OPEN, None)  # one of two was kept
    assert told(kept=0, refused=("含宏", "过大")) == Verdict(refused, COUNTY.code, OPEN, "含宏")
    assert told(empty) == Verdict(aside, COUNTY.code, OPEN, "来信没有附件")
    clouded = replace(empty, clouded=True)
    assert told(clouded).reason == "来信没有附件，只有网盘或超大附件的链接，系统不能收取"
    assert told(sender=None) == Verdict(aside, None, OPEN, "发件地址没有登记，不能确定是哪个单位")
    assert told(sender=None, named=(OTHER,)) == Verdict(
        aside, OTHER.code, OPEN, "发件地址没有登记，单位按主题推测，请核对"
    )
    assert told(sender=None, named=(OTHER, COUNTY)).unit is None
    shut = replace(COUNTY, active=False)
    assert told(sender=shut) == Verdict(aside, None, OPEN, "发件地址登记的单位（石拐区民政局）已停用")
    assert told(sender=replace(COUNTY, owes=frozenset())).reason == "石拐区民政局在这次报送中没有应报的报告"
    assert told(rounds={}) == Verdict(aside, COUNTY.code, None, "来信所写的2025年上半年没有开启半年报送")
    assert told(unreadable("x")) == Verdict(aside, None, None, "来信的格式无法识别，请在邮箱中查看")


def test_what_the_coordinator_should_know_before_confirming() -> None:
    assert told(named=(OTHER,)).reason == "按发件地址归入石拐区民政局，但主题写有东河区民政局，请核对"
    assert told(named=(COUNTY, KnownUnit("9", "市民政局", True))).reason is None  # to whom it is addressed owes nothing
    done = replace(COUNTY, handed_in=frozenset({OPEN}))
    assert told(sender=done).reason == "石拐区民政局这一期的报告已经报送，如要采用来信，请先退回"


def test_programs_that_write() -> None:
    holiday = replace(LETTER, attachments=(), automatic=True)
    assert told(holiday) == Verdict(LetterState.DISMISSED, COUNTY.code, None, "自动回复，不需办理")
    assert told(replace(LETTER, automatic=True)).state is LetterState.FILED  # an office program that sends the report
    bounce = replace(holiday, bounce=True)
    assert told(bounce) == Verdict(LetterState.SET_ASIDE, None, None, "这是一封退信：本系统发出的回执可能没有送达")
    ours = replace(bounce, returned=Returned("lucheng.notice.7.0123456789abcdef", "收件邮箱已满（5.2.2）"))
    assert told(ours) == Verdict(LetterState.DISMISSED, None, None, "退信：收件邮箱已满（5.2.2），已记入发送记录")


@pytest.mark.parametrize(
    ("change", "answered"),
    [
        ({}, True),
        ({"attachments": ()}, True),
        ({"automatic": True}, False),
        ({"bounce": True, "automatic": True}, False),
        ({"sender": ""}, False),
        ({"sender": "bureau@x.example"}, False),
        ({"sender": "no-reply@x.example"}, False),
        ({"sender": "mailer-daemon@x.example"}, False),
        ({"sender": "bounce+12@x.example"}, False),
        ({"sender": "bouncer@x.example"}, True),
        ({"in_reply_to": (f"{RECEIPT_ID}7.ab@x.example",)}, True),  # a person sends the missing attachment
        ({"in_reply_to": (f"{RECEIPT_ID}7.ab@x.example",), "attachments": ()}, False),
    ],
)
def test_whether_a_letter_is_answered(change: dict[str, object], answered: bool) -> None:
    letter = replace(LETTER, **change)  # type: ignore[arg-type]
    assert answerable(letter, own=["bureau@x.example"]) is answered


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        (" Office@Mz.Example ", "office@mz.example"),
        ("office＠mz．example", "office@mz.example"),
        ("<a.b-c_1@x.example>", "a.b-c_1@x.example"),
        ("13800000000@139.com", "13800000000@139.com"),
        ("a@b@c", ""),
        ("a@", ""),
        ("a b@c.d", ""),
        ("a@x..y", ""),
        ("a\x00b@c.d", ""),
        (f"{'a' * 65}@c.d", ""),
        ("民政局", ""),
    ],
)
def test_an_address_in_its_one_form(written: str, canonical: str) -> None:
    assert canonical_address(written) == canonical
