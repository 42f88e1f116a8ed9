"""汇编 in words: nothing but what the figures say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from policy_models.compilation import (
    ActionPart,
    Amount,
    Compilation,
    Indicator,
    Progress,
    SectionPart,
    Submitter,
    number,
)
from policy_models.compilation_words import numeral, overview, paragraphs, reconciliation, section_words, standing_words
from policy_models.lifecycle import State
from policy_models.rounds import ReportStanding
from policy_models.trial_compilation import trial

DEADLINE, DAY = date(2025, 7, 15), date(2025, 7, 20)


def amount(value: str, of: str | None = None, items: int = 1) -> Amount:
    return Amount(Decimal(value), None if of is None else Decimal(of), items, 1)


def submitter(state: State, first: date | None = None, **more: tuple[str, ...]) -> Submitter:
    return Submitter("u", "某局", ReportStanding(state, DEADLINE, first), **more)


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "一"), (5, "五"), (10, "十"), (11, "十一"), (19, "十九"), (20, "二十"), (26, "二十六"), (99, "九十九")],
)
def test_numerals(count: int, words: str) -> None:
    assert numeral(count) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [("0", "0"), ("0.0000", "0"), ("412.0000", "412"), ("3.5000", "3.5"), ("1E+3", "1000"), ("100", "100")],
)
def test_numbers_carry_no_idle_zeros(value: str, words: str) -> None:
    assert number(Decimal(value)) == words


def test_paragraphs_lose_what_people_indent_with_and_nothing_else() -> None:
    assert paragraphs("　　第一段。\r\n\r\n \t第二段。 \n　\n第三 段") == ("第一段。", "第二段。", "第三 段")
    assert paragraphs(" \n　") == ()


def test_progress_adds_up_and_never_rounds_up_to_all() -> None:
    both = Progress(199, 198, 190, 199, 190, 1, 0) + Progress(1, 1, 1, 1, 1)
    assert (both.expected, both.done, both.on_time, both.due, both.met, both.overdue) == (200, 199, 191, 200, 191, 1)
    assert both.share == "99%"
    assert Progress().share == "–"
    assert Progress(3, 3).share == "100%"


def test_a_standing_names_only_what_there_is() -> None:
    assert standing_words(Progress(expected=4)) == "已办结0件，办结率0%"
    assert standing_words(Progress(4, 4, 4)) == "已办结4件，办结率100%，其中按期办结4件"
    told = standing_words(Progress(9, 2, 1, overdue=3, under_review=1, backfill=2))
    assert told == "已办结2件，办结率22%，其中按期办结1件；逾期未办结3件，待审核1件，待补录2件"


def test_counties_sum_up_to_the_city_or_the_difference_has_its_cause() -> None:
    counties = (("1", amount("5", "9")), ("2", amount("6.5", "9")), ("3", amount("0", "0", items=0)))
    even = Indicator("1.1", "n", "已办", "应办", None, counties, ())
    assert even.total == even.of_counties
    assert even.total.words == "11.5/18"
    assert even.reconciled == "各旗县区之和与全市一致"
    own = replace(
        even, own=(("市教育局", amount("3", "4")), ("市民政局", amount("1", "1")), ("市妇联", amount("0", "0", 0)))
    )
    assert own.total.words == "15.5/23"
    assert own.reconciled == "全市比各旗县区之和多4/5，为市级单位填报（市教育局3/4、市民政局1/1）"


def test_reconciliation_lists_what_differs_and_counts_the_rest() -> None:
    facts = trial()
    assert reconciliation(facts) == ("1.1 已办/应办：全市比各旗县区之和多3/4，为市级单位填报（某市教育局3/4）。",)
    task = facts.actions[0].tasks[0]
    even = replace(task.indicators[0], own=())
    both = replace(
        facts, actions=(replace(facts.actions[0], tasks=(replace(task, indicators=(*task.indicators, even)),)),)
    )
    assert reconciliation(both)[1] == "其余1项指标各旗县区之和与全市一致。"
    assert reconciliation(replace(facts, actions=(), others=())) == ()


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (submitter(State.OPEN), "未报送，已超过时限5日"),
        (submitter(State.OPEN, date(2025, 7, 1)), "已撤回，未重新报送，已超过时限5日"),
        (submitter(State.SUBMITTED, date(2025, 7, 14)), "已报送，待审核"),
        (submitter(State.SUBMITTED, date(2025, 7, 16)), "7月16日报送，逾期1日；已报送，待审核"),
        (submitter(State.ACCEPTED, date(2025, 7, 17)), "7月17日报送，逾期2日"),
        (submitter(State.RETURNED, DEADLINE, returned=("任务1 甲", "任务2 乙")), "已退回修改：任务1 甲、任务2 乙"),
        (submitter(State.RETURNED, DEADLINE, returned=("甲",), waiting=("乙",)), "已退回修改：甲；未经审核：乙"),
    ],
)  # fmt: skip
def test_why_a_unit_is_named(one: Submitter, words: str) -> None:
    assert one.remark(DAY) == words


def test_before_the_deadline_nobody_is_over_it() -> None:
    assert submitter(State.OPEN).remark(DEADLINE) == "未报送，时限未到"


def facts(*owed: Submitter, progress: Progress = Progress()) -> Compilation:
    task = SectionPart("task-1", "名称", (), progress, (), ())
    action = ActionPart(1, "某行动", (task,))
    return replace(trial(), actions=(action,), others=(), submitters=owed, cases=())


def test_the_overview_says_what_the_figures_say() -> None:
    progress = Progress(455, 412, 400, 455, 400, 41, 2)
    accepted, late = submitter(State.ACCEPTED, DEADLINE), submitter(State.ACCEPTED, date(2025, 7, 16))
    told = overview(facts(accepted, late, submitter(State.OPEN), progress=progress))
    assert told == (
        "截至2025年7月20日，《某方案》1个行动、1项重点任务及各阶段、保障措施中，时限在2025年上半年的办理件应办455件，"
        "已办结412件，办结率90%，其中按期办结400件；逾期未办结41件，待审核2件。",
        "分行动看，某行动应办455件、办结412件（90%）。",
        "2025年上半年工作进展情况报告应由3个单位报送，已报送2个，其中按时报送1个；已审核通过2个，"
        "其余1个单位的内容尚未全部审核通过，未列入本报告的部分见附件3。",
    )


def test_an_overview_of_nothing_claims_nothing() -> None:
    assert overview(facts()) == (
        "截至2025年7月20日，《某方案》1个行动、1项重点任务及各阶段、保障措施中，时限在2025年上半年的办理件应办0件。",
    )


def test_a_section_tells_its_deadlines_and_only_measures_that_somebody_gave() -> None:
    part = trial().actions[0].tasks[0]
    silent = replace(part.indicators[0], label="未报", counties=(("9001", amount("0", "0", 0)),), own=())
    told = section_words(replace(part, indicators=(*part.indicators, silent)))
    assert told == (
        "时限在本期的办理件应办4件，已办结3件，办结率75%，其中按期办结2件；逾期未办结1件。已到时限的4件中，按期办结2件（2/4）。",
        "主要数据：已办/应办为9/12。",
    )
    assert section_words(replace(part, progress=Progress(), indicators=())) == ("本期没有到期的办理件，持续推进。",)
