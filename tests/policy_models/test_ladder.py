"""Rungs against a step-by-step reading of the rule, for every ladder, day and deadline from 2024 to 2026."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from policy_models import calendar_file
from policy_models.ladder import AUDIENCES, CAP, LADDERS, RULE, LadderRule, ladder_of, rungs
from policy_models.plan_file import BUNDLED, load_pack

WORK = calendar_file.load([calendar_file.BUNDLED]).work
DAY = timedelta(days=1)
FIRST, LAST = date(2024, 1, 1), date(2026, 12, 31)
DEADLINES = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]


def walk(day: date, workdays: int) -> date:
    """So many work days on (or back), one civil day at a time."""
    step = DAY if workdays > 0 else -DAY
    while workdays:
        day += step
        if WORK.is_workday(day):
            workdays += -1 if workdays > 0 else 1
    return day


def reached_on(step: int, deadline: date) -> date:
    """The civil day on which a step of an item arrives."""
    if step > 0:
        return walk(deadline, step)
    aim = deadline
    while not WORK.is_workday(aim):
        aim -= DAY
    return walk(aim, step)


ARRIVALS = {
    step: {d: reached_on(step, d) for d in DEADLINES} for step in {s for steps in LADDERS.values() for s in steps}
}


@pytest.mark.parametrize("ladder", LADDERS)
def test_the_step_of_every_item_on_every_day(ladder: str) -> None:
    for as_of in DEADLINES[70:-70]:
        if not WORK.is_workday(as_of):
            continue
        found = rungs(LADDERS[ladder], as_of, WORK)
        assert [rung.step for rung in found] == sorted(LADDERS[ladder], reverse=True)
        for deadline in (as_of + n * DAY for n in range(-20, 56)):
            by_rung = next((rung.step for rung in found if deadline <= rung.deadline_until), None)
            arrived = [step for step in LADDERS[ladder] if ARRIVALS[step][deadline] <= as_of]
            assert by_rung == (max(arrived) if arrived else None), (as_of, deadline)


def test_a_rest_day_stands_where_the_work_day_before_it_stood() -> None:
    short = LADDERS["short"]
    assert rungs(short, date(2025, 10, 5), WORK) == rungs(short, date(2025, 9, 30), WORK)
    assert rungs(short, date(2025, 9, 28), WORK) != rungs(short, date(2025, 9, 26), WORK)  # a Sunday at work


def test_the_survey_by_hand() -> None:
    """Due Sunday 2024-06-30: the aim is Friday the 28th, three work days before it Tuesday the 25th."""
    days = {step: reached_on(step, date(2024, 6, 30)) for step in LADDERS["short"]}
    assert days == {
        -3: date(2024, 6, 25),
        0: date(2024, 6, 28),
        1: date(2024, 7, 1),
        3: date(2024, 7, 3),
        7: date(2024, 7, 9),
    }


def test_which_ladder_a_requirement_climbs() -> None:
    by_code = {r.code: ladder_of(r) for _, r in load_pack(BUNDLED).plan.requirements()}
    wanted = {"P2.3": "long", "S3.1": "long", "S3.5": "long", "14.7": "long", "8.5": "short", "2.4": "short"}
    wanted |= {"4.5": "short", "5.5": "middle", "5.4": "middle", "9.12": "middle", "13.4": "middle"}
    assert {code: by_code[code] for code in wanted} == wanted
    assert set(by_code.values()) == set(LADDERS)


def test_who_hears_of_which_step() -> None:
    def heard(step: int) -> list[tuple[str, str]]:
        return [(one.office, one.audience) for one in AUDIENCES if one.from_step is None or step >= one.from_step]

    own = ("own", "liaison")
    assert {step: heard(step) for step in (-30, -7, -3, 0, 1)} == {step: [own] for step in (-30, -7, -3, 0, 1)}
    assert heard(3) == [own, ("own", "principal")]
    assert heard(7) == [*heard(3), ("superior", "liaison"), ("coordinator", "liaison")]


def test_the_rule_as_it_comes() -> None:
    assert (RULE.ladders, RULE.cap, CAP) == (LADDERS, 12, 12)


@pytest.mark.parametrize(
    ("ladders", "cap", "words"),
    [
        ({"long": (0,), "middle": (0,)}, 12, "三种"),
        ({**LADDERS, "tall": (0,)}, 12, "三种"),
        ({**LADDERS, "long": ()}, 12, "long 须写明"),
        ({**LADDERS, "short": (0, 3, 0)}, 12, "short 须写明"),
        ({**LADDERS, "middle": (-121, 0)}, 12, "middle 须写明"),
        (LADDERS, 0, "至少为 1"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(ladders: dict[str, tuple[int, ...]], cap: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LadderRule(ladders, cap)
