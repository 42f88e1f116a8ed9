"""The smallest pieces of look.md: light chip, progress bar with its mark, cells of a matrix. A page has hundreds of them,
so they are written here and not as macros, which cost ten times as much. Pure; all that comes in is escaped."""

from __future__ import annotations

from markupsafe import Markup, escape

from api.words import percent
from policy_models.rollup import Cell
from policy_models.timing import LIGHT_NAMES, Light, Timing

# Shape beside colour and word: a light is never told by colour alone.
SHAPES = {
    Light.GREY: "○",
    Light.GREEN: "●",
    Light.YELLOW: "◐",
    Light.ORANGE: "▲",
    Light.RED: "▲",
    Light.BLUE: "✓",
}
_BESIDE = (
    (Timing.UNDER_REVIEW, "待审核"),
    (Timing.BACKFILL, "待补录"),
    (Timing.COUNTED, "仅统计"),
    (Timing.EXEMPT, "豁免"),
)


def light(light: Light, word: str | None = None) -> Markup:
    """A light as a chip: its shape and its word, or another word in its place."""
    said = escape(word or LIGHT_NAMES[light])
    return Markup(f'<span class="light light--{light}">{_shape(light)}{said}</span>')


def pace(cell: Cell) -> Light:
    """The colour of a progress bar: done is blue, at or before 序时进度 green, behind it yellow. Not the light."""
    if not cell.expected:
        return Light.GREY
    if cell.done == cell.expected:
        return Light.BLUE
    return Light.GREEN if cell.share_done >= cell.share_due else Light.YELLOW


def bar(cell: Cell) -> Markup:
    """The progress of a cell, with a mark where 序时进度 is."""
    done, due = cell.share_done, cell.share_due
    said = f"办结率 {percent(done)}，序时进度 {percent(due)}"
    mark = f'<rect class="bar-mark" x="{due * 100:.1f}%" width="2" height="6"/>' if cell.expected and due < 1 else ""
    return Markup(
        f'<svg class="bar light--{pace(cell)}" width="100%" height="6" role="img" aria-label="{said}"><title>{said}</title>'
        '<rect class="bar-ground" width="100%" height="6"/>'
        f'<rect class="bar-done" width="{done * 100:.1f}%" height="6"/>{mark}</svg>'
    )


def cell_words(cell: Cell) -> str:
    """``办结 3/5，逾期 1，待审核 1``"""
    said = [done_words(cell), *(f"{word} {n}" for timing, word in _BESIDE if (n := cell.by_timing.get(timing)))]
    return "，".join(said)


def done_words(cell: Cell) -> str:
    """``办结 3/5，逾期 1``"""
    late = f"，逾期 {cell.late}" if cell.late else ""
    return f"办结 {cell.done}/{cell.expected}{late}"


def tile(cell: Cell | None, href: str, name: str) -> Markup:
    """A cell of a matrix that says how many are done, and leads to them; a dash where there is nothing."""
    if cell is None:
        return _none(name)
    if cell.expected:
        return _tile(cell, href, name, cell_words(cell), f"{cell.done}/{cell.expected}")
    said = cell_words(cell)
    return Markup(
        f'<a class="tile light--grey" href="{escape(href)}" title="{escape(name)}：{said}">{_shape(Light.GREY)}0'
        f'<span class="sr"> {said}</span></a>'
    )


def heat_tile(cell: Cell | None, href: str, name: str) -> Markup:
    """A cell of a matrix that says which share is done."""
    if cell is None:
        return _none(name)
    return _tile(cell, href, name, done_words(cell), percent(cell.share_done) if cell.expected else "–")


def _tile(cell: Cell, href: str, name: str, said: str, figure: str) -> Markup:
    word = LIGHT_NAMES[cell.light]
    return Markup(
        f'<a class="tile light--{cell.light}" href="{escape(href)}" title="{escape(name)}：{word}，{said}">'
        f'{_shape(cell.light)}{figure}<span class="sr"> {word}</span></a>'
    )


def _none(name: str) -> Markup:
    return Markup(f'<span class="none" title="{escape(name)}：无事项">–</span>')


def _shape(light: Light) -> str:
    return f'<span class="shape" aria-hidden="true">{SHAPES[light]}</span>'
