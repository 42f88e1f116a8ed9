"""The changes between two texts."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from policy_models.changes import Change, changes

texts = st.text(alphabet="走访儿童3人，。\n 12ab", max_size=60)


@given(texts, texts)
def test_both_texts_can_be_told_from_the_changes(before: str, after: str) -> None:
    found = changes(before, after)
    assert "".join(one.text for one in found if one.kind != "added") == before
    assert "".join(one.text for one in found if one.kind != "removed") == after
    assert all(one.text for one in found)


def test_numbers_are_words_and_characters_are_not() -> None:
    assert changes("上半年走访儿童120人次，覆盖率95%。", "上半年共走访儿童1120人次，覆盖率98%。") == (
        Change("same", "上半年"),
        Change("added", "共"),
        Change("same", "走访儿童"),
        Change("removed", "120"),
        Change("added", "1120"),
        Change("same", "人次，覆盖率"),
        Change("removed", "95%"),
        Change("added", "98%"),
        Change("same", "。"),
    )


def test_a_single_character_in_common_is_not_shown_as_kept() -> None:
    assert [one.kind for one in changes("力量的不足。", "资金的短缺。")] == ["removed", "added", "same"]


def test_paragraphs_that_stay_are_not_compared_again() -> None:
    assert changes("第一段\n第二段\n", "第一段\n新的一段\n第二段\n") == (
        Change("same", "第一段\n"),
        Change("added", "新的一段\n"),
        Change("same", "第二段\n"),
    )


def test_nothing_changed() -> None:
    assert changes("原文", "原文") == (Change("same", "原文"),)
    assert changes("", "") == ()


def test_two_long_texts_are_compared_in_no_time() -> None:
    before, after = (
        "".join(chr(0x4E00 + n * 7 % 5000) for n in range(20_000)),
        "".join(chr(0x4E00 + n * 11 % 5000) for n in range(20_000)),
    )
    started = time.monotonic()
    assert [one.kind for one in changes(before, after)] == ["removed", "added"]
    assert time.monotonic() - started < 1
