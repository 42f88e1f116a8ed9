"""Every value of the privacy corpus sent through every door of a real server: none is in the database, the file store,
the log or an export afterwards."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from ledger import issuing, submissions
from policy_models.privacy_fold import fold
from policy_models.privacy_numbers import plain
from tests.api.evidence import BUREAU_ITEM, form, form_type
from tests.api.site import own_headers
from tests.corpus import builders as make
from tests.corpus.lines import Line, found_lines
from tests.factories import BUREAU, CODE, instant, item, load, office, opened, tiny_pack, village
from tests.postgres import free_port

VILLAGE, TOWNSHIP = village(1, 1), "900101"
OPEN, SUBMITTED = item("1.2", VILLAGE, "2025-02"), item("1.2", VILLAGE, "2025-01")
CLEAN = "对照用的干净文字"
EXPORTS = (
    "/register.csv",
    "/register.xlsx",
    f"/units/{TOWNSHIP}/workbook.xlsx",
    f"/units/{BUREAU}/exceptions",
    f"/items/{OPEN}",
    "/api/v1/items",
)


@contextmanager
def running(url: str, folder: Path) -> Iterator[httpx.Client]:
    """`lucheng web` as it really runs, with everything it prints in web.log."""
    port = free_port()
    environment = {
        **os.environ,
        "LUCHENG_DATABASE_URL": url,
        "LUCHENG_FILES_DIR": str(folder / "files"),
        "LUCHENG_CLOCK": instant("2025-02-20").isoformat(),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "lucheng", "web", "--port", str(port)]
    with (
        (folder / "web.log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            own = own_headers(url, "2025-02-20")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=own, timeout=60) as client:
                for _ in range(300):
                    try:
                        client.get("/healthz")
                        break
                    except httpx.TransportError:
                        time.sleep(0.1)
                yield client
        finally:
            process.terminate()
            process.wait(30)


def prepare(url: str, folder: Path) -> None:
    with opened(url) as database:
        load(database, tiny_pack(folder / "pack"))
        with database.write() as session:
            issuing.issue_due(session, CODE, as_of=instant("2025-02-20").date(), now=instant("2025-02-20"))
        with database.write() as session:
            submissions.submit(session, SUBMITTED, by=office(VILLAGE), evidence=[], now=instant("2025-02-03"))


def send(client: httpx.Client, line: Line, turn: int) -> dict[str, int]:
    """The line through doors of every kind, through which of them by turns; the status of each answer."""
    words, file = line.text, f"/units/{BUREAU}/files/{BUREAU_ITEM}?type=document"
    submit, review = f"/units/{VILLAGE}/submit/{OPEN}", f"/units/{TOWNSHIP}/review/{SUBMITTED}"
    named = not set('\t\n/\\"') & set(words) and turn % 2
    doors: dict[str, Callable[[], httpx.Response]] = {
        "note": lambda: client.post(submit, data={"action": "submit", "note": words}),
        "name": lambda: client.post(submit, data={"action": "submit", "by_name": words[:70]}),
        "sent back": lambda: client.post(review, data={"verdict": "send_back", "seen": 2, "reason": words}),
        "extension": lambda: client.post(
            f"/units/{VILLAGE}/extend/{OPEN}", data={"wanted": "2025-03-20", "reason": words}
        ),
        "query": lambda: client.get("/items", params={"unit": words, "q": words}),
        "address": lambda: client.get(f"/items/{quote(words, safe='')}"),
        "document": lambda: client.post(file, content=form(("总结.docx", make.word(words))), headers=form_type()),
        "file name": lambda: client.post(
            file, content=form((f"{words}.pdf", make.pdf("正文内容"))), headers=form_type()
        ),
    }
    chosen = ["note", ("name", "sent back", "extension")[turn % 3], "query", "address"]
    return {door: doors[door]().status_code for door in [*chosen, "file name" if named else "document"]}


def forms(line: Line) -> set[bytes]:
    """How a value can stand in bytes: as written, as digits, as JSON, in an address."""
    digits = plain(fold(line.value).text)
    written = {line.value, json.dumps(line.value)[1:-1], quote(line.value)}
    if sum(map(str.isdigit, digits)) >= 7:
        written |= {digits, digits.lower()}
    return {one.encode("utf-8", "replace") for one in written}


def holding(folder: Path, lines: list[Line]) -> list[tuple[str, str]]:
    """Which file holds which value."""
    contents = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "pack" not in path.parts}
    return [
        (path.name, line.text)
        for path, content in contents.items()
        for line in lines
        if any(one in content for one in forms(line))
    ]


def export_all(client: httpx.Client, folder: Path) -> dict[str, int]:
    """Everything that can be taken away, unpacked below ``folder``; the size of each."""
    sizes = {}
    for number, path in enumerate(EXPORTS):
        answer = client.get(path)
        assert answer.status_code == 200, path
        sizes[path] = len(answer.content)
        if zipfile.is_zipfile(io.BytesIO(answer.content)):
            zipfile.ZipFile(io.BytesIO(answer.content)).extractall(folder / f"export-{number}")
        else:
            (folder / f"export-{number}.bin").write_bytes(answer.content)
    return sizes


@pytest.mark.slow
def test_no_value_is_in_database_files_log_or_export(sqlite_url: str, tmp_path: Path) -> None:
    prepare(sqlite_url, tmp_path)
    lines = [line for line in found_lines() if line.blocks]
    assert holding(tmp_path, lines) == []
    with running(sqlite_url, tmp_path) as client:
        statuses = {line.text: send(client, line, turn) for turn, line in enumerate(lines)}
        kept = client.post(f"/units/{VILLAGE}/submit/{OPEN}", data={"action": "submit", "note": CLEAN})
        assert kept.status_code == 303
        warned = [line for line in found_lines() if not line.blocks]
        for line in warned:
            client.get("/items", params={"q": line.text})
        assert min(export_all(client, tmp_path).values()) > 500
    for text, answers in statuses.items():
        refused = {door: status for door, status in answers.items() if door in ("note", "sent back", "extension")}
        assert 303 not in refused.values(), text
    assert holding(tmp_path, lines) == []
    assert holding(tmp_path / "files", lines + warned) == []
    log = (tmp_path / "web.log").read_text("utf-8")
    assert [line.text for line in warned if any(one.decode() in log for one in forms(line))] == []
    # what was looked through is what was written
    assert "████" in log
    assert log.count("POST /units/") >= 3 * len(lines)
    database = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))
    assert CLEAN.encode() in database
    assert CLEAN in (tmp_path / "export-4.bin").read_text("utf-8")
    assert database.count(b'"kind": "resident_id"') > 50
