"""Contradictions between the parts of a pack: each is one finding at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy_models.errors import PlanInvalid
from tests.factories import Change, Files, duty, requirement_of, tiny_pack

Found = list[tuple[str, str, str]]


def found(folder: Path, change: Change) -> Found:
    with pytest.raises(PlanInvalid) as caught:
        tiny_pack(folder, change)
    return [(fault.file, fault.field, fault.message) for fault in caught.value.faults]


def head(**changes: object) -> Change:
    return lambda files: files["plan.yaml"].update(changes)


def requirement(code: str, **changes: object) -> Change:
    return lambda files: requirement_of(files, code).update(changes)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (head(coordinator="卫健委"), ("plan.yaml", "coordinator", "统筹单位不在 organs 中：卫健委")),
        (
            head(actions=[{"number": 1, "title": "行动", "tasks": [1, 2, 3]}]),
            ("plan.yaml", "actions", "行动中列出的任务 3 没有文件"),
        ),
        (
            head(actions=[{"number": 1, "title": "行动", "tasks": [1, 2, 2]}]),
            ("plan.yaml", "actions", "任务 2 列在两个行动中"),
        ),
        (
            head(actions=[{"number": 1, "title": "行动", "tasks": [1]}]),
            ("tasks/02.yaml", "action", "行动 1 中没有任务 2"),
        ),
        (
            requirement("1.1", recurrence={"deadline": "2026-01-01"}),
            (
                "tasks/01.yaml",
                "requirements.0.recurrence.deadline",
                "日期 2026-01-01 不在方案期内（2025-01-01 至 2025-12-31）",
            ),
        ),
        (
            requirement("1.2", starts_on="2024-12-31"),
            ("tasks/01.yaml", "requirements.1.starts_on", "日期 2024-12-31 不在方案期内（2025-01-01 至 2025-12-31）"),
        ),
        (
            requirement("1.1", opens={"on": "2025-07-01"}),
            ("tasks/01.yaml", "requirements.0.opens.on", "启动日期晚于时限"),
        ),
        (
            requirement("1.2", assignee={"level": "school"}),
            ("tasks/01.yaml", "requirements.1.assignee", "单位名录中没有这样的单位：school"),
        ),
        (
            requirement("2.1", assignee={"level": "county", "function": ["民政", "卫健"]}),
            ("tasks/02.yaml", "requirements.0.assignee.function", "单位名录中 county 一级没有 卫健 条线的单位"),
        ),
        (
            requirement("2.1", recurrence={"every": "observance", "on": ["children", "mothers"]}),
            ("tasks/02.yaml", "requirements.0.recurrence.on.1", "日历中没有这个日子：mothers"),
        ),
    ],
)
def test_one_contradiction_is_one_finding(tmp_path: Path, change: Change, expected: tuple[str, str, str]) -> None:
    assert found(tmp_path, change) == [expected]


def phases(*spans: tuple[int, str, str]) -> Change:
    made = [{"number": n, "title": f"阶段{n}", "starts_on": first, "ends_on": last} for n, first, last in spans]
    return head(phases=made)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            phases((1, "2025-01-01", "2025-06-30"), (2, "2025-06-30", "2025-12-31")),
            ("plan.yaml", "phases.1.starts_on", "阶段与前一阶段重叠"),
        ),
        (
            phases((1, "2025-01-01", "2025-06-30"), (3, "2025-07-01", "2025-12-31")),
            ("plan.yaml", "phases.1.number", "阶段须按顺序编号：此处应为 2"),
        ),
        (phases((1, "2025-01-01", "2026-01-01")), ("plan.yaml", "phases.0.ends_on", "阶段超出方案的起止日期")),
    ],
)
def test_phases(tmp_path: Path, change: Change, expected: tuple[str, str, str]) -> None:
    assert found(tmp_path, change) == [expected]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "dated"}, "kind: dated 须写 recurrence.deadline"),
        ({"kind": "continuous"}, "continuous 不写 recurrence"),
        ({"inferred": ["colour"]}, "inferred 中有未知字段: colour"),
        (
            {"evidence": [{"type": "measure", "name": "n", "label": "数"}] * 2},
            "evidence 中指标重名",
        ),
    ],
)
def test_a_requirement_against_itself(tmp_path: Path, changes: Files, message: str) -> None:
    assert found(tmp_path, requirement("1.2", **changes)) == [("tasks/01.yaml", "requirements.1", message)]


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("assignee", {}, "assignee 须为 units, 或 level/function 之一"),
        ("assignee", {"units": ["民政局"], "level": "city"}, "assignee 须为 units, 或 level/function 之一"),
        ("recurrence", {}, "recurrence 须且只能写 deadline, every, within 之一"),
        ("recurrence", {"every": "month", "within": "3d"}, "recurrence 须且只能写 deadline, every, within 之一"),
        ("recurrence", {"every": "observance"}, "every: observance 须用 on 写明是哪几个日子"),
        ("opens", {}, "opens 须写 days_before 或 on"),
        ("evidence", [{"type": "measure"}], "measure 须有 name, 其他类型不写 name"),
        ("evidence", [{"type": "measure", "name": "n"}], "measure 须有 label (显示名称)"),
        ("evidence", [{"type": "measure", "name": "n", "label": "数", "of": "m"}], "of 与 of_label 须同时写"),
    ],
)
def test_a_part_against_itself(tmp_path: Path, part: str, value: object, message: str) -> None:
    (fault,) = found(tmp_path, requirement("1.2", **{part: value}))
    place = f"requirements.1.{part}" + (".0" if part == "evidence" else "")
    assert fault == ("tasks/01.yaml", place, message)


def test_every_contradiction_is_named_at_once(tmp_path: Path) -> None:
    def change(files: Files) -> None:
        files["tasks/02.yaml"]["owners"] = ["气象局"]
        files["tasks/01.yaml"]["requirements"].append(duty("1.1", "continuous", {"units": ["民政局"]}, None))

    places = [(file, field) for file, field, _ in found(tmp_path, change)]
    assert places == [
        ("tasks/02.yaml", "owners.0"),
        ("tasks/01.yaml", "requirements.0.code"),
        ("tasks/01.yaml", "requirements.3.code"),
    ]


def test_a_phase_that_ends_before_it_starts(tmp_path: Path) -> None:
    change = phases((1, "2025-02-01", "2025-01-01"))
    assert found(tmp_path, change) == [("plan.yaml", "phases.0", "阶段的结束早于开始")]


@pytest.mark.parametrize("every", ["vacation", "before_vacation"])
def test_a_vacation_that_does_not_exist(tmp_path: Path, every: str) -> None:
    change = requirement("2.2", recurrence={"every": every, "on": ["sumer"]})
    assert [fault[:2] for fault in found(tmp_path, change)] == [("tasks/02.yaml", "requirements.1.recurrence.on.0")]


def test_a_requirement_that_ends_before_it_starts(tmp_path: Path) -> None:
    change = requirement("1.2", starts_on="2025-06-01", ends_on="2025-05-01")
    assert [fault[0] for fault in found(tmp_path, change)] == ["tasks/01.yaml"]
