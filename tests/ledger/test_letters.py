"""Letters in the ledger: each once, with its attachments, its answer and the mark; settled by the coordinator alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from ledger import addresses, letters, outbox, receipts, rounds
from ledger.acts import Actor
from ledger.database import Database
from ledger.file_store import FileStore
from ledger.letters import Looked, Place, TakenIn
from ledger.messages import Message
from ledger.queries import letters as queries
from ledger.queries.letters import LetterRow
from ledger.reminders import queue_due
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    EvidenceMissing,
    Finding,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)
from policy_models.files import FileKind, Received
from policy_models.letters import Attachment, IncomingLetter, LetterState, unreadable
from policy_models.lifecycle import State
from policy_models.notices import ReceiptNotice
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    fresh_database,
    instant,
    load,
    office,
    query,
    rewound,
    statements,
    tiny_pack,
)
from tests.factories import opened as connected
from tests.reporting import COUNTY, OTHER, ROUND, hand_in, opened, told, with_reports, write
from tests.telling import MAIL, confirm_channel, ways

NOW = instant("2025-06-25", 14)
BOX = "bureau@mz.example/INBOX"
FORTNIGHT = date(2025, 6, 11)  # before NOW
OFFICE = "office@county1.example"
IDENTITY = "15020320100101123X"
BLOCKS = Finding("resident_id", True, "150***********3X", 3, 21, "疑似公民身份号码")
SECTIONS = {"overview": "总体平稳。", "progress": "走访 12 次。", "problems": "无。", "next": "继续。"}


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        prepare(database, tmp_path_factory.mktemp("pack"))
        yield database


def prepare(database: Database, folder: Path) -> None:
    load(database, tiny_pack(folder, with_reports), instant("2025-01-01"))
    opened(database)
    with database.write() as session:
        addresses.save_addresses(session, {OFFICE: COUNTY, "school@x.example": "9001-jy"}, now=NOW)


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def file(words: bytes = b"one", *findings: Finding, name: str = "报告.docx") -> Looked:
    received = Received(name, FileKind.DOCX, hashlib.sha256(words).hexdigest(), words, findings)
    return Looked(name, len(words), received)


def letter(
    number: int = 1, *, sender: str = OFFICE, subject: str = "2025年上半年报告", **more: object
) -> IncomingLetter:
    shell = IncomingLetter(f"{number}@x", sender, subject, None, "", (Attachment("报告.docx", 3, None),))
    return replace(shell, **more)  # type: ignore[arg-type]


def take(
    database: Database,
    store: FileStore,
    given: IncomingLetter,
    *looked: Looked,
    uid: int = 1,
    validity: int = 7,
    answer: bool = True,
    arrived: datetime = NOW,
    now: datetime = NOW,
) -> TakenIn | None:
    with database.write() as session:
        letters.begin(session, BOX, validity, since=None, now=now)
        place = Place(BOX, validity, uid, arrived)
        return letters.take_in(
            session, store, given, looked, place=place, own=["bureau@mz.example"], answer=answer, now=now
        )


def row(database: Database, taken: TakenIn | None) -> LetterRow:
    assert taken is not None
    with database.read() as session:
        return queries.letter(session, taken.id)


def test_a_letter_that_finds_its_unit_and_round(database: Database, store: FileStore) -> None:
    came = instant("2025-06-24", 23)
    taken = take(database, store, letter(), file(), Looked("宏.docm", 9, None, "含有宏，不能收取"), arrived=came)
    found = row(database, taken)
    assert (found.state, found.unit_code, found.unit_name, found.round_code) == (
        LetterState.FILED,
        COUNTY,
        "1县民政局",
        ROUND,
    )
    assert (found.sender, found.subject, found.received_at, found.reason) == (OFFICE, "2025年上半年报告", came, None)
    assert (found.registered, found.answer, found.decided_by) == (True, "pending", None)
    kept, refused = found.attachments
    assert (kept.name, kept.size, kept.reason, store.get(hashlib.sha256(b"one").hexdigest())) == (
        "报告.docx",
        3,
        None,
        b"one",
    )
    assert (refused.name, refused.size, refused.file_id, refused.reason) == ("宏.docm", 9, None, "含有宏，不能收取")
    with database.read() as session:
        assert letters.mark_of(session, BOX) == letters.Mark(7, 1, FORTNIGHT, NOW)
        assert letters.last_read(session) == NOW
        assert query(session, "SELECT by_unit FROM file") == [(COUNTY,)]


def test_the_same_letter_again_is_no_letter(database: Database, store: FileStore) -> None:
    take(database, store, letter(), file())
    assert take(database, store, letter(), file(b"two"), uid=2) is None
    assert take(database, store, letter(), file(), uid=1, validity=8) is None  # numbered anew
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM mail_letter") == [(1,)]
        assert query(session, "SELECT count(*) FROM outbox WHERE kind = 'receipt'") == [(1,)]
        assert letters.mark_of(session, BOX) == letters.Mark(8, 1, FORTNIGHT, NOW)
        assert letters.known(session, BOX, ["1@x", "2@x"]) == {"1@x"}
        assert letters.known(session, "other/INBOX", ["1@x"]) == frozenset()


def test_how_far_a_mailbox_was_read(database: Database) -> None:
    later = NOW + timedelta(minutes=10)
    with database.write() as session:
        assert letters.mark_of(session, BOX) is None
        letters.advance(session, BOX, 7, 5, now=NOW)  # it was never begun
        assert letters.mark_of(session, BOX) is None
        assert letters.begin(session, BOX, 7, since=None, now=NOW) == letters.Mark(7, 0, FORTNIGHT, NOW)
        letters.advance(session, BOX, 7, 5, now=NOW)
        letters.advance(session, BOX, 7, 3, now=NOW)
        letters.advance(session, BOX, 6, 9, now=NOW)  # a reader that does not know that it was numbered anew
        assert letters.begin(session, BOX, 7, since=None, now=later) == letters.Mark(7, 5, FORTNIGHT, later)
        assert letters.begin(session, BOX, 8, since=None, now=later) == letters.Mark(8, 0, FORTNIGHT, later)


def test_from_which_day_a_mailbox_is_read(database: Database) -> None:
    def begun(since: date | None) -> tuple[int, date]:
        with database.write() as session:
            mark = letters.begin(session, BOX, 7, since=since, now=NOW)
            letters.advance(session, BOX, 7, 5, now=NOW)
            return mark.uid, mark.since

    june, july = date(2025, 6, 1), date(2025, 7, 1)
    assert begun(june) == (0, june)
    assert begun(june) == (5, june)
    assert begun(None) == (5, june)
    assert begun(july) == (5, july)  # nothing to make good
    assert begun(june) == (0, june)  # what was passed by is looked at again
    assert begun(None) == (5, june)


def test_what_the_gate_stops_is_refused_and_noted_without_its_value(database: Database, store: FileStore) -> None:
    named = f"名单{IDENTITY}.docx"
    bad = file(f"x{IDENTITY}".encode(), BLOCKS, name=named)
    taken = take(database, store, letter(subject=f"上半年报告 {IDENTITY}"), bad)
    found = row(database, taken)
    assert (found.state, found.unit_code, found.round_code) == (LetterState.REFUSED, COUNTY, ROUND)
    [refused] = found.attachments
    assert (refused.file_id, "疑似公民身份号码（150***********3X）" in str(refused.reason)) == (None, True)
    assert found.reason == refused.reason
    assert not store.folder.exists()
    with database.read() as session:
        [(outcome, by_unit, findings)] = query(session, "SELECT outcome, by_unit, findings FROM screening")
        assert (outcome, by_unit) == ("blocked", COUNTY)
        assert IDENTITY not in findings
        everything = query(session, "SELECT subject, reason, sender FROM mail_letter")
        everything += query(session, "SELECT name, reason, '' FROM mail_attachment")
    assert IDENTITY not in str(everything)
    assert everything[0][0].startswith("上半年报告 ")


@pytest.mark.parametrize(
    ("change", "state", "unit", "reason"),
    [
        ({"sender": "x@y.example"}, "set_aside", None, "发件地址没有登记，不能确定是哪个单位"),
        (
            {"sender": "x@y.example", "subject": "2县民政局2025年上半年报告"},
            "set_aside",
            OTHER,
            "发件地址没有登记，单位按主题推测，请核对",
        ),
        ({"subject": "2024年下半年报告"}, "set_aside", COUNTY, "来信所写的2024年下半年没有开启半年报送"),
        ({"sender": "school@x.example"}, "set_aside", "9001-jy", "1县教育局在这次报送中没有应报的报告"),
        ({"subject": "2县民政局报告"}, "filed", COUNTY, "按发件地址归入1县民政局，但主题写有2县民政局，请核对"),
    ],
)
def test_where_letters_go(
    database: Database, store: FileStore, change: dict[str, str], state: str, unit: str | None, reason: str
) -> None:
    found = row(database, take(database, store, letter(**change), file()))  # type: ignore[arg-type]
    assert (found.state, found.unit_code, found.reason) == (state, unit, reason)


def test_letters_of_programs_and_letters_that_nobody_can_read(database: Database, store: FileStore) -> None:
    away = row(database, take(database, store, letter(1, attachments=(), automatic=True), uid=1))
    assert (away.state, away.reason, away.answer) == (LetterState.DISMISSED, "自动回复，不需办理", None)
    assert (away.decided_at, away.decided_by) == (NOW, "来信")
    bounce = row(database, take(database, store, letter(2, attachments=(), automatic=True, bounce=True), uid=2))
    assert (bounce.state, bounce.answer) == (LetterState.SET_ASIDE, None)
    strange = row(database, take(database, store, unreadable("3@x"), uid=3))
    assert (strange.state, strange.sender, strange.answer) == (LetterState.SET_ASIDE, "", None)
    with database.read() as session:
        assert letters.waiting(session) == 2


def test_nothing_is_answered_where_nothing_may_be_sent(database: Database, store: FileStore) -> None:
    taken = take(database, store, letter(), file(), answer=False)
    assert taken is not None
    assert (taken.answered, row(database, taken).answer) == (False, None)
    assert row(database, take(database, store, letter(2, sender="bureau@mz.example"), file(), uid=2)).answer is None


def test_what_goes_round_and_round_ends(database: Database, store: FileStore) -> None:
    told_today = [take(database, store, letter(n, attachments=()), uid=n) for n in range(1, receipts.MOST_A_DAY + 3)]
    assert [one.answered for one in told_today if one] == [True] * receipts.MOST_A_DAY + [False] * 2
    tomorrow = take(database, store, letter(999), file(), uid=999, now=NOW + timedelta(days=1))
    assert tomorrow is not None
    assert tomorrow.answered


def claimed(database: Database, now: datetime = NOW + timedelta(minutes=1)) -> list[Message]:
    with database.write() as session:
        return list(outbox.claim(session, now=now, by="a", ways=ways(MAIL)))


def confirm_mail(database: Database) -> None:
    with database.write() as session:
        confirm_channel(session, MAIL, NOW)


def test_nothing_is_answered_before_an_administrator_confirmed_the_mail_channel(
    database: Database, store: FileStore
) -> None:
    taken = take(database, store, letter(), file())
    assert (claimed(database), row(database, taken).answer) == ([], "pending")
    confirm_mail(database)
    assert [one.kind for one in claimed(database)] == ["receipt"]


def test_an_answer_goes_at_any_hour(database: Database, store: FileStore) -> None:
    confirm_mail(database)
    take(database, store, letter(), file())
    assert [one.kind for one in claimed(database, instant("2025-06-28", 3))] == ["receipt"]  # a Saturday night


def test_an_answer_carries_what_became_of_the_letter(database: Database, store: FileStore) -> None:
    take(database, store, letter(1), file(), Looked("宏.docm", 9, None, "含有宏"), uid=1)
    take(database, store, letter(2, sender="x@y.example", subject="1县民政局报告"), file(b"two"), uid=2)
    take(database, store, letter(3, attachments=(), message_id="sha256:00"), uid=3)
    confirm_mail(database)
    one, two, three = claimed(database)
    assert (one.channel, one.kind, one.address, one.in_reply_to) == ("email", "receipt", OFFICE, "1@x")
    assert one.notice == ReceiptNotice(
        "2025年上半年报告", NOW, "1县民政局", ROUND, "市民政局", True, ("报告.docx",), (("宏.docm", "含有宏"),), None
    )
    assert isinstance(two.notice, ReceiptNotice)
    assert (two.notice.unit_name, two.notice.filed, two.notice.taken) == (None, False, ("报告.docx",))
    assert three.in_reply_to is None  # it had no Message-ID
    with database.write() as session:
        assert outbox.record_sent(session, one.id, subject="s", body="b", now=NOW)
        outbox.record_failed(session, two.id, error="断", permanent=False, uncertain=True, now=NOW)
        outbox.record_failed(session, three.id, error="550", permanent=True, now=NOW)
        assert outbox.counts(session) == {"sent": 1, "uncertain": 1, "dead": 1}
    assert claimed(database) == []


def test_reminders_and_answers_side_by_side(database: Database, store: FileStore) -> None:
    with database.write() as session:
        reminded = queue_due(session, CODE, as_of=date(2025, 6, 25), now=NOW).messages
    assert reminded > 0
    confirm_mail(database)
    take(database, store, letter(), file())
    kinds = [(one.kind, one.channel) for one in claimed(database)]
    assert kinds == [("reminder", "inbox")] * reminded + [("receipt", "email")]


def confirm(database: Database, taken: TakenIn | None, *, by: str = BUREAU, sections: dict[str, str] = SECTIONS) -> int:
    assert taken is not None
    with database.write() as session:
        return letters.confirm(session, taken.id, sections, by=office(by), now=NOW + timedelta(days=2))


def test_confirmed_it_counts_on_the_day_it_came(database: Database, store: FileStore) -> None:
    taken = take(database, store, letter(), file(), arrived=instant("2025-06-24", 23))
    confirm(database, taken)
    found = row(database, taken)
    assert (found.state, found.decided_by, found.decided_at) == (
        LetterState.CONFIRMED,
        f"{BUREAU}经办人",
        NOW + timedelta(days=2),
    )
    report = told(database, COUNTY, "2025-06-28")
    assert (report.state, report.first_submitted_on) == (State.SUBMITTED, date(2025, 6, 24))
    assert {one.section: one.text for one in report.sections} == SECTIONS
    with database.read() as session:
        assert query(session, "SELECT file_name FROM evidence WHERE file_id IS NOT NULL") == [("报告.docx",)]
    with pytest.raises(ActNotAllowed, match="只有已归入单位和期次、待确认的来信可以确认"):
        confirm(database, taken)


def test_confirming_says_what_is_missing_and_changes_nothing(database: Database, store: FileStore) -> None:
    taken = take(database, store, letter(), file())
    with pytest.raises(NotResponsible, match="来信由统筹单位办理"):
        confirm(database, taken, by=COUNTY)
    with pytest.raises(EvidenceMissing):
        confirm(database, taken, sections={})
    with pytest.raises(PrivacyBlocked):
        confirm(database, taken, sections={"overview": f"身份证号 {IDENTITY[:-1]}0 的儿童"} | {"next": blocked_words()})
    assert row(database, taken).state is LetterState.FILED
    with database.write() as session, pytest.raises(NotFound, match="没有这封来信"):
        letters.confirm(session, 10**9, SECTIONS, by=office(BUREAU), now=NOW)


def blocked_words() -> str:
    """A number that has the right check digit."""
    weights, number = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "15020320100101123"
    return number + "10X98765432"[sum(int(a) * b for a, b in zip(number, weights, strict=True)) % 11]


def test_a_report_that_is_in_already(database: Database, store: FileStore) -> None:
    write(database, COUNTY)
    hand_in(database, COUNTY)
    taken = take(database, store, letter(), file())
    assert row(database, taken).reason == "1县民政局这一期的报告已经报送，如要采用来信，请先退回"
    with pytest.raises(ActNotAllowed):
        confirm(database, taken)
    assert row(database, taken).state is LetterState.FILED


def test_given_to_a_unit_by_hand(database: Database, store: FileStore) -> None:
    taken = take(database, store, letter(sender="x@y.example"), file())
    assert taken is not None
    with database.write() as session:
        letters.assign(session, taken.id, OTHER, ROUND, by=office(BUREAU), now=NOW, remember=True)
    found = row(database, taken)
    assert (found.state, found.unit_code, found.round_code, found.reason, found.registered) == (
        LetterState.FILED,
        OTHER,
        ROUND,
        None,
        True,
    )
    confirm(database, taken)
    assert told(database, OTHER, "2025-06-28").state is State.SUBMITTED
    again = take(database, store, letter(2, sender="x@y.example"), file(), uid=2)
    assert row(database, again).unit_code == OTHER


def test_who_may_be_given_a_letter(database: Database, store: FileStore) -> None:
    aside = take(database, store, letter(sender="x@y.example"), file())
    empty = take(database, store, letter(2, attachments=()), uid=2)
    assert aside
    assert empty
    with database.write() as session:
        for unit, code in ((COUNTY, "2024-H2"), ("9001-jy", ROUND), ("nobody", ROUND), ("", "")):
            with pytest.raises(ActNotAllowed, match="所选单位在这一期没有应报的报告"):
                letters.assign(session, aside.id, unit, code, by=office(BUREAU), now=NOW, remember=False)
        with pytest.raises(ActNotAllowed, match="没有收下附件"):
            letters.assign(session, empty.id, COUNTY, ROUND, by=office(BUREAU), now=NOW, remember=False)
        with pytest.raises(NotResponsible):
            letters.assign(session, aside.id, COUNTY, ROUND, by=office(COUNTY), now=NOW, remember=False)
    assert row(database, aside).state is LetterState.SET_ASIDE


def test_dismissed_with_a_reason_and_once(database: Database, store: FileStore) -> None:
    taken = take(database, store, letter(sender="x@y.example"), file())
    assert taken is not None

    def dismiss(reason: str, name: str = "某科") -> None:
        with database.write() as session:
            letters.dismiss(session, taken.id, reason, by=Actor(BUREAU, name), now=NOW)

    with pytest.raises(ReasonMissing, match="不予办理须写明理由"):
        dismiss("  ")
    with pytest.raises(PrivacyBlocked):
        dismiss(f"与 {blocked_words()} 有关")
    dismiss("与报送无关")
    assert (row(database, taken).state, row(database, taken).reason) == (LetterState.DISMISSED, "与报送无关")
    with pytest.raises(ActNotAllowed, match="这封来信已经办理"):
        dismiss("再次")


def test_a_letter_before_any_plan(database_url: str, tmp_path: Path, store: FileStore) -> None:
    with connected(database_url) as database:
        taken = take(database, store, letter(), file())
        assert (row(database, taken).state, row(database, taken).unit_code) == (LetterState.SET_ASIDE, None)
        prepare(database, tmp_path / "pack")
        assert taken is not None
        with database.write() as session:
            letters.assign(session, taken.id, COUNTY, ROUND, by=office(BUREAU), now=NOW, remember=False)
        confirm(database, taken)
        assert told(database, COUNTY, "2025-06-28").state is State.SUBMITTED


def test_two_readers_of_one_mailbox(database_url: str, tmp_path: Path, store: FileStore) -> None:
    """The same letter at the same moment, 12 times: one takes it in, the other meets it there or is told to look again."""
    with connected(database_url) as database:
        prepare(database, tmp_path / "pack")
        for number in range(12):
            barrier = Barrier(2)

            def race(_who: int, number: int = number, barrier: Barrier = barrier) -> str:
                barrier.wait()
                try:
                    return "taken" if take(database, store, letter(number), file(), uid=number) else "known"
                except ChangedMeanwhile:
                    return "again"

            with ThreadPoolExecutor(2) as pool:
                outcomes = sorted(pool.map(race, range(2)))
            assert outcomes in (["known", "taken"], ["again", "taken"])
        with database.read() as session:
            assert query(session, "SELECT count(*), count(DISTINCT message_id) FROM mail_letter") == [(12, 12)]
            assert query(session, "SELECT count(*) FROM outbox") == [(12,)]


def test_two_coordinators_at_one_letter(database_url: str, tmp_path: Path, store: FileStore) -> None:
    with connected(database_url) as database:
        prepare(database, tmp_path / "pack")
        taken = take(database, store, letter(), file())
        assert taken is not None
        barrier = Barrier(2)

        def act(name: str) -> str:
            barrier.wait()
            try:
                with database.write() as session:
                    if name == "confirm":
                        letters.confirm(session, taken.id, SECTIONS, by=office(BUREAU), now=NOW)
                    else:
                        letters.dismiss(session, taken.id, "重复", by=office(BUREAU), now=NOW)
            except (ChangedMeanwhile, ActNotAllowed):
                return "second"
            return name

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(act, ["confirm", "dismiss"]))
        assert outcomes.count("second") == 1
        expected = LetterState.CONFIRMED if "confirm" in outcomes else LetterState.DISMISSED
        assert row(database, taken).state is expected


def test_statements_do_not_grow_with_letters(database: Database, store: FileStore) -> None:
    def counted() -> int:
        with database.read() as session, statements(database) as sent:
            plan_id = query(session, "SELECT id FROM plan")[0][0]
            queries.letters(session, plan_id, list(LetterState))
            queries.letter_counts(session, plan_id)
            queries.owing_units(session, plan_id)
        return len(sent)

    take(database, store, letter(1), file(b"1"), uid=1)
    one = counted()
    for number in range(2, 30):
        take(database, store, letter(number), file(b"%d" % number), uid=number)
    assert counted() == one
    with database.read() as session:
        plan_id = query(session, "SELECT id FROM plan")[0][0]
        assert queries.letter_counts(session, plan_id)[LetterState.FILED] == 29
        assert len(queries.letters(session, plan_id, [LetterState.FILED], limit=5)) == 5


def test_closed_rounds_and_reports_that_are_not_owed(database: Database, store: FileStore) -> None:
    with database.write() as session:
        rounds.close_round(session, CODE, ROUND, by=office(BUREAU), now=NOW)
    found = row(database, take(database, store, letter(), file()))
    assert (found.state, found.reason) == (LetterState.SET_ASIDE, "2025年上半年的报送已经关闭")
