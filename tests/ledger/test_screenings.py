"""The ledger's side of the privacy gate: words stopped, what is noted of it, exceptions by name and reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger import screenings
from ledger.acts import Actor
from ledger.database import Database
from policy_models.errors import Finding, NotFound, PrivacyBlocked, ReasonMissing
from policy_models.privacy import screen
from tests.corpus.lines import Line, found_lines
from tests.factories import BUREAU, instant, opened, query

NOW = instant("2025-01-10")
RESIDENT = "150203201001011232"
CONTENT = hashlib.sha256(b"one").hexdigest()
CHIEF = Actor(BUREAU, "张主任")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


def stopped(database: Database, place: str = "文件 总结.docx", sha256: str = CONTENT) -> None:
    with database.write() as session:
        screenings.record(
            session, place, "blocked", screen(f"身份证{RESIDENT}"), sha256=sha256, by_unit=BUREAU, now=NOW
        )


@pytest.mark.parametrize("line", [line for line in found_lines() if line.blocks], ids=lambda line: line.text[:20])
def test_words_that_name_somebody_are_stopped_and_not_repeated(line: Line) -> None:
    with pytest.raises(PrivacyBlocked) as refused:
        screenings.require_clean([("备注", None), ("进展", "正常"), ("备注", line.text)])
    assert refused.value.place == "备注"
    assert line.value not in str(refused.value)
    assert len(refused.value.sha256) == 64
    assert refused.value.sha256 != hashlib.sha256(line.text.encode()).hexdigest()


def test_words_that_only_warn_and_clean_words_pass() -> None:
    screenings.require_clean([("备注", "值班13812345678"), ("备注", ""), ("备注", None)])


def test_a_sentence_tells_a_few_of_many() -> None:
    many = [Finding("name", True, f"{c}某", 0, 2, "疑似姓名") for c in "张王李赵钱孙周"]
    assert screenings.sentence("文件 名册.xlsx", many) == (
        "“文件 名册.xlsx”中有疑似姓名（张某）、疑似姓名（王某）、疑似姓名（李某）、疑似姓名（赵某）、疑似姓名（钱某）等7处个人信息"
        "，不能提交。系统只记数量，请删去个人信息后再试"
    )
    assert "等" not in screenings.sentence("备注", many[:1])


def test_what_is_noted_holds_no_value(database: Database) -> None:
    stopped(database, f"文件 {RESIDENT}.docx")
    with database.read() as session:
        assert query(session, "SELECT place, outcome, findings FROM screening") == [
            ("文件 ████.docx", "blocked", '[{"kind": "resident_id", "sample": "150*************32"}]')
        ]


def test_an_exception_needs_a_name_a_reason_and_something_stopped(database: Database) -> None:
    with database.write() as session, pytest.raises(NotFound):
        screenings.allow(session, CONTENT, by=CHIEF, reason="公开文件", now=NOW)
    stopped(database)
    for by, reason, said in (
        (CHIEF, " ", "理由"),
        (Actor(BUREAU, " "), "公开文件", "具名"),
        (Actor("", "系统"), "公开", "具名"),
    ):
        with database.write() as session, pytest.raises(ReasonMissing, match=said):
            screenings.allow(session, CONTENT, by=by, reason=reason, now=NOW)
    with database.write() as session, pytest.raises(PrivacyBlocked):
        screenings.allow(session, CONTENT, by=CHIEF, reason=f"儿童{RESIDENT}已同意", now=NOW)
    with database.read() as session:
        assert not screenings.is_excepted(session, CONTENT)


def test_the_first_decision_stands(database: Database) -> None:
    stopped(database)
    for name, later in (("张主任", 0), ("李主任", 1)):
        with database.write() as session:
            screenings.allow(
                session, CONTENT, by=Actor(BUREAU, name), reason="监护人已书面同意", now=NOW + timedelta(hours=later)
            )
    with database.read() as session:
        assert screenings.is_excepted(session, CONTENT)
        assert not screenings.is_excepted(session, "0" * 64)
        assert query(session, "SELECT by_name, reason FROM privacy_exception") == [("张主任", "监护人已书面同意")]


def test_a_decision_is_never_unmade(database: Database) -> None:
    stopped(database)
    with database.write() as session:
        screenings.allow(session, CONTENT, by=CHIEF, reason="公开文件", now=NOW)
    with pytest.raises(DBAPIError), database.write() as session:
        session.execute(text("DELETE FROM privacy_exception"))
