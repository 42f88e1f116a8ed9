"""The half-year that a page about exemplars speaks of: the one asked for, else the latest that has begun."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator, StringConstraints

from api.dependencies import empty_is_none, printable
from policy_models.errors import NotFound

RoundCode = Annotated[
    Annotated[str, StringConstraints(max_length=12)] | None,
    BeforeValidator(empty_is_none),
    BeforeValidator(printable),
    Query(alias="round"),
]


def chosen_round(known: tuple[tuple[str, date], ...], wanted: str | None, today: date) -> str:
    """``known``: half-years with the day each opens, the latest first. Raises NotFound for one that is not among them,
    or where the plan asks for none."""
    if not known:
        raise NotFound("方案没有要求报送优秀案例")
    if wanted is not None:
        if wanted not in {code for code, _ in known}:
            raise NotFound(f"没有“{wanted}”这一期，请从列表中选择")
        return wanted
    return next((code for code, opens_on in known if opens_on <= today), known[-1][0])
