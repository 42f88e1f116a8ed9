"""Draft text for 总体情况, made of the ledger's figures by template. Nothing is invented: every number is a figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from policy_models.reports import Figure
from policy_models.spans import month_day

MOST_MEASURES = 12


def overview_words(
    *, plan_title: str, unit_name: str, period: str, tasks: int, figures: Sequence[Figure], as_of: date
) -> str:
    """``2025年上半年，…承担…任务 15 项。截至7月10日，…``: how many items are done, and the measures that have any."""
    items = {one.requirement: (one.items, one.due) for one in figures}
    done, due = (sum(pair[place] for pair in items.values()) for place in (0, 1))
    sentences = [f"{period}，{unit_name}参与《{plan_title}》任务 {tasks} 项。"]
    if due:
        share = int(done * 100 / due)
        sentences.append(
            f"截至{as_of.year}年{month_day(as_of)}，时限在本期内的办理件共 {due} 件，"
            f"已办结 {done} 件，办结率 {share}%。"
        )
    told = [_measure(one) for one in figures if one.name and one.items]
    if told:
        more = "等" if len(told) > MOST_MEASURES else ""
        sentences.append(f"主要指标：{'；'.join(told[:MOST_MEASURES])}{more}。")
    return "".join(sentences)


def _measure(one: Figure) -> str:
    if one.of is None:
        return f"{one.label} {plain(one.value)}"
    share = f"，占 {int(one.value * 100 / one.of)}%" if one.of else ""
    return f"{one.label} {plain(one.value)}（{one.of_label} {plain(one.of)}{share}）"


def plain(value: Decimal) -> str:
    """A number as people write it: 412, 0.5; never 4E+2."""
    return format(value.normalize(), "f")
