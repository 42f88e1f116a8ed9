"""Bad input at every door: one clear sentence on standard error, exit code 1, nothing half-written."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.database import connect
from tests.factories import query
from tests.flows.servers import free_port
from tests.lucheng.door import ROOT, Said, call, refused, run, tiny, tree

pytestmark = pytest.mark.thorough

CHINESE = re.compile("[一-鿿]{4}")
LEDGER_COMMANDS = [
    ["plan", "list"],
    ["units", "list"],
    ["feed", "list", "--unit", "1"],
    ["feed", "create", "--unit", "1"],
    ["feed", "revoke", "--unit", "1", "1"],
    ["feed", "export", "--unit", "1", "--out", "-"],
]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine that nobody listens on and nobody else gets meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])


def up(data: Path, *words: object, env: dict[str, str] | None = None) -> Said:
    ports = ["--port", free_port(), "--prefect-port", free_port()]
    return run("up", "--data-dir", data, *ports, *words, env=env)


def sentence(said: Said) -> str:
    found = refused(said)
    assert CHINESE.search(found), found
    return found


BROKEN_YAML = [
    ("number: 1\ntitle: [任务一\n", r"tasks/01\.yaml:\d+ YAML 写法有误：.+"),
    ("number: 1\nnumber: 2\n", r"tasks/01\.yaml:2 \[number\] 同一处写了两次"),
    ("", r"tasks/01\.yaml:1 文件是空的"),
    ("- 一\n- 二\n", r"tasks/01\.yaml:1 文件内容须为若干“字段: 值”"),
    ("a: &a [*a]\n", r"tasks/01\.yaml:1 引用（\*）指向了包含它自己的内容"),
    ("number: 1\ntitle: \x07\n", r"tasks/01\.yaml YAML 无法读取：.+"),
]


@pytest.mark.parametrize(("content", "wanted"), BROKEN_YAML)
def test_a_broken_yaml(tmp_path: Path, content: str, wanted: str) -> None:
    pack = tiny(tmp_path / "pack")
    (pack / "tasks" / "01.yaml").write_text(content, "utf-8")
    data = tmp_path / "data"
    for words in (["check"], ["show"], ["items"], ["load"], ["load", "--dry-run"], ["copy", "--starts", "2026-12-01"]):
        said = call("plan", words[0], pack, *words[1:], "--data-dir", data)
        assert said.code == 1
        assert re.fullmatch(wanted, said.err.splitlines()[0]), said.err
        assert said.out == ""
    assert not data.exists()


def test_a_broken_yaml_at_the_start(tmp_path: Path) -> None:
    pack = tiny(tmp_path / "pack")
    (pack / "plan.yaml").write_text("code: [\n", "utf-8")
    said = up(tmp_path / "data", "--plan", pack)
    assert sentence(said).startswith("plan.yaml:2 YAML 写法有误")
    database = connect(f"sqlite:///{tmp_path}/data/ledger.db")
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM plan UNION ALL SELECT count(*) FROM unit") == [(0,), (0,)]
    database.close()


def test_a_pack_in_an_encoding_of_its_own(tmp_path: Path) -> None:
    pack = tiny(tmp_path / "pack")
    text = (pack / "plan.yaml").read_text("utf-8")
    (pack / "plan.yaml").write_text(text, "gb18030")
    assert call("plan", "check", pack, "--data-dir", tmp_path).code == 0
    (pack / "plan.yaml").write_text(text, "utf-16")
    said = call("plan", "check", pack, "--data-dir", tmp_path)
    assert sentence(said) == "plan.yaml 不是 UTF-8 或 GB18030 编码的文本，无法读取"


def test_a_plan_or_a_unit_that_nobody_knows(tmp_path: Path) -> None:
    for words in (["plan", "check"], ["plan", "show"], ["plan", "items"], ["plan", "load"]):
        said = call(*words, "atlantis-2024", "--data-dir", tmp_path / "data")
        assert sentence(said) == "atlantis-2024 这里没有方案包（找不到 plan.yaml）"
    assert sentence(up(tmp_path / "up", "--plan", "atlantis-2024")).startswith("atlantis-2024 这里没有方案包")
    said = call("plan", "items", tiny(tmp_path / "pack"), "--unit", "777", "--data-dir", tmp_path / "data")
    assert sentence(said) == "没有代码为 777 的单位"
    said = call("plan", "check", "--source", tmp_path / "none.txt", "--data-dir", tmp_path / "data")
    assert sentence(said) == f"{tmp_path}/none.txt 官方文本无法读取：No such file or directory"
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "items", "--from"],
        ["plan", "items", "--to"],
        ["plan", "load", "--go-live"],
        ["plan", "copy", "--starts"],
        ["demo", "--no-serve", "--date"],
        ["up", "--go-live"],
        ["calendar", "status", "--today"],
        ["calendar", "days", "--to", "2025-07-01", "--from"],
    ],
    ids=" ".join,
)
def test_the_31st_of_june(tmp_path: Path, words: list[str]) -> None:
    said = call(*words, "2025-06-31", "--data-dir", tmp_path / "data")
    assert sentence(said) == "日期 没有2025年6月31日这一天"
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "words", [["plan", "load"], ["db", "migrate"], ["demo", "--no-serve"], ["units", "import", "units.csv"]]
)
def test_a_folder_that_cannot_be_written(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "units.csv").write_text("code,name,level,parent\n9,城,city,\n", "utf-8")
    (tmp_path / "file").write_text("x")
    data = tmp_path / "file" / "data"
    words = [str(tmp_path / word) if word.endswith(".csv") else word for word in words]
    assert sentence(call(*words, "--data-dir", data)) == f"数据目录不可写：{data}（Not a directory）"
    assert (tmp_path / "file").read_text() == "x"


def test_other_things_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    data = tmp_path / "file" / "data"
    assert sentence(up(data)) == f"数据目录不可写：{data}（Not a directory）"
    said = call("plan", "copy", tiny(tmp_path / "pack"), "--starts", "2026-12-01", "--data-dir", data)
    assert sentence(said) == f"{data}/plans/tiny-2026 无法写入：Not a directory"
    notice = Path(__file__).parents[1] / "policy_models" / "notices" / "2026.txt"
    assert str(data) in sentence(call("calendar", "import-notice", notice, "--data-dir", data))


@pytest.mark.parametrize(
    ("command", "option"),
    [(["up"], "--port"), (["up"], "--prefect-port"), (["demo"], "--port")],
    ids=["up", "prefect", "demo"],
)
def test_a_port_in_use(tmp_path: Path, taken_port: int, command: list[str], option: str) -> None:
    data = tmp_path / "data"
    others = [] if command == ["demo"] else ["--port", free_port(), "--prefect-port", free_port()]
    said = call(*command, "--data-dir", data, *others, option, taken_port)
    assert sentence(said) == (
        f"127.0.0.1 的端口 {taken_port} 不能使用（Address already in use），请用 {option} 另选端口，或关闭占用它的程序"
    )
    assert not (data / "ledger.db").exists()


def test_a_database_that_is_down(tmp_path: Path, closed_port: int) -> None:
    env = {"LUCHENG_DATABASE_URL": f"postgresql://nobody:secret@127.0.0.1:{closed_port}/x"}
    data, pack = tmp_path / "data", tiny(tmp_path / "pack")
    commands = [["plan", "load", pack], ["plan", "load", pack, "--dry-run"], ["db", "migrate"], *LEDGER_COMMANDS]
    said = [up(data, env=env)]
    said += [call(*words, *([] if words[0] == "db" else ["--data-dir", data]), env=env) for words in commands]
    for one in said:
        found = sentence(one)
        assert found.startswith("台账数据库暂时无法使用（PostgreSQL 127.0.0.1）：")
        assert "secret" not in found
    assert set(tree(tmp_path)) - set(tree(pack)) <= {f"pack/{name}" for name in tree(pack)} | {"data/up.lock"}


@pytest.mark.parametrize("url", ["nonsense", "mysql+nothing://x/y", "postgresql//x"])
def test_an_address_of_a_database_that_is_none(tmp_path: Path, url: str) -> None:
    said = call("plan", "list", "--data-dir", tmp_path, env={"LUCHENG_DATABASE_URL": url})
    assert sentence(said) == "台账数据库地址写法有误（应如 sqlite:///文件 或 postgresql://…）"


def test_a_ledger_that_is_no_database(tmp_path: Path) -> None:
    content = b"this was written by another program. " * 40
    (tmp_path / "ledger.db").write_bytes(content)
    pack = tiny(tmp_path.parent / f"{tmp_path.name}-pack")
    said = [call(*words, "--data-dir", tmp_path) for words in LEDGER_COMMANDS]
    said += [call("plan", "load", pack, *words, "--data-dir", tmp_path) for words in ([], ["--dry-run"])]
    said += [call("db", "migrate", "--data-dir", tmp_path), up(tmp_path)]
    for one in said:
        assert sentence(one).startswith(f"台账数据库暂时无法使用（{tmp_path}/ledger.db）：")
    assert (tmp_path / "ledger.db").read_bytes() == content
    assert set(tree(tmp_path)) == {"ledger.db", "up.lock"}


def test_a_ledger_that_a_newer_program_made(tmp_path: Path) -> None:
    assert call("db", "migrate", "--data-dir", tmp_path).code == 0
    database = connect(f"sqlite:///{tmp_path}/ledger.db")
    with database.write() as session:
        session.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    said = call("plan", "list", "--data-dir", tmp_path)
    assert sentence(said).startswith("台账数据库的版本不认识，可能由更新的程序建立")


def test_no_ledger_yet(tmp_path: Path) -> None:
    for words in LEDGER_COMMANDS:
        said = call(*words, "--data-dir", tmp_path / "data")
        assert sentence(said) == f"{tmp_path}/data 中还没有台账，请先运行 lucheng up 或 lucheng plan load"
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("clock", ["nonsense", "2025-06-31T09:00:00+08:00", "2025-06-30T09:00:00"])
def test_a_clock_that_is_none(tmp_path: Path, clock: str) -> None:
    for words in (["plan", "list"], ["plan", "load"], ["doctor"], ["up"]):
        said = call(*words, "--data-dir", tmp_path / "data", env={"LUCHENG_CLOCK": clock})
        assert sentence(said) == "环境变量 LUCHENG_CLOCK 的值无效"
    assert not (tmp_path / "data").exists()


def test_a_calendar_of_the_administrator_that_is_broken(tmp_path: Path) -> None:
    folder = tmp_path / "calendars" / "holidays"
    folder.mkdir(parents=True)
    (folder / "2025.yaml").write_text("year: 2025\ndays_off: [\n", "utf-8")
    said = call("plan", "load", tiny(tmp_path / "pack"), "--data-dir", tmp_path)
    assert sentence(said).startswith(f"{folder}/2025.yaml:3 YAML 写法有误")
    assert not (tmp_path / "ledger.db").exists()


def test_a_revision_that_is_broken_leaves_the_ledger_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert call("plan", "load", tiny(tmp_path / "pack"), "--data-dir", data).code == 0
    before = call("plan", "list", "--json", "--data-dir", data).json
    pack = tiny(tmp_path / "pack", lambda files: files["plan.yaml"].update(revision=2, coordinator="财神爷"))
    assert sentence(call("plan", "load", pack, "--data-dir", data)).endswith("统筹单位不在 organs 中：财神爷")
    assert call("plan", "list", "--json", "--data-dir", data).json == before


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lucheng", "plan", "items", "--json", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.read(2) == b"[\n"
        program.stdout.close()
        assert program.stderr.read() == b""
        assert program.wait(30) in (0, 1)  # 0 where the pipe had taken everything before
