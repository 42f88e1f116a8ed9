"""`lucheng plan` as a person uses it: check, items, show and schema."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from policy_models.plan_file import BUNDLED
from policy_models.plan_yaml import read_document
from tests.factories import Files, requirement_of
from tests.independent_count import count
from tests.lucheng.door import call, copy_of_the_plan, line_of, refused, run, tiny

pytestmark = pytest.mark.thorough

SOURCE = os.environ.get("LUCHENG_PLAN_SOURCE")
with_source = pytest.mark.skipif(SOURCE is None, reason="LUCHENG_PLAN_SOURCE does not name the official text")

# ---------------------------------------------------------------- check

FIGURES = {
    "tasks": 18,
    "phases": 3,
    "safeguards": 4,
    "units": 1063,
    "requirements": 228,
    "dated": 25,
    "recurring": 74,
    "continuous": 116,
    "on_event": 13,
    "measures": 266,
    "items": 51100,
}


def test_check_prints_the_figures(tmp_path: Path) -> None:
    said = call("plan", "check", "--json", "--data-dir", tmp_path)
    assert said.json == {"ok": True, "figures": FIGURES, "faults": [], "uncited": []}
    assert FIGURES["items"] == sum(count(BUNDLED).values())
    lines = call("plan", "check", "--data-dir", tmp_path).out.splitlines()
    assert lines[1:] == [
        "任务 18 项，阶段 3 个，保障措施 4 条；事项 228 个（限时 25，周期 74，触发 13，持续 116），指标 266 个",
        "单位 1063 个，办理件 51100 件",
        "核对通过",
    ]


@with_source
def test_every_sentence_of_the_official_text_is_accounted_for(tmp_path: Path) -> None:
    said = run("plan", "check", "--source", SOURCE, "--data-dir", tmp_path)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[3:] == [
        "引文 335 处，逐一核对，均恰好出现一次",
        "任务句子 103/103 已对应（引用 102，说明理由不列 1）；阶段和保障措施句子 19/19 已对应",
        "核对通过",
    ]
    found = call("plan", "check", "--source", SOURCE, "--json", "--data-dir", tmp_path).json
    assert (found["ok"], found["uncited"], found["faults"]) == (True, [], [])
    traced = {"phrases": 335, "task_sentences": 103, "task_sentences_covered": 103, "cited": 102, "waived": 1}
    assert found["figures"] == {**FIGURES, **traced, "other_sentences": 19, "other_sentences_covered": 19}


@with_source
@pytest.mark.parametrize(
    ("file", "old", "new", "field", "message"),
    [
        (
            "tasks/05.yaml",
            "寒假、暑假分别开展一次",
            "寒假、暑期分别开展一次",
            "requirements.3.source.0.phrase",
            "引文在官方文本中出现 0 次（须恰好一次）：寒假、暑期分别开展一次",
        ),
        (
            "plan.yaml",
            "title: 完成辖区全面摸底，做到底数清楚\n        kind: dated\n"
            "        assignee: {level: county, function: 民政}\n        recurrence: {deadline: 2024-06-30}",
            "title: 完成辖区全面摸底，做到底数清楚\n        kind: dated\n"
            "        assignee: {level: county, function: 民政}\n        recurrence: {deadline: 2024-07-31}",
            "phases.1.requirements.2.recurrence.deadline",
            "时限 2024-07-31 与引文不符（引文：2024-06-30）；若为推定，请列入 inferred",
        ),
    ],
    ids=["phrase", "deadline"],
)
def test_what_contradicts_the_official_text(
    tmp_path: Path, file: str, old: str, new: str, field: str, message: str
) -> None:
    pack = copy_of_the_plan(tmp_path / "pack", (file, old, new))
    said = call("plan", "check", pack, "--source", SOURCE, "--data-dir", tmp_path / "data")
    line = line_of(pack / file, new.splitlines()[-1].strip())
    assert refused(said) == f"{file}:{line} [{field}] {message}"
    assert said.out.endswith("发现 1 处问题：\n")
    told = call("plan", "check", pack, "--source", SOURCE, "--json", "--data-dir", tmp_path / "data")
    assert (told.code, told.err, f"{file}:{line} [{field}]" in told.out) == (1, said.err, True)


@with_source
def test_a_sentence_that_nobody_cites_any_more(tmp_path: Path) -> None:
    text = Path(str(SOURCE)).read_text("utf-8-sig").replace("寒假、暑假分别开展一次", "寒假分别开展一次")
    (tmp_path / "text.txt").write_text(text, "gb18030")
    said = call("plan", "check", "--source", tmp_path / "text.txt", "--data-dir", tmp_path)
    assert said.code == 1
    assert "tasks/05.yaml:56 [requirements.3.source.0.phrase] 引文在官方文本中出现 0 次" in said.err
    assert "Traceback" not in said.err


BROKEN: list[tuple[Callable[[Files], object], str, str, str]] = [
    (
        lambda files: files["tasks/02.yaml"].update(owners=["财神爷"]),
        "tasks/02.yaml",
        "- 财神爷",
        "[owners.0] 责任单位不在 organs 中：财神爷",
    ),
    (
        lambda files: files["plan.yaml"]["organs"].update(教育局="9000-zz"),
        "plan.yaml",
        "9000-zz",
        "[organs.教育局] 单位名录中没有代码 9000-zz（教育局）",
    ),
    (
        lambda files: requirement_of(files, "1.3").update(assignee={"units": ["9000-zz"]}),
        "tasks/01.yaml",
        "- 9000-zz",
        "[requirements.2.assignee.units.0] 没有这个单位：9000-zz",
    ),
    (
        lambda files: requirement_of(files, "1.1").update(recurrence={"deadline": "2025-06-31"}),
        "tasks/01.yaml",
        "2025-06-31",
        "[requirements.0.recurrence.deadline] 不是有效日期（应如 2025-06-30）：2025-06-31",
    ),
    (
        lambda files: requirement_of(files, "1.1").update(recurrence={"deadline": "2026-01-31"}),
        "tasks/01.yaml",
        "2026-01-31",
        "[requirements.0.recurrence.deadline] 日期 2026-01-31 不在方案期内（2025-01-01 至 2025-12-31）",
    ),
]


@pytest.mark.parametrize(("change", "file", "words", "message"), BROKEN, ids=["owner", "organ", "unit", "day", "term"])
def test_a_fault_is_named_by_file_line_and_field(
    tmp_path: Path, change: Callable[[Files], None], file: str, words: str, message: str
) -> None:
    pack = tiny(tmp_path / "pack", change)
    said = call("plan", "check", pack, "--data-dir", tmp_path / "data")
    assert refused(said) == f"{file}:{line_of(pack / file, words)} {message}"
    assert said.out == ""


def test_every_fault_at_once(tmp_path: Path) -> None:
    def change(files: Files) -> None:
        requirement_of(files, "1.2")["code"] = "1.1"
        files["tasks/02.yaml"]["owners"] = ["财神爷"]

    said = call("plan", "check", tiny(tmp_path / "pack", change), "--data-dir", tmp_path / "data")
    places = [line.split("] ")[0] for line in said.err.splitlines()]
    assert said.code == 1
    assert [place.split(":")[0] for place in places] == ["tasks/02.yaml", "tasks/01.yaml", "tasks/01.yaml"]
    assert said.err.count("事项代码重复：1.1") == 2


# ---------------------------------------------------------------- items


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Every dated item of the bundled plan, as the command lists it."""
    data = tmp_path_factory.mktemp("items")
    words = ["plan", "items", "--from", "2024-05-01", "--to", "2026-10-31", "--json", "--data-dir", data]
    return list(call(*words).json)


def test_items_are_those_of_an_independent_count(listed: list[dict[str, Any]]) -> None:
    found = Counter((one["requirement"], one["period"]) for one in listed)
    assert found == Counter(count(BUNDLED))
    assert len({one["key"] for one in listed}) == len(listed) == 51100
    names = ["key", "requirement", "task", "unit", "period", "opens_on", "deadline", "remind_by", "confidence", "why"]
    assert {tuple(one) for one in listed} == {tuple(names)}
    days = [(one["deadline"], one["key"]) for one in listed]
    assert days == sorted(days)


def test_one_winter_and_one_summer_visit_a_year_for_each_village(listed: list[dict[str, Any]]) -> None:
    visits = [one for one in listed if one["requirement"] == "5.4"]
    periods = {one["period"] for one in visits}
    assert periods == {"2024-summer", "2025-winter", "2025-summer", "2026-winter", "2026-summer"}
    villages = Counter(one["unit"] for one in visits)
    assert (len(villages), set(villages.values())) == (855, {5})


SEASONS_OF_THE_PLAN = [(2024, "summer"), (2025, "winter"), (2025, "summer"), (2026, "winter"), (2026, "summer")]


def test_lectures_come_before_each_vacation(listed: list[dict[str, Any]]) -> None:
    lectures = {(one["period"], one["deadline"]) for one in listed if one["requirement"] == "13.4"}
    starts = {}
    for year in (2024, 2025, 2026):
        school = yaml.safe_load((BUNDLED / f"calendars/school/{year - 1}-{year}.yaml").read_text("utf-8"))
        for season, vacation in school["vacations"].items():
            starts[f"{year}-before-{season}"] = vacation["primary"]["first"]
    assert set(starts) == {f"{year}-before-{season}" for year, season in SEASONS_OF_THE_PLAN}
    expected = {(name, date.fromordinal(first.toordinal() - 1).isoformat()) for name, first in starts.items()}
    assert lectures == expected


@pytest.mark.parametrize(
    ("requirement", "period", "deadline", "remind_by"),
    [
        ("9.12", "2025-disability_day", "2025-05-18", "2025-05-16"),
        ("P2.3", "once", "2024-06-30", "2024-06-28"),
        ("P3.3", "once", "2026-10-31", "2026-10-30"),
    ],
)
def test_the_examples_of_the_plan(
    listed: list[dict[str, Any]], requirement: str, period: str, deadline: str, remind_by: str
) -> None:
    found = {
        (one["deadline"], one["remind_by"], one["confidence"])
        for one in listed
        if (one["requirement"], one["period"]) == (requirement, period)
    }
    assert found == {(deadline, remind_by, "announced")}


def test_a_date_on_an_uncertain_calendar_says_so(listed: list[dict[str, Any]]) -> None:
    unsure = [one for one in listed if one["confidence"] != "announced"]
    assert unsure
    assert [one["why"] for one in unsure if not any(word in one["why"] for word in ("推定", "推算", "暂按"))] == []
    schools = [one for one in listed if one["requirement"] in ("5.4", "13.4", "2.4")]
    assert {one["confidence"] for one in schools} == {"placeholder"}


def test_items_of_one_unit_one_task_and_some_days(listed: list[dict[str, Any]], tmp_path: Path) -> None:
    words = ["plan", "items", "--unit", "150202001012", "--task", "5", "--from", "2025-01-01", "--to", "2025-12-31"]
    found = call(*words, "--json", "--data-dir", tmp_path).json
    wanted = [
        one
        for one in listed
        if one["unit"] == "150202001012" and one["task"] == 5 and "2025-01-01" <= one["deadline"] <= "2025-12-31"
    ]
    assert found == wanted
    assert [one["period"] for one in found] == ["2025-winter", "2025Q1", "2025Q2", "2025-summer", "2025Q3", "2025Q4"]
    few = ["plan", "items", tiny(tmp_path / "pack"), "--unit", "9000-mz", "--data-dir", tmp_path]
    assert call(*few).out.endswith("共 1 件\n")
    assert call(*few, "--to", "2025-06-29", "--json").json == []


# ---------------------------------------------------------------- show, schema

SECTION = {"number", "title", "notes", "requirements"}
SHAPE = {
    "plan": {"code", "title", "starts_on", "ends_on", "revision"},
    "phases": {*SECTION, "starts_on", "ends_on", "inferred"},
    "actions": {"number", "title", "tasks"},
    "tasks": {*SECTION, "action", "owners"},
    "safeguards": SECTION,
}
REQUIREMENT = {"code", "title", "kind", "recurrence", "deadline", "assignee", "evidence", "measures", "source"}
REQUIREMENT |= {"inferred", "notes"}
CADENCES = "once monthly quarterly half_yearly yearly fortnightly_in_term each_vacation before_each_vacation"
CADENCES += " observance holiday yearly_range on_event none"


def test_show_has_the_documented_shape(tmp_path: Path) -> None:
    shown = call("plan", "show", "--json", "--data-dir", tmp_path).json
    assert set(shown) == set(SHAPE)
    assert SHAPE["plan"] <= set(shown["plan"])
    for name in ("phases", "actions", "tasks", "safeguards"):
        assert {frozenset(SHAPE[name] - set(one)) for one in shown[name]} == {frozenset()}, name
    assert shown["plan"]["code"] == "baotou-2024"
    assert (shown["plan"]["starts_on"], shown["plan"]["ends_on"]) == ("2024-05-01", "2026-10-31")
    head = read_document((BUNDLED / "plan.yaml").read_text("utf-8"), "plan.yaml").data
    assert [action["tasks"] for action in shown["actions"]] == [action["tasks"] for action in head["actions"]]
    requirements = [r for name in ("phases", "tasks", "safeguards") for s in shown[name] for r in s["requirements"]]
    assert len(requirements) == 228
    for one in requirements:
        assert set(one) >= REQUIREMENT, one["code"]
        assert one["recurrence"] in CADENCES.split(), one["code"]
        assert {"level", "function", "units"} <= set(one["assignee"])
        assert all(set(where) == {"section", "phrase"} for where in one["source"])
        assert all({"name", "of", "target"} <= set(measure) for measure in one["measures"])
    assert {one["recurrence"] for one in requirements if one["kind"] == "dated"} == {"once"}
    assert {one["deadline"] is None for one in requirements if one["kind"] == "dated"} == {False}


def test_show_for_people(tmp_path: Path) -> None:
    shown = call("plan", "show", tiny(tmp_path / "pack"), "--data-dir", tmp_path).out
    assert shown.splitlines()[0] == "小方案（2025-01-01 至 2025-12-31）"
    assert "2025年6月30日" in shown


def written_plan() -> dict[str, Any]:
    """The bundled plan as it stands in its files, put together."""

    def read(path: Path) -> dict[str, Any]:
        return dict(read_document(path.read_text("utf-8"), path.name).data)

    tasks = [read(path) for path in sorted((BUNDLED / "tasks").glob("*.yaml"))]
    return {**read(BUNDLED / "plan.yaml"), **read(BUNDLED / "safeguards.yaml"), "tasks": tasks}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    shown: dict[str, Any] = call("plan", "schema").json
    jsonschema.Draft202012Validator.check_schema(shown)
    return shown


def faults_by_schema(schema: dict[str, Any], plan: dict[str, Any]) -> list[str]:
    found = jsonschema.Draft202012Validator(schema).iter_errors(plan)
    return [f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in found]


def test_the_schema_accepts_the_bundled_plan(schema: dict[str, Any]) -> None:
    assert faults_by_schema(schema, written_plan()) == []


def test_the_schema_refuses_what_the_plan_does(schema: dict[str, Any]) -> None:
    plan = written_plan()
    first = plan["tasks"][0]["requirements"][0]
    for name, value in (("kind", "sometimes"), ("colour", "red"), ("code", "five")):
        requirements = [{**first, name: value}]
        broken = {**plan, "tasks": [{**plan["tasks"][0], "requirements": requirements}]}
        found = [fault for fault in faults_by_schema(schema, broken) if fault.startswith("tasks.0.requirements.0")]
        assert len(found) == 1, found
        assert str(value) in found[0] or name in found[0]
    assert schema["additionalProperties"] is False
