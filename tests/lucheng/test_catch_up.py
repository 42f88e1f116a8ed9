"""`lucheng plan load`: once, twice, on trial, and what becomes of the past: by flag, at a terminal, without one."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.database import connect, sqlite_url
from ledger.plans import PlanSummary, plans
from policy_models.timing import CatchUp
from tests.factories import CODE, query
from tests.lucheng.door import ROOT, call, refused, run, tiny, tree

pytestmark = pytest.mark.thorough

MID_YEAR = {"LUCHENG_CLOCK": "2025-07-10T09:00:00+08:00"}
NOTHING = dict.fromkeys(
    (
        "units_added",
        "requirements_added",
        "requirements_changed",
        "requirements_dropped",
        "items_added",
        "items_moved",
        "items_cancelled",
    ),
    0,
)
# The tiny plan in a year: 2 counties with P1.1, 1 bureau with 1.1, 4 villages in 12 months, 2 counties in 4 quarters,
# 4 villages in 2 vacations.
ITEMS = 2 + 1 + 4 * 12 + 2 * 4 + 4 * 2
# Of those, dated before 2025-07-10: P1.1, 1.1, 6 months, 2 quarters, the winter vacation.
PAST = 2 + 1 + 4 * 6 + 2 * 2 + 4


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return tiny(tmp_path / "pack")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def load(pack: Path, data: Path, *words: str) -> Any:
    return call("plan", "load", pack, "--data-dir", data, "--json", *words, env=MID_YEAR).json


def read(data: Path) -> tuple[PlanSummary, Counter[tuple[str, str]]]:
    """The plan, and how many items stand in each state under each treatment of the past."""
    database = connect(sqlite_url(data))
    try:
        with database.read() as session:
            [plan] = plans(session)
            rows = query(session, "SELECT state, catch_up FROM work_item")
    finally:
        database.close()
    return plan, Counter((str(state), str(treatment)) for state, treatment in rows)


def test_twice_is_the_same_as_once(pack: Path, data: Path) -> None:
    assert load(pack, data) == {**NOTHING, "units_added": 15, "requirements_added": 7, "items_added": ITEMS}
    first = read(data)
    assert load(pack, data) == NOTHING
    assert read(data) == first
    assert run("plan", "load", pack, "--data-dir", data, env=MID_YEAR).out == "与台账一致，没有变化\n"


def test_a_trial_leaves_no_trace(pack: Path, data: Path) -> None:
    trial = load(pack, data, "--dry-run")
    assert trial == {**NOTHING, "units_added": 15, "requirements_added": 7, "items_added": ITEMS}
    assert not data.exists()
    assert load(pack, data) == trial
    before = read(data)
    changed = tiny(pack, lambda files: files["tasks/01.yaml"]["requirements"][0].update(title="新名称"))
    wanted = {**NOTHING, "requirements_changed": 1}
    assert load(changed, data, "--dry-run") == wanted
    assert read(data) == before
    said = call("plan", "load", changed, "--data-dir", data, "--dry-run", env=MID_YEAR)
    assert said.out.startswith("将增加单位 0 个、事项 0 个、办理件 0 件；变动事项 1 个")
    assert load(changed, data) == wanted


def test_without_a_terminal_the_past_is_to_be_made_good(pack: Path, data: Path) -> None:
    said = run("plan", "load", pack, "--data-dir", data, env=MID_YEAR)
    assert (said.code, "如何处理" in said.out) == (0, False)
    plan, found = read(data)
    assert (plan.catch_up, plan.go_live_on) == (CatchUp.BACKFILL, date(2025, 7, 10))
    assert sum(n for (_, treatment), n in found.items() if treatment == "backfill") == PAST
    assert sum(found.values()) == ITEMS


@pytest.mark.parametrize(
    ("flag", "reason", "name"), [("waive", "此前未使用本系统", "豁免"), ("count_only", None, "仅统计")]
)
def test_the_past_by_flag(pack: Path, data: Path, flag: str, reason: str | None, name: str) -> None:
    load(pack, data, "--catch-up", flag, *(["--reason", reason] if reason else []))
    plan, found = read(data)
    assert plan.catch_up is CatchUp(flag)
    assert {treatment for _, treatment in found} == {"", flag}
    assert sum(n for (_, treatment), n in found.items() if treatment == flag) == PAST
    listed = call("plan", "list", "--data-dir", data, "--json").json
    assert listed == [
        {
            "code": CODE,
            "revision": 1,
            "starts_on": "2025-01-01",
            "ends_on": "2025-12-31",
            "go_live_on": "2025-07-10",
            "catch_up": flag,
            "title": "小方案",
        }
    ]
    assert name in call("plan", "list", "--data-dir", data).out


def test_the_day_of_going_live_by_flag(pack: Path, data: Path) -> None:
    load(pack, data, "--go-live", "2025-01-01")
    plan, found = read(data)
    assert plan.go_live_on == date(2025, 1, 1)
    assert {treatment for _, treatment in found} == {""}


@pytest.mark.parametrize("reason", [[], ["--reason", ""], ["--reason", "  "]])
@pytest.mark.parametrize("trial", [[], ["--dry-run"]])
def test_waiving_needs_a_reason_and_nothing_is_made(
    pack: Path, data: Path, reason: list[str], trial: list[str]
) -> None:
    said = call("plan", "load", pack, "--data-dir", data, "--catch-up", "waive", *reason, *trial, env=MID_YEAR)
    assert refused(said) == "豁免此前的事项须写明理由"
    assert not data.exists()


def typed(pack: Path, data: Path, answers: str, *words: str) -> tuple[int, str]:
    """What the command shows at a real terminal where somebody types these answers; its exit code."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "lucheng", "plan", "load", str(pack), "--data-dir", str(data), *words]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **MID_YEAR}, stdin=theirs, stdout=theirs, stderr=theirs
    ) as program:
        os.close(theirs)
        os.write(ours, answers.encode())
        shown, until = b"", time.monotonic() + 60
        while time.monotonic() < until and select.select([ours], [], [], 60)[0]:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end is closed: the command has ended
                break
        os.close(ours)
        return program.wait(30), shown.decode()


def test_at_a_terminal_it_asks(pack: Path, data: Path) -> None:
    code, shown = typed(pack, data, "9\n3\n")
    assert code == 0, shown
    assert "方案自2025年1月1日开始。2025年7月10日以前的事项如何处理？" in shown
    for line in ("1  补录：补交佐证材料，不催办", "2  豁免：不再要求，须写明理由", "3  仅统计：只计数，不要求办理"):
        assert line in shown
    assert shown.count("请选择") == 2  # 9 is no answer
    assert read(data)[0].catch_up is CatchUp.COUNT_ONLY


def test_at_a_terminal_the_first_choice_is_to_make_good(pack: Path, data: Path) -> None:
    assert typed(pack, data, "\n")[0] == 0
    assert read(data)[0].catch_up is CatchUp.BACKFILL


def test_at_a_terminal_it_asks_for_the_reason(pack: Path, data: Path) -> None:
    code, shown = typed(pack, data, "试运行之前\n", "--catch-up", "waive")
    assert (code, "豁免的理由" in shown) == (0, True)
    database = connect(sqlite_url(data))
    with database.read() as session:
        assert query(session, "SELECT catch_up, catch_up_reason FROM plan") == [("waive", "试运行之前")]
    database.close()


def test_at_a_terminal_a_known_plan_is_not_asked_about(pack: Path, data: Path) -> None:
    load(pack, data)
    code, shown = typed(pack, data, "")
    assert (code, "如何处理" in shown, "与台账一致，没有变化" in shown) == (0, False, True)


def test_the_real_plan_after_its_end(tmp_path: Path) -> None:
    said = call("plan", "load", "--data-dir", tmp_path, "--json", env={"LUCHENG_CLOCK": "2026-11-20T09:00:00+08:00"})
    assert (said.json["units_added"], said.json["items_added"]) == (1063, 51100)
    plan, found = read(tmp_path)
    assert plan.catch_up is CatchUp.BACKFILL
    assert {treatment for _, treatment in found} == {"backfill"}
    assert sum(found.values()) == 51100
    assert set(tree(tmp_path)) == {"ledger.db"}
