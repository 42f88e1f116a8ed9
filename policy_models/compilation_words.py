"""总体情况 and what else is said of figures: sentences assembled from a Compilation by template. Nothing is invented."""

from __future__ import annotations

from policy_models.compilation import Compilation, Progress, SectionPart
from policy_models.spans import full_day

DIGITS = "零一二三四五六七八九"


def overview(facts: Compilation) -> tuple[str, ...]:
    """总体情况: paragraphs assembled from figures alone."""
    return tuple(filter(None, [_work(facts), _by_action(facts), _reporting(facts), _cases(facts)]))


def _work(facts: Compilation) -> str:
    all_of_it = facts.progress
    told = (
        f"截至{full_day(facts.day)}，《{facts.plan_title}》{len(facts.actions)}个行动、{len(facts.tasks)}项重点任务"
        f"及各阶段、保障措施中，时限在{facts.round_name}的办理件应办{all_of_it.expected}件"
    )
    if not all_of_it.expected:
        return f"{told}。"
    return f"{told}，{standing_words(all_of_it)}。"


def standing_words(progress: Progress) -> str:
    """``已办结412件，办结率90%，其中按期办结400件；逾期未办结43件，待审核2件``: without a full stop."""
    told = f"已办结{progress.done}件，办结率{progress.share}"
    if progress.done:
        told += f"，其中按期办结{progress.on_time}件"
    rest = (("逾期未办结", progress.overdue), ("待审核", progress.under_review), ("待补录", progress.backfill))
    more = "，".join(f"{word}{count}件" for word, count in rest if count)
    return f"{told}；{more}" if more else told


def _by_action(facts: Compilation) -> str:
    told = [
        f"{action.title}应办{action.progress.expected}件、办结{action.progress.done}件（{action.progress.share}）"
        for action in facts.actions
        if action.progress.expected
    ]
    return f"分行动看，{'；'.join(told)}。" if told else ""


def _reporting(facts: Compilation) -> str:
    owed = len(facts.submitters)
    if not owed:
        return ""
    accepted = owed - len(facts.not_accepted)
    handed = [one.report for one in facts.submitters if one.report.is_in]
    prompt = sum(not one.is_late for one in handed)
    told = (
        f"{facts.round_name}工作进展情况报告应由{owed}个单位报送，已报送{len(handed)}个，其中按时报送{prompt}个；"
        f"已审核通过{accepted}个"
    )
    if accepted == owed:
        return f"{told}。"
    return f"{told}，其余{owed - accepted}个单位的内容尚未全部审核通过，未列入本报告的部分见附件3。"


def _cases(facts: Compilation) -> str:
    return f"经评审入选优秀案例{len(facts.cases)}篇，见附件4。" if facts.cases else ""


def section_words(task: SectionPart) -> tuple[str, ...]:
    """What the figures say of a task: its deadlines, then its measures; a paragraph each."""
    progress = task.progress
    if progress.expected:
        told = f"时限在本期的办理件应办{progress.expected}件，{standing_words(progress)}"
        deadlines = f"{told}。已到时限的{progress.due}件中，按期办结{progress.met}件（{progress.met}/{progress.due}）。"
    else:
        deadlines = "本期没有到期的办理件，持续推进。"
    figures = [f"{one.full_label}为{one.total.words}" for one in task.indicators if one.total.items]
    return (deadlines, f"主要数据：{'；'.join(figures)}。") if figures else (deadlines,)


def reconciliation(facts: Compilation) -> tuple[str, ...]:
    """附件2 explained: which measures differ from the counties' sum, by how much and why; then how many do not."""
    differing = [one for one in facts.indicators if one.of_city.items]
    told = [f"{one.requirement} {one.full_label}：{one.reconciled}。" for one in differing]
    same = len(facts.indicators) - len(differing)
    if same:
        told.append(f"{'其余' if told else ''}{same}项指标各旗县区之和与全市一致。")
    return tuple(told)


def numeral(count: int) -> str:
    """``12`` → ``十二``, up to 99."""
    tens, ones = divmod(count, 10)
    return f"{'' if tens == 1 else DIGITS[tens]}十{DIGITS[ones] if ones else ''}" if tens else DIGITS[ones]


def paragraphs(text: str) -> tuple[str, ...]:
    """The paragraphs of what somebody typed, without the spaces they indented with; empty ones left out."""
    return tuple(filter(None, (line.strip(" \t\u3000\u00a0") for line in text.splitlines())))
