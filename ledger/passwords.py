"""Passwords as Argon2 hashes. No SQL: hashing takes tens of milliseconds, and belongs outside of any transaction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from policy_models.credentials import LONGEST, plain

# OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. Raise them and each password is hashed anew when its
# owner signs in next.
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
AT_ONCE = 4  # so many hashes at a time: a flood of sign-ins must not take the machine's memory
_turn = BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a password: whether it is ``right``, and its ``fresh`` hash where the parameters have changed."""

    right: bool
    fresh: str | None = None


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES),))


def hash_password(password: str) -> str:
    with _turn:
        return _hasher().hash(plain(password))


def check(password: str, hashed: str | None) -> Checked:
    """Compare; without a hash it takes as long and is wrong."""
    given = plain(password)
    if len(given) > LONGEST or not given.isprintable():
        given, hashed = "", None
    with _turn:
        right, fresh = _hasher().verify_and_update(given, hashed or _nobody())
    return Checked(right, fresh) if hashed else Checked(False)


@cache
def _nobody() -> str:
    return _hasher().hash("nobody's")
