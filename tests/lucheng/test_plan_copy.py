"""`lucheng plan copy`: the plan at another time; and a holiday notice that moves and confirms its dates."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policy_models.festivals import LAST_YEAR
from policy_models.plan_file import BUNDLED, load_pack
from tests.factories import Files, drop_requirement, requirement_of
from tests.lucheng.door import call, refused, run, tiny, tree

pytestmark = pytest.mark.thorough

NOTICE_2027 = """国务院办公厅关于2027年部分节假日安排的通知
国办发明电〔2026〕9号

一、元旦：1月1日（周五）至3日（周日）放假，共3天。
二、春节：2月5日（周五）至11日（周四）放假调休，共7天。2月13日（周六）、2月14日（周日）上班。
三、清明节：4月3日（周六）至5日（周一）放假，共3天。
四、劳动节：5月1日（周六）至5日（周三）放假调休，共5天。4月25日（周日）、5月8日（周六）上班。
五、端午节：6月9日（周三）放假，共1天。
六、中秋节：9月15日（周三）放假，共1天。
七、国庆节：10月1日（周五）至7日（周四）放假调休，共7天。9月26日（周日）、10月9日（周六）上班。
"""


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the bundled plan moved to 2026-12-01."""
    data = tmp_path_factory.mktemp("moved")
    said = run("plan", "copy", "--starts", "2026-12-01", "--data-dir", data)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"已写入 {data}/plans/baotou-2026（2026-12-01 至 2029-05-31）",
        "载入：lucheng plan load baotou-2026，或 bin/up --plan baotou-2026",
    ]
    return data


def test_a_copy_moves_every_date_and_says_so(moved: Path) -> None:
    shown = call("plan", "show", "baotou-2026", "--json", "--data-dir", moved).json
    assert (shown["plan"]["inferred"], shown["plan"]["revision"]) == (["starts_on", "ends_on"], 1)
    phases = [(one["starts_on"], one["ends_on"], one["inferred"]) for one in shown["phases"]]
    both = ["starts_on", "ends_on"]
    assert phases == [
        ("2026-12-01", "2026-12-31", both),
        ("2027-01-01", "2028-07-31", both),
        ("2028-08-01", "2029-05-31", both),
    ]
    old = call("plan", "show", "--json", "--data-dir", moved).json
    pairs = [
        (before, after)
        for name in ("phases", "tasks", "safeguards")
        for one, other in zip(old[name], shown[name], strict=True)
        for before, after in zip(one["requirements"], other["requirements"], strict=True)
    ]
    dated = [(before, after) for before, after in pairs if before["deadline"]]
    assert len(dated) == 25
    for before, after in dated:
        assert "deadline" in after["inferred"], after["code"]
        assert after["deadline"] == plus_31_months(before["deadline"]), after["code"]
        assert after["source"] == before["source"]


def plus_31_months(day: str) -> str:
    """The end of a month stays the end of a month: every deadline of the plan is one."""
    old = date.fromisoformat(day)
    months = old.year * 12 + old.month + 31  # the month after the wanted one, from 0
    first_after = date(months // 12, months % 12 + 1, 1)
    return date.fromordinal(first_after.toordinal() - 1).isoformat()


def test_a_copy_can_be_checked_and_keeps_units_and_duties(moved: Path) -> None:
    found = call("plan", "check", "baotou-2026", "--json", "--data-dir", moved).json
    assert found["ok"]
    bundled = call("plan", "check", "--json", "--data-dir", moved).json["figures"]
    assert {**found["figures"], "items": 0} == {**bundled, "items": 0}
    copied = moved / "plans" / "baotou-2026"
    assert (copied / "units.csv").read_bytes() == (BUNDLED / "units.csv").read_bytes()
    assert tree(copied / "calendars") == tree(BUNDLED / "calendars")


def test_a_copy_never_overwrites(moved: Path) -> None:
    before = tree(moved)
    said = call("plan", "copy", "--starts", "2026-12-01", "--data-dir", moved)
    assert refused(said) == f"{moved}/plans/baotou-2026 文件夹已存在，不会覆盖"
    assert tree(moved) == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--starts", "2026-13-01"], "日期 没有2026年13月1日这一天"),
        (["--starts", "明年"], "日期 日期须写作 2025-05-01 的样子，现为“明年”"),
        ([], "--starts 请写明新的开始日期，如 --starts 2026-12-01"),
        (["--starts", "9999-12-01"], "--starts 9999-12-01 的年份没有日历，无法移期"),
        (["--starts", f"{LAST_YEAR}-12-01"], f"--starts {LAST_YEAR}-12-01 的年份没有日历，无法移期"),
        (["--starts", "0001-01-01"], "--starts 0001-01-01 的年份没有日历，无法移期"),
    ],
)
def test_nonsense_is_not_copied(tmp_path: Path, words: list[str], sentence: str) -> None:
    said = call("plan", "copy", tiny(tmp_path / "pack"), *words, "--data-dir", tmp_path / "data")
    assert refused(said) == sentence
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("code", ["../../elsewhere", "Bad Code", "包头"])
def test_a_code_that_cannot_be_one(tmp_path: Path, code: str) -> None:
    pack = tiny(tmp_path / "pack")
    said = call("plan", "copy", pack, "--starts", "2026-12-01", "--code", code, "--data-dir", tmp_path / "data")
    assert refused(said).startswith("移期后的方案 [code] 写法不符")
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


def test_a_copy_under_its_own_name_in_its_own_folder(tmp_path: Path) -> None:
    pack, out = tiny(tmp_path / "pack"), tmp_path / "out"
    said = call("plan", "copy", pack, "--starts", "2026-02-10", "--code", "next", "--out", out, "--data-dir", tmp_path)
    assert said.out.splitlines()[1] == f"载入：lucheng plan load {out}，或 bin/up --plan {out}"
    plan = load_pack(out).plan
    assert (plan.code, plan.starts_on, plan.ends_on) == ("next", date(2026, 2, 10), date(2027, 2, 9))
    assert requirement_deadline(out, "P1.1") == date(2026, 5, 9)


def requirement_deadline(folder: Path, code: str) -> date | None:
    return next(r.deadline for _, r in load_pack(folder).plan.requirements() if r.code == code)


def test_an_imported_notice_moves_and_confirms_the_dates_of_its_year(tmp_path: Path) -> None:
    def change(files: Files) -> None:
        for code in ("P1.1", "1.1", "2.1", "2.2", "2.3"):
            drop_requirement(files, code)
        requirement_of(files, "1.2")["recurrence"] = {"every": "holiday", "on": ["spring_festival"]}
        requirement_of(files, "1.2")["recurrence"]["due"] = {"at": "end", "days": 7}

    tiny(tmp_path / "pack", change)
    clock, data = {"LUCHENG_CLOCK": "2026-11-20T09:00:00+08:00"}, ["--data-dir", tmp_path / "data"]
    call("plan", "copy", tmp_path / "pack", "--starts", "2026-12-01", "--code", "tiny-2026", *data)
    first = call("plan", "load", "tiny-2026", "--json", *data, env=clock).json
    assert (first["items_added"], first["items_moved"]) == (4, 0)
    before = call("plan", "items", "tiny-2026", "--json", *data).json
    assert {(i["deadline"], i["confidence"]) for i in before} == {("2027-02-17", "forecast")}

    (tmp_path / "notice.txt").write_text(NOTICE_2027, "gb18030")
    status = call("calendar", "status", "--today", "2026-11-20", "--json", *data).json
    assert status["warning"].startswith("2027年放假安排尚未录入")
    said = call("calendar", "import-notice", tmp_path / "notice.txt", *data)
    assert said.out.endswith(f"已写入 {tmp_path}/data/calendars/holidays/2027.yaml\n")
    assert call("calendar", "status", "--today", "2026-11-20", "--json", *data).json["warning"] is None

    after = call("plan", "items", "tiny-2026", "--json", *data).json
    assert {(i["deadline"], i["remind_by"], i["confidence"]) for i in after} == {
        ("2027-02-18", "2027-02-18", "announced")
    }
    assert [i["key"] for i in after] == [i["key"] for i in before]
    trial = call("plan", "load", "tiny-2026", "--dry-run", *data, env=clock).out
    assert "移期 4 件" in trial
    second = call("plan", "load", "tiny-2026", "--json", *data, env=clock).json
    assert (second["items_added"], second["items_moved"], second["items_cancelled"]) == (0, 4, 0)
    assert call("plan", "load", "tiny-2026", *data, env=clock).out == "与台账一致，没有变化\n"
