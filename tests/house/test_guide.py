"""用户指南: put together from the chapters of the help, with each picture that it names."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from PIL import Image

from api.help_chapters import guide

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "images" / "guide"
GUIDE = (DOCS / "用户指南.md").read_text("utf-8")
LARGEST, ALL = 120 * 1024, 2_500 * 1024  # bytes


def test_it_is_what_the_chapters_make_of_it() -> None:
    assert guide("images/guide") == GUIDE, "run bin/guide"


def test_each_picture_is_there_and_none_is_left_over() -> None:
    named = {unquote(name) for name in re.findall(r"!\[[^]]+\]\(images/guide/([^)]+)\)", GUIDE)}
    assert named == {path.name for path in PICTURES.iterdir()}, "run bin/guide --pictures"


def test_the_pictures_are_small_and_can_be_read() -> None:
    sizes = {path.name: path.stat().st_size for path in PICTURES.iterdir()}
    assert max(sizes.values()) <= LARGEST, sizes
    assert sum(sizes.values()) <= ALL
    for path in PICTURES.iterdir():
        with Image.open(path) as picture:
            picture.verify()
            assert min(picture.size) >= 600, path.name
