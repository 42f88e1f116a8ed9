"""`lucheng round` and `lucheng units close`, as an administrator types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.database import connect, sqlite_url
from tests.factories import query
from tests.lucheng.door import call, refused, tiny
from tests.reporting import with_reports

pytestmark = pytest.mark.thorough

JUNE = {"LUCHENG_CLOCK": "2025-06-10T09:00:00+08:00"}
APRIL = {"LUCHENG_CLOCK": "2025-04-10T09:00:00+08:00"}
DUMP = ("SELECT * FROM unit ORDER BY code", "SELECT * FROM work_item ORDER BY id", "SELECT * FROM entry ORDER BY id")


def loaded(folder: Path, env: dict[str, str]) -> Path:
    data = folder / "data"
    assert call("plan", "load", tiny(folder / "pack", with_reports), "--data-dir", data, env=env).code == 0
    return data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The tiny plan loaded in June 2025: its first round has opened by itself."""
    return loaded(tmp_path, JUNE)


def rows(data: Path, *statements: str) -> list[list[tuple[object, ...]]]:
    database = connect(sqlite_url(data))
    try:
        with database.read() as session:
            return [query(session, statement) for statement in statements]
    finally:
        database.close()


def test_rounds_are_listed(data: Path) -> None:
    said = call("round", "list", "--data-dir", data, "--json", env=JUNE).json
    assert [(one["code"], one["phase"], one["deadline"]) for one in said] == [
        ("2025-H2", "coming", "2025-12-31"),
        ("2025-H1", "open", "2025-07-15"),
    ]
    assert (said[1]["owing"], said[1]["handed_in"], said[1]["missing"]) == (4, 0, 0)
    late = call("round", "list", "--as-of", "2025-07-16", "--data-dir", data, "--json", env=JUNE).json
    assert late[1]["missing"] == 4
    table = call("round", "list", "--data-dir", data, env=JUNE).out
    assert "2025-H1" in table
    assert "进行中" in table
    assert "0%" in table


def test_a_round_is_opened_early_and_once(tmp_path: Path) -> None:
    data = loaded(tmp_path, APRIL)
    words = ("round", "open", "2025-H1", "--data-dir", data)
    assert call(*words, "--guidance", "请按时报送", env=APRIL).out == "已启动 2025-H1 半年报送，应报单位 4 个\n"
    assert call(*words, env=APRIL).out == "2025-H1 半年报送此前已启动\n"
    assert call("round", "close", "2025-H1", "--data-dir", data, env=APRIL).out == "已结束 2025-H1 半年报送\n"
    assert rows(data, "SELECT guidance, closed_by FROM round") == [[("请按时报送", "系统管理员")]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("open", "2025-H2"), "这一期从2025-07-01开始，尚未到期，不能启动"),
        (("open", "2025"), "没有“2025”这一期半年报送，期次写作 2025-H1 的样子"),
        (("close", "2025-H2"), "2025-H2 这一期半年报送还没有启动"),
        (("open", "2025-H1", "--plan", "none"), "台账中没有代码为 none 的方案"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(data: Path, words: tuple[str, ...], sentence: str) -> None:
    assert refused(call("round", *words, "--data-dir", data, env=JUNE)) == sentence


def test_without_a_ledger_nothing_is_made(tmp_path: Path) -> None:
    assert "还没有台账" in refused(call("round", "list", "--data-dir", tmp_path / "none", env=JUNE))
    assert not (tmp_path / "none").exists()


def test_closing_a_unit_is_tried_first_and_then_done(data: Path) -> None:
    words = ("units", "close", "9001-mz", "--on", "2025-07-01", "--into", "9002-mz", "--data-dir", data)
    before = rows(data, *DUMP)
    tried = call(*words, "--dry-run", env=JUNE)
    assert tried.out.splitlines() == [
        "1县民政局将自2025年7月1日起停用，并入2县民政局；办理件将取消 4 件",
        "由1县民政局审核的 1 个单位，届时改由2县民政局审核",
    ]
    assert rows(data, *DUMP) == before
    assert call(*words, env=JUNE).out.startswith("1县民政局已自2025年7月1日起停用，并入2县民政局；办理件已取消 4 件\n")
    [[(closed, into)]] = rows(data, "SELECT closed_on, merged_into FROM unit WHERE code = '9001-mz'")
    assert (closed, into) == ("2025-07-01", "9002-mz")
    owing = call("round", "list", "--data-dir", data, "--json", env=JUNE).json[1]["owing"]
    assert owing == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("9000-mz", "--on", "2025-07-01"), "市民政局是方案的统筹单位，不能停用"),
        (("none", "--on", "2025-07-01"), "没有代码为 none 的单位"),
        (("9001-mz", "--on", "2025-06-31"), "日期 没有2025年6月31日这一天"),
    ],
)
def test_closings_that_are_refused(data: Path, words: tuple[str, ...], sentence: str) -> None:
    before = rows(data, *DUMP)
    assert refused(call("units", "close", *words, "--data-dir", data, env=JUNE)) == sentence
    assert rows(data, *DUMP) == before
