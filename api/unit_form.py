"""A unit as it is typed on its form, and as the one it becomes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form

from policy_models.plan import Level
from policy_models.text import written
from policy_models.units import COLUMN_NAMES, Unit, parse_units

Word = Annotated[str, Form(max_length=200)]
FORM = "表单"


@dataclass(frozen=True, slots=True)
class UnitForm:
    """What was typed; codes in any width."""

    code: str
    name: str
    level: str
    function: str
    parent: str
    functional_zone: bool

    def unit(self) -> Unit:
        """Raises UnitsInvalid, one fault for each field that is wrong."""
        zone = "1" if self.functional_zone else ""
        fields = (self.code, self.name, self.level, self.function, self.parent, zone)
        row = ",".join('"{}"'.format(one.replace('"', '""').replace("\n", " ")) for one in fields)
        head = ",".join(COLUMN_NAMES)
        known = [] if not self.parent else [Unit(self.parent, "", Level.CITY, None, None)]
        return parse_units(f"{head}\n{row}\n", FORM, known={one.code: one for one in known}).one(self.code)

    def fields(self) -> dict[str, str]:
        """As hidden fields of the form that confirms."""
        kept = {name: getattr(self, name) for name in ("name", "level", "function", "parent")}
        return kept | ({"functional_zone": "1"} if self.functional_zone else {})


def unit_form(
    name: Word = "",
    level: Word = "",
    function: Word = "",
    parent: Word = "",
    new_code: Word = "",
    functional_zone: Annotated[str, Form(max_length=8)] = "",
) -> UnitForm:
    return UnitForm(
        _code(new_code), written(name), written(level), written(function), _code(parent), bool(functional_zone)
    )


def form_of(one: Unit) -> UnitForm:
    """As the form shows a unit that is known."""
    return UnitForm(one.code, one.name, one.level.value, one.function or "", one.parent or "", one.functional_zone)


def code_of(text: str, known: Mapping[str, Unit]) -> str:
    """The code of a unit that was typed by its code or by its name where only one has it; else what was typed."""
    plain = _code(text)
    if plain in known:
        return plain
    named = [one.code for one in known.values() if one.name == plain]
    return named[0] if len(named) == 1 else plain


def _code(text: str) -> str:
    return written(unicodedata.normalize("NFKC", text))
