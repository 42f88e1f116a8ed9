"""The form of one exemplar: what was typed in, and where its pages are."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Path
from pydantic import BeforeValidator

from policy_models.exemplars import Content
from policy_models.text import written


def _written(value: object) -> object:
    return written(value) if isinstance(value, str) else value


def _one_line(value: object) -> object:
    return " ".join(written(value).split()) if isinstance(value, str) else value


LongWords = Annotated[str, BeforeValidator(_written), Form()]
ShortWords = Annotated[str, BeforeValidator(_one_line), Form()]
Version = Annotated[int, Form(ge=1, lt=2**31)]
RowId = Annotated[int, Path(ge=1, lt=2**63)]


def content_of(
    title: ShortWords = "",
    background: LongWords = "",
    practice: LongWords = "",
    effect: LongWords = "",
    insight: LongWords = "",
    tells_of_child: Annotated[bool, Form()] = False,
    child_consents: Annotated[bool, Form()] = False,
    guardian_consents: Annotated[bool, Form()] = False,
    anonymised: Annotated[bool, Form()] = False,
) -> Content:
    """What the form says. Consent is kept only for an exemplar that tells of a child: else nothing was asked."""
    told = tells_of_child
    return Content(
        title=title,
        background=background,
        practice=practice,
        effect=effect,
        insight=insight,
        tells_of_child=told,
        child_consents=told and child_consents,
        guardian_consents=told and guardian_consents,
        anonymised=told and anonymised,
    )


def desk_path(unit: str) -> str:
    return f"/units/{quote(unit, safe='-')}/exemplars"


def exemplar_path(unit: str, exemplar_id: int) -> str:
    return f"{desk_path(unit)}/{exemplar_id}"


def shortlist_path(coordinator: str) -> str:
    return f"/units/{quote(coordinator, safe='-')}/shortlist"
