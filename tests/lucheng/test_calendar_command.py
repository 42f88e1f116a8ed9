"""`lucheng calendar` as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lucheng.cli.calendar import app
from policy_models.calendar_file import BUNDLED
from policy_models.errors import LuchengError

NOTICE = Path(__file__).parent.parent / "policy_models" / "notices" / "2026.txt"


def run(*words: str, data: Path, stdin: bytes | None = None) -> Result:
    result = CliRunner().invoke(app, [*words, "--data-dir", str(data)], input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def listed(*words: str, data: Path) -> object:
    return json.loads(run(*words, "--json", data=data).stdout)


def test_a_notice_is_previewed_then_written(tmp_path: Path) -> None:
    target = tmp_path / "calendars" / "holidays" / "2026.yaml"
    preview = run("import-notice", str(NOTICE), "--dry-run", data=tmp_path)
    assert preview.exit_code == 0
    assert "2026-02-15 │ 2026-02-23 │ 9" in preview.stdout
    assert not target.exists()
    done = run("import-notice", str(NOTICE), data=tmp_path)
    assert done.stdout.endswith(f"已写入 {target}\n")
    assert target.read_bytes() == (BUNDLED / "holidays" / "2026.yaml").read_bytes()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_notice_from_standard_input(tmp_path: Path, encoding: str) -> None:
    text = NOTICE.read_text("utf-8").replace("\n", "\r\n")
    run("import-notice", "-", data=tmp_path, stdin=text.encode(encoding))
    written = tmp_path / "calendars" / "holidays" / "2026.yaml"
    assert written.read_bytes() == (BUNDLED / "holidays" / "2026.yaml").read_bytes()


def test_a_contradicting_notice_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    text = NOTICE.read_text("utf-8").replace("共9天", "共8天")
    with pytest.raises(LuchengError, match=r"^放假通知 \[春节\] 写作共8天，所列日期为9天$"):
        run("import-notice", "-", data=tmp_path, stdin=text.encode())
    with pytest.raises(LuchengError, match="无法读取"):
        run("import-notice", str(tmp_path / "nowhere.txt"), data=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_days(tmp_path: Path) -> None:
    found = listed("days", "--from", "2026-02-13", "--to", "2026-02-15", data=tmp_path)
    source = "《国务院办公厅关于2026年部分节假日安排的通知》（国办发明电〔2025〕7号）"
    assert found == [
        {
            "date": "2026-02-13",
            "is_workday": True,
            "make_up": False,
            "holiday": None,
            "confidence": "announced",
            "why": "2月13日（周五）为工作日",
        },
        {
            "date": "2026-02-14",
            "is_workday": True,
            "make_up": True,
            "holiday": None,
            "confidence": "announced",
            "why": f"2月14日（周六）调休上班，依据{source}",
        },
        {
            "date": "2026-02-15",
            "is_workday": False,
            "make_up": False,
            "holiday": "春节",
            "confidence": "announced",
            "why": f"2月15日（周日）春节放假，依据{source}",
        },
    ]
    assert "调休上班" in run("days", "--from", "2026-02-14", "--to", "2026-02-14", data=tmp_path).stdout


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("2026-02-30", "2026-03-01", "日期 没有2026年2月30日这一天"),
        ("2026-02-03", "2026-02-01", "--to 结束日期 2026-02-01 早于开始日期 2026-02-03"),
    ],
)
def test_days_that_cannot_be(tmp_path: Path, first: str, last: str, sentence: str) -> None:
    with pytest.raises(LuchengError, match=f"^{sentence}$"):
        run("days", "--from", first, "--to", last, data=tmp_path)


def test_observances_and_school(tmp_path: Path) -> None:
    spans = listed("observances", "--year", "2025", data=tmp_path)
    assert isinstance(spans, list)
    days = {span["id"]: span["first"] for span in spans}
    assert (days["disability_day"], days["national_day"], len(spans)) == ("2025-05-18", "2025-10-01", 19)
    terms = listed("school", "--year", "2025", data=tmp_path)
    assert isinstance(terms, list)
    assert [(term["id"], term["confidence"]) for term in terms] == [
        ("2025-winter", "placeholder"),
        ("2025-spring", "placeholder"),
        ("2025-summer", "placeholder"),
        ("2025-autumn", "placeholder"),
    ]


def test_status_warns_from_25_october(tmp_path: Path) -> None:
    found = listed("status", "--today", "2026-10-24", data=tmp_path)
    assert isinstance(found, dict)
    assert [(row["year"], row["layer"], row["confidence"], row["school"]) for row in found["years"]] == [
        (2024, "file", "announced", "placeholder"),
        (2025, "file", "announced", "placeholder"),
        (2026, "file", "announced", "placeholder"),
        (2027, "forecast", "forecast", "placeholder"),
    ]
    assert found["warning"] is None
    late = run("status", "--today", "2026-10-25", data=tmp_path)
    assert late.stderr == "2027年放假安排尚未录入，有关日期均为推定，请在国务院办公厅通知公布后导入\n"
    assert run("status", "--today", "2026-10-24", data=tmp_path).stderr == ""
