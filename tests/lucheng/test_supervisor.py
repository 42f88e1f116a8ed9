"""The process tree: order of start and stop, restarts, and that nothing is ever left behind."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.guard import COOKIE
from ledger.database import connect, sqlite_url
from ledger.plans import plans
from ledger.settings import Settings
from lucheng.__main__ import app
from lucheng.supervisor import children, environment
from policy_models.timing import CatchUp
from tests.api.site import EVERY_ROLE, signed_in
from tests.factories import opened
from tests.flows.servers import free_port, wait_for

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[2]

# Small real programs in the places of web, server and runner: each writes down when it starts and when it is asked to
# stop. The server answers over HTTP a moment after its start; the runner has a program of its own.
PROGRAM = """
import http.server, os, signal, subprocess, sys, time
name, diary, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
def note(what, pid=os.getpid()):
    with open(diary, "a") as out:
        out.write(f"{name} {what} {pid}\\n")
def leave(*_):
    note("stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
note("start")
if name == "runner":
    note("run", subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid)
if name == "server":
    time.sleep(0.5)
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200); self.end_headers()
        def log_message(self, *_): pass
    http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
while True:
    time.sleep(0.1)
"""
SUPERVISE = """
import os, sys
from pathlib import Path
from lucheng.child import Child
from lucheng.supervisor import Supervisor
program, diary, port, logs = sys.argv[1:]
def child(name, **more):
    return Child(name, (sys.executable, program, name, diary, port), dict(os.environ), Path(logs, name + ".log"), **more)
web, server = child("web"), child("server", ready_url=f"http://127.0.0.1:{port}/", ready_seconds=10)
Supervisor([web, server, child("runner", after="server")], lambda line: print(line, flush=True), first_pause=0.3).run()
"""


class Tree:
    """A supervisor in a program of its own, over three small children."""

    def __init__(self, folder: Path) -> None:
        self.diary = folder / "diary"
        program = folder / "program.py"
        program.write_text(PROGRAM, encoding="utf-8")
        words = [sys.executable, "-c", SUPERVISE, program, self.diary, free_port(), folder / "logs"]
        self.said = (folder / "said").open("w+", encoding="utf-8")
        self.supervisor = subprocess.Popen([str(word) for word in words], cwd=ROOT, stdout=self.said)

    def events(self, *wanted: str) -> list[str]:
        """ "web start", … in order; of these kinds only, if kinds are given."""
        found = [line.rsplit(" ", 1)[0] for line in self._lines()]
        return [event for event in found if not wanted or event.split()[1] in wanted]

    def pids(self) -> dict[str, int]:
        """The newest process id of each: "web", "server", "runner", and "run" that the runner started."""
        found = {}
        for line in self._lines():
            name, what, pid = line.split()
            found["run" if what == "run" else name] = int(pid)
        return found

    def all_pids(self) -> set[int]:
        return {int(line.split()[2]) for line in self._lines()}

    def _lines(self) -> list[str]:
        return self.diary.read_text().splitlines() if self.diary.exists() else []

    def words(self) -> list[str]:
        self.said.seek(0)
        return self.said.read().splitlines()


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent to notice its end does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    found = Tree(tmp_path)
    wait_for(lambda: "run" in found.pids(), 20, "the whole tree")
    yield found
    with contextlib.suppress(ProcessLookupError):
        found.supervisor.kill()
    found.supervisor.wait()
    for pid in found.all_pids():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    found.said.close()


def all_gone(tree: Tree) -> bool:
    return not any(lives(pid) for pid in tree.all_pids())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_the_order_of_start_and_stop(tree: Tree, number: signal.Signals) -> None:
    assert sorted(tree.events()[:2]) == ["server start", "web start"]  # both at once: neither waits for the other
    assert tree.events()[2:] == ["runner start", "runner run"]
    wait_for(lambda: "runner已就绪。" in tree.words(), 5, "the last child to be called ready")
    tree.supervisor.send_signal(number)
    assert tree.supervisor.wait(20) == 0
    assert tree.events("stop") == ["web stop", "runner stop", "server stop"]
    assert all_gone(tree)
    ready = ["web已就绪。", "server已就绪。", "runner已就绪。"]
    assert tree.words() == [*ready, "正在停止……", "已停止。"]


def test_a_killed_runner_comes_again_and_its_runs_go(tree: Tree) -> None:
    before = tree.pids()
    os.kill(before["runner"], signal.SIGKILL)
    wait_for(lambda: tree.pids()["run"] != before["run"], 20, "another runner")
    assert not lives(before["run"])
    assert tree.pids()["server"] == before["server"]
    assert any(line.startswith("runner意外退出（代码 -9），0 秒后重新启动，详见 ") for line in tree.words())


def test_the_runner_restarts_with_its_server(tree: Tree) -> None:
    before = tree.pids()
    os.kill(before["server"], signal.SIGKILL)
    wait_for(lambda: tree.pids()["run"] != before["run"], 20, "another runner")
    assert tree.events("start", "stop")[2:] == ["runner start", "runner stop", "server start", "runner start"]
    assert not lives(before["run"])
    assert tree.pids()["web"] == before["web"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a signal at the parent's death")
def test_a_killed_supervisor_leaves_no_orphans(tree: Tree) -> None:
    tree.supervisor.kill()
    pids = tree.pids()
    wait_for(lambda: not any(lives(pids[name]) for name in ("web", "server", "runner")), 10, "the children to end")


def test_a_child_that_keeps_failing_is_started_ever_more_slowly(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from lucheng.child import Child; from lucheng.supervisor import Supervisor;"
        "bad = Child('bad', (sys.executable, '-c', 'raise SystemExit(3)'), {}, Path(sys.argv[1]));"
        "Supervisor([bad], lambda line: print(line, flush=True), first_pause=0.5).run()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "bad.log")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        lines = [supervisor.stdout.readline() for _ in range(3)]
        supervisor.terminate()
    pauses = [line.split("，")[1] for line in lines]
    assert pauses == ["0 秒后重新启动", "1 秒后重新启动", "2 秒后重新启动"]


def test_what_the_children_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUCHENG_PLAN_SOURCE", raising=False)  # the tests' own
    for name, value in {"PREFECT_PROFILE": "mine", "PREFECT_API_URL": "https://elsewhere/api", "NO_PROXY": "x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    told = environment(Settings(data_dir=tmp_path), host="0.0.0.0", port=8001, prefect_port=4201)
    assert not {"PREFECT_PROFILE", "PYTHONDONTWRITEBYTECODE"} & set(told)
    ours = {name: told[name] for name in told if name.startswith(("LUCHENG_", "PREFECT_", "NO_PROXY", "DO_NOT"))}
    assert ours == {
        "LUCHENG_DATA_DIR": str(tmp_path),
        "LUCHENG_DATABASE_URL": f"sqlite:///{tmp_path}/ledger.db",
        "LUCHENG_BASE_URL": "http://127.0.0.1:8001",
        "NO_PROXY": "x,127.0.0.1,localhost",
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": f"{tmp_path}/prefect",
        "PREFECT_API_URL": "http://127.0.0.1:4201/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "true",
        "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME": "P1500D",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_RUNNER_POLL_FREQUENCY": "5",
    }


def test_the_three_children(tmp_path: Path) -> None:
    web, server, runner = children(Settings(data_dir=tmp_path), host="127.0.0.1", port=8001, prefect_port=4201)
    assert web.ready_url == "http://127.0.0.1:8001/healthz"
    assert server.ready_url == "http://127.0.0.1:4201/api/ready"
    assert server.command[-4:] == ("--host", "127.0.0.1", "--port", "4201")
    assert (web.after, server.after, runner.after) == (None, None, "Prefect")


def said_by_up(*words: str) -> tuple[int, str]:
    """Exit code and the one sentence of a `lucheng up` that can't start."""
    done = subprocess.run(
        [sys.executable, "-m", "lucheng", "up", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stderr


def test_a_port_in_use_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for option in ("--port", "--prefect-port"):
            code, sentence = said_by_up("--data-dir", str(tmp_path / "data"), option, port)
            assert (code, sentence.count("\n")) == (1, 1)
            assert f"127.0.0.1 的端口 {port} 不能使用" in sentence
            assert f"请用 {option} 另选端口" in sentence
    assert not (tmp_path / "data" / "ledger.db").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, sentence = said_by_up("--data-dir", str(tmp_path / "file" / "data"))
    assert code == 1
    assert sentence.startswith(f"数据目录不可写：{tmp_path}/file/data")


def test_waiving_the_past_needs_a_reason(tmp_path: Path) -> None:
    ports = ["--port", str(free_port()), "--prefect-port", str(free_port())]
    code, sentence = said_by_up("--data-dir", str(tmp_path), "--catch-up", "waive", *ports)
    assert (code, sentence.splitlines()[-1]) == (1, "豁免此前的事项须写明理由")


def test_at_a_terminal_it_asks_what_to_do_with_the_past(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "lucheng", "up", "--data-dir", str(tmp_path), "--port", str(free_port())]
    with subprocess.Popen(
        [*command, "--prefect-port", str(free_port())], cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, text=True
    ) as up:
        os.write(ours, "7\n2\n此前未使用本系统\n".encode())
        assert up.stdout is not None
        lines = list(itertools.takewhile(lambda line: line != "网页已就绪。\n", up.stdout))
        up.terminate()
        assert up.wait(30) == 0
    assert lines[0].startswith("方案自2024年5月1日开始。")
    assert "补录" in lines[1]
    database = connect(sqlite_url(tmp_path))
    with database.read() as session:
        [plan] = plans(session)
    database.close()
    assert plan.catch_up is CatchUp.WAIVE


def test_help_is_in_chinese() -> None:
    shown = CliRunner().invoke(app, ["up", "--help"]).stdout
    assert "启动鹿程" in shown
    assert "--catch-up" in shown


def answer(port: int, path: str, **headers: str) -> tuple[int, str] | None:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        found = connection.getresponse()
        return found.status, found.read().decode()
    except OSError:
        return None
    finally:
        connection.close()


def in_prefect(port: int, path: str) -> Callable[[], int]:
    """How many of a kind Prefect's server knows."""

    def count() -> int:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("POST", f"/api/{path}/count", body="{}", headers={"Content-Type": "application/json"})
            return int(json.loads(connection.getresponse().read()))
        finally:
            connection.close()

    return count


def descendants(pid: int) -> set[int]:
    below = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            below[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    while more := {child for child, parent in below.items() if parent in found | {pid}} - found:
        found |= more
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_up_for_real_twice(tmp_path: Path) -> None:
    """`lucheng up`: the board answers within 30 s, the deployments appear, Ctrl-C leaves nothing; then again."""
    port, prefect_port = free_port(), free_port()
    command = [
        sys.executable,
        "-m",
        "lucheng",
        "up",
        "--data-dir",
        tmp_path,
        "--port",
        port,
        "--prefect-port",
        prefect_port,
    ]
    said = tmp_path / "said"
    for start in (1, 2):
        with said.open("w", encoding="utf-8") as out:
            up = subprocess.Popen([str(word) for word in command], cwd=ROOT, stdout=out, stdin=subprocess.DEVNULL)
        try:
            began = time.monotonic()
            assert wait_for(lambda: answer(port, "/"), 60, "the door") == (303, "")
            assert time.monotonic() - began < 30
            with opened(Settings(data_dir=tmp_path).url) as database:
                key = signed_in(database, EVERY_ROLE, datetime.now(UTC))
            board = answer(port, "/", Cookie=f"{COOKIE}={key}")
            assert board is not None
            assert board[0] == 200
            assert "包头市留守儿童和困境儿童关爱服务质量提升三年行动实施方案" in board[1]
            wait_for(lambda: "流程已就绪。" in said.read_text(encoding="utf-8"), 120, "the runner")
            wait_for(lambda: in_prefect(prefect_port, "deployments")() == 25, 60, "25 deployments")
            tree = descendants(up.pid)
            assert len(tree) >= 3
            up.send_signal(signal.SIGINT)
            assert up.wait(60) == 0
            assert [pid for pid in tree if lives(pid)] == []
        finally:
            up.kill()
            up.wait()
        words = said.read_text(encoding="utf-8")
        assert ("已载入《" in words) == (start == 1)
        assert f"  网页      http://127.0.0.1:{port}\n" in words
        assert words.endswith("正在停止……\n已停止。\n")
