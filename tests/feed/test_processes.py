"""Two web processes over one ledger, as `lucheng web` starts them: the same bytes, changes seen by both, clean logs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from ledger import feed_tokens
from tests.api.site import VILLAGE, Site, finish
from tests.factories import instant, item
from tests.feed.rules import events
from tests.postgres import free_port

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DAY = "2025-06-03"
CHANGED = item("1.2", VILLAGE, "2025-05")


@contextmanager
def served(site: Site, log: Path) -> Iterator[str]:
    port = free_port()
    settings = {
        "LUCHENG_DATABASE_URL": site.database.engine.url.render_as_string(hide_password=False),
        "LUCHENG_CLOCK": instant(DAY).isoformat(),
        "LUCHENG_BASE_URL": "https://plan.example.org",
        "LUCHENG_DATA_DIR": str(log.parent),
    }
    command = [sys.executable, "-m", "lucheng", "web", "--port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=output, stderr=output)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=60)


def test_two_processes_tell_the_same_and_note_every_use(site: Site, tmp_path: Path) -> None:
    with site.database.write() as session:
        tokens = [feed_tokens.create(session, VILLAGE, name, instant("2025-05-01")) for name in ("一", "二", "三")]
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    with ExitStack() as stack:
        bases = [stack.enter_context(served(site, log)) for log in logs]
        client = stack.enter_context(httpx.Client(timeout=60, headers={"User-Agent": "khal"}))
        first = [client.get(f"{base}/feeds/{tokens[0]}.ics") for base in bases]
        assert [one.status_code for one in first] == [200, 200]
        assert first[0].content == first[1].content
        assert first[0].headers["etag"] == first[1].headers["etag"]
        finish(site.database, CHANGED, DAY, by=VILLAGE, reviewer="900101")
        time.sleep(2.2)  # longer than a poll trusts the last look
        then = [client.get(f"{base}/feeds/{tokens[0]}.ics?alarm=3") for base in bases]
        assert then[0].content == then[1].content
        assert dict(events(then[0].content))[f"{CHANGED}@lucheng"].one("SUMMARY").startswith("✓ ")
        tag = then[0].headers["etag"]
        for base in bases:
            again = client.get(f"{base}/feeds/{tokens[0]}.ics?alarm=3", headers={"If-None-Match": tag})
            assert again.status_code == 304
        assert [client.get(f"{bases[0]}/feeds/{token}.ics").status_code for token in tokens] == [200] * 3
    with site.database.read() as session:  # those polled last were written down when the process ended
        assert [one.client for one in feed_tokens.listing(session, VILLAGE)] == ["khal"] * 3
    said = "".join(log.read_text() for log in logs)
    assert '"GET /feeds/***.ics?alarm=3 HTTP/1.1" 200' in said
    assert " 304" not in said  # polls that found nothing new are not logged
    assert not [token for token in tokens if token in said]
    assert "Traceback" not in said
