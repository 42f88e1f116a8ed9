"""Roles, rights and scopes as the policy defines them: by hand, and where grants meet."""

from __future__ import annotations

import pytest

from policy_models.access import ROLE_NAMES, ROLE_RIGHTS, WHOLE, Grant, Right, Role, Scope, Visitor

LINE = frozenset({"900101", "9001", "9000"})  # a township and all above it


def visitor(*grants: Grant, only_reads: bool = False) -> Visitor:
    return Visitor(1, "zhang", "张建国", grants, only_reads=only_reads)


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (Role.ADMINISTRATOR, {"read", "staff", "administer", "audit"}),
        (Role.COORDINATOR, {"read", "review", "coordinate", "staff"}),
        (Role.REVIEWER, {"read", "review"}),
        (Role.LIAISON, {"read", "report", "staff"}),
        (Role.AUDITOR, {"read", "audit"}),
    ],
)
def test_what_a_role_may(role: Role, rights: set[str]) -> None:
    assert ROLE_RIGHTS[role] == rights
    assert visitor(Grant(role, "9001")).rights == rights
    assert ROLE_NAMES[role]


def test_nobody_reports_and_reviews_by_one_role() -> None:
    assert [role for role in Role if {Right.REPORT, Right.REVIEW} <= ROLE_RIGHTS[role]] == []


def test_a_role_holds_at_its_unit_and_below() -> None:
    own = visitor(Grant(Role.REVIEWER, "9001"))
    assert own.rights_at(LINE) == {"read", "review"}
    assert own.rights_at(frozenset({"9002", "9000"})) == frozenset()
    assert own.rights_at(frozenset({"9000"})) == frozenset()  # above
    assert own.rights_at(frozenset()) == frozenset()  # a unit that is none, or the whole city


def test_grants_add_up_where_both_hold() -> None:
    two = visitor(Grant(Role.LIAISON, "900101"), Grant(Role.AUDITOR, "9001"))
    assert two.rights_at(LINE) == {"read", "report", "staff", "audit"}
    assert two.rights_at(frozenset({"900102", "9001", "9000"})) == {"read", "audit"}


def test_a_whole_grant_holds_everywhere() -> None:
    whole = visitor(Grant(Role.COORDINATOR, "9000-mz", whole=True))
    assert whole.rights_at(frozenset()) == {"read", "review", "coordinate", "staff"}
    assert whole.scope == WHOLE
    assert whole.scope.is_whole


def test_a_token_that_only_reads() -> None:
    reads = visitor(Grant(Role.ADMINISTRATOR, "", whole=True), only_reads=True)
    assert (reads.rights, reads.rights_at(LINE)) == ({"read"}, {"read"})


def test_the_scope_is_that_of_all_grants() -> None:
    both = visitor(Grant(Role.LIAISON, "9002"), Grant(Role.AUDITOR, "9001"), Grant(Role.REVIEWER, "9002"))
    assert both.scope == Scope(("9001", "9002"))
    assert visitor().scope == Scope(())
    assert not visitor().scope.is_whole  # nothing is not everything


def test_the_desk_is_where_one_reports() -> None:
    assert visitor(Grant(Role.AUDITOR, "9001"), Grant(Role.LIAISON, "900101")).home == "900101"
    assert visitor(Grant(Role.AUDITOR, "9001")).home == "9001"
    assert visitor(Grant(Role.COORDINATOR, "", whole=True)).home is None
    assert visitor().home is None
