"""汇编 made of a real ledger: the figures are the ledger's, every accepted word is in it, and the same moment gives the
same bytes whatever has happened since. On both databases."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import docx
import openpyxl
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.compiling import Sameness, compile_round, documents_of, made_again
from documents.template import built_in
from ledger import compilations, exemplars, extensions, report_reviews, reviews, shortlisting, submissions
from ledger.civil import end_of_day
from ledger.compilations import Compiled
from ledger.database import Database
from ledger.file_store import FileStore
from ledger.plans import plan_summary
from ledger.queries.compilation import compilation, moment_of
from ledger.report_reviews import Marked
from policy_models.compilation import Compilation
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotFound, NotResponsible, PrivacyBlocked
from policy_models.exemplars import Content
from tests.api.compiling import HOSTILE, accept, played, told_revision, with_everything
from tests.factories import (
    BUREAU,
    CODE,
    SCHOOLS,
    full_evidence,
    instant,
    item,
    load,
    office,
    opened,
    query,
    tiny_pack,
    village,
)
from tests.reporting import COUNTY, OTHER, ROUND, hand_in, visit, write

pytestmark = pytest.mark.thorough

DAY = date(2025, 7, 20)


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with opened(database_url) as found:
        load(found, tiny_pack(tmp_path / "pack", with_everything), instant("2025-01-01"), go_live_on=date(2025, 1, 1))
        played(found)
        yield found


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def compiled(database: Database, store: FileStore, until: datetime | None = None, now: str = "2025-07-21") -> Compiled:
    until = until or end_of_day(DAY)
    id = compile_round(database, store, CODE, ROUND, until=until, by=office(BUREAU), now=instant(now))
    with database.read() as session:
        return compilations.compilation_made(session, plan_summary(session, CODE).id, ROUND, id)


def facts(database: Database, until: datetime | None = None) -> Compilation:
    with database.read() as session:
        return compilation(session, CODE, ROUND, until=until or end_of_day(DAY))


def words(data: bytes) -> list[str]:
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(data)).paragraphs]


def table(data: bytes, number: int) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in docx.Document(io.BytesIO(data)).tables[number].rows]


def much_happens(database: Database) -> None:
    """After the day: accepted, handed in anew, waived, late figures, an exemplar."""
    accept(database, SCHOOLS, "2025-07-22")
    write(database, OTHER, {"task-1": "任务一补充了数据。"}, versions={"task-1": 1}, day="2025-07-22")
    hand_in(database, OTHER, "2025-07-23")
    accept(database, OTHER, "2025-07-24")
    write(database, BUREAU, day="2025-07-22")
    hand_in(database, BUREAU, "2025-07-25")
    visit(database, village(1, 2), "2025-06", "2025-07-22", "11", "55")
    with database.write() as session:
        reviews.accept(session, item("1.2", village(2, 2), "2025-04"), by=office("900201"), now=instant("2025-07-22"))
        reviews.waive(
            session, item("2.1", COUNTY, "2025Q1"), by=office(BUREAU), now=instant("2025-07-22"), reason="情况特殊"
        )
    _exemplar(database, COUNTY, "2025-07-23")


def _exemplar(database: Database, unit: str, day: str) -> None:
    """Written, handed in and put on the short list within a day."""
    text = "走访入户，动态更新底数。" * 40
    content = Content("圐圙村的暖心屋", text, text + HOSTILE, text, text)
    with database.write() as session:
        plan_id = plan_summary(session, CODE).id
        id = exemplars.create(session, plan_id, ROUND, content.title, by=office(unit), now=instant(day, 9))
        version = exemplars.save(session, id, content, version=1, by=office(unit), now=instant(day, 10))
        exemplars.submit(session, id, version=version, by=office(unit), now=instant(day, 11))
        shortlisting.shortlist(session, id, version=version + 1, by=office(BUREAU), now=instant(day, 12))


def test_the_same_moment_gives_the_same_bytes_after_much_has_happened(database: Database, store: FileStore) -> None:
    made = compiled(database, store)
    before = facts(database)
    much_happens(database)
    assert facts(database) == before
    assert made_again(database, store, made) is Sameness.BYTES
    again = compiled(database, store, now="2025-09-01")
    assert (again.id, again.docx, again.xlsx) == (made.id, made.docx, made.xlsx)
    later = compiled(database, store, end_of_day(date(2025, 7, 31)), now="2025-09-01")
    assert later.docx != made.docx
    assert made_again(database, store, later) is Sameness.BYTES


def test_an_extension_granted_since_does_not_matter(database: Database, store: FileStore) -> None:
    early = compiled(database, store, end_of_day(date(2025, 6, 20)), now="2025-06-21")
    wanted, key = date(2025, 7, 31), item("1.1", BUREAU, "once")
    with database.write() as session:
        by = office(BUREAU)
        id = extensions.request(session, key, wanted=wanted, reason="人手不足", by=by, now=instant("2025-06-25"))
        extensions.grant(session, id, by=by, now=instant("2025-06-26"))
    assert (
        facts(database, end_of_day(date(2025, 6, 26))).progress.expected
        == facts(database, early.as_of).progress.expected - 1
    )
    assert made_again(database, store, early) is Sameness.BYTES


def test_a_template_changed_since_does_not_matter(database: Database, store: FileStore) -> None:
    made = compiled(database, store)
    document = docx.Document(io.BytesIO(built_in()))
    document.paragraphs[0].insert_paragraph_before("{{ 编制单位 }}文件")
    other = io.BytesIO()
    document.save(other)
    with database.write() as session:
        kept = store.put(other.getvalue())
        compilations.use_template(session, CODE, kept, "新模板.docx", by=office(BUREAU), now=instant("2025-07-22"))
    assert made_again(database, store, made) is Sameness.BYTES
    mine = compiled(database, store, now="2025-07-23")
    assert words(store.get(mine.docx))[0] == "市民政局文件"
    with database.write() as session:
        compilations.use_built_in(session, CODE, by=office(BUREAU), now=instant("2025-07-24"))
    assert made_again(database, store, mine) is Sameness.BYTES
    assert compiled(database, store, now="2025-07-25").id == made.id


def test_a_unit_renamed_since_is_told_as_a_difference(database: Database, store: FileStore) -> None:
    made = compiled(database, store)
    with database.write() as session:
        session.execute(text("UPDATE unit SET name = '第一县民政局' WHERE code = '9001-mz'"))
    assert made_again(database, store, made) is Sameness.DIFFERENT


COUNTS = """
    SELECT r.section, COUNT(*), SUM(CASE WHEN i.state = 'accepted' THEN 1 ELSE 0 END),
           SUM(CASE WHEN i.state = 'accepted' AND i.first_submitted_on <= i.deadline THEN 1 ELSE 0 END),
           SUM(CASE WHEN i.state IN ('scheduled', 'open', 'returned') AND i.deadline < '2025-08-01' THEN 1 ELSE 0 END),
           SUM(CASE WHEN i.state = 'submitted' THEN 1 ELSE 0 END)
    FROM work_item i JOIN requirement r ON r.id = i.requirement_id
    WHERE i.deadline >= '2025-01-01' AND i.deadline <= '2025-06-30' AND i.state NOT IN ('waived', 'cancelled')
    GROUP BY r.section ORDER BY r.section"""
SUMS = """
    SELECT e.name, u.county, SUM(e.value), SUM(e.of)
    FROM evidence e JOIN work_item i ON i.id = e.item_id JOIN unit u ON u.code = i.unit_code
    WHERE i.state = 'accepted' AND e.type = 'measure' AND i.deadline <= '2025-06-30'
      AND e.revision = (SELECT MAX(n.revision) FROM entry n WHERE n.item_id = i.id AND n.act = 'submit')
    GROUP BY e.name, u.county ORDER BY e.name, u.county"""


def test_the_totals_are_those_of_the_ledger(database: Database, store: FileStore) -> None:
    """Held against plain SQL over the tables as they are, in the .docx and in the .xlsx."""
    much_happens(database)
    with database.write() as session:
        reviews.waive(
            session, item("2.1", OTHER, "2025Q1"), by=office(BUREAU), now=instant("2025-07-26"), reason="特殊"
        )
    made = compiled(database, store, end_of_day(date(2025, 7, 31)), now="2025-08-01")
    with database.read() as session:
        counted = {row[0]: list(map(int, row[1:])) for row in query(session, COUNTS)}
        summed = {(name, county): (float(value), of and float(of)) for name, county, value, of in query(session, SUMS)}
    assert len(counted) == 3
    found = {row[0]: row for row in table(store.get(made.docx), 0)}
    titles = {"task-1": "任务1 任务一", "task-2": "任务2 任务二", "phase-1": "第一阶段 全程"}
    for section, counts in counted.items():
        row = found[titles[section]]
        assert [int(row[place]) for place in (1, 2, 4, 5, 6)] == counts
    together = [sum(counts[place] for counts in counted.values()) for place in range(5)]
    assert [int(found["合计"][place]) for place in (1, 2, 4, 5, 6)] == together
    assert together[:2] == [33, 5]
    sheet = openpyxl.load_workbook(io.BytesIO(store.get(made.xlsx)))["指标表"]
    rows = {row[1]: row for row in sheet.iter_rows(min_row=4, values_only=True) if row[1]}
    for name, label in (("visits", "走访次数"), ("reached", "覆盖人数/应覆盖人数")):
        mine = {county: pair for (measure, county), pair in summed.items() if measure == name}
        assert (rows[label][6], rows[label][7]) == mine["9001"]
        assert (rows[label][8], rows[label][9]) == mine["9002"]
        assert rows[label][2] == sum(value for value, _ in mine.values())
    assert rows["走访次数"][2] == 34.5


def test_a_city_units_own_figures_are_the_difference_and_are_listed(database: Database, store: FileStore) -> None:
    with database.write() as session:
        key = item("1.1", BUREAU, "once")
        submissions.submit(session, key, by=office(BUREAU), evidence=full_evidence(), now=instant("2025-07-20", 9))
        reviews.accept(session, key, by=office(BUREAU), now=instant("2025-07-20", 10))
    made = compiled(database, store)
    assert table(store.get(made.docx), 1)[1:3] == [
        ["1.1 已办", "3.5", "3.5", "–", "–"],
        ["　　应办", "4", "4", "–", "–"],
    ]
    told = [line for line in words(store.get(made.docx)) if line.startswith("1.1 ")]
    assert told == ["1.1 已办/应办：全市比各旗县区之和多3.5/4，为市级单位填报（市民政局3.5/4）。"]


ACCEPTED_TEXT = """
    SELECT s.text, s.answers FROM report_section s JOIN report r ON r.id = s.report_id
    JOIN work_item i ON i.id = r.item_id
    WHERE i.state = 'accepted' AND s.revision = (SELECT MAX(x.revision) FROM report_section x WHERE x.report_id = r.id)"""


def test_every_accepted_section_is_in_it_and_no_other(database: Database, store: FileStore) -> None:
    whole = "\n".join(words(store.get(compiled(database, store).docx)))
    assert HOSTILE in whole
    assert "上半年总体平稳。" not in whole  # what those wrote whose report is not accepted
    much_happens(database)
    later = words(store.get(compiled(database, store, end_of_day(date(2025, 7, 31)), now="2025-08-01").docx))
    with database.read() as session:
        rows = query(session, ACCEPTED_TEXT)
    lines = [
        line for text, answers in rows for whole in (text, *json.loads(answers).values()) for line in whole.split("\n")
    ]
    assert len(lines) > 15
    for line in filter(None, lines):
        assert any(line in told for told in later), line
    assert "任务一补充了数据。" in later
    assert "任务一进展。" in later  # of the county, whose text stayed


def test_of_a_report_that_was_sent_back_only_accepted_sections_are_taken(database: Database) -> None:
    found = facts(database)
    by_unit = {(part.section, text.unit) for action in found.actions for part in action.tasks for text in part.texts}
    assert by_unit == {("task-1", COUNTY), ("task-2", COUNTY), ("task-2", OTHER)}
    assert [one.unit for one in found.problems] == [COUNTY]


def test_nothing_of_a_report_under_review_is_taken_though_sections_are_marked(database: Database) -> None:
    seen = told_revision(database, SCHOOLS, "2025-07-20")
    with database.write() as session:
        report_reviews.mark_sections(
            session, CODE, ROUND, SCHOOLS, {"problems": Marked("accepted")},
            by=office(BUREAU), now=instant("2025-07-20", 12), seen=seen,
        )  # fmt: skip
    assert [one.unit for one in facts(database).problems] == [COUNTY]


def test_missing_late_and_unaccepted_units_are_listed(database: Database, store: FileStore) -> None:
    assert table(store.get(compiled(database, store).docx), 2)[1:] == [
        ["1", "市民政局", "2025年7月15日", "未报送，已超过时限5日"],
        ["2", "市教育局", "2025年7月15日", "已报送，待审核"],
        [
            "3",
            "2县民政局",
            "2025年7月15日",
            "7月18日报送，逾期3日；已退回修改：任务1 任务一；未经审核：总体情况、第一阶段 全程、存在问题、下一步打算",
        ],
    ]


def test_short_listed_exemplars_stand_in_the_annex_from_that_moment_on(database: Database) -> None:
    _exemplar(database, COUNTY, "2025-07-20")
    assert facts(database, instant("2025-07-20", 12)).cases == ()
    told = facts(database, instant("2025-07-20", 13)).cases
    assert [(one.unit_name, one.title, len(one.parts)) for one in told] == [("1县民政局", "圐圙村的暖心屋", 4)]


def test_what_changed_while_the_documents_were_made_is_not_recorded(database: Database, store: FileStore) -> None:
    """An act that had begun before the moment and was written after it was read."""
    read = facts(database)
    documents = [store.put(data) for data in (built_in(), *documents_of(read, built_in()))]
    kept = dict(zip(("template", "docx", "xlsx"), documents, strict=True))
    accept(database, SCHOOLS, "2025-07-20")
    with pytest.raises(ChangedMeanwhile, match="请重新汇编"), database.write() as session:
        compilations.record(session, read, **kept, by=office(BUREAU), now=instant("2025-07-21"))
    with database.read() as session:
        assert query(session, "SELECT COUNT(*) FROM compilation") == [(0,)]


def test_who_and_when(database: Database, store: FileStore) -> None:
    made = compiled(database, store)
    assert (made.compiled_by, made.compiled_at, made.as_of) == (
        f"{BUREAU}经办人",
        instant("2025-07-21"),
        end_of_day(DAY),
    )
    assert (made.day, made.whole_day) == (DAY, True)
    assert compiled(database, store, instant("2025-07-20", 10)).whole_day is False


@pytest.mark.parametrize(
    ("day", "now", "moment"),
    [
        (None, "2025-07-20", instant("2025-07-20")),
        (date(2025, 7, 20), "2025-07-20", instant("2025-07-20")),
        (date(2025, 7, 19), "2025-07-20", end_of_day(date(2025, 7, 19))),
    ],
)
def test_the_moment_of_a_day(day: date | None, now: str, moment: datetime) -> None:
    assert moment_of(day, instant(now)) == moment


def test_a_day_to_come_cannot_be_compiled() -> None:
    with pytest.raises(ActNotAllowed, match="尚未到来"):
        moment_of(date(2025, 7, 21), instant("2025-07-20"))


def test_refusals(database: Database, store: FileStore) -> None:
    until, now = end_of_day(DAY), instant("2025-07-21")
    with pytest.raises(NotResponsible, match="由统筹单位汇编"):
        compile_round(database, store, CODE, ROUND, until=until, by=office(SCHOOLS), now=now)
    with pytest.raises(NotFound, match="还没有启动"):
        compile_round(database, store, CODE, "2025-H2", until=until, by=office(BUREAU), now=now)
    with pytest.raises(ActNotAllowed, match="当时还没有启动"):
        compile_round(database, store, CODE, ROUND, until=end_of_day(date(2025, 5, 1)), by=office(BUREAU), now=now)
    with pytest.raises(NotFound, match="没有代码"):
        compile_round(database, store, "other", ROUND, until=until, by=office(BUREAU), now=now)
    with database.write() as session, pytest.raises(NotResponsible):
        compilations.use_template(session, CODE, "0" * 64, "甲.docx", by=office(SCHOOLS), now=now)
    name = "11010519491231002X.docx"
    with database.write() as session, pytest.raises(PrivacyBlocked):
        compilations.use_template(session, CODE, "0" * 64, name, by=office(BUREAU), now=now)
    assert not store.folder.exists()


def test_the_record_only_grows(database: Database, store: FileStore) -> None:
    compiled(database, store)
    for statement in ("UPDATE compilation SET docx = ''", "DELETE FROM compilation"):
        with pytest.raises(DBAPIError), database.write() as session:
            session.execute(text(statement))
