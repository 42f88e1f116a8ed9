"""督办台账 as cells: one function makes each row, for the page and for every export, so that they are identical."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from api.tiles import SHAPES
from api.words import target_words
from documents.cells import Cell
from ledger.civil import SHANGHAI
from ledger.queries.reading import Reading
from ledger.queries.register import RegisterRow
from policy_models.evidence import TYPE_NAMES, Evidence
from policy_models.lifecycle import STATE_NAMES, State
from policy_models.periods import period_name, section_name
from policy_models.plan import EvidenceType, Kind, Level, Requirement, Role
from policy_models.timing import CATCH_UP_NAMES, LIGHT_NAMES
from policy_models.units import LEVEL_NAMES

NONE = "—"
# The columns that 督办 offices use, in their order (domain facts §6), with the width of each in characters.
COLUMNS: tuple[tuple[str, int], ...] = (
    ("序号", 5),
    ("任务编号", 7),
    ("行动", 9),
    ("重点任务", 11),
    ("具体举措", 16),
    ("类型", 6),
    ("牵头单位", 7),
    ("责任单位", 13),
    ("配合单位", 7),
    ("层级", 8),
    ("时间节点", 11),
    ("量化指标", 13),
    ("目标值/完成值", 13),
    ("进展情况", 14),
    ("佐证材料", 9),
    ("存在问题", 12),
    ("下步措施", 12),
    ("状态灯", 9),
    ("责任人", 8),
    ("联系人", 14),
    ("填报时间", 15),
    ("审核人", 9),
    ("审核时间", 15),
    ("备注", 12),
)
TITLES = tuple(title for title, _ in COLUMNS)
KIND_NAMES = {Kind.DATED: "限时", Kind.RECURRING: "定期", Kind.CONTINUOUS: "长期", Kind.ON_EVENT: "遇事即报"}
COUNTED = (EvidenceType.PHOTO, EvidenceType.DOCUMENT, EvidenceType.SIGN_IN, EvidenceType.LINK)
PROBLEM, NEXT = ("问题", "困难"), ("下步", "下一步", "打算")


@dataclass(frozen=True, slots=True)
class About:
    """What is the same for all rows of a requirement."""

    action: str
    task: str
    lead: str
    cooperating: str
    requirement: Requirement | None


def cells(
    rows: Iterator[RegisterRow] | Sequence[RegisterRow], reading: Reading, *, first: int
) -> Iterator[tuple[Cell, ...]]:
    """A tuple of the cells of COLUMNS for each row; ``first``: the 序号 of the first."""
    known: dict[str, About] = {}
    for number, row in enumerate(rows, first):
        code = row.item.requirement
        if code not in known:
            known[code] = _about(row, reading)
        yield tuple(NONE if cell is None or cell == "" else cell for cell in _cells(number, row, known[code], reading))


def _about(row: RegisterRow, reading: Reading) -> About:
    plan, section = reading.plan, reading.section(row.item.section)
    task = f"{section_name(row.item.section)} {section.title}" if section else section_name(row.item.section)
    action = next((one.title for one in plan.actions if row.item.task in one.tasks), "")
    beside = section.requirements if section else ()
    return About(
        action,
        task,
        _named(beside, Role.LEAD),
        _named(beside, Role.COOPERATING),
        reading.requirement(row.item.requirement),
    )


def _named(requirements: Sequence[Requirement], role: Role) -> str:
    """The organs that a section's requirements name in a role. The official text may name none: then it stays open."""
    organs = [organ for one in requirements if one.assignee.role is role for organ in one.assignee.units]
    return "、".join(dict.fromkeys(organs))


def _cells(number: int, row: RegisterRow, about: About, reading: Reading) -> tuple[Cell, ...]:
    item, wanted = row.item, about.requirement
    period = period_name(item.period, reading.calendars)
    texts = _texts(row.evidence, wanted)
    return (
        number,
        item.requirement,
        about.action,
        about.task,
        f"{item.title}（{period}）" if period else item.title,
        KIND_NAMES[wanted.kind] if wanted else None,
        about.lead,
        f"{item.unit_name}（{row.above}）" if row.level is Level.VILLAGE and row.above else item.unit_name,
        about.cooperating,
        LEVEL_NAMES[row.level],
        f"{item.deadline}（原定 {item.planned}）" if item.planned else item.deadline,
        "；".join(str(rule.label) for rule in wanted.measures) if wanted else None,
        _figures(row.evidence, wanted),
        _progress(row, texts),
        "、".join(_counted(row.evidence)),
        "；".join([*_of(texts, PROBLEM), *([f"退回：{item.reason}"] if item.state is State.RETURNED else [])]),
        "；".join(_of(texts, NEXT)),
        f"{SHAPES[item.light]} {LIGHT_NAMES[item.light]}",
        row.contacts.principal,
        row.contacts.liaison,
        _local(row.submitted.at) if row.submitted else None,
        row.reviewed.by_name if row.reviewed else None,
        _local(row.reviewed.at) if row.reviewed else None,
        "；".join(_remarks(row)),
    )


def _local(at: datetime) -> datetime:
    return at.astimezone(SHANGHAI).replace(tzinfo=None, second=0, microsecond=0)


def _figures(given: Sequence[Evidence], wanted: Requirement | None) -> str:
    """``目标 100%，完成 28/30``; the name of each measure in front where there are several."""
    values = {piece.name: piece for piece in given if piece.type is EvidenceType.MEASURE}
    found = []
    for rule in wanted.measures if wanted else ():
        piece = values.get(rule.name)
        target = f"目标 {target_words(rule.target)}" if rule.target else ""
        done = f"完成 {_figure(piece)}" if piece and piece.value is not None else ""
        if words := "，".join(filter(None, (target, done))):
            found.append(f"{rule.label}：{words}" if wanted and len(wanted.measures) > 1 else words)
    return "；".join(found)


def _figure(piece: Evidence) -> str:
    value = f"{piece.value:f}"
    return f"{value}/{piece.of:f}" if isinstance(piece.of, Decimal) else value


def _texts(given: Sequence[Evidence], wanted: Requirement | None) -> list[tuple[str, str]]:
    """What was written, each with the label that the rules give it, in their order."""
    labels = (
        [str(rule.label or "") for rule in wanted.evidence if rule.type is EvidenceType.TEXT for _ in range(rule.min)]
        if wanted
        else []
    )
    texts = [piece for piece in given if piece.type is EvidenceType.TEXT and piece.text]
    return [
        (piece.name or (labels[place] if place < len(labels) else ""), str(piece.text))
        for place, piece in enumerate(texts)
    ]


def _of(texts: Sequence[tuple[str, str]], labels: tuple[str, ...]) -> list[str]:
    return [text for label, text in texts if any(word in label for word in labels)]


def _progress(row: RegisterRow, texts: Sequence[tuple[str, str]]) -> str:
    """The state, and what was done in the unit's own words."""
    told = [text for label, text in texts if not any(word in label for word in (*PROBLEM, *NEXT))]
    told += [f"无新增：{piece.text}" for piece in row.evidence if piece.type is EvidenceType.NOTHING_NEW]
    state = STATE_NAMES[row.item.state]
    return f"{state}。{'；'.join(told)}" if told else state


def _counted(given: Sequence[Evidence]) -> Iterator[str]:
    counts = Counter(piece.type for piece in given)
    yield from (f"{TYPE_NAMES[type]} {counts[type]} 份" for type in COUNTED if counts[type])


def _remarks(row: RegisterRow) -> Iterator[str]:
    item = row.item
    if row.submitted and row.submitted.note:
        yield row.submitted.note
    if item.state is State.WAIVED:
        yield f"豁免：{item.reason}"
    if item.catch_up:
        yield f"启用前事项，{CATCH_UP_NAMES[item.catch_up]}"
    if item.inferred:
        yield "时限为推定"
