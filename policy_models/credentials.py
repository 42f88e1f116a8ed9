"""登录凭据的规则: what an account's name and password must be, and how long wrong ones keep it shut. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

SHORTEST, LONGEST = 10, 200  # characters of a password
NAME = re.compile(r"[\w.@+\-]{2,60}")
FAILURES_TO_LOCK = 5
FIRST_LOCK, LONGEST_LOCK = timedelta(minutes=15), timedelta(hours=8)
# What is tried first, folded and without digits or signs at either end; "lucheng2025!!" is "lucheng".
COMMON_WORDS = frozenset(
    [
        "password",
        "passw0rd",
        "p@ssword",
        "p@ssw0rd",
        "admin",
        "administrator",
        "root",
        "user",
        "guest",
        "welcome",
        "letmein",
        "iloveyou",
        "qwerty",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "abc",
        "abcd",
        "abcdef",
        "abcdefg",
        "qazwsx",
        "woaini",
        "lucheng",
        "baotou",
        "minzhengju",
        "mima",
        "guanliyuan",
        "changeme",
        "default",
        "test",
        "testtest",
        "qweasd",
        "qweasdzxc",
        "asdasd",
        "aaa",
        "aaaa",
    ]
)
ROWS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def folded(name: str) -> str:
    """An account's name as it is kept and looked up: no full width, no capitals, no blanks around."""
    return unicodedata.normalize("NFKC", name).strip().lower()


def plain(password: str) -> str:
    """A password as it is hashed: full-width and composed characters typed in either way are the same (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def name_fault(name: str) -> str | None:
    """What is wrong with an account's name, in one sentence; None where nothing is."""
    if NAME.fullmatch(folded(name)):
        return None
    return "账号名须为 2 至 60 个字母、数字、汉字，可含 . _ - + @，不能有空格"


def password_fault(password: str, name: str) -> str | None:
    """What is wrong with a new password of this account, in one sentence; None where nothing is."""
    given, own = plain(password), folded(name)
    if not given.isprintable():
        return "密码中有不能识别的字符，请重新输入"
    if not SHORTEST <= len(given) <= LONGEST:
        return f"密码须为 {SHORTEST} 至 {LONGEST} 个字符，现为 {len(given)} 个"
    if own and folded(given) in (own, own[::-1], own * 2):
        return "密码不能与账号名相同，请换一个"
    if _common(given.lower()):
        return "这个密码过于常见，容易被猜到，请换一个"
    return None


def _common(given: str) -> bool:
    if len(set(given)) < 4 or any(given in row * 2 for row in ROWS):
        return True
    return given.strip("0123456789!@#$%^&*.,_-+ ") in COMMON_WORDS | {""}


def lock_after(failures: int) -> timedelta | None:
    """How long an account stays shut after so many wrong sign-ins in a row: each fifth shuts it, twice as long as the
    one before; None where it stays open."""
    if failures < FAILURES_TO_LOCK or failures % FAILURES_TO_LOCK:
        return None
    doublings: int = min(failures // FAILURES_TO_LOCK - 1, 10)
    return min(LONGEST_LOCK, FIRST_LOCK * (1 << doublings))
