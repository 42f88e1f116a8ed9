"""Long texts in parts: between lines, never inside a character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.splitting import split


def size(line: str) -> int:
    return len(line.encode()) + 1


def test_between_lines_and_without_empty_ends() -> None:
    assert split(["一", "", "二", "三"], 9, size) == [["一", "", "二"], ["三"]]
    assert split(["一", "", "二"], 4, size) == [["一"], ["二"]]
    assert split(["", "一", "", ""], 100, size) == [["一"]]
    assert split([], 9, size) == split([""], 9, size) == []


def test_a_line_that_alone_is_too_long() -> None:
    assert split(["圐圙嘎查" * 2], 10, size) == [["圐圙嘎"], ["查圐圙"], ["嘎查"]]
    assert split(["短", "a" * 12, "尾"], 9, size) == [["短"], ["a" * 8], ["aaaa", "尾"]]


def test_marks_stay_with_their_character() -> None:
    assert split(["ab" + "e\u0301" * 2], 6, size) == [["abe\u0301"], ["e\u0301"]]
    assert split(["aa👩\u200d👧"], 8, size) == [["aa"], ["👩\u200d"], ["👧"]]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=60)),
    st.integers(8, 90),
)
def test_nothing_is_lost_and_nothing_too_long(lines: list[str], most: int) -> None:
    parts = split(lines, most, size)
    assert all(sum(map(size, part)) <= most for part in parts)
    assert "".join(line for part in parts for line in part) == "".join(lines)
