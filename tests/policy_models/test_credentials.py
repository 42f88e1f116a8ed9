"""Names, passwords, and how long wrong ones keep an account shut."""

from __future__ import annotations

from datetime import timedelta

import pytest

from policy_models.credentials import lock_after, name_fault, password_fault

LENGTH = "密码须为 10 至 200 个字符，现为 {} 个"
OWN = "密码不能与账号名相同，请换一个"
COMMON = "这个密码过于常见，容易被猜到，请换一个"


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("杏花开在昆都仑河边上", None),
        ("Baotou-2026-三年行动", None),
        ("correct horse battery", None),
        ("123456789", LENGTH.format(9)),
        ("a1b2c3d4e", LENGTH.format(9)),
        ("x" * 201, LENGTH.format(201)),
        ("", LENGTH.format(0)),
        ("zhangjianguo", OWN),
        ("ZhangJianGuo", OWN),
        ("ｚｈａｎｇｊｉａｎｇｕｏ", OWN),  # full width is the same
        ("ougnaijgnahz", OWN),
        ("zhangjianguozhangjianguo", OWN),
        ("1234567890", COMMON),
        ("0123456789", COMMON),
        ("9876543210", COMMON),
        ("qwertyuiop", COMMON),
        ("abcdefghij", COMMON),
        ("aaaaaaaaaaaa", COMMON),
        ("ababababab", COMMON),
        ("password123", COMMON),
        ("Password2026!", COMMON),
        ("p@ssw0rd1234", COMMON),
        ("Admin@123456", COMMON),
        ("lucheng2026", COMMON),
        ("１２３４５６７８９０", COMMON),
        ("2026-11-24", COMMON),
        ("杏花\x00开在昆都仑河边", "密码中有不能识别的字符，请重新输入"),
        ("杏花\ud800开在昆都仑河边", "密码中有不能识别的字符，请重新输入"),
        ("杏花开在\r\n昆都仑河边", "密码中有不能识别的字符，请重新输入"),
    ],
)
def test_a_password_is_long_and_not_guessed_at_once(password: str, told: str | None) -> None:
    assert password_fault(password, "zhangjianguo") == told


@pytest.mark.parametrize(
    "name", ["zhang", "张建国", "zhang.san@baotou.example", "演示-统筹员", "ＺＨＡＮＧ", " zhang ", "a1"]
)
def test_names_that_can_be_typed(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.parametrize(
    "name", ["", " ", "a", "zhang san", "x" * 61, "a/b", "<b>", "zh\x00ang", "a\u202eb", "a;b", "张，三"]
)
def test_names_that_are_refused(name: str) -> None:
    assert name_fault(name) == "账号名须为 2 至 60 个字母、数字、汉字，可含 . _ - + @，不能有空格"


def test_each_fifth_failure_shuts_for_twice_as_long() -> None:
    shut = {number: span for number in range(60) if (span := lock_after(number))}
    minutes = {number: int(span / timedelta(minutes=1)) for number, span in shut.items()}
    assert minutes == {5: 15, 10: 30, 15: 60, 20: 120, 25: 240, 30: 480, 35: 480, 40: 480, 45: 480, 50: 480, 55: 480}
