"""优秀案例: what must be written, how length is counted, consent, and the steps."""

from dataclasses import replace

import pytest

from policy_models.errors import ActNotAllowed
from policy_models.exemplars import (
    EDITABLE,
    STEPS,
    Content,
    ExemplarAct,
    ExemplarState,
    characters,
    hints,
    length,
    missing_consent,
    missing_parts,
    next_state,
)

FULL = Content("题目", "背" * 300, "做法" * 400, "成效\n" * 100, "启 示" * 100)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("关爱服务", 4), (" 关 爱\u3000服\t务\r\n", 4), ("2025年，共12场。", 11), ("圐圙𠮷", 3), ("\u00a0a", 1)],
)
def test_characters_are_counted_without_blanks(text: str, count: int) -> None:
    assert characters(text) == count


def test_the_title_does_not_count() -> None:
    assert length(FULL) == 300 + 800 + 200 + 200
    assert length(replace(FULL, title="很长的题目")) == length(FULL)


def test_hints_are_told_at_the_edges_and_not_inside() -> None:
    assert hints(FULL, 3) == []
    assert hints(replace(FULL, background="背" * 1800), 5) == []
    assert hints(replace(FULL, background="背" * 299), 2) == [
        "正文 1499 字，少于 1500 字",
        "照片 2 张，一般为 3 至 5 张",
    ]
    assert hints(replace(FULL, background="背" * 1801), 6) == [
        "正文 3001 字，多于 3000 字",
        "照片 6 张，一般为 3 至 5 张",
    ]


def test_every_part_must_be_written() -> None:
    assert missing_parts(FULL) == []
    assert missing_parts(Content(" ", effect="\n ")) == ["题目", "背景/问题", "主要做法", "工作成效", "经验启示"]
    assert missing_parts(replace(FULL, insight="\u3000")) == ["经验启示"]


def test_what_tells_of_a_child_needs_all_three() -> None:
    assert missing_consent(FULL) == []
    told = replace(FULL, tells_of_child=True)
    assert missing_consent(told) == ["儿童本人同意", "监护人同意", "已作匿名处理"]
    assert missing_consent(replace(told, child_consents=True, anonymised=True)) == ["监护人同意"]
    assert missing_consent(replace(told, child_consents=True, guardian_consents=True, anonymised=True)) == []


def test_the_steps() -> None:
    table = {(state, act): state_after(state, act) for state in ExemplarState for act in ExemplarAct}
    allowed = {(s.value, a.value): t for (s, a), t in table.items() if t}
    assert allowed == {
        ("draft", "submit"): "submitted",
        ("withdrawn", "submit"): "submitted",
        ("returned", "submit"): "submitted",
        ("submitted", "withdraw"): "withdrawn",
        ("submitted", "send_back"): "returned",
        ("submitted", "shortlist"): "shortlisted",
        ("shortlisted", "drop"): "submitted",
        ("shortlisted", "publish"): "published",
        ("published", "unpublish"): "shortlisted",
    }
    assert all(sources == EDITABLE for act, (sources, _) in STEPS.items() if act is ExemplarAct.SUBMIT)
    with pytest.raises(ActNotAllowed, match=r"^“已发布”的案例不能撤回$"):
        next_state(ExemplarState.PUBLISHED, ExemplarAct.WITHDRAW)


def state_after(state: ExemplarState, act: ExemplarAct) -> str | None:
    try:
        return next_state(state, act).value
    except ActNotAllowed:
        return None
