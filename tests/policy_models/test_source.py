"""A plan held against the official text, which is given from outside; and how one is read, on a text of our own."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from policy_models.plan import Every
from policy_models.plan_file import BUNDLED, load_pack
from policy_models.source import read_sections, stated_cadences, stated_dates, trace
from tests.factories import Files, requirement_of, tiny_pack

SOURCE = os.environ.get("LUCHENG_PLAN_SOURCE")
official = pytest.mark.skipif(SOURCE is None, reason="LUCHENG_PLAN_SOURCE names no official text")
OWN_TEXT = """关于小方案的通知
二、重点任务
1.任务一。市里要按时完成。村里每月走访；及时上报。(包头市民政局按照职责分工负责）
2.任务二。各县每季度按时完成检查。（包头市教育局负责）
三、阶段安排
（一）全程。2025年3月底前按时完成部署。
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUNDLED, tmp_path / "pack"))


def official_text() -> str:
    return Path(str(SOURCE)).read_text("utf-8")


def edit(pack: Path, name: str, old: str, new: str) -> int:
    path = pack / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def findings(folder: Path) -> list[tuple[str, int | None, str, str]]:
    pack = load_pack(folder)
    faults = [pack.fault(finding) for finding in trace(pack.plan, official_text()).findings]
    return [(fault.file, fault.line, fault.field, fault.message) for fault in faults]


@official
def test_the_bundled_plan_holds_against_the_official_text() -> None:
    found = trace(load_pack(BUNDLED).plan, official_text())
    assert (found.findings, found.uncited) == ([], [])
    assert found.task_sentences == 103
    assert found.cited + found.waived == 103
    assert found.other_covered == found.other_sentences


@official
def test_every_phrase_stands_exactly_once_in_its_section() -> None:
    """By its own arithmetic: the sections are cut here, not by the code under test."""
    lines = official_text().splitlines()
    tasks = {n: next(line for line in lines if line.startswith(f"{n}.")) for n in range(1, 19)}
    phrases = 0
    for _, requirement in load_pack(BUNDLED).plan.requirements():
        for locator in requirement.source:
            kind, number = locator.section.split("-")
            if kind == "task":
                phrases += 1
                assert (locator.phrase, tasks[int(number)].count(locator.phrase)) == (locator.phrase, 1)
    assert phrases > 150


@official
def test_one_character_of_a_phrase_changed(pack: Path) -> None:
    line = edit(pack, "tasks/05.yaml", "phrase: 寒假、暑假分别开展一次", "phrase: 寒假、暑假分别开展两次")
    message = "引文在官方文本中出现 0 次（须恰好一次）：寒假、暑假分别开展两次"
    first, *others = findings(pack)
    assert first == ("tasks/05.yaml", line, "requirements.3.source.0.phrase", message)
    assert [field for _, _, field, _ in others if field] == []


@official
def test_a_phrase_that_stands_twice(pack: Path) -> None:
    line = edit(pack, "tasks/05.yaml", "phrase: 寒假、暑假分别开展一次", "phrase: 分别开展一次")
    assert findings(pack)[0][:3] == ("tasks/05.yaml", line, "requirements.3.source.0.phrase")
    assert findings(pack)[0][3] == "引文在官方文本中出现 2 次（须恰好一次）：分别开展一次"


@official
def test_a_deadline_that_contradicts_its_phrase(pack: Path) -> None:
    line = edit(pack, "plan.yaml", "recurrence: {deadline: 2024-06-30}", "recurrence: {deadline: 2024-07-31}")
    message = "时限 2024-07-31 与引文不符（引文：2024-06-30）；若为推定，请列入 inferred"
    assert findings(pack) == [("plan.yaml", line, "phases.1.requirements.2.recurrence.deadline", message)]


@official
def test_a_cadence_that_contradicts_its_phrase(pack: Path) -> None:
    line = edit(pack, "tasks/08.yaml", "recurrence: {every: month}", "recurrence: {every: year}")
    ((file, at, field, message),) = findings(pack)
    assert (file, at, field) == ("tasks/08.yaml", line, "requirements.4.recurrence.every")
    assert message.startswith("频次 year 与引文不符（引文：month）")


@official
def test_an_owner_that_the_text_does_not_name(pack: Path) -> None:
    line = edit(pack, "tasks/18.yaml", "owners: [教育局, 公安局, 民政局]", "owners: [教育局, 公安局, 司法局]")
    message = "责任单位与官方文本不一致：文本为 教育局、公安局、民政局"
    assert findings(pack) == [("tasks/18.yaml", line, "owners", message)]


@official
def test_an_uncited_sentence(pack: Path) -> None:
    edit(pack, "tasks/05.yaml", "phrase: 指导外出务工父母或其他监护人", "phrase: 寒假、暑假分别开展一次")
    ((file, line, field, message),) = findings(pack)
    assert (file, line, field) == ("tasks/05.yaml", 1, "")
    assert message.startswith("没有任何事项引用，也未说明理由的句子：")


def test_sections_sentences_and_owners_of_our_own_text() -> None:
    found = read_sections(OWN_TEXT)
    assert {name: [s.text for s in section.sentences] for name, section in found.items()} == {
        "task-1": ["市里要按时完成", "村里每月走访", "及时上报"],
        "task-2": ["各县每季度按时完成检查"],
        "phase-1": ["2025年3月底前按时完成部署"],
    }
    assert [section.owners for section in found.values()] == [("市民政局",), ("市教育局",), ()]


def test_the_tiny_plan_against_our_own_text(tmp_path: Path) -> None:
    def change(files: Files) -> None:
        for code, phrase in (("1.2", "每月走访"), ("1.3", "及时上报"), ("2.1", "每季度按时完成"), ("2.2", "按时完成")):
            requirement_of(files, code)["source"][0]["phrase"] = phrase
        requirement_of(files, "1.1")["inferred"] = ["deadline"]
        requirement_of(files, "2.2")["inferred"] = ["recurrence"]
        requirement_of(files, "P1.1")["source"][0]["phrase"] = "2025年3月底前"

    found = trace(tiny_pack(tmp_path, change).plan, OWN_TEXT)
    assert found.findings == []
    assert (found.phrases, found.task_sentences, found.cited, found.waived) == (7, 4, 4, 0)
    assert (found.other_sentences, found.other_covered) == (1, 1)


def test_a_section_that_the_text_lacks(tmp_path: Path) -> None:
    without = OWN_TEXT[: OWN_TEXT.index("三、")]
    messages = [f.message for f in trace(tiny_pack(tmp_path).plan, without).findings if f.section == "phase-1"]
    assert messages[:2] == ["官方文本中没有这一节：phase-1", "官方文本中没有这一节：phase-1"]


@pytest.mark.parametrize(
    ("phrase", "dates"),
    [
        ("2024年6月底前", {date(2024, 6, 30)}),
        ("2024年2月底前", {date(2024, 2, 29)}),
        ("2026年10月底", {date(2026, 10, 31)}),
        ("2025年底前基本实现", {date(2025, 12, 31)}),
        ("到2026年", {date(2026, 12, 31)}),
        ("2024年13月底", set()),
        ("每年一次", set()),
    ],
)
def test_dates_that_a_phrase_states(phrase: str, dates: set[date]) -> None:
    assert stated_dates(phrase) == dates


@pytest.mark.parametrize(
    ("phrase", "cadences"),
    [
        ("每年上半年、下半年", {Every.HALF_YEAR}),
        ("每季度分别开展一次", {Every.QUARTER}),
        ("每个月一次", {Every.MONTH}),
        ("每年寒暑假放假前", {Every.BEFORE_VACATION}),
        ("寒假、暑假分别", {Every.VACATION}),
        ("每双周一次", {Every.FORTNIGHT_IN_TERM}),
        ("每年汛期前", {Every.YEAR}),
        ("在汛期", {Every.RANGE}),
        ("及时上报", set()),
    ],
)
def test_cadences_that_a_phrase_states(phrase: str, cadences: set[Every]) -> None:
    assert stated_cadences(phrase) == cadences
