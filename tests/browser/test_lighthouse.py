"""Lighthouse 12 in the same Chromium: accessibility and best practices of the pages that people use most."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.guard import COOKIE
from ledger.database import connect, sqlite_url
from ledger.migrations import migrate
from lucheng import demo
from policy_models.plan_file import BUNDLED, load_pack
from tests.api.site import EVERY_ROLE, signed_in
from tests.browser.dressing import TOWN
from tests.browser.running import CHROMIUM, serving
from tests.factories import query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NOW = demo.morning(demo.VIRTUAL_DAY)
HERE, ROOT = Path(__file__).parent / "lighthouse", Path(__file__).parents[2]
LEAST = 0.95
NAMES = ("login", "board", "desk", "task", "register", "calendar", "submit")


@pytest.fixture(scope="session")
def lighthouse() -> Path:
    """The program, installed from its lock beside the virtual environment; missing npm is an error and not a skip."""
    npm = shutil.which("npm")
    assert npm, "Lighthouse needs nodejs and npm: bin/test installs them, or apt-get install nodejs npm"
    stamp = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = ROOT / ".venv" / f"lighthouse-{stamp}"
    program = folder / "node_modules" / ".bin" / "lighthouse"
    if not program.exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(HERE, folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, timeout=600)
    return program


@dataclass(frozen=True)
class City:
    base: str
    key: str
    paths: dict[str, str]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("city")
    migrate(sqlite_url(folder))
    database = connect(sqlite_url(folder))
    for _ in demo.build(database, load_pack(BUNDLED), demo.VIRTUAL_DAY, base_url="http://127.0.0.1"):
        pass
    with database.read() as session:
        item, village = query(
            session,
            "SELECT w.key, w.unit_code FROM work_item w JOIN unit u ON u.code = w.unit_code "
            f"WHERE u.parent = '{TOWN}' AND w.state = 'open' ORDER BY w.key",
        )[0]
    desk = f"/units/{village}"
    paths = ("/login", "/", f"{desk}/desk", "/tasks/8", "/register", "/calendar", f"{desk}/submit/{item}")
    with serving(database, NOW, data_dir=folder) as served:
        key = signed_in(database, EVERY_ROLE, NOW)
        yield City(served.base, key, dict(zip(NAMES, paths, strict=True)))
    database.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_fit_for_everybody(city: City, lighthouse: Path, tmp_path: Path, name: str) -> None:
    headers = {} if name == "login" else {"Cookie": f"{COOKIE}={city.key}"}
    report = tmp_path / "report.json"
    command = [
        str(lighthouse),
        city.base + city.paths[name],
        "--only-categories=accessibility,best-practices",
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage",
        f"--extra-headers={json.dumps(headers)}",
        "--output=json",
        f"--output-path={report}",
        "--no-enable-error-reporting",
        "--quiet",
    ]
    environment = {**os.environ, "CHROME_PATH": CHROMIUM, "CI": "true"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(report.read_text("utf-8"))
    assert found["finalDisplayedUrl"].startswith(city.base + city.paths[name])  # and not the sign-in page
    scores = {one: found["categories"][one]["score"] for one in ("accessibility", "best-practices")}
    failed = [one["id"] for one in found["audits"].values() if one["score"] == 0]
    print(name, scores)
    assert min(scores.values()) >= LEAST, (scores, failed)
