"""Half-year reports: drafts that two people write, what is handed in and frozen, what came by letter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ledger import reports, rounds, submissions
from ledger.acts import Actor, standing
from ledger.database import Database
from ledger.queries.reports import figures_json, section_text
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    EvidenceMissing,
    Faulty,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
)
from policy_models.lifecycle import State
from policy_models.reports import Figure, SectionText
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    SCHOOLS,
    fresh_database,
    instant,
    item,
    just_before,
    load,
    office,
    query,
    rewound,
    tiny_pack,
)
from tests.factories import opened as connected
from tests.reporting import COUNTY, FIRST_VILLAGE, OTHER, ROUND, hand_in, opened, told, visit, with_reports, write

DAY = instant("2025-06-20")
LOCK = "SELECT work_item.id \nFROM"  # the report is held from here on


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack"), with_reports), instant("2025-01-01"))
        opened(database)
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def save(
    database: Database,
    section: str = "overview",
    text: str = "正文",
    version: int = 0,
    unit: str = COUNTY,
    by: str = "",
    **more: dict[str, str],
) -> reports.Saved:
    with database.write() as session:
        return reports.save_section(
            session,
            CODE,
            ROUND,
            unit,
            section,
            text=text,
            answers=more.get("answers", {}),
            version=version,
            by=office(by or unit),
            now=DAY,
        )


def drafts(database: Database) -> list[tuple[object, ...]]:
    with database.read() as session:
        return query(session, "SELECT section, text, version FROM report_draft ORDER BY section")


def test_each_save_is_a_version_and_the_second_writer_is_told(database: Database) -> None:
    assert save(database).version == 1
    assert save(database, text="改过", version=1).version == 2
    for stale in (0, 1, 3):
        with pytest.raises(ChangedMeanwhile, match="这一节刚刚由他人保存过，您的文字没有保存"):
            save(database, text="另一人", version=stale)
    assert drafts(database) == [("overview", "改过", 2)]


def test_what_people_really_paste(database: Database) -> None:
    save(database, text="  第一行\r\n第二行\x00\x0b\ud800乌兰计\t　\n\n")
    assert drafts(database) == [("overview", "第一行\n第二行乌兰计", 1)]
    save(database, section="next", text="　")
    assert drafts(database) == [("next", "", 1), ("overview", "第一行\n第二行乌兰计", 1)]


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"section": "task-9"}, NotFound, "这个单位的报告中没有这一节"),
        ({"section": "../etc"}, NotFound, "这个单位的报告中没有这一节"),
        ({"unit": "9001-jy"}, NotFound, "这个单位在本期没有半年报告要报送"),
        ({"by": SCHOOLS}, NotResponsible, "这一办理件由其他单位报送，您的单位不能代办"),
        ({"answers": {"1.1": "不该有"}}, NotFound, "这一节没有事项 1.1"),
        ({"text": "字" * 20_001}, Faulty, "总体情况 共 20001 字，超过 20000 字"),
        ({"text": "儿童身份证号150202201001011236"}, PrivacyBlocked, "总体情况"),
    ],
)
def test_what_is_not_saved(database: Database, more: dict[str, str], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        save(database, **more)  # type: ignore[arg-type]
    assert drafts(database) == []


def test_answers_are_screened_and_limited(database: Database) -> None:
    with pytest.raises(PrivacyBlocked, match="“事项2\\.3”"):
        save(database, section="task-2", answers={"2.3": "150202201001011236"})
    with pytest.raises(Faulty, match="共 2001 字，超过 2000 字"):
        save(database, section="task-2", answers={"2.3": "字" * 2001})
    save(database, section="task-2", answers={"2.3": " 无新增 "})
    with database.read() as session:
        assert query(session, "SELECT answers FROM report_draft") == [('{"2.3": "无新增"}',)]


def test_a_superior_may_write_for_its_unit(database: Database) -> None:
    assert save(database, by=BUREAU).version == 1


def test_incomplete_reports_are_not_handed_in(database: Database) -> None:
    write(database, COUNTY, {"overview": "有"}, answers={})
    with pytest.raises(EvidenceMissing) as error:
        hand_in(database, COUNTY)
    assert str(error.value) == (
        "报告还不完整：任务1 任务一（尚未填写）；任务2 任务二（还有 1 项持续开展的工作未说明）；"
        "第一阶段 全程（尚未填写）；存在问题（尚未填写）；下一步打算（尚未填写）"
    )


def test_handed_in_with_the_figures_as_they_stand(database: Database) -> None:
    visit(database, FIRST_VILLAGE, "2025-01", "2025-01-20", "3", "0.1")
    visit(database, FIRST_VILLAGE, "2025-02", "2025-02-20", "4", "0.2")
    visit(database, FIRST_VILLAGE, "2025-03", "2025-03-20", "100", "50", accepted=False)
    write(database, COUNTY)
    revision = hand_in(database, COUNTY)
    visit(database, FIRST_VILLAGE, "2025-04", "2025-06-21", "7", "1")
    found = told(database, COUNTY, "2025-06-30")
    assert (found.revision, found.state, found.first_submitted_on) == (revision, State.SUBMITTED, date(2025, 6, 20))
    assert [one.section for one in found.sections] == [
        "overview",
        "task-1",
        "task-2",
        "phase-1",
        "highlights",
        "problems",
        "next",
    ]
    figures = found.text_of["task-1"].figures
    visits = next(one for one in figures if one.name == "visits")
    reached = next(one for one in figures if one.name == "reached")
    assert (visits.value, visits.of, visits.items, visits.due) == (Decimal(7), None, 2, 12)
    assert (reached.value, reached.of, reached.of_label) == (Decimal("0.3"), Decimal(200), "应覆盖人数")
    assert found.text_of["task-2"].answers == {"2.3": "持续开展，覆盖全部嘎查村。"}
    quarters = found.text_of["task-2"].figures[0]
    assert (quarters.requirement, quarters.name, quarters.label, quarters.value, quarters.of) == (
        "2.1",
        "",
        "办结",
        0,
        2,
    )
    with database.read() as session:
        key = item("1.9", COUNTY, ROUND)
        assert standing(session, key).state is State.SUBMITTED
        sql = "SELECT e.type, e.text FROM evidence e JOIN work_item w ON w.id = e.item_id WHERE w.key = :key"
        assert query(session, sql, key=key) == [("document", "半年工作进展情况报告（在线填报）")]


def test_a_department_counts_its_line_and_a_county_its_own(database: Database) -> None:
    visit(database, FIRST_VILLAGE, "2025-01", "2025-01-20", "3", "1")
    for unit in (BUREAU, OTHER, SCHOOLS):
        write(database, unit)
        hand_in(database, unit)
    of = {unit: told(database, unit, "2025-06-30").text_of for unit in (BUREAU, OTHER, SCHOOLS)}
    assert [f.value for f in of[BUREAU]["task-1"].figures if f.name == "visits"] == [Decimal(3)]
    assert [(f.value, f.due) for f in of[OTHER]["task-1"].figures if f.name == "visits"] == [(Decimal(0), 12)]
    assert list(of[SCHOOLS]) == ["overview", "task-2", "highlights", "problems", "next"]
    assert of[SCHOOLS]["task-2"].figures == ()


def test_handed_in_twice_is_refused_and_written_no_more(database: Database) -> None:
    write(database, COUNTY)
    hand_in(database, COUNTY)
    with pytest.raises(ActNotAllowed, match="“待审核”的报告不能修改"):
        hand_in(database, COUNTY)
    with pytest.raises(ActNotAllowed, match="“待审核”的报告不能修改"):
        save(database, text="晚了", version=1)


def test_taken_back_and_handed_in_again(database: Database) -> None:
    write(database, COUNTY)
    first = hand_in(database, COUNTY)
    with database.write() as session:
        assert reports.withdraw(session, CODE, ROUND, COUNTY, by=office(COUNTY), now=DAY) == first + 1
    save(database, text="改后的总体情况", version=1)
    assert hand_in(database, COUNTY, "2025-07-20") == first + 2
    assert told(database, COUNTY, "2025-06-20", 16).text_of["overview"].text == "上半年总体平稳。"
    now = told(database, COUNTY, "2025-07-21")
    assert (now.text_of["overview"].text, now.first_submitted_on) == ("改后的总体情况", date(2025, 6, 20))


def test_what_is_handed_in_cannot_be_changed(database: Database) -> None:
    write(database, COUNTY)
    hand_in(database, COUNTY)
    with pytest.raises(Exception, match="append-only"), database.write() as session:
        query(session, "UPDATE report_section SET text = 'x' WHERE 1 = 1 RETURNING id")


def received(
    database: Database, sections: dict[str, str], *, by: str = BUREAU, on: str = "2025-07-10", day: str = "2025-07-18"
) -> int:
    with database.write() as session:
        return reports.submit_received(
            session,
            CODE,
            ROUND,
            COUNTY,
            sections,
            files=[],
            by=office(by),
            received_on=date.fromisoformat(on),
            now=instant(day),
        )


def test_a_letter_counts_from_the_day_it_came(database: Database) -> None:
    visit(database, FIRST_VILLAGE, "2025-01", "2025-01-20", "3", "1")
    received(database, {"progress": "来信中的进展", "overview": "来信的总体情况"})
    found = told(database, COUNTY, "2025-07-18")
    assert (found.state, found.first_submitted_on) == (State.SUBMITTED, date(2025, 7, 10))
    assert [(one.section, one.text) for one in found.sections] == [
        ("overview", "来信的总体情况"),
        ("progress", "来信中的进展"),
    ]
    assert {"1.2", "2.1"} <= {f.requirement for f in found.text_of["progress"].figures}
    assert drafts(database) == [("overview", "来信的总体情况", 1), ("progress", "来信中的进展", 1)]


def test_a_letter_leaves_what_was_written_online(database: Database) -> None:
    save(database, text="自己写的")
    received(database, {"overview": "来信的总体情况"})
    assert drafts(database) == [("overview", "自己写的", 1)]
    assert told(database, COUNTY, "2025-07-18").text_of["overview"].text == "来信的总体情况"


@pytest.mark.parametrize(
    ("sections", "more", "error", "words"),
    [
        ({"overview": "有"}, {"by": COUNTY}, NotResponsible, "代为确认来信"),
        ({"overview": " "}, {}, EvidenceMissing, "没有可以作为报告正文的文字"),
        ({"task-99": "有"}, {}, NotFound, "task-99"),
        ({"progress": "电话 身份证150202201001011236"}, {}, PrivacyBlocked, "重点任务进展"),
        ({"overview": "有"}, {"on": "2025-07-19"}, ActNotAllowed, "晚于今日"),
    ],
)
def test_letters_that_cannot_be_confirmed(
    database: Database, sections: dict[str, str], more: dict[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        received(database, sections, **more)
    assert told(database, COUNTY, "2025-07-18").revision is None


def test_figures_are_kept_exactly() -> None:
    figure = Figure(
        "1.2", "走访", "visits", "走访次数", None, ">=1", Decimal("123456789012.0001"), Decimal("0.10"), 3, 12
    )

    class Row:
        section, text, answers, figures = "task-1", "文字", '{"2.3": "无新增"}', figures_json((figure,))

    assert section_text(Row) == SectionText("task-1", "文字", {"2.3": "无新增"}, (figure,))


def test_two_writers_at_the_same_moment(database_url: str, tmp_path: Path) -> None:
    """The second one's transaction begins before the first one's ends: one text is kept, the other writer is told."""
    with connected(database_url) as database:
        load(database, tiny_pack(tmp_path / "pack", with_reports), instant("2025-01-01"))
        opened(database)
        if database.engine.dialect.name == "sqlite":
            save(database, text="甲")
            with pytest.raises(ChangedMeanwhile):
                save(database, text="乙")
        else:
            with (
                pytest.raises(ChangedMeanwhile),
                just_before(database, LOCK, lambda: _save_beside(database_url)),
            ):
                save(database, text="乙")
        assert drafts(database) == [("overview", "甲", 1)]


def _save_beside(url: str) -> None:
    with connected(url) as other:
        save(other, text="甲", by=BUREAU)


def test_a_draft_saved_while_the_report_is_handed_in_is_not_overlooked(postgres_url: str, tmp_path: Path) -> None:
    with connected(postgres_url) as database:
        load(database, tiny_pack(tmp_path / "pack", with_reports), instant("2025-01-01"))
        opened(database)
        write(database, COUNTY)

        def meanwhile() -> None:
            with connected(postgres_url) as other:
                save(other, text="刚改的", version=1)

        with pytest.raises(ChangedMeanwhile), just_before(database, LOCK, meanwhile):
            hand_in(database, COUNTY)
        hand_in(database, COUNTY)
        assert told(database, COUNTY, "2025-06-30").text_of["overview"].text == "刚改的"


def test_nothing_is_handed_in_once_the_round_is_closed(database: Database) -> None:
    write(database, COUNTY)
    with database.write() as session:
        rounds.close_round(session, CODE, ROUND, by=Actor(BUREAU, "统筹"), now=instant("2025-07-20"))
    with pytest.raises(ActNotAllowed, match="本期报送已结束，如需补报请联系统筹单位"):
        hand_in(database, COUNTY, "2025-07-21")


def test_a_report_is_not_taken_back_from_elsewhere(database: Database) -> None:
    """The item's own page knows nothing of sections under review."""
    write(database, COUNTY)
    hand_in(database, COUNTY, "2025-07-10")
    with pytest.raises(ActNotAllowed, match="请在“报送”栏目撤回"), database.write() as session:
        submissions.withdraw(session, item("1.9", COUNTY, ROUND), by=office(COUNTY), now=instant("2025-07-11"))
    assert told(database, COUNTY, "2025-07-11").state is State.SUBMITTED
