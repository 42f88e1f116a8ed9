"""The privacy detector against its corpus, against an independent check of numbers, and against the clock."""

from __future__ import annotations

import random
import time
import unicodedata
from collections import Counter
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn as luhn_oracle
from stdnum.cn import ric, uscc

from policy_models.plan_file import PLANS, load_pack
from policy_models.privacy import KINDS, MASK, redact, sample, screen
from policy_models.privacy_fold import fold
from policy_models.privacy_numbers import is_credit_code, is_resident_id, luhn, plain
from tests.corpus.lines import Line, clean_lines, corpus, found_lines

pytestmark = pytest.mark.thorough

MEGABYTE = 1_000_000
RESIDENT = "150203201001011232"


def told(text: str) -> list[tuple[str, bool, str]]:
    return [(found.kind, found.blocks, text[found.start : found.end]) for found in screen(text)]


def test_the_corpus_is_large_enough_and_its_numbers_hold() -> None:
    found, clean = found_lines(), clean_lines()
    assert (len(found) >= 100, len(clean) >= 100, len(found) + len(clean) >= 200) == (True, True, True)
    counted = Counter(line.kind for line in found)
    assert all(counted[kind] >= 9 for kind in ("resident_id", "disability_certificate", "student_number", "mobile"))
    assert all(counted[kind] >= 9 for kind in ("bank_card", "name", "address"))
    assert len({line.text for line in corpus()}) == len(corpus())


@pytest.mark.parametrize("line", found_lines(), ids=lambda line: f"{line.kind}-{line.text[:24]}")
def test_what_must_be_found_is_found_where_it_stands(line: Line) -> None:
    assert (line.kind, line.blocks, line.value) in told(line.text)


def test_misses_and_false_alarms(capsys: pytest.CaptureFixture[str]) -> None:
    missed = [line for line in found_lines() if (line.kind, line.blocks, line.value) not in told(line.text)]
    alarms = [line.text for line in clean_lines() if screen(line.text)]
    share = len(alarms) / len(clean_lines())
    with capsys.disabled():
        print(f"\nprivacy corpus: {len(missed)} of {len(found_lines())} missed, ", end="")
        print(f"{len(alarms)} of {len(clean_lines())} false alarms ({share:.1%})")
    assert missed == []
    assert share <= 0.02, alarms


@pytest.mark.parametrize("line", found_lines(), ids=lambda line: f"{line.kind}-{line.text[:24]}")
def test_samples_are_masked_and_redacted_text_is_clean(line: Line) -> None:
    for found in screen(line.text):
        shown = [char for char in plain(fold(found.sample).text) if char.isdigit()]
        assert len(shown) <= 5
        assert found.kind in KINDS
        assert line.value not in found.sample
        assert line.value not in found.why
    clean = redact(line.text)
    assert MASK in clean
    assert line.value not in clean
    assert screen(clean) == ()


def test_samples() -> None:
    assert sample("resident_id", RESIDENT) == "150*************32"
    assert sample("mobile", "138 1234 5678") == "138******78"
    assert sample("name", "欧阳明月") == "欧某"
    assert sample("address", "昆都仑区友谊大街18号") == "昆都仑***"


def test_the_plan_itself_and_its_units_pass() -> None:
    pack = load_pack(PLANS / "baotou-2024")
    texts = [path.read_text("utf-8") for path in sorted((PLANS / "baotou-2024").rglob("*.*"))]
    rows = [f"{unit.code}\t{unit.name}" for unit in pack.units.values()]
    assert len(rows) > 900
    assert [told(text) for text in [*texts, "\n".join(rows), *rows] if screen(text)] == []


def test_several_things_in_one_text_come_in_order_and_apart() -> None:
    text = f"姓名：张伟，身份证{RESIDENT}，电话13812345678，卡号6222021234567890128"
    assert told(text) == [
        ("name", True, "张伟"),
        ("resident_id", True, RESIDENT),
        ("mobile", True, "13812345678"),
        ("bank_card", True, "6222021234567890128"),
    ]
    assert redact(text) == f"姓名：{MASK}，身份证{MASK}，电话{MASK}，卡号{MASK}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{RESIDENT}1", []),
        (f"1{RESIDENT}", []),
        ("150203201013011239", []),  # a thirteenth month
        ("150203201002301235", []),  # 30 February
        ("990203201001011232", []),
        ("6222021234567890127", []),
        (f"儿童 {RESIDENT} 12 岁", [("resident_id", True, RESIDENT)]),
        ("学生：张三、李四，王五和赵六", [("name", True, name) for name in ("张三", "李四", "王五", "赵六")]),
        ("sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709", []),
        (f"9f86d081{RESIDENT}a0c55ad015a3bf4f", []),
    ],
)
def test_the_edge_of_each_rule(text: str, expected: list[tuple[str, bool, str]]) -> None:
    assert told(text) == expected


def test_two_rows_of_heads() -> None:
    text = "姓名\t监护人\t\t住址\n\t姓名\t电话\t\n张伟\t王芳\t13812345678\t昆区友谊大街8号"
    assert [kind for kind, _, _ in told(text)] == ["name", "name", "mobile", "address"]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40), st.sampled_from(found_lines()), st.text(max_size=40))
def test_whatever_stands_around_it_places_are_of_the_original(before: str, line: Line, after: str) -> None:
    text = f"{before}。\n{line.text}\n。{after}"
    for found in screen(text):
        assert 0 <= found.start < found.end <= len(text)
    assert screen(redact(text)) == ()
    if "\t" not in text:
        assert any(text[found.start : found.end] == line.value for found in screen(text))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_folding_keeps_every_place(text: str) -> None:
    folded = fold(text)
    for n in range(len(folded.text)):
        start, end = folded.span(n, n + 1)
        assert 0 <= start < end <= len(text)
        assert end - start == 1


@settings(max_examples=500, deadline=None)
@given(
    st.dates(date(1900, 1, 1), date(2059, 12, 31)),
    st.integers(0, 999),
    st.sampled_from(["150202", "110101", "310101", "510104", "650102"]),
)
def test_check_characters_agree_with_an_independent_library(born: date, turn: int, region: str) -> None:
    stem = f"{region}{born:%Y%m%d}{turn:03}"
    right = ric.calc_check_digit(f"{stem}0")
    assert [last for last in "0123456789X" if is_resident_id(stem + last)] == [right]


@given(st.text(alphabet="0123456789", min_size=2, max_size=19))
def test_luhn_agrees_with_an_independent_library(number: str) -> None:
    assert luhn(number) == luhn_oracle.is_valid(number)


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17))
def test_codes_of_organisations_agree_with_an_independent_library(stem: str) -> None:
    number = stem + uscc.calc_check_digit(stem)
    assert is_credit_code(number)
    assert not is_credit_code(stem + ("0" if number[-1] != "0" else "1"))


def hostile() -> dict[str, str]:
    random.seed(7)
    chinese = "".join(chr(random.randint(0x4E00, 0x9FA5)) for _ in range(MEGABYTE))
    usual = "儿童关爱服务留守困境监护人家长学生张王李赵电话的是在和，。、为0123456789"
    return {
        "digits": "1" * MEGABYTE,
        "all digits": "0123456789" * (MEGABYTE // 10),
        "spaces": " " * MEGABYTE,
        "tabs": "\t" * MEGABYTE,
        "lines": "\n" * MEGABYTE,
        "Chinese": chinese,
        "usual words": "".join(random.choice(usual) for _ in range(MEGABYTE)),
        "digits apart": "1 " * (MEGABYTE // 2),
        "digits in cells": "1\t" * (MEGABYTE // 2),
        "nearly numbers": "1502032010   " * (MEGABYTE // 13),
        "zero width": "1\u200b" * (MEGABYTE // 2),
        "full width": "１" * MEGABYTE,
        "numerals": "一" * MEGABYTE,
    }


@pytest.mark.parametrize("name", hostile())
def test_a_megabyte_takes_less_than_two_seconds(name: str) -> None:
    text = hostile()[name]
    fastest = min(timed(text) for _ in range(3))
    assert fastest < 2.0


@pytest.mark.parametrize(
    "piece",
    [
        "姓名：",
        "姓名(",
        "姓 ",
        "家庭住址：1号",
        "身份证 1 ",
        "卡号 1",
        "学生：张三、",
        "姓名\t张三\t",
        f"{RESIDENT} ",
        "电话138",
    ],
)
def test_time_grows_with_length_alone(piece: str) -> None:
    short, long = piece * (20_000 // len(piece)), piece * (320_000 // len(piece))
    once = min(timed(short) for _ in range(3))
    assert min(timed(long) for _ in range(2)) < 16 * 3 * once + 0.05


def timed(text: str) -> float:
    started = time.process_time()
    screen(text)
    return time.process_time() - started


def test_a_sheet_of_all_villages_takes_less_than_two_seconds() -> None:
    random.seed(3)
    row = (
        "150202{n:06}\t第{n}嘎查村\t{n}\t0.95\t2024-05-06\t已走访{n}人次\t签订确认书\t正常\t无\t外出务工\t父母\t经办人"
    )
    assert timed("\n".join(row.format(n=n) for n in range(855))) < 2.0


def test_no_place_of_the_unicode_table_breaks_it() -> None:
    every = "".join(chr(code) for code in range(0x2FFFF) if unicodedata.category(chr(code)) != "Cs")
    assert screen(every) is not None
    assert screen("\ud800身份证" + RESIDENT)[0].kind == "resident_id"
