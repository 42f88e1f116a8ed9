"""栏目: each visitor is offered what they may open, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from api.navigation import ENTRIES, bottom_bar, rail, starts_at_desk
from api.rights import RULES
from api.told import TOLD, told
from policy_models.access import Grant, Role, Visitor
from tests.api.site import Site
from tests.factories import BUREAU, village

VILLAGE = village(1, 1)


def visitor(grants: Mapping[str, Role], *, whole: bool = False) -> Visitor:
    return Visitor(1, "zhang", "张", tuple(Grant(role, unit, whole) for unit, role in grants.items()))


def offered(one: Visitor) -> list[str]:
    return [entry.here for _, entries in rail(one) for entry in entries]


def test_every_entry_is_a_page() -> None:
    assert [entry.path for entry in ENTRIES.values() if ("GET", entry.path) not in RULES] == []


@pytest.mark.parametrize(
    ("role", "unit", "whole", "bar"),
    [
        (Role.LIAISON, VILLAGE, False, ["待办", "日历", "报送"]),
        (Role.REVIEWER, "900101", False, ["总览", "督办", "报送"]),
        (Role.COORDINATOR, BUREAU, True, ["总览", "督办", "报送"]),
        (Role.AUDITOR, "9001", False, ["总览", "督办", "报送"]),
        (Role.ADMINISTRATOR, "", True, ["总览", "管理", "账号"]),
    ],
)
def test_under_the_thumb_lies_what_suits_the_work(role: Role, unit: str, whole: bool, bar: list[str]) -> None:
    assert [word for _, word in bottom_bar(visitor({unit: role}, whole=whole))] == bar


def test_the_rail_has_what_the_rights_allow() -> None:
    liaison, administrator = visitor({VILLAGE: Role.LIAISON}), visitor({"": Role.ADMINISTRATOR}, whole=True)
    assert {"board", "desk", "register"} <= set(offered(liaison))
    assert {"admin", "accounts"}.isdisjoint(offered(liaison))
    assert {"admin", "accounts"} <= set(offered(administrator))


@pytest.mark.parametrize(
    ("grants", "levels", "at_desk"),
    [
        ({VILLAGE: Role.LIAISON}, ["village"], True),
        ({"900101": Role.LIAISON}, ["township"], True),
        ({"9001-mz": Role.LIAISON}, ["county"], False),
        ({"900101": Role.REVIEWER}, ["township"], False),
        ({VILLAGE: Role.LIAISON, "9001": Role.AUDITOR}, ["village", "county"], False),
        ({}, [], False),
    ],
)
def test_who_only_hands_in_begins_at_the_desk(grants: dict[str, Role], levels: list[str], at_desk: bool) -> None:
    assert starts_at_desk(visitor(grants), levels) is at_desk


def test_the_start_page(site: Site) -> None:
    for roles, place in (
        ({VILLAGE: [Role.LIAISON]}, "/desk"),
        ({BUREAU: [Role.COORDINATOR]}, "/"),
        ({"9001-mz": [Role.LIAISON]}, "/"),
    ):
        assert site.at("2025-02-07", roles=roles).get("/start").headers["location"] == place


def test_a_stranger_has_no_navigation_and_a_refused_visitor_keeps_it(site: Site) -> None:
    login = site.stranger("2025-02-07").get("/login").text
    assert "<nav" not in login
    assert 'class="alone"' in login
    refused = site.at("2025-02-07", roles={VILLAGE: [Role.LIAISON]}).get(f"/units/{BUREAU}/desk")
    assert refused.status_code == 403
    assert 'aria-label="主要栏目"' in refused.text


def test_what_was_done_is_told_by_a_word_of_the_list_alone(site: Site) -> None:
    browser = site.at("2025-02-07")
    assert '<p class="toast" role="status" data-toast>已保存</p>' in browser.get("/register?told=saved").text
    for word in ("请汇款", "<b>", "", "SAVED"):
        assert told(word) == ""
        assert "data-toast" not in browser.get("/register", params={"told": word}).text
    assert all(sentence and "。" not in sentence for sentence in TOLD.values())
