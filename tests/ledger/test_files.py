"""Files by content: once each, bytes before row, what blocks stays out, exceptions are seen as copies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import text

from ledger.database import Database
from ledger.file_store import FileStore
from ledger.files import StoredFile, Warned, drop_copy, keep, set_copy, stored_file, stored_files
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    FileRefused,
    Finding,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
)
from policy_models.files import FileKind, Received
from tests.factories import BUREAU, SCHOOLS, instant, just_before, load, office, opened, query, tiny_pack

NOW = instant("2025-01-10")
BLOCKS = Finding("resident_id", True, "150***********12", 3, 21, "疑似公民身份号码")
WARNS = Finding("mobile", False, "138******01", 3, 14, "疑似手机号码")
HIDDEN = "150203201001011232"


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path / "pack"))
        yield database


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def sent(
    words: bytes = b"one",
    *findings: Finding,
    redacted: bytes | None = None,
    name: str = "总结.docx",
    kind: FileKind = FileKind.DOCX,
) -> Received:
    return Received(name, kind, hashlib.sha256(words).hexdigest(), b"kept " + words, findings, redacted)


def kept(database: Database, store: FileStore, received: Received, by: str = BUREAU) -> StoredFile:
    with database.write() as session:
        return keep(session, store, received, by=office(by), now=NOW)


def contents(store: FileStore) -> set[bytes]:
    return {path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}


def allow(database: Database, received: Received) -> None:
    """An exception as it stands in the ledger; granting it is tested with the screenings."""
    row = "INSERT INTO privacy_exception (sha256, by_unit, by_name, reason, at) VALUES (:sha256, :by, :who, :why, :at)"
    values = {"sha256": received.sha256, "by": BUREAU, "who": "张主任", "why": "公开文件", "at": "2025-01-10 01:00:00"}
    with database.write() as session:
        session.execute(text(row), values)


def test_a_file_is_kept_once_whoever_sends_it(database: Database, store: FileStore) -> None:
    first = kept(database, store, sent())
    again = kept(database, store, sent(name="另一个名字.docx"), by=SCHOOLS)
    assert again == first
    assert (first.kind, first.size, first.restricted, first.redacted, first.by_unit) == (
        FileKind.DOCX,
        8,
        False,
        None,
        BUREAU,
    )
    assert first.kept_at == NOW
    assert store.get(first.kept) == b"kept one"
    assert contents(store) == {b"kept one"}
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM file") == [(1,)]
        assert stored_files(session, [first.id, first.id]) == [first, first]


def test_bytes_are_in_the_store_before_the_row_is_written(database: Database, store: FileStore) -> None:
    seen: list[set[bytes]] = []
    with just_before(database, "INSERT INTO file", lambda: seen.append(contents(store))):
        kept(database, store, sent())
    assert seen == [{b"kept one"}]


def test_a_rolled_back_file_leaves_bytes_that_no_row_names(database: Database, store: FileStore) -> None:
    with database.trial() as session:
        keep(session, store, sent(), by=office(BUREAU), now=NOW)
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM file") == [(0,)]
    assert kept(database, store, sent()).kept == hashlib.sha256(b"kept one").hexdigest()


def test_lost_bytes_come_back_with_the_next_upload(database: Database, store: FileStore) -> None:
    first = kept(database, store, sent())
    next(path for path in store.folder.rglob("*") if path.is_file()).unlink()
    assert kept(database, store, sent()).id == first.id
    assert store.get(first.kept) == b"kept one"


def test_what_blocks_is_not_kept(database: Database, store: FileStore) -> None:
    with pytest.raises(PrivacyBlocked) as refused:
        kept(database, store, sent(b"one", BLOCKS, WARNS))
    assert refused.value.findings == (BLOCKS,)
    assert refused.value.sha256 == hashlib.sha256(b"one").hexdigest()
    assert refused.value.place == "文件 总结.docx"
    assert "150***********12" in str(refused.value)
    assert contents(store) == set()


def test_a_number_in_the_name_is_not_told(database: Database, store: FileStore) -> None:
    with pytest.raises(PrivacyBlocked) as refused:
        kept(database, store, sent(b"one", BLOCKS, name=f"{HIDDEN}.docx"))
    assert HIDDEN not in refused.value.place
    assert HIDDEN not in str(refused.value)


def test_warnings_are_stored_masked(database: Database, store: FileStore) -> None:
    stored = kept(database, store, sent(b"one", WARNS, redacted=b"copy"))
    assert stored.warnings == (Warned("mobile", "138******01"),)
    assert not stored.restricted
    assert store.get(stored.shown) == b"copy"
    with database.read() as session:
        [row] = query(session, "SELECT outcome, place, findings, by_unit FROM screening")
        assert row == ("warned", "文件 总结.docx", '[{"kind": "mobile", "sample": "138******01"}]', BUREAU)


def test_an_exception_lets_one_content_in_and_others_see_the_copy(database: Database, store: FileStore) -> None:
    received = sent(b"one", BLOCKS, redacted=b"copy")
    allow(database, received)
    stored = kept(database, store, received)
    assert stored.restricted
    assert (store.get(stored.kept), store.get(stored.shown)) == (b"kept one", b"copy")
    with database.read() as session:
        assert query(session, "SELECT outcome FROM screening") == [("allowed",)]
    with pytest.raises(PrivacyBlocked):
        kept(database, store, sent(b"two", BLOCKS, redacted=b"copy"))


def test_an_exception_without_a_copy_is_refused(database: Database, store: FileStore) -> None:
    received = sent(b"one", BLOCKS)
    allow(database, received)
    with pytest.raises(FileRefused, match="脱敏副本"):
        kept(database, store, received)
    assert contents(store) == set()


def test_a_file_that_came_to_block_later_becomes_restricted(database: Database, store: FileStore) -> None:
    first = kept(database, store, sent())
    stricter = sent(b"one", BLOCKS, redacted=b"copy")
    allow(database, stricter)
    again = kept(database, store, stricter)
    assert (again.id, first.restricted, again.restricted) == (first.id, False, True)
    assert store.get(again.shown) == b"copy"


def test_the_same_content_at_the_same_moment_is_one_row(database: Database, store: FileStore) -> None:
    barrier = Barrier(6)

    def send(n: int) -> int:
        barrier.wait()
        with database.claim() as session:
            return keep(session, store, sent(), by=office(BUREAU), now=NOW).id

    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(send, range(6)))
    assert len(set(ids)) == 1
    with database.read() as session:
        assert query(session, "SELECT id FROM file") == [(ids[0],)]


@pytest.mark.postgres
def test_a_snapshot_that_cannot_see_the_other_row_says_so(postgres_url: str, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")
    with opened(postgres_url) as database:
        load(database, tiny_pack(tmp_path / "pack"))

        def other() -> None:
            with opened(postgres_url) as second:
                kept(second, store, sent())

        with just_before(database, "INSERT INTO file", other), pytest.raises(ChangedMeanwhile):
            kept(database, store, sent())
        assert kept(database, store, sent()).sha256 == sent().sha256


def test_a_drawn_mask_is_what_others_see_and_only_its_owner_draws(database: Database, store: FileStore) -> None:
    picture = kept(database, store, sent(kind=FileKind.JPEG, name="照片.jpg"))

    def masked(data: bytes, over: str, by: str = BUREAU) -> str:
        with database.write() as session:
            set_copy(session, store, picture.id, data, over=over, by=office(by))
        with database.read() as session:
            return stored_file(session, picture.id).shown

    first = masked(b"masked", picture.kept)
    assert store.get(first) == b"masked"
    with pytest.raises(ChangedMeanwhile):
        masked(b"drawn on the whole picture", picture.kept)
    with pytest.raises(NotResponsible):
        masked(b"other", first, by=SCHOOLS)
    assert store.get(masked(b"masked twice", first)) == b"masked twice"
    with database.write() as session:
        drop_copy(session, picture.id, by=office(BUREAU))
        assert stored_file(session, picture.id).redacted is None


def test_an_excepted_file_never_loses_its_copy(database: Database, store: FileStore) -> None:
    received = sent(b"one", BLOCKS, redacted=b"copy")
    allow(database, received)
    stored = kept(database, store, received)
    with pytest.raises(ActNotAllowed), database.write() as session:
        drop_copy(session, stored.id, by=office(BUREAU))


def test_an_unknown_file(database: Database) -> None:
    with pytest.raises(NotFound), database.read() as session:
        stored_file(session, 404)
