"""HTML from templates: one environment, strict about what is missing, everything escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api import narrowing, visit, words
from api.help_chapters import chapter_of
from api.navigation import bottom_bar, rail
from api.short_names import short_name
from api.tiles import SHAPES, bar, cell_words, heat_tile, light, pace, tile
from api.told import told
from ledger.civil import civil_date
from ledger.extensions import ANSWER_NAMES
from ledger.plans import PlanSummary
from ledger.queries.reading import Reading
from policy_models.access import ROLE_NAMES
from policy_models.exemplars import EXEMPLAR_STATE_NAMES, characters, length
from policy_models.lifecycle import ACT_NAMES, STATE_NAMES
from policy_models.periods import period_name, section_name
from policy_models.sampling import OUTCOME_NAMES
from policy_models.scoring import decimal_words
from policy_models.spans import full_day
from policy_models.timing import CATCH_UP_NAMES, LIGHT_NAMES, LIGHTS, TIMING_NAMES
from policy_models.units import LEVEL_NAMES

HERE = Path(__file__).parent
STATIC = HERE / "static"


def page(
    template: str, context: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """A page. Pages are never stored by caches: they show what the ledger holds now."""
    current = visit.current()
    facts = {
        "visitor": current.visitor,
        "just_done": told(current.told),
        "help_chapter": chapter_of(template),
        **context,
    }
    html = _environment().get_template(template).render(facts)
    return HTMLResponse(html, status, {"Cache-Control": "no-store", **(headers or {})})


def address(path: str, **query: object) -> str:
    """A path with those query fields that have a value; a tuple becomes a repeated field."""
    pairs: list[str] = []
    for name, value in query.items():
        if isinstance(value, (tuple, list)):
            pairs += [f"{name}={_quoted(str(one))}" for one in value if one is not None and one != ""]
        elif value is not None and value != "":
            pairs.append(f"{name}={_quoted(str(value))}")
    return f"{path}?{'&'.join(pairs)}" if pairs else path


# A page has hundreds of links, and few values in them
_quoted = lru_cache(maxsize=4096)(quote_plus)


def carried(reading: Reading) -> dict[str, object]:
    """What every link of a page hands on: the plan, and the day where it is not today."""
    today = civil_date(reading.now)
    return {"plan": reading.summary.code, "as_of": reading.as_of if reading.as_of != today else None}


def plan_page(
    template: str, reading: Reading, plans: tuple[PlanSummary, ...], context: Mapping[str, Any], **more: Any
) -> HTMLResponse:
    """A page about a plan as of a day: its links hand both on."""
    tail = address("", **carried(reading))[1:]  # the same in every link of the page

    def link(path: str, **query: object) -> str:
        own = address(path, **query)
        return f"{own}{'?' if own is path else '&'}{tail}"

    today = civil_date(reading.now)
    shared = {"reading": reading, "plans": plans, "link": link, "today": today, "ahead": reading.as_of > today}
    return page(template, {**shared, **context}, **more)


@cache
def static_address(name: str) -> str:
    """The address of an own file, with its digest so that a new version is fetched."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        words=words,
        period_name=period_name,
        section_name=section_name,
        short_name=short_name,
        pace=pace,
        light=light,
        bar=bar,
        cell_words=cell_words,
        tile=tile,
        heat_tile=heat_tile,
        rest=narrowing.rest,
        narrowed=narrowing.narrowed,
        narrowed_name=narrowing.narrowed_name,
        group_names=narrowing.GROUP_NAMES,
        address=address,
        static=static_address,
        shapes=SHAPES,
        lights=LIGHTS,
        light_names=LIGHT_NAMES,
        timing_names=TIMING_NAMES,
        state_names=STATE_NAMES,
        act_names=ACT_NAMES,
        level_names=LEVEL_NAMES,
        outcome_names=OUTCOME_NAMES,
        answer_names=ANSWER_NAMES,
        civil_date=civil_date,
        catch_up_names=CATCH_UP_NAMES,
        exemplar_states=EXEMPLAR_STATE_NAMES,
        characters=characters,
        length=length,
        decimal_words=decimal_words,
        may=visit.may,
        rail=rail,
        bottom_bar=bottom_bar,
        role_names=ROLE_NAMES,
        reading=None,
        ahead=False,
        plans=(),
        link=address,
        here="",
    )
    environment.filters["percent"] = words.percent
    environment.filters["moment"] = words.moment
    environment.filters["full_day"] = full_day
    environment.filters["item_path"] = lambda key: f"/items/{quote(str(key), safe=':-._~')}"
    environment.filters["item_key"] = lambda key: quote(str(key), safe=":-._~")
    environment.filters["unit_path"] = lambda code: f"/units/{quote(str(code), safe='-')}"
    return environment
