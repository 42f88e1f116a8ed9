"""Rendering a calendar of 1,000 items, beside icalendar writing the same from ready values and joining ready pieces."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from icalendar import Calendar
from icalendar.cal import Component

from api.feed_render import render
from benchmarks.measure import take_turns, timed
from benchmarks.table import Result
from ledger.queries.feed import Feed

QUESTION = "feed"
RUNS = 5
Property = tuple[str, object]


def measure_rendering(facts: Feed, body: bytes, base_url: str) -> list[Result]:
    """Two rows: beside the library that writes the same, and beside joining what is ready. Raises RuntimeError where the
    library did not write the same content lines."""
    size = len(facts.items)
    plain = _plain(Calendar.from_ical(body))
    if _lines(_by_library(plain)) != _lines(body):
        raise RuntimeError("icalendar was not given the same content")
    begin = b"BEGIN:VEVENT"
    head, *events = body.split(begin)
    fragments = [head, *(begin + event for event in events)]
    acts: tuple[Callable[[], bytes], ...] = (
        lambda: render(facts, base_url=base_url),
        lambda: _by_library(plain),
        lambda: b"".join(fragments),
    )
    ours, library, joined = (median(size / s for s in f) for f in take_turns(RUNS, *(_timer(act) for act in acts)))
    figure = f"rendering {size:,} items"
    return [
        Result(QUESTION, "none", figure, ours, "items/s", "icalendar (peer)", library),
        Result(QUESTION, "none", figure, ours, "items/s", "joining ready fragments (limit)", joined),
    ]


def _timer(act: Callable[[], bytes]) -> Callable[[], float]:
    return lambda: timed(act)


@dataclass(frozen=True, slots=True)
class PlainComponent:
    """A calendar component as plain values: what a program that uses a library would start from."""

    name: str
    properties: tuple[Property, ...]
    parts: tuple[PlainComponent, ...]


def _plain(component: Component) -> PlainComponent:
    values = [(name, _value(found)) for name, held in component.items() for found in _each(held)]
    parts = tuple(_plain(part) for part in component.subcomponents)
    return PlainComponent(component.name or "", tuple(values), parts)


def _each(held: Any) -> list[Any]:
    return held if isinstance(held, list) else [held]


def _value(found: Any) -> object:
    if hasattr(found, "dt"):
        return found.dt
    if hasattr(found, "cats"):
        return [str(name) for name in found.cats]
    if hasattr(found, "td"):
        return found.td
    return int(found) if isinstance(found, int) else str(found)


def _by_library(plain: PlainComponent) -> bytes:
    return bytes(_component(plain).to_ical(sorted=False))


def _component(plain: PlainComponent) -> Component:
    made = Component.get_component_class(plain.name)()
    for name, value in plain.properties:
        made.add(name, value)
    for part in plain.parts:
        made.add_component(_component(part))
    return made


def _lines(body: bytes) -> list[str]:
    """The content lines, unfolded, in an order that does not depend on who wrote them. The refresh hint is left out:
    the library writes the same length of time in another way."""
    lines = re.sub(rb"\r\n[ \t]", b"", body).decode().split("\r\n")
    return sorted(line for line in lines if not line.startswith("REFRESH-INTERVAL"))
