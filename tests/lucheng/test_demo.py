"""`lucheng demo`: an invented city, quickly, once; it never touches a folder that it did not make."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from ledger import tally
from ledger.database import connect, sqlite_url
from ledger.plans import plans
from lucheng import demo as demonstration
from lucheng import demo_people
from policy_models.recurrence import chinese
from tests.factories import query
from tests.flows.servers import free_port, wait_for
from tests.lucheng.door import ROOT, Said, call, refused, run, tiny, tree

pytestmark = pytest.mark.thorough

CPU_TO_BUILD, SECONDS_TO_A_BOARD = 45, 60


def says_so(folder: Path, day: str) -> str:
    return f"这是演示：数据全部虚构，虚拟日期为 {day}，存放在 {folder}，与正式台账无关。\n"


@dataclass(frozen=True)
class Built:
    """A demonstration as the command builds it: where, of which day, what it said, and the seconds of CPU it took, which other
    tests beside it do not change."""

    folder: Path
    day: str
    said: Said
    cpu: float


@pytest.fixture(scope="module", params=["2024-07-03", pytest.param("2026-09-24", marks=pytest.mark.slow)])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A young city, and the one that everybody gets who names no day."""
    folder, day = tmp_path_factory.mktemp("demo") / "demo-data", str(request.param)
    words = [] if day == demonstration.VIRTUAL_DAY.isoformat() else ["--date", day]
    before = cpu_of_children()
    said = run("demo", "--no-serve", "--data-dir", folder, *words, timeout=120)
    return Built(folder, day, said, cpu_of_children() - before)


def cpu_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def test_it_is_built_quickly_and_says_what_it_is(built: Built) -> None:
    assert (built.said.code, built.said.out) == (0, says_so(built.folder, built.day))
    assert built.cpu < CPU_TO_BUILD
    assert set(tree(built.folder)) == {"DEMONSTRATION", "ledger.db"}


def test_it_has_its_last_circulars_each_issued_on_its_morning_and_delivered(built: Built) -> None:
    database = connect(sqlite_url(built.folder))
    try:
        with database.read() as session:
            kept = query(session, "SELECT period, substr(issued_at, 1, 16) FROM circular ORDER BY id")
            left = query(
                session,
                "SELECT count(*) FROM outbox WHERE circular_id IS NOT NULL AND (state <> 'sent' OR sent_at > queued_at)",
            )
    finally:
        database.close()
    assert (
        kept
        == {
            "2024-07-03": [
                ("2024-W25", "2024-06-24 00:40"),
                ("2024-06", "2024-07-01 00:40"),
                ("2024-W26", "2024-07-01 00:40"),
            ],
            "2026-09-24": [
                ("2026-08", "2026-09-01 00:40"),
                ("2026-W37", "2026-09-14 00:40"),
                ("2026-W38", "2026-09-21 00:40"),
            ],
        }[built.day]
    )
    assert left == [(0,)]


def test_its_ledger_is_sound_and_marked(built: Built) -> None:
    database = connect(sqlite_url(built.folder))
    try:
        with database.read() as session:
            [plan] = plans(session)
            assert (plan.code, plan.demonstration) == ("baotou-2024", True)
            assert plan.go_live_on == demonstration.GO_LIVE
            assert tally.recount(session, plan.code) == []
            [(items,)] = query(session, "SELECT count(*) FROM work_item")
            states = {str(state) for (state,) in query(session, "SELECT DISTINCT state FROM work_item")}
            [(latest,)] = query(session, "SELECT max(at) FROM entry")
    finally:
        database.close()
    assert items == 51100
    assert {"scheduled", "open", "submitted", "returned", "accepted", "waived"} >= states >= {"open", "accepted"}
    assert str(latest)[:16] <= f"{built.day} 01:10"  # nobody acts after the virtual morning


def test_everybody_but_two_can_be_reached(built: Built) -> None:
    morning = {"LUCHENG_CLOCK": f"{built.day}T09:10:00+08:00"}
    found = call("people", "unreachable", "--json", "--data-dir", built.folder, env=morning).json
    assert {(one["unit"], one["why"]) for one in found} == {(code, "nobody") for code in demo_people.WITHOUT}
    known = call("people", "list", "--json", "--data-dir", built.folder).json
    with_liaison = {one["unit"] for one in known if "liaison" in one["roles"]}
    assert len(with_liaison) == len(call("units", "list", "--json", "--data-dir", built.folder).json) - 2
    assert all(one["phone"] in ("", "0472-000" + one["phone"][-4:]) for one in known)  # nobody has such a number
    assert {
        way["address"] for one in known for way in one["addresses"] if not way["address"].endswith("@demo.example")
    } == {""}


def test_the_doctor_knows_a_demonstration(built: Built) -> None:
    said = call("doctor", "--json", "--data-dir", built.folder)
    assert said.code == 0, said
    assert {"grade": "good", "matter": "流程", "sentence": "这是演示台账，数据全部虚构，不运行流程"} in said.json


def test_a_second_time_does_nothing(built: Built) -> None:
    folder = built.folder
    before = tree(folder)
    again = run("demo", "--no-serve", "--data-dir", folder, "--date", "2025-01-15")
    assert (again.code, again.out, again.err) == (0, says_so(folder, built.day), "")
    assert tree(folder) == before


def test_a_real_ledger_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert call("plan", "load", tiny(tmp_path / "pack"), "--data-dir", data).code == 0
    before = tree(data)
    for words in ([], ["--fresh"]):
        said = call("demo", "--no-serve", "--data-dir", data, *words)
        assert refused(said) == f"{data} 中已有正式台账，演示请另选目录（--data-dir）"
    assert tree(data) == before


@pytest.mark.slow
def test_a_half_built_one_is_built_anew_and_an_old_one_when_asked(tmp_path: Path) -> None:
    data, early = tmp_path / "data", ["--date", "2024-06-10"]
    command = [sys.executable, "-m", "lucheng", "demo", "--no-serve", "--data-dir", str(data), *early]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as building:
        mark = data / "DEMONSTRATION.building"
        wait_for(lambda: mark.exists() and (data / "ledger.db").exists(), 30, "building has begun", every=0.01)
        building.send_signal(signal.SIGKILL)
    assert not (data / "DEMONSTRATION").exists()
    said = call("demo", "--no-serve", "--data-dir", data, *early)
    assert (said.code, said.out) == (0, says_so(data, "2024-06-10"))
    assert not mark.exists()
    assert acted(data) == acted_in_a_fresh_one(tmp_path / "other", early)
    (data / "ledger.db").write_bytes(b"")  # an old demonstration, and one that somebody spoilt
    assert call("demo", "--no-serve", "--data-dir", data, "--fresh", "--date", "2024-06-11").code == 0
    assert (data / "DEMONSTRATION").read_text() == "2024-06-11"
    assert acted(data)[0] == 51100


def acted(folder: Path) -> tuple[int, int, str]:
    """How many items and entries it has, and when the last was made."""
    database = connect(sqlite_url(folder))
    try:
        with database.read() as session:
            [(items,)] = query(session, "SELECT count(*) FROM work_item")
            [(entries, latest)] = query(session, "SELECT count(*), max(at) FROM entry")
    finally:
        database.close()
    return items, entries, latest


def acted_in_a_fresh_one(folder: Path, words: list[str]) -> tuple[int, int, str]:
    assert call("demo", "--no-serve", "--data-dir", folder, *words).code == 0
    return acted(folder)


@pytest.mark.parametrize("day", ["2024-05-06", "2020-01-01", "2100-01-01", "9999-12-31"])
def test_a_day_on_which_there_is_nothing_to_see(tmp_path: Path, day: str) -> None:
    said = call("demo", "--no-serve", "--data-dir", tmp_path / "data", "--date", day)
    assert refused(said) == "--date 演示的日子须晚于 2024-05-06，不晚于 2099 年"
    assert not (tmp_path / "data").exists()


def test_a_day_that_does_not_exist(tmp_path: Path) -> None:
    said = call("demo", "--no-serve", "--data-dir", tmp_path / "data", "--date", "2026-06-31")
    assert refused(said) == "日期 没有2026年6月31日这一天"


@contextmanager
def serving(folder: Path, port: int, **env: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "lucheng", "demo", "--data-dir", str(folder), "--port", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as program:
        try:
            yield program
        finally:
            program.send_signal(signal.SIGINT)
            program.wait(30)


def page(port: int, path: str, **headers: str) -> tuple[int, str] | None:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        found = connection.getresponse()
        return found.status, found.read().decode()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def in_as_the_first_persona(port: int) -> str:
    """The cookie that the sign-in page of a demonstration gives at one click, without a password."""
    offered = wait_for(lambda: page(port, "/login"), SECONDS_TO_A_BOARD, "the door")
    wanted = re.search(r'name="persona" value="(\d+)"', offered[1])
    assert wanted
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    connection.request("POST", "/login/demo", f"persona={wanted[1]}", form)
    found = connection.getresponse()
    found.read()
    connection.close()
    assert found.status == 303
    return str(found.headers["set-cookie"]).partition(";")[0]


def test_a_living_board_of_the_virtual_day(built: Built) -> None:
    port = free_port()
    with serving(built.folder, port, LUCHENG_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x") as program:
        cookie = in_as_the_first_persona(port)
        status, body = page(port, "/", Cookie=cookie) or (0, "")
        assert program.stdout is not None
        assert program.stdout.readline() == says_so(built.folder, built.day)
        assert program.stdout.readline() == f"看板：http://127.0.0.1:{port}    （Ctrl-C 结束）\n"
        assert status == 200
        assert chinese(date.fromisoformat(built.day)) in body
        assert "演示" in body
        health = page(port, "/healthz")
        assert health is not None
        assert (health[0], f'"at":"{built.day}T01:10:' in health[1]) == (200, True)
    assert program.returncode in (0, 130)


@pytest.mark.slow
def test_from_nothing_to_a_living_board(tmp_path: Path) -> None:
    port, started = free_port(), time.monotonic()
    with serving(tmp_path / "data", port):
        status, body = page(port, "/", Cookie=in_as_the_first_persona(port)) or (0, "")
        assert time.monotonic() - started < SECONDS_TO_A_BOARD
    assert (status, "演示" in body) == (200, True)


def test_the_virtual_morning_is_an_instant() -> None:
    assert demonstration.morning(date(2026, 9, 24)).isoformat() == "2026-09-24T01:10:00+00:00"
