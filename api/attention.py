"""需要关注: what the office should look at first, worst first, each with why and a way in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from api.board import Board, SectionLine
from api.pages import address, carried
from api.words import percent, section_path
from ledger.queries.reading import Reading
from ledger.queries.rounds import RoundRow
from policy_models.calendars import notice_missing
from policy_models.periods import period_name, section_name
from policy_models.timing import Light, Timing

LAG = 0.10  # 办结率 behind 序时进度 by at least so much is worth a line
MOST = 8
AFTER = timedelta(days=30)  # a round that is closed stays the present one for so long


@dataclass(frozen=True, slots=True)
class Concern:
    """One line: a light, the sentence, where to look (None: nothing to open), and a word for the light ("": its own)."""

    light: Light
    sentence: str
    link: str | None
    word: str = ""


def current_round(rounds: Sequence[RoundRow], as_of: date) -> RoundRow | None:
    """本轮报送: the round that is open, else one that should be, else one closed lately, else the next to come. None where
    the units that may be seen hand in none. ``rounds``: the newest first."""
    wanted = [one for one in rounds if one.phase != "skipped" and (one.round is None or one.figures.owing)]
    open_ = [one for one in wanted if one.phase == "open"]
    due = [one for one in reversed(wanted) if one.phase == "coming" and one.opens_on <= as_of]
    lately = [one for one in wanted if one.phase == "closed" and one.deadline >= as_of - AFTER]
    coming = [one for one in reversed(wanted) if one.phase == "coming" and one.opens_on > as_of]
    return next(iter([*open_, *due, *lately, *coming, *wanted]), None)


def concerns(
    reading: Reading, board: Board, unreachable: int = 0, round_: RoundRow | None = None
) -> tuple[Concern, ...]:
    """At most eight lines; none when all goes well. ``unreachable``: units that owe something and that nobody can
    reach; ``round_``: the present round."""
    lines = [
        *_late(reading, board),
        *_round(reading, round_),
        *_unreachable(reading, unreachable),
        *_waiting(reading, board),
        *_behind(reading, board),
        *_calendars(reading),
    ]
    return tuple(lines[:MOST])


def _late(reading: Reading, board: Board) -> Iterator[Concern]:
    late = [line for line in board.sections if line.cell.late and line.cell.light in (Light.RED, Light.ORANGE)]
    for line in sorted(late, key=lambda one: (one.cell.light is not Light.RED, -one.cell.late))[:4]:
        red = line.cell.count(Timing.LONG_OVERDUE)
        words = f"{_named(line)}：{'严重' if red == line.cell.late else ''}逾期 {line.cell.late} 件"
        words += f"，其中严重逾期 {red} 件" if 0 < red < line.cell.late else ""
        yield Concern(line.cell.light, words, _items(reading, section=line.name, timing="late"))


def _round(reading: Reading, row: RoundRow | None) -> Iterator[Concern]:
    if row is None or row.round is None:
        return
    path, name = f"/rounds/{row.code}", f"{period_name(row.code, reading.calendars)}半年报告"
    if row.phase == "open" and row.figures.missing:
        link = address(path, show="overdue", **carried(reading))
        yield Concern(Light.ORANGE, f"{name}：{row.figures.missing} 个单位过期未报", link)
    if row.figures.waiting:
        link = address(path, show="submitted", **carried(reading))
        yield Concern(Light.GREEN, f"{name}：待审核 {row.figures.waiting} 份", link, "待审核")


def _unreachable(reading: Reading, number: int) -> Iterator[Concern]:
    if number:
        words = f"{number} 个单位联系不到：没有联络员能收到消息，请登记或更正"
        yield Concern(Light.YELLOW, words, address("/people/unreachable", plan=reading.summary.code), "注意")


def _waiting(reading: Reading, board: Board) -> Iterator[Concern]:
    if waiting := board.total.count(Timing.UNDER_REVIEW):
        link = _items(reading, timing="under_review")
        yield Concern(Light.GREEN, f"待审核 {waiting} 件，请审核单位及时审核", link)
    if missing := board.total.count(Timing.BACKFILL):
        link = _items(reading, timing="backfill")
        yield Concern(Light.GREY, f"待补录 {missing} 件：系统启用前的事项，不催办、不计逾期，方便时补录佐证材料", link)


def _behind(reading: Reading, board: Board) -> Iterator[Concern]:
    behind = [
        line
        for line in board.sections
        if line.cell.expected and line.cell.share_due - line.cell.share_done >= LAG and not line.cell.late
    ]
    for line in sorted(behind, key=lambda one: one.cell.share_done - one.cell.share_due)[:2]:
        rate = f"办结率 {percent(line.cell.share_done)}，低于序时进度 {percent(line.cell.share_due)}"
        yield Concern(line.cell.light, f"{_named(line)}：{rate}", address(section_path(line.name), **carried(reading)))


def _calendars(reading: Reading) -> Iterator[Concern]:
    if reading.as_of > reading.plan.ends_on:
        return
    if words := notice_missing(reading.calendars.work, reading.as_of):
        yield Concern(Light.GREY, words, None)
    ends = reading.as_of.year + (reading.as_of.month >= 8)
    if reading.calendars.school.status(ends) != "official":
        words = f"{ends - 1}-{ends}学年校历尚未录入，寒暑假和学期的时限均为推定，请教育部门提供校历后导入"
        yield Concern(Light.GREY, words, None)


def _named(line: SectionLine) -> str:
    return f"{section_name(line.name)} {line.section.title}"


def _items(reading: Reading, **query: object) -> str:
    return address("/items", **query, **carried(reading))
