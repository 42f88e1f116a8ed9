"""帮助: one source for the help in the app and the guide; every page's ? leads to a chapter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api import help_chapters
from api.help_chapters import CHAPTERS, NAMES, PICTURE, chapter, chapter_of, chapters, guide, html_of
from policy_models.errors import NotFound
from tests.api.site import Site
from tests.factories import BUREAU

TEMPLATES = Path(help_chapters.__file__).parent / "templates"


def test_every_chapter_has_its_text_and_every_text_its_place() -> None:
    files = {path.stem for path in help_chapters.HERE.glob("*.md")}
    assert files == set(NAMES)
    assert all(one.title and len(one.text) > 200 for one in chapters())
    assert len({one.title for one in chapters()}) == len(NAMES)
    assert set(CHAPTERS.values()) <= set(NAMES)


def test_every_page_has_a_chapter() -> None:
    pages = [path.name for path in TEMPLATES.glob("*.html") if not path.name.startswith("_")]
    assert {chapter_of(name).name for name in pages} <= set(NAMES)
    assert chapter_of("review_one.html").name == "review"
    assert chapter_of("my_desk.html").name == "desk"
    assert chapter_of("admin_units.html").name == "admin"  # by the first part of its name
    assert chapter_of("empty.html").name == "overview"


@pytest.mark.parametrize("name", NAMES)
def test_links_and_pictures_of_a_chapter(name: str) -> None:
    text = chapter(name).text
    assert all(target.removeprefix("/help/") in NAMES for target in re.findall(r"(?<!!)\[[^]]*\]\(([^)]*)\)", text))
    assert text.count("{图") == len(PICTURE.findall(text))
    html = html_of(name)
    assert "<img" not in html
    assert "{图" not in html
    assert "<h1" not in html
    assert "！" not in text


def test_the_guide_holds_all_chapters_with_pictures_and_inner_links() -> None:
    whole = guide("images/guide")
    assert [line for line in whole.splitlines() if line.startswith("## ")] == [
        f"## {place}. {one.title}" for place, one in enumerate(chapters(), 1)
    ]
    assert whole.count("](images/guide/") == sum(one.text.count("{图") for one in chapters()) > 10
    assert "](/help/" not in whole
    assert all(f'<a id="{name}"></a>' in whole for name in NAMES)


def test_markup_in_a_chapter_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = help_chapters.Chapter("desk", "x", "<script>alert(1)</script>\n\n[a](javascript:alert(1))")
    monkeypatch.setattr(help_chapters, "chapter", lambda name: hostile)
    html_of.cache_clear()
    html = html_of("desk")
    html_of.cache_clear()
    assert "<script" not in html
    assert "href" not in html


def test_unknown_chapter() -> None:
    with pytest.raises(NotFound, match="没有这一章"):
        chapter("nowhere")


def test_the_help_in_the_app(site: Site) -> None:
    browser, stranger = site.at("2025-02-07"), site.stranger("2025-02-07")
    desk = browser.get(f"/units/{BUREAU}/desk").text
    assert 'href="/help/desk" aria-label="帮助：我的待办与报送"' in desk
    shown = browser.get("/help/desk")
    assert (shown.status_code, "报送一件事" in shown.text) == (200, True)
    assert "help-mark" not in shown.text
    assert stranger.get("/help/sign-in").status_code == 200  # also for who cannot sign in
    assert 'href="/login"' in stranger.get("/help").text
    for path in ("/help/nowhere", "/help/%2e%2e%2fadmin", "/help/%00", "/help/" + "x" * 50):
        assert stranger.get(path).status_code in (303, 404, 422)
