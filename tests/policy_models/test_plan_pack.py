"""What the bundled pack must say of the official plan: its shape, its figures, and its traps as visible notes."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from policy_models.plan import Kind, Requirement
from policy_models.plan_file import BUNDLED, load_pack

PACK = load_pack(BUNDLED)
PLAN = PACK.plan
BY_CODE: dict[str, Requirement] = {r.code: r for _, r in PLAN.requirements()}


def test_phases_actions_and_units() -> None:
    assert (PLAN.starts_on, PLAN.ends_on, PLAN.coordinator) == (date(2024, 5, 1), date(2026, 10, 31), "民政局")
    assert [(phase.starts_on, phase.ends_on) for phase in PLAN.phases] == [
        (date(2024, 5, 1), date(2024, 5, 31)),
        (date(2024, 6, 1), date(2025, 12, 31)),
        (date(2026, 1, 1), date(2026, 10, 31)),
    ]
    assert [action.tasks for action in PLAN.actions] == [
        (1, 2, 3),
        (4, 5, 6, 7),
        (8, 9, 10, 11, 12),
        (13, 14, 15),
        (16, 17, 18),
    ]
    levels = Counter(unit.level.value for unit in PACK.units.values() if unit.function is None)
    assert levels == {"city": 1, "county": 10, "township": 91, "village": 855}
    assert sum(unit.level == "city" and unit.function is not None for unit in PACK.units.values()) == 16
    assert sum(unit.functional_zone for unit in PACK.units.values()) == 5


def test_every_requirement_is_traced_and_no_locator_is_long() -> None:
    for requirement in BY_CODE.values():
        assert requirement.source
        assert max(len(locator.phrase) for locator in requirement.source) <= 16


@pytest.mark.parametrize(("field", "what"), [("assignee", "2024年月"), ("starts_on", "2024年月")])
def test_what_the_text_does_not_say_is_inferred(field: str, what: str) -> None:
    second = PLAN.phases[1]
    assert "starts_on" in second.inferred
    assert any(what in note for note in second.notes)
    assert field in {name for requirement in BY_CODE.values() for name in requirement.inferred} | set(second.inferred)


def test_the_traps_of_the_text_stand_as_notes() -> None:
    notes = " ".join(
        [
            *PLAN.notes,
            *(note for _, section in PLAN.sections() for note in section.notes),
            *(note for requirement in BY_CODE.values() for note in requirement.notes),
        ]
    )
    for trap in ("查村", "2024年月", "旗县区民政局", "责任书", "协议", "牵头"):
        assert trap in notes


def targets() -> set[str]:
    return {rule.target for requirement in BY_CODE.values() for rule in requirement.measures if rule.target}


def test_the_figures_of_the_text() -> None:
    wanted = {">=100", ">=1000", "100%", ">=1"}
    assert wanted <= targets() | {f">={target}" for target in targets()}


def test_the_requirements_of_phases_alone_are_milestones() -> None:
    assert {r.code[:2] for r in BY_CODE.values() if r.milestone} == {"P1", "P2", "P3"}


def test_continuous_duties_are_the_most_and_none_has_a_date() -> None:
    kinds = Counter(requirement.kind for requirement in BY_CODE.values())
    assert kinds.most_common(1)[0][0] is Kind.CONTINUOUS
    assert {r.cadence for r in BY_CODE.values() if r.kind is Kind.CONTINUOUS} == {"none"}


def test_owners_are_sixteen_organs_and_each_owns_something() -> None:
    assert {owner for task in PLAN.tasks for owner in task.owners} == set(PLAN.organs)
    assert len(PLAN.organs) == 16


def test_the_half_year_report_and_the_yearly_news_item() -> None:
    assert [BY_CODE[code].cadence for code in ("S3.1", "S3.2", "S3.5", "S3.6")] == [
        "half_yearly",
        "half_yearly",
        "yearly",
        "yearly",
    ]
    assert "due" in BY_CODE["S3.1"].inferred
