"""On which days a task's flow runs, and for what."""

from datetime import date
from pathlib import Path

import pytest

from policy_models.deadlines import Duty, timetable
from policy_models.plan_file import Pack
from policy_models.run_days import Cause, Run, phases_of, runs
from tests.factories import tiny_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return tiny_pack(Path(tmp_path_factory.mktemp("pack")))


def duties(pack: Pack, section: str) -> list[Duty]:
    return [duty for duty in timetable(pack.plan, pack.calendars) if duty.section == section]


def runs_of(pack: Pack, section: str) -> dict[date, Run]:
    found = runs(pack.plan, section, duties(pack, section), pack.calendars.work)
    assert [one.day for one in found] == sorted({one.day for one in found})
    return {one.day: one for one in found}


def test_a_month_that_ends_on_a_saturday(pack: Pack) -> None:
    found = runs_of(pack, "task-1")
    assert found[date(2025, 5, 30)].causes == ((Cause.LAST_WORKDAY, ("1.2",)),)  # Friday
    assert found[date(2025, 5, 31)].causes == ((Cause.DUE, ("1.2",)),)  # Saturday, then a holiday until Monday
    assert found[date(2025, 6, 3)].causes == ((Cause.OVER, ("1.2",)),)
    assert found[date(2025, 6, 30)].causes == ((Cause.LAST_WORKDAY, ("1.1", "1.2")), (Cause.DUE, ("1.1", "1.2")))
    assert found[date(2025, 7, 1)].causes == ((Cause.OPENS, ("1.2",)), (Cause.OVER, ("1.1", "1.2")))


def test_the_phase_begins_and_ends(pack: Pack) -> None:
    task, phase = runs_of(pack, "task-1"), runs_of(pack, "phase-1")
    assert (Cause.PHASE_BEGINS, ("P1",)) in task[date(2025, 1, 1)].causes
    assert (Cause.PHASE_ENDS, ("P1",)) in task[date(2025, 12, 31)].causes
    assert not any(cause is Cause.PHASE_OVER for run in task.values() for cause, _ in run.causes)
    [over] = [run.day for run in phase.values() for cause, _ in run.causes if cause is Cause.PHASE_OVER]
    assert over == pack.calendars.work.shift(date(2025, 12, 31), 1)
    assert (Cause.DUE, ("P1.1",)) in phase[date(2025, 3, 31)].causes


def test_continuous_work_has_the_days_of_all_phases_and_a_safeguard_none(pack: Pack) -> None:
    assert phases_of(pack.plan, []) == list(pack.plan.phases)
    assert runs(pack.plan, "safeguard-1", [], pack.calendars.work) == []
    bare = runs(pack.plan, "task-9", [], pack.calendars.work)
    assert [one.day for one in bare] == [date(2025, 1, 1), date(2025, 12, 31)]
