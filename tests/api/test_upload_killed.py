"""Two hundred files in one go, and the process killed in between: what arrived stays, the retry sends the rest."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from ledger import issuing
from tests.api.evidence import BUREAU_ITEM, form, form_type, photo, served
from tests.api.site import own_headers
from tests.factories import BUREAU, CODE, instant, load, opened, query, tiny_pack

FILES = 200
KILLED_AFTER = 25
PATH = f"/units/{BUREAU}/files/{BUREAU_ITEM}"
SUBMIT = f"/units/{BUREAU}/submit/{BUREAU_ITEM}"


def counted(url: str, table: str) -> int:
    with opened(url) as database, database.read() as session:
        return int(query(session, f"SELECT count(*) FROM {table} WHERE file_id IS NOT NULL")[0][0])


def kill_while_uploading(url: str, folder: Path, files: list[tuple[str, bytes]]) -> list[Exception]:
    """Send all files in one request and kill the process once some of them are in the draft."""
    broken: list[Exception] = []
    headers = form_type() | own_headers(url, "2025-06-20")
    with served(url, folder) as (process, base):

        def send() -> None:
            try:
                httpx.post(f"{base}{PATH}?type=photo", content=form(*files), headers=headers, timeout=60)
            except httpx.TransportError as error:
                broken.append(error)

        sending = threading.Thread(target=send)
        sending.start()
        while counted(url, "draft_evidence") < KILLED_AFTER and sending.is_alive():
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        sending.join(30)
    return broken


@pytest.mark.slow
def test_a_killed_upload_is_progress(database_url: str, tmp_path: Path) -> None:
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path / "pack"))
        with database.write() as session:
            issuing.issue_due(session, CODE, as_of=instant("2025-06-20").date(), now=instant("2025-06-20"))
    files = [(f"走访照片{n}.jpg", photo(n)) for n in range(FILES)]
    digests = {hashlib.sha256(data).hexdigest(): (name, data) for name, data in files}
    assert len(digests) == FILES

    assert len(kill_while_uploading(database_url, tmp_path, files)) == 1

    arrived = counted(database_url, "draft_evidence")
    assert KILLED_AFTER <= arrived < FILES
    assert counted(database_url, "evidence") == 0
    kept = [path for path in (tmp_path / "files").rglob("*") if re.fullmatch(r"[0-9a-f]{64}", path.name)]
    assert len(kept) >= arrived
    assert [path.name for path in kept if hashlib.sha256(path.read_bytes()).hexdigest() != path.name] == []

    own = own_headers(database_url, "2025-06-20")
    with (
        served(database_url, tmp_path) as (_process, base),
        httpx.Client(base_url=base, headers=own, timeout=60) as again,
    ):
        missing = again.post(f"{PATH}/missing", json={"sha256": list(digests)}).json()["missing"]
        assert len(missing) + arrived == FILES
        assert missing
        rest = form(*(digests[digest] for digest in missing))
        answer = again.post(f"{PATH}?type=photo", content=rest, headers=form_type()).json()
        assert (answer["kept"], answer["there"], answer["refused"]) == (len(missing), 0, 0)
        assert again.post(f"{PATH}/missing", json={"sha256": list(digests)}).json() == {"missing": []}
        handed = again.post(SUBMIT, data={"action": "submit", "value-done": "４１２", "of-done": "1,234"})
        assert handed.status_code == 303
        assert '已交材料 <span class="n">201</span>' in again.get(f"/items/{BUREAU_ITEM}").text

    assert counted(database_url, "evidence") == FILES
    assert counted(database_url, "draft_evidence") == 0
    with opened(database_url) as database, database.read() as session:
        names = query(session, "SELECT file_name FROM evidence WHERE file_id IS NOT NULL")
        assert sorted(name for (name,) in names) == sorted(name for name, _ in files)
        assert query(session, "SELECT count(*) FROM file") == [(FILES,)]
