"""What the tags of the report's template stand for: a Compilation as words, every piece of them safe in a document."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

from documents.cells import UNWRITABLE
from policy_models.compilation import Amount, Compilation, Indicator, Progress, SectionPart, UnitText, number
from policy_models.compilation_words import numeral, overview, reconciliation, section_words
from policy_models.spans import full_day

OUTSIDE_OTHERS = "阶段工作和保障措施"
UNDIVIDED = "未按任务分写的报送内容"
Context = dict[str, Any]


def words(text: str) -> Markup:
    """Text as it may stand in a document: without what XML cannot hold, and with braces that no tag can be made of."""
    clean = UNWRITABLE.sub("", text.replace("\t", " "))
    return Markup(str(escape(clean)).replace("{", "&#123;").replace("}", "&#125;"))


def context(facts: Compilation) -> Context:
    """What the tags stand for; every key of TAGS."""
    return {
        "标题": words(facts.title),
        "方案": words(facts.plan_title),
        "期次": words(facts.round_name),
        "截至": full_day(facts.day),
        "编制单位": words(facts.bureau),
        "总体情况": list(map(words, overview(facts))),
        "各单位情况": _units(facts.overviews),
        "行动": _actions(facts),
        "特色亮点": _units(facts.highlights),
        "存在问题": _units(facts.problems),
        "下一步打算": _units(facts.plans),
        **_annexes(facts),
    }


def _units(texts: Iterable[UnitText]) -> list[Context]:
    return [
        {"序号": str(place), "单位": words(one.name), "段落": list(map(words, one.paragraphs))}
        for place, one in enumerate(texts, 1)
    ]


def _actions(facts: Compilation) -> list[Context]:
    found = [
        (action.title, [_section(task, task.section.partition("-")[2]) for task in action.tasks])
        for action in facts.actions
    ]
    if facts.others:
        found.append((OUTSIDE_OTHERS, [_section(part, str(place)) for place, part in enumerate(facts.others, 1)]))
    if facts.whole:
        whole = {"编号": "1", "名称": "综合情况", "责任单位": "", "进展": [], "报告": _units(facts.whole)}
        found.append((UNDIVIDED, [whole]))
    return [
        {"序号": numeral(place), "名称": words(title), "任务": parts} for place, (title, parts) in enumerate(found, 1)
    ]


def _section(part: SectionPart, number: str) -> Context:
    return {
        "编号": number,
        "名称": words(part.title if part.section.startswith("task-") else part.heading),
        "责任单位": words("、".join(part.owners)),
        "进展": list(map(words, section_words(part))),
        "报告": _units(part.texts),
    }


def _annexes(facts: Compilation) -> Context:
    return {
        "进展表": list(progress_rows(facts)),
        "旗县区": [words(name) for _, name in facts.counties],
        "指标表": list(indicator_rows(facts)),
        "指标核对": list(map(words, reconciliation(facts))),
        "缺报迟报": [
            {
                "序号": str(place),
                "单位": words(one.name),
                "时限": full_day(one.report.deadline),
                "情况": words(one.remark(facts.day)),
            }
            for place, one in enumerate(facts.absent, 1)
        ],
        "案例": [
            {
                "序号": str(place),
                "题目": words(one.title),
                "单位": words(one.unit_name),
                "部分": [{"名称": words(name), "段落": list(map(words, lines))} for name, lines in one.parts],
            }
            for place, one in enumerate(facts.cases, 1)
        ],
    }


def progress_rows(facts: Compilation) -> Iterable[Context]:
    """附件1: each action's tasks and their sum, phases and safeguards, and the sum of all."""
    for action in facts.actions:
        yield from (_row(task.heading, task.progress) for task in action.tasks)
        yield _row(f"{action.title}小计", action.progress)
    yield from (_row(part.heading, part.progress) for part in facts.others)
    yield _row("合计", facts.progress)


def _row(name: str, one: Progress) -> Context:
    counts = {
        "应办": one.expected,
        "办结": one.done,
        "按期办结": one.on_time,
        "逾期": one.overdue,
        "待审核": one.under_review,
    }
    return {"名称": words(name), "办结率": one.share, **{key: str(count) for key, count in counts.items()}}


def indicator_rows(facts: Compilation) -> Iterable[Context]:
    """附件2: a row for each measure, and one below it for what it is counted of, so that columns add up."""
    for one in facts.indicators:
        yield _amounts(facts, one, f"{one.requirement} {one.label}", lambda amount: amount.value)
        if one.of_label:
            yield _amounts(facts, one, f"　　{one.of_label}", lambda amount: amount.of)


def _amounts(facts: Compilation, one: Indicator, name: str, pick: Callable[[Amount], Decimal | None]) -> Context:
    def shown(amount: Amount | None) -> str:
        value = pick(amount) if amount is not None and amount.items else None
        return "–" if value is None else number(value)

    counties = [shown(one.county(code)) for code, _ in facts.counties]
    return {"名称": words(name), "全市": shown(one.total), "市级单位": shown(one.of_city), "各旗县区": counties}
