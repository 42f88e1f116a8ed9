"""`lucheng units`: own units by CSV as spreadsheets write them, all or nothing, and the list."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.database import Database, Session, connect, sqlite_url
from tests.factories import CODE, query
from tests.lucheng.door import Said, call, refused, run, tiny

pytestmark = pytest.mark.thorough

CLOCK = {"LUCHENG_CLOCK": "2025-03-10T09:00:00+08:00"}
HEAD = "code,name,level,function,parent\n"
NEW_VILLAGE = "900101009,1县新村,village,,900101\n"
DUMP = ("SELECT * FROM unit ORDER BY code", "SELECT * FROM work_item ORDER BY id", "SELECT * FROM duty ORDER BY id")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with the tiny plan loaded on 2025-03-10: 2 counties with a township and 2 villages each."""
    folder = tmp_path / "data"
    assert call("plan", "load", tiny(tmp_path / "pack"), "--data-dir", folder, env=CLOCK).code == 0
    return folder


def bring(data: Path, content: bytes, *words: str) -> Said:
    file = data.parent / "own.csv"
    file.write_bytes(content)
    return call("units", "import", file, "--data-dir", data, *words, env=CLOCK)


def rows(data: Path, *statements: str) -> list[list[tuple[object, ...]]]:
    database: Database = connect(sqlite_url(data))
    session: Session
    try:
        with database.read() as session:
            return [query(session, statement) for statement in statements]
    finally:
        database.close()


def test_a_new_village_gets_its_work(data: Path) -> None:
    [before] = rows(data, "SELECT key FROM work_item")
    said = bring(data, (HEAD + NEW_VILLAGE).encode())
    # ten months from March and the two before it as the past, and two vacations
    assert said.out.splitlines() == ["已新增单位 1 个，更新 0 个，共 16 个", "办理件已新增 14 件，取消 0 件"]
    [after] = rows(data, "SELECT key FROM work_item")
    keys = {str(key) for (key,) in after} - {str(key) for (key,) in before}
    months = {f"{CODE}:1.2:900101009:2025-{month:02}" for month in range(1, 13)}
    assert keys == months | {f"{CODE}:2.2:900101009:2025-{season}" for season in ("winter", "summer")}


def test_twice_changes_nothing(data: Path) -> None:
    bring(data, (HEAD + NEW_VILLAGE).encode())
    before = rows(data, *DUMP)
    said = bring(data, (HEAD + NEW_VILLAGE).encode())
    assert said.out.splitlines() == ["已新增单位 0 个，更新 0 个，共 16 个", "办理件已新增 0 件，取消 0 件"]
    assert rows(data, *DUMP) == before


def test_a_unit_known_by_its_code_is_updated(data: Path) -> None:
    said = bring(data, (HEAD + "900101001,改名村,village,,900101\n").encode())
    assert said.out.splitlines()[0] == "已新增单位 0 个，更新 1 个，共 15 个"
    listed = call("units", "list", "--level", "village", "--json", "--data-dir", data).json
    names = {one["code"]: one["name"] for one in listed}
    assert names == {"900101001": "改名村", "900101002": "1县2村", "900201001": "2县1村", "900201002": "2县2村"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_as_spreadsheets_write_it(data: Path, encoding: str, ending: str) -> None:
    text = HEAD + "９００１０１００９, 1县新村 ,village,,９００１０１\n"
    said = bring(data, text.replace("\n", ending).encode(encoding))
    assert said.code == 0, said.err
    [found] = rows(data, "SELECT code, name, level, parent FROM unit WHERE name = '1县新村'")
    assert found == [("900101009", "1县新村", "village", "900101")]


BAD = {
    "level": (HEAD + NEW_VILLAGE + "900101010,乙村,hamlet,,900101\n", 3, "level"),
    "double": (HEAD + NEW_VILLAGE + "900101009,又一村,village,,900101\n", 3, "code"),
    "nobody above": (HEAD + NEW_VILLAGE + "900101010,乙村,village,,999999\n", 3, "parent"),
    "upside down": (HEAD + NEW_VILLAGE + "9003,3县,county,,900101009\n", 3, "parent"),
    "no name": (HEAD + NEW_VILLAGE + "900101010,,village,,900101\n", 3, "name"),
    "no code": (HEAD + NEW_VILLAGE + ",乙村,village,,900101\n", 3, "code"),
    "function": (HEAD + NEW_VILLAGE + "9001-xx,1县局,county,算命,9001\n", 3, "function"),
    "no column": ("code,name,level\n900101009,新村,village\n", 1, "parent"),
}


@pytest.mark.parametrize(("text", "line", "column"), BAD.values(), ids=BAD.keys())
def test_a_fault_is_named_and_nothing_is_taken_over(data: Path, text: str, line: int, column: str) -> None:
    before = rows(data, *DUMP)
    assert refused(bring(data, text.encode())).startswith(f"own.csv:{line} [{column}] ")
    assert rows(data, *DUMP) == before


def test_a_cyclic_tree(data: Path) -> None:
    before = rows(data, *DUMP)
    text = HEAD + "900103,甲镇,township,,900104\n900104,乙镇,township,,900103\n" + NEW_VILLAGE
    (data.parent / "own.csv").write_text(text, "utf-8")
    said = run("units", "import", data.parent / "own.csv", "--data-dir", data, env=CLOCK)
    assert said.code == 1
    assert said.err.splitlines() == [
        "own.csv:2 [parent] 上下级关系成环：900103（甲镇）是自己的上级",
        "own.csv:3 [parent] 上下级关系成环：900104（乙镇）是自己的上级",
    ]
    assert rows(data, *DUMP) == before


def test_a_cycle_through_units_that_are_known(data: Path) -> None:
    before = rows(data, *DUMP)
    said = bring(data, (HEAD + "900101,1县镇,township,,900109\n900109,新镇,township,,900101\n").encode())
    assert said.code == 1
    assert [line.split(" ")[0] for line in said.err.splitlines()] == ["own.csv:2", "own.csv:3"]
    assert rows(data, *DUMP) == before


def test_what_is_no_text(data: Path) -> None:
    assert refused(bring(data, HEAD.encode("utf-16"))) == "own.csv 不是 UTF-8 或 GB18030 编码的文本，无法读取"
    assert refused(bring(data, HEAD.encode())) == "own.csv:2 没有任何单位"
    missing = call("units", "import", data / "none.csv", "--data-dir", data)
    assert refused(missing) == f"{data}/none.csv 文件无法读取：No such file or directory"


def test_a_trial_takes_nothing_over(data: Path) -> None:
    before = rows(data, *DUMP)
    said = bring(data, (HEAD + NEW_VILLAGE).encode(), "--dry-run")
    assert said.out.splitlines() == ["将新增单位 1 个，更新 0 个，共 16 个", "办理件将新增 14 件，取消 0 件"]
    assert rows(data, *DUMP) == before


def test_a_trial_without_a_ledger_makes_none(tmp_path: Path) -> None:
    city = "9000,小城,city,,\n"
    said = bring(tmp_path / "data", (HEAD + city).encode(), "--dry-run")
    assert said.out.splitlines()[0] == "将新增单位 1 个，更新 0 个，共 1 个"
    assert not (tmp_path / "data").exists()


def test_the_list(data: Path) -> None:
    listed = call("units", "list", "--level", "city", "--json", "--data-dir", data).json
    assert listed == [
        {"code": "9000", "name": "小城", "level": "city", "function": None, "parent": None},
        {"code": "9000-jy", "name": "市教育局", "level": "city", "function": "教育", "parent": "9000"},
        {"code": "9000-mz", "name": "市民政局", "level": "city", "function": "民政", "parent": "9000"},
    ]
    assert call("units", "list", "--data-dir", data).out.endswith("共 15 个\n")
    assert call("units", "list", "--level", "school", "--json", "--data-dir", data).json == []
