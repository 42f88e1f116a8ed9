"""A round played through HTTP alone on the real plan: opened, written, handed in, sent back, handed in again, accepted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger import rounds
from ledger.plans import plan_summary
from ledger.queries.reports import handed_in
from policy_models.lifecycle import State
from policy_models.reports import HandedIn
from tests.api.round_play import (
    AGAIN_DAY,
    PLAN,
    RETURNED,
    REVIEW_DAY,
    ROUND,
    SUBMIT_DAY,
    RoundSite,
    accept,
    close,
    editor,
    get,
    hand_in_again,
    open_round,
    real_plan,
    review_page,
    send_back,
    submit_all,
)
from tests.factories import instant, opened

pytestmark = pytest.mark.slow
CHANGED = {"problems": "基层力量不足，缺口12人。", "task-1": "法治副校长到岗率100%。"}


@pytest.fixture
def site(database_url: str) -> Iterator[RoundSite]:
    with opened(database_url) as database:
        yield real_plan(database)


def reports(site: RoundSite, day: str) -> dict[str, HandedIn]:
    with site.database.read() as session:
        found = rounds.round_of(session, plan_summary(session, PLAN).id, ROUND)
        return {one.unit: one for one in handed_in(session, found.id, until=instant(day, 23))}


def test_a_round_by_http_alone(site: RoundSite) -> None:
    page = open_round(site)
    assert "本期报送已启动。" in page
    assert "已报 0/26，未报 26" in page
    assert len(site.submitters) == 26

    written = submit_all(site)
    after = reports(site, SUBMIT_DAY)
    assert {one.state for one in after.values()} == {State.SUBMITTED}
    assert {unit: [s.section for s in one.sections] for unit, one in after.items()} == written
    assert "已报 26/26，未报 0" in get(site.at(SUBMIT_DAY), f"/rounds/{ROUND}")

    unit = next(one for one in site.submitters if "task-1" in written[one])
    assert "报告已退回。" in send_back(site, unit)
    seen = get(site.at(REVIEW_DAY), editor(unit))
    assert all(reason in seen for reason in RETURNED.values())
    assert reports(site, REVIEW_DAY)[unit].state is State.RETURNED

    hand_in_again(site, unit, CHANGED)
    shown = get(site.at(AGAIN_DAY), review_page(site, unit))
    assert "<ins>基层力量不足，缺口12人</ins>" in shown
    assert shown.count("<b>已修改</b>") == 2
    assert RETURNED["problems"] in shown

    for one in site.submitters:
        assert "报告已审核通过。" in accept(site, one)
    assert "本期报送已结束" in close(site)

    final = reports(site, "2025-07-18")
    assert {one.state for one in final.values()} == {State.ACCEPTED}
    assert {name: final[unit].text_of[name].text for name in CHANGED} == CHANGED
    assert get(site.at("2025-07-18"), "/rounds").count("26/26") == 1
    assert "已报 0/26" in get(site.at("2025-07-18"), f"/rounds/{ROUND}?as_of=2025-06-03")
