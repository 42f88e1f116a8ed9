"""A browser over the plan that collects exemplars, with a file store of its own."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi.testclient import TestClient
from PIL import Image

from ledger.database import Database
from ledger.settings import Settings
from tests.api.site import BASE, open_browser
from tests.exemplar_site import load_collecting
from tests.factories import instant, opened

FORM = {
    "title": "牵手成长",
    "background": "背景" * 200,
    "practice": "做法" * 400,
    "effect": "成效" * 200,
    "insight": "启示" * 100,
}


@dataclass
class Office:
    """A ledger, its files, and browsers on any day."""

    database: Database
    files: Path

    def at(self, day: str = "2025-06-20") -> TestClient:
        settings = Settings(base_url=BASE, clock=instant(day), files_dir=self.files)
        return open_browser(self.database, settings)


@contextmanager
def office_of(url: str, folder: Path, *, villages: int = 2) -> Iterator[Office]:
    with opened(url) as database:
        load_collecting(database, folder / "pack", villages=villages)
        yield Office(database, folder / "files")


def text_of(page: str) -> str:
    """What a reader sees, with single spaces."""
    bare = re.sub(r"<(style|title|script)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare))


def picture(colour: tuple[int, int, int] = (90, 120, 60), kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(out, kind)
    return out.getvalue()
