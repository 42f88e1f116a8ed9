"""Names of our own letters: each its own, and nobody else's."""

from __future__ import annotations

import pytest

from policy_models.message_names import is_name_of, message_name, row_named


def test_each_row_has_its_own_name() -> None:
    name = message_name("reminder", 7, "reminder:7", "u@x.example")
    assert name == message_name("reminder", 7, "reminder:7", "u@x.example")
    assert name.startswith("lucheng.notice.7.")
    assert message_name("receipt", 7, "receipt:7", "u@x.example").startswith("lucheng.receipt.7.")
    assert row_named(name) == 7
    assert is_name_of(name, "reminder", 7, "reminder:7", "u@x.example") is True
    others = [("chase", 7, "reminder:7", "u@x.example"), ("reminder", 8, "reminder:7", "u@x.example")]
    others += [("reminder", 7, "reminder:8", "u@x.example"), ("reminder", 7, "reminder:7", "v@x.example")]
    assert [is_name_of(name, *one) for one in others] == [False] * 4


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "lucheng.notice.7",
        "lucheng.notice.7.0123456789abcde",
        "lucheng.notice.-7.0123456789abcdef",
        "lucheng.other.7.0123456789abcdef",
        "lucheng.notice.７.0123456789abcdef",
        "lucheng.notice.7.0123456789abcdef\n",
        "lucheng.notice.7.0123456789abcdef\udc81",
    ],
)
def test_what_is_no_name_of_ours(name: str) -> None:
    assert row_named(name) is None
    assert is_name_of(name, "reminder", 7, "k", "张@x.example") is False
