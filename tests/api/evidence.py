"""What the tests of evidence share: a site that keeps files in the test's own folder, pictures, forms as they are sent."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from fastapi.testclient import TestClient
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, StreamObject

from ledger.database import Database
from ledger.settings import Settings
from tests.api.site import BASE, open_browser
from tests.factories import BUREAU, Files, instant, item, requirement_of, village
from tests.postgres import free_port

VILLAGE, NEXT_DOOR, TOWNSHIP = village(1, 1), village(1, 2), "900101"
MONTH = item("1.2", VILLAGE, "2025-02")
BUREAU_ITEM = item("1.1", BUREAU, "once")
BOUNDARY = "----testBoundary7MA4YWxkTrZu0gW"
Browser = Callable[..., TestClient]


def asking(files: Files) -> None:
    """The monthly item asks for two figures, photos, a sign-in sheet, a text and a link, or 无新增."""
    first = {"type": "measure", "name": "seen", "label": "已走访", "of": "all", "of_label": "应走访", "target": "100%"}
    second = {"type": "measure", "name": "gaps", "label": "发现问题数"}
    rest = [
        {"type": "photo", "min": 2, "label": "走访照片"},
        {"type": "sign_in", "label": "签到表"},
        {"type": "text", "label": "走访情况"},
        {"type": "link", "label": "报道链接"},
    ]
    requirement_of(files, "1.2").update(evidence=[first, second, *rest], nothing_new=True)


def browser(database: Database, folder: Path, day: str = "2025-02-20", **settings: object) -> TestClient:
    """A browser that believes it is 09:00 of that day; files lie below ``folder``."""
    made = Settings(base_url=BASE, clock=instant(day), files_dir=folder / "files", **settings)  # type: ignore[arg-type]
    return open_browser(database, made)


def photo(n: int, side: int = 64, **save: object) -> bytes:
    """A JPEG like no other."""
    colour = (n * 37 % 256, n * 101 % 256, n // 7 % 256)
    out = io.BytesIO()
    picture = Image.new("RGB", (side, side * 3 // 4), colour)
    picture.putpixel((n % side, n // side % (side * 3 // 4)), (255 - colour[0], 255, 255))
    picture.save(out, "JPEG", quality=95, **save)
    return out.getvalue()


def document() -> bytes:
    """A PDF of one page with a line of text."""
    out = io.BytesIO()
    writer = PdfWriter()
    page = writer.add_blank_page(200, 200)
    helvetica = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    font = DictionaryObject({NameObject(key): NameObject(value) for key, value in helvetica.items()})
    fonts = DictionaryObject({NameObject("/F1"): font})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    content = StreamObject()
    content.set_data(b"BT /F1 12 Tf 20 100 Td (visited 12 of 12) Tj ET")
    page[NameObject("/Contents")] = content
    writer.write(out)
    return out.getvalue()


def form(
    *files: tuple[bytes | str, bytes],
    fields: Sequence[tuple[str, str]] = (),
    cut: int | None = None,
    boundary: str = BOUNDARY,
) -> bytes:
    """A multipart body as a browser writes it; a name in bytes stands as it is, and ``cut`` ends it too early."""
    body = b""
    for name, value in fields:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, data in files:
        raw = name if isinstance(name, bytes) else b'filename="' + name.encode() + b'"'
        head = b'Content-Disposition: form-data; name="file"; ' + raw
        body += (
            f"--{boundary}\r\n".encode() + head + b"\r\nContent-Type: application/octet-stream\r\n\r\n" + data + b"\r\n"
        )
    return (body + f"--{boundary}--\r\n".encode())[:cut]


def form_type(boundary: str = BOUNDARY) -> dict[str, str]:
    return {"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": "application/json"}


@contextmanager
def served(url: str, folder: Path, day: str = "2025-06-20") -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The application as it really runs: a uvicorn process of its own on a free port."""
    port = free_port()
    environment = {
        **os.environ,
        "LUCHENG_DATABASE_URL": url,
        "LUCHENG_FILES_DIR": str(folder / "files"),
        "LUCHENG_CLOCK": instant(day).isoformat(),
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "api.app:app", "--port", str(port), "--log-level", "error"]
    with subprocess.Popen(command, env=environment) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            for _ in range(300):
                try:
                    httpx.get(f"{base}/healthz", timeout=1)
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield process, base
        finally:
            process.kill()
