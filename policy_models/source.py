"""Tracing a plan to the official text: every phrase found once, every duty sentence cited, no deadline contradicted.

The text is not part of the project; it is given at run time.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from policy_models.plan import Every, Kind, Plan, Requirement, Section
from policy_models.plan_checks import Finding

OWNERS = re.compile(r"[（(]包头市[^（）()]*(?:[（(][^（）()]*[)）][^（）()]*)*负责[)）]")
BRACKET = re.compile(r"[（(](?P<names>[^（）()]*?)(?:按照职责分工)?负责[)）]")
STOPS = re.compile(r"[。；;]")
NUMERALS = "一二三四五六七八九十"

# A cadence word in a phrase → the cadences it can mean. Longer words first: 每年上半年 is not yearly.
CADENCE_WORDS: tuple[tuple[str, frozenset[Every]], ...] = (
    (r"上半年|下半年|半年", frozenset({Every.HALF_YEAR})),
    (r"放假前", frozenset({Every.BEFORE_VACATION})),
    (r"寒假|暑假|寒暑假|暑期|夏\(冬\)令营", frozenset({Every.VACATION})),
    (r"双周", frozenset({Every.FORTNIGHT_IN_TERM})),
    (r"每季度|每个季度", frozenset({Every.QUARTER})),
    (r"每个?月", frozenset({Every.MONTH})),
    (r"每年", frozenset({Every.YEAR})),
    (r"汛期|公益日", frozenset({Every.RANGE})),
    (r"爱耳日|关爱日|助残日|预防日|国际儿童节|六一", frozenset({Every.OBSERVANCE, Every.HOLIDAY})),
    (r"春节|国庆|节假日", frozenset({Every.HOLIDAY})),
)


@dataclass(frozen=True)
class Sentence:
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class SourceSection:
    """One section of the official text: its whole paragraph, and the duty sentences (heading and bracket left out)."""

    text: str
    sentences: tuple[Sentence, ...]
    owners: tuple[str, ...] = ()


@dataclass
class Trace:
    """What `plan check --source` found: figures, sentences that nothing cites, and findings (none: the plan holds)."""

    phrases: int = 0
    task_sentences: int = 0
    cited: int = 0
    waived: int = 0
    other_sentences: int = 0
    other_covered: int = 0
    uncited: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_sections(text: str) -> dict[str, SourceSection]:
    """Split the official text into ``task-N``, ``phase-N`` and ``safeguard-N``."""
    found: dict[str, SourceSection] = {}
    part = ""
    for line in text.splitlines():
        if head := re.match(r"[一二三四五六七八九十]+、(\S+)", line):
            part = {"重点任务": "task", "阶段安排": "phase", "保障措施": "safeguard"}.get(head.group(1), "")
        elif part == "task" and (match := re.match(r"(\d+)\.", line)):
            found[f"task-{int(match.group(1))}"] = _section(line)
        elif part in ("phase", "safeguard") and (match := re.match(rf"[（(]([{NUMERALS}])[)）]", line)):
            found[f"{part}-{NUMERALS.index(match.group(1)) + 1}"] = _section(line)
    return found


def _section(text: str) -> SourceSection:
    brackets = list(OWNERS.finditer(text))
    end = brackets[-1].start() if brackets else len(text)
    sentences, start = [], 0
    for stop in [*(m.start() for m in STOPS.finditer(text, 0, end)), end]:
        if text[start:stop].strip():
            sentences.append(Sentence(start, stop, text[start:stop].strip()))
        start = stop + 1
    return SourceSection(text, tuple(sentences[1:]), _owners(brackets[-1].group()) if brackets else ())


def _owners(bracket: str) -> tuple[str, ...]:
    match = BRACKET.fullmatch(bracket)
    names = match.group("names") if match else ""
    return tuple(name.strip() for name in names.removeprefix("包头").split("、"))


def trace(plan: Plan, text: str) -> Trace:
    """Hold a plan against the official text. Nothing is raised: what is wrong stands in ``findings``."""
    sections = read_sections(text)
    result = Trace()
    for name, _ in plan.sections():
        source = sections.get(name)
        if source is None:
            result.findings.append(Finding(name, (), f"官方文本中没有这一节：{name}"))
            continue
        result.findings += _owner_findings(plan, name, source)
    spans: dict[str, set[int]] = {name: set() for name in sections}
    for name, index, requirement in _numbered(plan):
        result.findings += _phrases(result, sections, spans, name, index, requirement)
        result.findings += _contradictions(name, index, requirement)
    waived = {name: set(indices) for name, indices in spans.items()}
    for name, section in plan.sections():
        result.findings += _waivers(result, sections, waived, name, section)
    _count(result, sections, spans, waived)
    return result


def _numbered(plan: Plan) -> Iterator[tuple[str, int, Requirement]]:
    for name, section in plan.sections():
        for index, requirement in enumerate(section.requirements):
            yield name, index, requirement


def _owner_findings(plan: Plan, name: str, source: SourceSection) -> list[Finding]:
    task = plan.task(int(name.split("-")[1])) if name.startswith("task-") else None
    if task is None or not source.owners:
        return []
    named = tuple(o if o in plan.organs else o.removeprefix("市") for o in source.owners)
    if named != task.owners:
        return [Finding(name, ("owners",), f"责任单位与官方文本不一致：文本为 {'、'.join(named)}")]
    return []


def _locate(sections: dict[str, SourceSection], section: str, phrase: str) -> tuple[str | None, int | None]:
    """(what is wrong, or None; the index of the duty sentence it lies in, or None for heading and bracket)."""
    source = sections.get(section)
    if source is None:
        return f"官方文本中没有这一节：{section}", None
    times = source.text.count(phrase)
    if times != 1:
        return f"引文在官方文本中出现 {times} 次（须恰好一次）：{phrase}", None
    start = source.text.index(phrase)
    inside = (i for i, s in enumerate(source.sentences) if s.start <= start and start + len(phrase) <= s.end)
    return None, next(inside, None)


def _phrases(
    result: Trace,
    sections: dict[str, SourceSection],
    spans: dict[str, set[int]],
    name: str,
    index: int,
    requirement: Requirement,
) -> list[Finding]:
    findings = []
    for place, locator in enumerate(requirement.source):
        result.phrases += 1
        wrong, sentence = _locate(sections, locator.section, locator.phrase)
        if wrong:
            findings.append(Finding(name, ("requirements", index, "source", place, "phrase"), wrong))
        elif sentence is not None:
            spans[locator.section].add(sentence)
    return findings


def _waivers(
    result: Trace, sections: dict[str, SourceSection], waived: dict[str, set[int]], name: str, section: Section
) -> list[Finding]:
    findings = []
    for index, waiver in enumerate(section.waived):
        result.phrases += 1
        wrong, sentence = _locate(sections, name, waiver.phrase)
        if wrong:
            findings.append(Finding(name, ("waived", index, "phrase"), wrong))
        elif sentence is not None:
            waived[name].add(sentence)
    return findings


def _count(
    result: Trace, sections: dict[str, SourceSection], cited: dict[str, set[int]], covered: dict[str, set[int]]
) -> None:
    for name, source in sections.items():
        total, hit = len(source.sentences), len(covered[name])
        if name.startswith("task-"):
            result.task_sentences += total
            result.cited += len(cited[name])
            result.waived += hit - len(cited[name])
        else:
            result.other_sentences += total
            result.other_covered += hit
        for index, sentence in enumerate(source.sentences):
            if index not in covered[name]:
                result.uncited.append((name, sentence.text))
                result.findings.append(
                    Finding(name, (), f"没有任何事项引用，也未说明理由的句子：{sentence.text[:24]}…")
                )


def stated_dates(phrase: str) -> set[date]:
    """The deadlines that a phrase states. "X月底前" is the last day of that month, legally."""
    dates = set()
    for year, month in re.findall(r"(\d{4})\s*年\s*(\d{1,2})\s*月底", phrase):
        if 1 <= int(month) <= 12:
            dates.add(date(int(year), int(month), calendar.monthrange(int(year), int(month))[1]))
    for year in re.findall(r"(\d{4})\s*年底|到\s*(\d{4})\s*年(?!\s*\d)", phrase):
        dates.add(date(int(year[0] or year[1]), 12, 31))
    return dates


def stated_cadences(phrase: str) -> frozenset[Every]:
    """The cadences that a phrase states; the most specific word decides."""
    return next((meant for word, meant in CADENCE_WORDS if re.search(word, phrase)), frozenset())


def _contradictions(name: str, index: int, requirement: Requirement) -> list[Finding]:
    phrases = [locator.phrase for locator in requirement.source]
    at = ("requirements", index, "recurrence")
    if requirement.kind is Kind.DATED and "deadline" not in requirement.inferred:
        dates = set().union(*map(stated_dates, phrases))
        if requirement.deadline not in dates:
            said = "、".join(map(str, sorted(dates))) or "没有日期"
            message = f"时限 {requirement.deadline} 与引文不符（引文：{said}）；若为推定，请列入 inferred"
            return [Finding(name, (*at, "deadline"), message)]
    if requirement.kind is Kind.RECURRING and "recurrence" not in requirement.inferred:
        stated = frozenset[Every]().union(*map(stated_cadences, phrases))
        every = requirement.recurrence.every if requirement.recurrence else None
        if every not in stated:
            message = (
                f"频次 {every} 与引文不符（引文：{'、'.join(sorted(stated)) or '未写频次'}）；若为推定，请列入 inferred"
            )
            return [Finding(name, (*at, "every"), message)]
    return []
