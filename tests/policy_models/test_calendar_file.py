"""The folder of calendars: overriding, round trips, and faults with file, line and field."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path

import pytest

from policy_models import calendar_file
from policy_models.calendars import Confidence, Layer
from policy_models.errors import CalendarInvalid
from policy_models.holiday_notice import parse

BUNDLED = calendar_file.BUNDLED
NOTICE = (Path(__file__).parent / "notices" / "2026.txt").read_text("utf-8")
GOOD = (BUNDLED / "holidays" / "2026.yaml").read_text("utf-8")


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / "calendars" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def faults(folder: Path) -> list[tuple[str, int | None, str, str]]:
    with pytest.raises(CalendarInvalid) as caught:
        calendar_file.load([BUNDLED, folder])
    root = folder / "calendars"
    return [(str(Path(f.file).relative_to(root)), f.line, f.field, f.message) for f in caught.value.faults]


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_bundled_years_are_what_the_notices_give(tmp_path: Path, year: int) -> None:
    text = (Path(__file__).parent / "notices" / f"{year}.txt").read_text("utf-8")
    written = calendar_file.write_holiday_year(tmp_path, parse(text))
    assert written == tmp_path / "calendars" / "holidays" / f"{year}.yaml"
    assert written.read_bytes() == (BUNDLED / "holidays" / f"{year}.yaml").read_bytes()
    assert [path.name for path in written.parent.iterdir()] == [f"{year}.yaml"]
    assert calendar_file.load([tmp_path]).work.arrangement(year) == parse(text)


def test_no_folder_holds_nothing(tmp_path: Path) -> None:
    found = calendar_file.load([tmp_path / "nowhere"])
    assert (found.observances.ids(), found.school.status(2025)) == ((), "missing")
    assert found.work.layer(2025) is Layer.PACKAGE


def test_the_folder_may_be_named_itself_or_hold_calendars() -> None:
    assert calendar_file.load([BUNDLED]).digest == calendar_file.load([BUNDLED.parent]).digest


def test_a_later_folder_replaces_a_file_of_the_same_name(tmp_path: Path) -> None:
    before = calendar_file.load([BUNDLED])
    official = (BUNDLED / "school" / "2025-2026.yaml").read_text("utf-8").replace("placeholder", "official", 1)
    put(tmp_path, "school/2025-2026.yaml", official + "issuer: 包头市教育局\ndocument: 包教发〔2025〕1号\n")
    after = calendar_file.load([BUNDLED, tmp_path])
    assert before.school.vacation("winter", 2026).confidence is Confidence.PLACEHOLDER
    assert after.school.vacation("winter", 2026).confidence is Confidence.ANNOUNCED
    assert after.school.vacation("winter", 2025) == before.school.vacation("winter", 2025)
    assert after.observances.ids() == before.observances.ids()
    assert after.digest != before.digest


def test_the_digest_is_of_the_content_not_of_the_layout(tmp_path: Path) -> None:
    put(tmp_path, "holidays/2026.yaml", "# the same\n" + GOOD.replace("2026-01-04, ", "2026-1-4,   "))
    assert calendar_file.load([BUNDLED, tmp_path]).digest == calendar_file.load([BUNDLED]).digest


def test_a_make_up_day_that_cannot_be_names_file_line_and_field(tmp_path: Path) -> None:
    put(tmp_path, "holidays/2026.yaml", GOOD.replace("2026-05-09", "2026-05-08"))
    assert faults(tmp_path) == [
        ("holidays/2026.yaml", 12, "make_up.3", "调休上班日5月8日是周五，本来就是工作日"),
    ]
    put(tmp_path, "holidays/2026.yaml", GOOD.replace("2026-05-09", "2026-05-03"))
    assert faults(tmp_path) == [("holidays/2026.yaml", 12, "make_up.3", "调休上班日5月3日在放假期间内")]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("last: 2026-02-23", "last: 2026-02-30", (6, "days_off.1.last", "没有2026年2月30日这一天")),
        ("last: 2026-02-23", "last: 2月30日", (6, "days_off.1.last", "日期须写作 2025-05-01 的样子，现为“2月30日”")),
        ("last: 2026-02-23", "last: 2026-02-13", (6, "days_off.1", "结束日期 2026-02-13 早于开始日期 2026-02-15")),
        ("year: 2026", "jahr: 2026", (1, "jahr", "没有这个字段")),
        ("make_up: [", "make_up: [[", (13, "", "YAML 写法有误：expected ',' or ']', but got '<stream end>'")),
        ("days_off:", "make_up: []\ndays_off:", (13, "make_up", "同一处写了两次")),
    ],
)
def test_broken_files_name_line_and_field(tmp_path: Path, old: str, new: str, fault: tuple[int, str, str]) -> None:
    put(tmp_path, "holidays/2026.yaml", GOOD.replace(old, new))
    assert ("holidays/2026.yaml", *fault) in faults(tmp_path)


def test_all_files_are_read_before_anything_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "holidays/2026.yaml", GOOD.replace("2026-05-09", "2026-05-08"))
    put(tmp_path, "holidays/2027.yaml", GOOD)
    put(tmp_path, "school/2024-2025.yaml", "school_year: 2024-2025\nstatus: official\n")
    put(tmp_path, "observances.yaml", "bad_day: {kind: fixed, name: 试, date: 02-29}\n")
    found = faults(tmp_path)
    assert [name for name, *_ in found] == [
        "holidays/2026.yaml",
        "holidays/2027.yaml",
        "school/2024-2025.yaml",
        "observances.yaml",
    ]
    assert found[1] == ("holidays/2027.yaml", 1, "year", "与文件名不符：文件名为 2027，内容为 2026")
    assert found[2][3] == "status: official 须写明发布单位 issuer 和文号 document"
    assert found[3][3] == "须写作 09-01 的样子，且每年都有这一天，现为“02-29”"


def test_a_file_in_gb18030_is_read_and_one_in_utf16_refused(tmp_path: Path) -> None:
    put(tmp_path, "holidays/2026.yaml", GOOD.encode("gb18030"))
    assert calendar_file.load([BUNDLED, tmp_path]).digest == calendar_file.load([BUNDLED]).digest
    put(tmp_path, "holidays/2026.yaml", GOOD.encode("utf-16"))
    assert faults(tmp_path) == [("holidays/2026.yaml", None, "", "不是 UTF-8 或 GB18030 编码的文本，无法读取")]


def test_a_contradiction_is_not_written(tmp_path: Path) -> None:
    bad = parse(NOTICE).model_copy(update={"make_up": (date(2026, 5, 8),)})
    with pytest.raises(CalendarInvalid, match="调休上班日5月8日是周五，本来就是工作日"):
        calendar_file.write_holiday_year(tmp_path, bad)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "calendars").write_text("a file where a folder should be")
    with pytest.raises(CalendarInvalid, match="无法写入："):
        calendar_file.write_holiday_year(tmp_path, parse(NOTICE))
    assert [path.name for path in tmp_path.iterdir()] == ["calendars"]


def test_the_written_file_can_be_read_by_others(tmp_path: Path) -> None:
    written = calendar_file.write_holiday_year(tmp_path, parse(NOTICE))
    assert stat.S_IMODE(written.stat().st_mode) == 0o644
