"""盲评: which words are masked in an exemplar, from the units around it and the names that people use for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from api.short_names import CUSTOMARY
from ledger.exemplar_rows import Exemplar
from ledger.queries.scoring import Neighbour
from policy_models.exemplars import Content
from policy_models.masking import county_names, masked, office_names, place_names, words_to_mask
from policy_models.plan import Level


def mask_of(one: Exemplar, around: Iterable[Neighbour], organs: Mapping[str, str]) -> dict[str, str]:
    """``organs``: the owners' names as the plan writes them, to unit codes. Masked are the unit's own office, every
    county, and in a county's exemplar all its places and offices."""
    known = list(around)
    city = next((unit.name for unit in known if unit.level is Level.CITY and not unit.function), "")
    offices: set[str] = {name for name, code in organs.items() if code == one.unit}
    places: set[str] = set()
    for unit in known:
        inside = bool(one.county) and one.county in (unit.county, unit.code)
        if unit.function and (unit.code == one.unit or inside):
            offices |= office_names(unit.name, city)
        elif unit.level is Level.COUNTY and not unit.function:
            places |= county_names(unit.name) | {CUSTOMARY.get(unit.name, unit.name)}
        elif inside:
            places |= place_names(unit.name)
    return words_to_mask(offices, places)


def blind(content: Content, words: Mapping[str, str]) -> tuple[str, list[tuple[str, str]]]:
    """Title, and (heading, text) of each part, masked."""
    return masked(content.title, words), [(heading, masked(text, words)) for _, heading, text in content.parts()]
