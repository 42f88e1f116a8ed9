"""动态码: the six digits of an authenticator on a telephone (RFC 6238), and the codes for the day it is lost."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

import pyotp
from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from ledger.database import Session
from ledger.logins import digest_of
from ledger.secret_box import SecretBox
from ledger.tables import account, recovery_code
from policy_models.errors import ActNotAllowed

SECONDS = 30  # how long a number holds
DRIFT = (0, -1, 1)  # steps that a telephone's clock may be off
ISSUER = "鹿程"
CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
CODE_LETTERS = 10
WRONG = "动态码不正确，请核对手机的时间后输入最新的六位数字"
NOT_BEGUN = "还没有生成动态码的二维码，请重新开始"


@dataclass(frozen=True, slots=True)
class Totp:
    """``since``: when it was confirmed by a number, None before; ``codes_left``: unused recovery codes."""

    begun: bool
    since: datetime | None
    codes_left: int


def totp_of(session: Session, account_id: int) -> Totp:
    left = select(func.count()).where(recovery_code.c.account_id == account_id, recovery_code.c.used_at.is_(None))
    row = session.execute(
        select(account.c.totp_secret, account.c.totp_since, left.scalar_subquery().label("n")).where(
            account.c.id == account_id
        )
    ).one()
    return Totp(row.totp_secret is not None, row.totp_since, int(row.n))


def begin(session: Session, account_id: int, box: SecretBox) -> None:
    """A new secret, not asked for until a number has confirmed it. Raises ActNotAllowed where one is in use."""
    locked = box.lock(pyotp.random_base32())
    free = (account.c.id == account_id, account.c.totp_since.is_(None))
    if not session.execute(update(account).where(*free).values(totp_secret=locked, totp_last_step=None)).rowcount:
        raise ActNotAllowed("动态码已经启用；更换手机请先关闭，再重新启用")


def secret_of(session: Session, account_id: int, box: SecretBox) -> str:
    """The secret, for the picture that the telephone reads. Raises ActNotAllowed before ``begin``."""
    locked = session.execute(select(account.c.totp_secret).where(account.c.id == account_id)).scalar()
    if locked is None:
        raise ActNotAllowed(NOT_BEGUN)
    return box.unlock(locked)


def address_of(secret: str, name: str) -> str:
    """What the picture says (``otpauth://…``)."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER))


def confirm(session: Session, account_id: int, number: str, box: SecretBox, now: datetime) -> tuple[str, ...]:
    """Put it in use: the recovery codes, shown once. Raises ActNotAllowed for a wrong number."""
    if not _take_number(session, account_id, number, box, now):
        raise ActNotAllowed(WRONG)
    waiting = (account.c.id == account_id, account.c.totp_since.is_(None))
    if not session.execute(update(account).where(*waiting).values(totp_since=now, changed_at=now)).rowcount:
        raise ActNotAllowed("动态码已经启用")
    return fresh_codes(session, account_id, now)


def fresh_codes(session: Session, account_id: int, now: datetime) -> tuple[str, ...]:
    """Ten new recovery codes in place of the old ones."""
    codes = tuple("".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS)) for _ in range(CODES))
    session.execute(delete(recovery_code).where(recovery_code.c.account_id == account_id))
    rows = [{"account_id": account_id, "digest": digest_of(code), "created_at": now} for code in codes]
    session.execute(insert(recovery_code), rows)
    return tuple(f"{code[:5]}-{code[5:]}" for code in codes)


def check(session: Session, account_id: int, given: str, box: SecretBox, now: datetime) -> bool:
    """Whether a number (or an unused recovery code) is right. Each is taken once."""
    word = unicodedata.normalize("NFKC", given).lower().replace(" ", "").replace("-", "")
    if len(word) == CODE_LETTERS:
        unused = (recovery_code.c.account_id == account_id, recovery_code.c.used_at.is_(None))
        mine = update(recovery_code).where(*unused, recovery_code.c.digest == digest_of(word)).values(used_at=now)
        return bool(session.execute(mine).rowcount)
    return _take_number(session, account_id, word, box, now)


def turn_off(session: Session, account_id: int, now: datetime) -> None:
    """Forget secret and codes."""
    values = {"totp_secret": None, "totp_since": None, "totp_last_step": None, "changed_at": now}
    session.execute(update(account).where(account.c.id == account_id).values(values))
    session.execute(delete(recovery_code).where(recovery_code.c.account_id == account_id))


def _take_number(session: Session, account_id: int, given: str, box: SecretBox, now: datetime) -> bool:
    number = unicodedata.normalize("NFKC", given).replace(" ", "")
    if len(number) != 6 or not number.isascii() or not number.isdigit():
        return False
    totp, step = pyotp.TOTP(secret_of(session, account_id, box)), int(now.timestamp()) // SECONDS
    right = [step + by for by in DRIFT if compare_digest(totp.generate_otp(step + by), number)]
    if not right:
        return False
    unused: ColumnElement[bool] = or_(account.c.totp_last_step.is_(None), account.c.totp_last_step < right[0])
    taken = update(account).where(account.c.id == account_id, unused).values(totp_last_step=right[0])
    return bool(session.execute(taken).rowcount)
