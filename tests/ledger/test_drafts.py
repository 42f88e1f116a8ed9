"""Drafts: put together piece by piece, handed in whole, carried over when it comes back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ledger import drafts
from ledger.acts import standing
from ledger.database import Database
from ledger.file_store import FileStore
from ledger.files import StoredFile, keep
from ledger.issuing import issue_due
from ledger.queries.evidence import Former, former_counts
from ledger.queries.items import ItemDetail
from ledger.queries.items import item as item_of
from ledger.queries.reading import open_plan
from ledger.reviews import accept, send_back
from ledger.submissions import submit, withdraw
from ledger.used_files import files_of
from policy_models.errors import (
    ActNotAllowed,
    EvidenceMissing,
    FileRefused,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
)
from policy_models.evidence import Evidence
from policy_models.files import FileKind, Received
from policy_models.lifecycle import State
from policy_models.plan import EvidenceType
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    SCHOOLS,
    Files,
    fresh_database,
    instant,
    item,
    just_before,
    load,
    office,
    opened,
    query,
    requirement_of,
    rewound,
    statements,
    tiny_pack,
    village,
)

KEY = item("1.1", BUREAU, "once")
UNIT, NEXT_DOOR, TOWNSHIP = village(1, 1), village(1, 2), "900101"
MONTH = item("1.2", UNIT, "2025-01")
HIDDEN = "150203201001011232"
MEASURE = Evidence(EvidenceType.MEASURE, "done", Decimal("3.5"), Decimal(4))


def counted(files: Files) -> None:
    """The monthly item asks for a figure and may be answered with 无新增."""
    measure = {"type": "measure", "name": "seen", "label": "已走访", "of": "all", "of_label": "应走访"}
    requirement_of(files, "1.2").update(evidence=[measure], nothing_new=True)


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack"), counted), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 2, 28), now=instant("2025-01-02"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def kept(
    database: Database,
    store: FileStore,
    words: str,
    *,
    by: str = BUREAU,
    kind: FileKind = FileKind.JPEG,
    day: str = "2025-01-10",
) -> StoredFile:
    data = words.encode()
    received = Received(f"{words}.{kind}", kind, hashlib.sha256(data).hexdigest(), data)
    with database.write() as session:
        return keep(session, store, received, by=office(by), now=instant(day))


def added(
    database: Database,
    stored: StoredFile,
    *,
    key: str = KEY,
    by: str = BUREAU,
    name: str = "照片.jpg",
    type: EvidenceType = EvidenceType.PHOTO,
    limit: int = 300,
    on: date | None = None,
) -> bool:
    with database.write() as session:
        return drafts.add_file(
            session,
            key,
            stored,
            name,
            type,
            limit=limit,
            by=office(by),
            now=instant("2025-01-10"),
            effective_on=on,
        )


def written(database: Database, *given: Evidence, key: str = KEY, by: str = BUREAU) -> None:
    with database.write() as session:
        drafts.write_words(session, key, given, by=office(by), now=instant("2025-01-10"))


def handed(database: Database, *, key: str = KEY, by: str = BUREAU, day: str = "2025-01-12") -> int:
    with database.write() as session:
        return drafts.submit_draft(session, key, by=office(by), now=instant(day))


def held(database: Database, key: str = KEY) -> list[Evidence]:
    with database.read() as session:
        return [piece.evidence for piece in drafts.pieces(session, standing(session, key).id)]


def detail(database: Database, day: str = "2025-03-01", key: str = KEY) -> ItemDetail:
    with database.read() as session:
        reading = open_plan(session, CODE, as_of=date.fromisoformat(day), now=instant("2025-03-01"))
        assert reading is not None
        return item_of(session, reading, key)


def full_draft(database: Database, store: FileStore) -> list[StoredFile]:
    files = [kept(database, store, words) for words in ("one", "two")]
    for n, stored in enumerate(files, 1):
        assert added(database, stored, name=f"照片{n}.jpg", on=date(2025, 1, n))
    written(database, MEASURE)
    return files


def test_a_draft_is_no_evidence_until_it_is_handed_in(database: Database, store: FileStore) -> None:
    files = full_draft(database, store)
    assert detail(database).evidence == ()
    assert handed(database) == 2
    photos = [
        Evidence(EvidenceType.PHOTO, file_id=stored.id, file_name=f"照片{n}.jpg", effective_on=date(2025, 1, n))
        for n, stored in enumerate(files, 1)
    ]
    assert list(detail(database).evidence) == [*photos, MEASURE]
    assert [given.file for given in detail(database).given] == [*files, None]
    assert held(database) == []


def test_the_same_file_twice_is_once(database: Database, store: FileStore) -> None:
    stored = kept(database, store, "one")
    assert [added(database, stored), added(database, stored, name="换个名字.jpg")] == [True, False]
    assert [piece.file_name for piece in held(database)] == ["照片.jpg"]
    assert not added(database, stored, type=EvidenceType.SIGN_IN)
    assert [piece.type for piece in held(database)] == [EvidenceType.SIGN_IN]


def test_two_who_add_the_same_file_at_once(database_url: str, store: FileStore, tmp_path: Path) -> None:
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path / "pack"))
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 1, 31), now=instant("2025-01-02"))
        stored = kept(database, store, "one")

        def other() -> None:
            with opened(database_url) as second:
                assert added(second, stored)

        if database_url.startswith("sqlite"):  # writers queue there: the other one was first
            other()
            assert not added(database, stored)
        else:
            with just_before(database, "INSERT INTO draft_evidence", other):
                assert not added(database, stored)
        assert len(held(database)) == 1


def test_a_name_is_made_plain_and_screened(database: Database, store: FileStore) -> None:
    stored = kept(database, store, "one")
    assert added(database, stored, name="C:\\桌面\\照\u202e片\n一.jpg")
    assert [piece.file_name for piece in held(database)] == ["照片 一.jpg"]
    with pytest.raises(PrivacyBlocked):
        added(database, kept(database, store, "two"), name=f"{HIDDEN}.jpg")


def test_more_files_than_the_limit(database: Database, store: FileStore) -> None:
    for n in range(2):
        assert added(database, kept(database, store, str(n)), limit=2)
    with pytest.raises(FileRefused, match="最多 2 份"):
        added(database, kept(database, store, "third"), limit=2)
    assert not added(database, kept(database, store, "0"), limit=2)


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        (EvidenceType.PHOTO, FileKind.PDF),
        (EvidenceType.TEXT, FileKind.PDF),
        (EvidenceType.NOTHING_NEW, FileKind.PDF),
        (EvidenceType.MEASURE, FileKind.JPEG),
    ],
)
def test_a_file_that_cannot_count_as_that(
    database: Database, store: FileStore, type: EvidenceType, kind: FileKind
) -> None:
    with pytest.raises(FileRefused):
        added(database, kept(database, store, "one", kind=kind), type=type)


def test_who_may_put_a_draft_together(database: Database, store: FileStore) -> None:
    stored = kept(database, store, "one", by=UNIT)
    assert added(database, stored, key=MONTH, by=UNIT)
    assert not added(database, stored, key=MONTH, by=TOWNSHIP)
    with pytest.raises(NotResponsible):
        added(database, stored, key=MONTH, by=NEXT_DOOR)
    with pytest.raises(NotFound):
        added(database, stored, key="nowhere", by=UNIT)
    with pytest.raises(ActNotAllowed, match="未启动"):
        added(database, stored, key=item("1.2", UNIT, "2025-12"), by=UNIT)


def test_one_file_serves_several_items(database: Database, store: FileStore) -> None:
    stored = kept(database, store, "one", by=UNIT)
    added(database, stored, key=MONTH, by=UNIT, name="走访.jpg")
    february = item("1.2", UNIT, "2025-02")

    def picked(by: str, key: str) -> int:
        with database.write() as session:
            chosen = [stored.id, stored.id]
            return drafts.pick_files(
                session, key, chosen, EvidenceType.PHOTO, limit=9, by=office(by), now=instant("2025-02-01")
            )

    assert [picked(UNIT, february), picked(UNIT, february)] == [1, 0]
    assert [(piece.file_id, piece.file_name) for piece in held(database, february)] == [(stored.id, "走访.jpg")]
    with pytest.raises(NotFound):
        picked(NEXT_DOOR, item("1.2", NEXT_DOOR, "2025-01"))


def test_recent_files_of_a_unit(database: Database, store: FileStore) -> None:
    old = kept(database, store, "old", by=UNIT, day="2025-01-02")
    new = kept(database, store, "new", by=UNIT, day="2025-02-02")
    shared = kept(database, store, "shared", by=NEXT_DOOR, day="2025-02-03")
    kept(database, store, "other", by=SCHOOLS, day="2025-02-03")
    added(database, shared, key=MONTH, by=UNIT, name="共用.jpg")
    added(database, new, key=MONTH, by=UNIT, name="一月.jpg")
    with database.read() as session:
        every = [(one.file.id, one.name) for one in files_of(session, {UNIT})]
        since = files_of(session, {UNIT}, since=instant("2025-02-02") - timedelta(hours=1))
        assert files_of(session, {UNIT}, limit=1)[0].file == shared
    assert every == [(shared.id, "共用.jpg"), (new.id, "一月.jpg"), (old.id, f"文件{old.id}.jpg")]
    assert [one.file for one in since] == [shared, new]


def test_words_replace_words_and_leave_files(database: Database, store: FileStore) -> None:
    added(database, kept(database, store, "one"))
    written(database, MEASURE, Evidence(EvidenceType.TEXT, text="一"))
    written(database, Evidence(EvidenceType.TEXT, text="二", effective_on=date(2025, 1, 9)))
    found = held(database)
    assert [piece.type for piece in found] == [EvidenceType.PHOTO, EvidenceType.TEXT]
    assert (found[1].text, found[1].effective_on) == ("二", date(2025, 1, 9))
    with pytest.raises(PrivacyBlocked):
        written(database, Evidence(EvidenceType.TEXT, text=f"证件 {HIDDEN}"))
    assert [piece.text for piece in held(database)] == [None, "二"]


def test_a_piece_is_taken_out_and_put_back(database: Database, store: FileStore) -> None:
    stored = kept(database, store, "one")
    added(database, stored, name="签到表.jpg", type=EvidenceType.SIGN_IN)
    with database.write() as session:
        [piece] = drafts.pieces(session, standing(session, KEY).id)
        gone = drafts.remove(session, KEY, piece.id, by=office(BUREAU))
    assert held(database) == []
    assert gone.file_name == "签到表.jpg"
    with pytest.raises(NotFound, match="已不在草稿中"), database.write() as session:
        drafts.remove(session, KEY, piece.id, by=office(BUREAU))
    with database.write() as session:
        names = {stored.id: gone.file_name}
        now = instant("2025-01-10")
        drafts.pick_files(session, KEY, [stored.id], gone.type, limit=9, by=office(BUREAU), now=now, names=names)
    assert held(database) == [gone]


def test_a_piece_of_another_item_is_not_taken_out(database: Database, store: FileStore) -> None:
    added(database, kept(database, store, "one"))
    with database.read() as session:
        [piece] = drafts.pieces(session, standing(session, KEY).id)
    with pytest.raises(NotFound), database.write() as session:
        drafts.remove(session, MONTH, piece.id, by=office(UNIT))
    assert len(held(database)) == 1


def test_a_draft_is_emptied(database: Database, store: FileStore) -> None:
    full_draft(database, store)
    with database.write() as session:
        assert drafts.clear(session, KEY, by=office(BUREAU)) == 3
        assert drafts.clear(session, KEY, by=office(BUREAU)) == 0
    assert held(database) == []


def test_files_are_dated_apart_from_their_upload(database: Database, store: FileStore) -> None:
    full_draft(database, store)
    with database.write() as session:
        first, second, words = drafts.pieces(session, standing(session, KEY).id)
        days = {first.id: date(2024, 12, 31), second.id: None}
        drafts.date_files(session, KEY, days, by=office(BUREAU))
    assert [piece.effective_on for piece in held(database)] == [date(2024, 12, 31), None, None]
    assert words.evidence == MEASURE


def test_what_a_retry_has_to_send(database: Database, store: FileStore) -> None:
    stored = kept(database, store, "one")
    kept(database, store, "two")  # in the store, in no draft
    added(database, stored)
    wanted = [hashlib.sha256(words).hexdigest() for words in (b"three", b"one", b"two", b"three")]
    with database.read() as session:
        assert drafts.missing_contents(session, KEY, wanted, by=office(BUREAU)) == [wanted[0], wanted[2]]
        assert drafts.missing_contents(session, KEY, [], by=office(BUREAU)) == []


def test_an_incomplete_draft_is_not_handed_in_and_not_lost(database: Database, store: FileStore) -> None:
    added(database, kept(database, store, "one"))
    with pytest.raises(EvidenceMissing, match="还缺：已办、照片1份"):
        handed(database)
    assert len(held(database)) == 1


def test_nothing_new_goes_in_alone(database: Database, store: FileStore) -> None:
    stored = kept(database, store, "one", by=UNIT)
    added(database, stored, key=MONTH, by=UNIT)
    answer = Evidence(EvidenceType.NOTHING_NEW, text="本月没有新增留守儿童")
    known = Evidence(EvidenceType.MEASURE, "seen", None, Decimal(9))
    written(database, known, answer, key=MONTH, by=UNIT)
    handed(database, key=MONTH, by=UNIT)
    assert detail(database, key=MONTH).evidence == (answer,)
    with database.write() as session:
        withdraw(session, MONTH, by=office(UNIT), now=instant("2025-01-13"))
    photo = Evidence(EvidenceType.PHOTO, file_id=stored.id, file_name="照片.jpg")
    assert held(database, MONTH) == [photo, known, answer]


def test_an_answer_left_in_the_draft_does_not_outlive_a_submission(database: Database) -> None:
    measure = Evidence(EvidenceType.MEASURE, "seen", Decimal(7), Decimal(9))
    unsent = Evidence(EvidenceType.NOTHING_NEW, text="没有")
    written(database, Evidence(EvidenceType.MEASURE, "seen", Decimal(1), Decimal(9)), unsent, key=MONTH, by=UNIT)
    with database.write() as session:  # handed in elsewhere, for instance on a workbook
        submit(session, MONTH, by=office(UNIT), evidence=[measure], now=instant("2025-01-12"))
    with database.write() as session:
        withdraw(session, MONTH, by=office(UNIT), now=instant("2025-01-13"))
    assert held(database, MONTH) == [measure]


def test_nothing_new_where_the_rule_does_not_allow_it(database: Database) -> None:
    written(database, Evidence(EvidenceType.NOTHING_NEW, text="没有"))
    with pytest.raises(EvidenceMissing, match="不能以“无新增”答复"):
        handed(database)


def test_a_handed_in_item_has_no_draft_to_change(database: Database, store: FileStore) -> None:
    full_draft(database, store)
    handed(database)
    with pytest.raises(ActNotAllowed, match="待审核"):
        written(database, MEASURE)


def test_what_was_sent_back_is_carried_over_and_each_version_stays(database: Database, store: FileStore) -> None:
    files = full_draft(database, store)
    handed(database, day="2025-01-12")
    with database.write() as session:
        send_back(session, KEY, by=office(BUREAU), now=instant("2025-01-14"), reason="照片模糊")
    former = [piece.file_id or piece.name for piece in held(database)]
    assert former == [files[0].id, files[1].id, "done"]
    with database.write() as session:
        first = drafts.pieces(session, standing(session, KEY).id)[0]
        drafts.remove(session, KEY, first.id, by=office(BUREAU))
    third = kept(database, store, "three")
    added(database, third, name="照片3.jpg")
    handed(database, day="2025-01-16")

    now = detail(database)
    assert [given.file.id for given in now.given if given.file] == [files[1].id, third.id]
    assert {revision: len(pieces) for revision, pieces in now.handed_in.items()} == {2: 3, 4: 3}
    first_version = [given.file.id for given in now.handed_in[2] if given.file]
    assert first_version == [files[0].id, files[1].id]


def test_a_past_day_shows_what_was_handed_in_by_then(database: Database, store: FileStore) -> None:
    full_draft(database, store)
    handed(database, day="2025-01-12")
    with database.write() as session:
        send_back(session, KEY, by=office(BUREAU), now=instant("2025-01-14"), reason="照片模糊")
    written(database, Evidence(EvidenceType.MEASURE, "done", Decimal(4), Decimal(4)))
    handed(database, day="2025-01-16")

    def figures(day: str) -> list[Decimal | None]:
        return [piece.value for piece in detail(database, day).evidence if piece.name]

    assert [figures(day) for day in ("2025-01-11", "2025-01-12", "2025-01-15", "2025-01-16")] == [
        [],
        [Decimal("3.5")],
        [Decimal("3.5")],
        [Decimal(4)],
    ]
    assert [len(detail(database, day).entries) for day in ("2025-01-01", "2025-01-12", "2025-01-15")] == [0, 2, 3]


def test_what_was_withdrawn_no_longer_stands(database: Database, store: FileStore) -> None:
    full_draft(database, store)
    handed(database, day="2025-01-12")
    with database.write() as session:
        withdraw(session, KEY, by=office(BUREAU), now=instant("2025-01-14"))
    assert len(detail(database, "2025-01-13").evidence) == 3
    assert detail(database).evidence == ()
    assert len(detail(database).handed_in[2]) == 3
    assert len(held(database)) == 3


def test_denominators_are_known_from_the_last_accepted_item(database: Database) -> None:
    february = item("1.2", UNIT, "2025-02")

    def known() -> dict[str, Former]:
        with database.read() as session:
            return former_counts(session, standing(session, february).plan_id, "1.2", UNIT)

    assert known() == {}
    written(database, Evidence(EvidenceType.MEASURE, "seen", Decimal(7), Decimal(9)), key=MONTH, by=UNIT)
    handed(database, key=MONTH, by=UNIT)
    assert known() == {}
    with database.write() as session:
        accept(session, MONTH, by=office(TOWNSHIP), now=instant("2025-01-20"))
    assert known() == {"seen": Former(Decimal(9), "2025-01")}
    written(database, Evidence(EvidenceType.NOTHING_NEW, text="无"), key=february, by=UNIT)
    handed(database, key=february, by=UNIT, day="2025-02-12")
    with database.write() as session:
        accept(session, february, by=office(TOWNSHIP), now=instant("2025-02-20"))
    assert known() == {"seen": Former(Decimal(9), "2025-01")}


def test_a_page_of_many_files_costs_no_more_statements(loaded: Database, database: Database, store: FileStore) -> None:
    def told(act: str) -> int:
        with statements(loaded) as sent:
            _ = held(database) if act == "draft" else detail(database)
        return len(sent)

    full_draft(database, store)
    few = told("draft")
    for n in range(40):
        added(database, kept(database, store, f"more{n}"))
    assert told("draft") == few
    assert len(held(database)) == 43
    before = told("item")
    handed(database)
    assert told("item") == before
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM evidence") == [(43,)]
        assert standing(session, KEY).state is State.SUBMITTED
