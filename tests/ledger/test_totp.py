"""The number on the telephone: right for a while, once; its secret encrypted at rest."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import text

from ledger import totp
from ledger.database import Database
from ledger.secret_box import SecretBox
from policy_models.errors import ActNotAllowed, LedgerUnavailable
from tests.accounts import DAY, somebody
from tests.factories import instant, opened

NOW = instant(DAY)
STEP = timedelta(seconds=30)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as found:
        yield found


@pytest.fixture
def box(tmp_path: Path) -> SecretBox:
    return SecretBox(tmp_path / "account.key")


def begun(database: Database, box: SecretBox) -> tuple[int, pyotp.TOTP]:
    made = somebody(database)
    with database.write() as session:
        totp.begin(session, made, box)
        return made, pyotp.TOTP(totp.secret_of(session, made, box))


def in_use(database: Database, box: SecretBox) -> tuple[int, pyotp.TOTP, tuple[str, ...]]:
    made, telephone = begun(database, box)
    with database.write() as session:
        return made, telephone, totp.confirm(session, made, telephone.at(NOW), box, NOW)


def check(database: Database, made: int, given: str, box: SecretBox, at: datetime) -> bool:
    with database.write() as session:
        return totp.check(session, made, given, box, at)


def test_it_is_not_in_use_before_a_number_has_come(database: Database, box: SecretBox) -> None:
    made, telephone = begun(database, box)
    with pytest.raises(ActNotAllowed, match="动态码不正确"), database.write() as session:
        totp.confirm(session, made, "000000" if telephone.at(NOW) != "000000" else "000001", box, NOW)
    with database.read() as session:
        assert totp.totp_of(session, made) == totp.Totp(True, None, 0)
    with database.write() as session:
        codes = totp.confirm(session, made, telephone.at(NOW), box, NOW)
    with database.read() as session:
        assert totp.totp_of(session, made) == totp.Totp(True, NOW, 10)
    assert len(set(codes)) == 10
    with pytest.raises(ActNotAllowed, match="已经启用"), database.write() as session:
        totp.begin(session, made, box)


def test_a_number_is_taken_once(database: Database, box: SecretBox) -> None:
    made, telephone, _ = in_use(database, box)
    assert not check(database, made, telephone.at(NOW), box, NOW)  # it confirmed
    later = NOW + 4 * STEP
    assert check(database, made, telephone.at(later), box, later)
    assert not check(database, made, telephone.at(later), box, later)
    assert not check(database, made, telephone.at(later - STEP), box, later)  # nor one before it


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_telephone_may_be_half_a_minute_off(database: Database, box: SecretBox, steps: int, taken: bool) -> None:
    made, telephone, _ = in_use(database, box)
    later = NOW + 10 * STEP
    assert check(database, made, telephone.at(later + steps * STEP), box, later) is taken


def test_as_people_type_it(database: Database, box: SecretBox) -> None:
    made, telephone, _ = in_use(database, box)
    later = NOW + 10 * STEP
    number = telephone.at(later)
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    assert check(database, made, f" {full_width[:3]} {full_width[3:]} ", box, later)


@pytest.mark.parametrize(
    "given", ["", " ", "12345", "1234567", "１２３４５", "abcdef", "١٢٣٤٥٦", "' OR 1=1", "-12345", "1e5000"]
)
def test_what_is_no_number(database: Database, box: SecretBox, given: str) -> None:
    made, _, _ = in_use(database, box)
    assert not check(database, made, given, box, NOW + 10 * STEP)


def test_recovery_codes_open_once_each(database: Database, box: SecretBox) -> None:
    made, _, codes = in_use(database, box)
    other = somebody(database, "other")
    assert check(database, made, codes[0], box, NOW)
    assert not check(database, made, codes[0], box, NOW)
    assert check(database, made, codes[1].replace("-", "").upper(), box, NOW)
    assert not check(database, other, codes[2], box, NOW)
    with database.read() as session:
        assert totp.totp_of(session, made).codes_left == 8
    with database.write() as session:
        fresh = totp.fresh_codes(session, made, NOW)
    assert not check(database, made, codes[3], box, NOW)
    assert check(database, made, fresh[3], box, NOW)


def test_the_ledger_alone_tells_no_secret(database: Database, box: SecretBox, tmp_path: Path) -> None:
    _, telephone, codes = in_use(database, box)
    with database.read() as session:
        rows = [*session.execute(text("SELECT * FROM account")), *session.execute(text("SELECT * FROM recovery_code"))]
    kept = repr(rows)
    assert telephone.secret not in kept
    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]
    assert stat.S_IMODE((tmp_path / "account.key").stat().st_mode) == 0o600
    assert os.listdir(tmp_path).count("account.key") == 1


def test_with_another_key_nothing_opens_and_a_sentence_says_why(
    database: Database, box: SecretBox, tmp_path: Path
) -> None:
    made, telephone, codes = in_use(database, box)
    (tmp_path / "account.key").unlink()
    with pytest.raises(LedgerUnavailable, match="密钥文件与台账不符"):
        check(database, made, telephone.at(NOW + 10 * STEP), box, NOW + 10 * STEP)
    assert check(database, made, codes[0], box, NOW)  # the codes do not depend on it


@pytest.mark.parametrize("content", [b"", b"not a key\n", b"\xff" * 44])
def test_a_broken_key_file_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "account.key").write_bytes(content)
    with pytest.raises(LedgerUnavailable, match="密钥文件不能读写"):
        SecretBox(tmp_path / "account.key").lock("secret")


def _locked(path: Path) -> str:
    return SecretBox(path).lock("secret")


def test_processes_that_begin_together_share_one_key(tmp_path: Path) -> None:
    path = tmp_path / "new" / "account.key"
    with get_context("fork").Pool(8) as pool:
        locked = pool.map(_locked, [path] * 8)
    assert {SecretBox(path).unlock(one) for one in locked} == {"secret"}
    assert os.listdir(path.parent) == ["account.key"]
