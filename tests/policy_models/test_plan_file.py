"""A plan pack as a person writes it: what is wrong is named by file, line and field, and all at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from policy_models.errors import PlanInvalid
from policy_models.plan_file import BUNDLED, find_pack, load_pack, write_pack
from policy_models.plan_yaml import read_document
from tests import factories

pytestmark = pytest.mark.thorough

Found = list[tuple[str, int | None, str]]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUNDLED, tmp_path / "pack"))


def edit(pack: Path, name: str, old: str, new: str, *, after: str = "") -> int:
    """Replace the first ``old`` after ``after``; the line (from 1) on which it stood."""
    path = pack / name
    text = path.read_text("utf-8")
    at = text.index(old, text.index(after))
    path.write_text(text[:at] + new + text[at + len(old) :], "utf-8")
    return text[:at].count("\n") + 1


def faults(pack: Path) -> Found:
    with pytest.raises(PlanInvalid) as caught:
        load_pack(pack)
    return [(fault.file, fault.line, fault.field) for fault in caught.value.faults]


def sentences(pack: Path) -> list[str]:
    with pytest.raises(PlanInvalid) as caught:
        load_pack(pack)
    return [fault.message for fault in caught.value.faults]


def test_the_bundled_pack_is_sound() -> None:
    plan = load_pack(BUNDLED).plan
    assert [task.number for task in plan.tasks] == list(range(1, 19))
    assert [len(plan.phases), len(plan.safeguards), len(plan.actions), len(plan.organs)] == [3, 4, 5, 16]


def test_an_unknown_owner(pack: Path) -> None:
    line = edit(pack, "tasks/05.yaml", "市委网信办", "市气象局", after="owners")
    assert (faults(pack), line) == ([("tasks/05.yaml", 4, "owners.0")], 4)
    assert sentences(pack) == ["责任单位不在 organs 中：市气象局"]


def test_a_duplicate_code(pack: Path) -> None:
    line = edit(pack, "tasks/05.yaml", '"5.5"', '"5.4"')
    fields = [field for _, _, field in faults(pack)]
    assert fields == ["requirements.3.code", "requirements.4.code"]
    assert faults(pack)[1] == ("tasks/05.yaml", line, "requirements.4.code")


def test_a_code_of_another_section(pack: Path) -> None:
    line = edit(pack, "tasks/05.yaml", '"5.5"', '"6.55"')
    assert faults(pack) == [("tasks/05.yaml", line, "requirements.4.code")]


def test_an_organ_without_a_unit(pack: Path) -> None:
    line = edit(pack, "plan.yaml", '"150200-cl"', '"150200-zz"')
    assert faults(pack)[0] == ("plan.yaml", line, "organs.残联")
    assert sentences(pack)[0] == "单位名录中没有代码 150200-zz（残联）"


def test_an_assigned_unit_that_does_not_exist(pack: Path) -> None:
    line = edit(pack, "tasks/18.yaml", "民政局", "民政厅", after="assignee")
    assert faults(pack) == [("tasks/18.yaml", line, "requirements.0.assignee.units.0")]
    assert sentences(pack) == ["没有这个单位：民政厅"]


def test_broken_yaml(pack: Path) -> None:
    line = edit(pack, "tasks/07.yaml", "assignee: {units: [民政局]}", "assignee: {units: [民政局}")
    assert faults(pack) == [("tasks/07.yaml", line, "")]


def test_the_thirty_first_of_june(pack: Path) -> None:
    line = edit(pack, "tasks/03.yaml", "2025-12-31", "2025-06-31")
    assert faults(pack) == [("tasks/03.yaml", line, "requirements.1.recurrence.deadline")]
    assert sentences(pack) == ["不是有效日期（应如 2025-06-30）：2025-06-31"]


def test_a_key_twice(pack: Path) -> None:
    edit(pack, "tasks/09.yaml", "number: 9\n", "number: 9\nnumber: 9\n")
    assert faults(pack) == [("tasks/09.yaml", 2, "number")]
    assert sentences(pack) == ["同一处写了两次"]


def test_an_unknown_field(pack: Path) -> None:
    line = edit(pack, "tasks/05.yaml", "kind: recurring", "kind: recurring\n    sort: recurring", after="5.4")
    assert faults(pack) == [("tasks/05.yaml", line + 1, "requirements.3.sort")]
    assert sentences(pack) == ["没有这个字段"]


def test_a_missing_field_is_named_at_what_lacks_it(pack: Path) -> None:
    line = edit(pack, "tasks/05.yaml", "    title: 寒暑假集中走访留守儿童\n", "")
    assert faults(pack) == [("tasks/05.yaml", line - 1, "requirements.3.title")]


def test_faults_of_several_files_come_together(pack: Path) -> None:
    one = edit(pack, "tasks/03.yaml", "2025-12-31", "2025-06-31")
    two = edit(pack, "tasks/04.yaml", "kind: recurring", "kind: often")
    assert faults(pack) == [
        ("tasks/03.yaml", one, "requirements.1.recurrence.deadline"),
        ("tasks/04.yaml", two, "requirements.0.kind"),
    ]


def test_two_files_with_the_same_number(pack: Path) -> None:
    shutil.copyfile(pack / "tasks" / "18.yaml", pack / "tasks" / "19.yaml")
    assert faults(pack)[0] == ("tasks/19.yaml", 1, "number")


def test_no_pack_no_tasks_no_units(tmp_path: Path, pack: Path) -> None:
    assert faults(tmp_path / "nowhere") == [(str(tmp_path / "nowhere"), None, "")]
    (pack / "units.csv").unlink()
    assert faults(pack) == [("units.csv", None, "")]
    shutil.rmtree(pack / "tasks")
    assert faults(pack) == [(str(pack / "tasks"), None, "")]


@pytest.mark.parametrize("content", ["", "- 1\n", "文字\n"])
def test_a_file_that_is_no_mapping(pack: Path, content: str) -> None:
    (pack / "tasks" / "05.yaml").write_text(content, "utf-8")
    assert faults(pack) == [("tasks/05.yaml", 1, "")]


def test_a_pack_is_found_by_path_root_or_code(tmp_path: Path, pack: Path) -> None:
    assert find_pack(str(pack)) == pack
    assert find_pack("pack", tmp_path) == pack
    assert find_pack("baotou-2024") == BUNDLED
    with pytest.raises(PlanInvalid, match=r"^nowhere 这里没有方案包"):
        find_pack("nowhere")


def test_a_written_pack_reads_back_the_same(tmp_path: Path) -> None:
    bundled = load_pack(BUNDLED)
    write_pack(bundled, bundled.plan, tmp_path / "copy")
    copy = load_pack(tmp_path / "copy")
    assert (copy.plan, copy.digest) == (bundled.plan, bundled.digest)
    assert (dict(copy.units), copy.calendars.digest) == (dict(bundled.units), bundled.calendars.digest)
    with pytest.raises(PlanInvalid, match="文件夹已存在，不会覆盖"):
        write_pack(bundled, bundled.plan, tmp_path / "copy")


def test_the_digest_ignores_the_layout_of_the_files(tmp_path: Path, pack: Path) -> None:
    before = load_pack(pack).digest
    edit(pack, "tasks/05.yaml", "number: 5\n", "# five\nnumber:   5\n")
    assert load_pack(pack).digest == before
    edit(pack, "tasks/05.yaml", "寒暑假集中走访留守儿童", "寒暑假集中走访")
    assert load_pack(pack).digest != before


def test_a_misspelt_key_on_top_of_the_safeguards(pack: Path) -> None:
    edit(pack, "safeguards.yaml", "safeguards:", "safeguard:")
    assert ("safeguards.yaml", 1, "safeguard") in faults(pack)


def test_safeguards_that_are_no_list(pack: Path) -> None:
    (pack / "safeguards.yaml").write_text("safeguards: 5\n", "utf-8")
    assert faults(pack) == [("safeguards.yaml", 1, "safeguards")]


@pytest.mark.parametrize("field", ["tasks", "safeguards"])
def test_what_has_its_own_file_has_no_place_in_the_head(pack: Path, field: str) -> None:
    path = pack / "plan.yaml"
    text = path.read_text("utf-8")
    path.write_text(f"{text}{field}: []\n", "utf-8")
    assert faults(pack) == [("plan.yaml", text.count("\n") + 1, field)]


@pytest.mark.parametrize("word", ["false_alarms", "trueness"])
def test_a_word_that_begins_like_a_truth_value_is_a_word(word: str) -> None:
    assert read_document(f"name: {word}\n", "a.yaml").data == {"name": word}


@pytest.mark.parametrize("text", ["a: {{b}}\n", "? [a, b]\n: 1\n"])
def test_a_key_that_is_no_word(text: str) -> None:
    with pytest.raises(PlanInvalid) as caught:
        read_document(text, "a.yaml")
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [("a.yaml", 1)]


def test_an_alias_to_itself() -> None:
    with pytest.raises(PlanInvalid):
        read_document("a: &x\n  - *x\n", "a.yaml")


@pytest.mark.parametrize(
    ("old", "new"),
    [("deadline: 2025-12-31", "deadline: 20251231"), ("min: 1", "min: 0"), ("number: 3", "number: 3.5")],
)
def test_every_sentence_is_chinese(pack: Path, old: str, new: str) -> None:
    edit(pack, "tasks/03.yaml", old, new)
    assert [s for s in sentences(pack) if s.isascii() or "should" in s or "provided" in s] == []


def test_a_file_in_utf_16(pack: Path) -> None:
    (pack / "plan.yaml").write_bytes("code: a".encode("utf-16"))
    assert faults(pack) == [("plan.yaml", None, "")]


def test_the_tiny_pack_is_sound(tmp_path: Path) -> None:
    tiny = factories.tiny_pack(tmp_path)
    assert [r.code for _, r in tiny.plan.requirements()] == ["1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "P1.1"]
    assert len(tiny.units) == 15
