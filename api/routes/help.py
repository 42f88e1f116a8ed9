"""帮助: the guide's chapters, for everybody: also for who cannot sign in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.guard import Guarded
from api.help_chapters import chapter, chapters, html_of
from api.pages import page

router = APIRouter(route_class=Guarded, include_in_schema=False)


@router.get("/help")
def show_help() -> Response:
    return page("help.html", {"here": "help", "chapters": chapters(), "shown": None, "text": ""})


@router.get("/help/{chapter_name}")
def show_chapter(chapter_name: Annotated[str, Path(max_length=40)]) -> Response:
    shown = chapter(chapter_name)
    text = html_of(shown.name)
    return page("help.html", {"here": "help", "chapters": chapters(), "shown": shown, "text": text})
