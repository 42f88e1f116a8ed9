"""A workbook out and in, or the register out, in a program of its own that holds only the application; prints figures
as JSON. Filling the sheet in is what people do: another program does it in between, outside the clock."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from fastapi.testclient import TestClient

from api.app import create_app
from api.guard import COOKIE
from benchmarks.measure import peak_bytes
from ledger import accounts, logins
from ledger.database import Database, connect
from ledger.settings import Settings
from policy_models.access import Grant, Role

FILL = """
import sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
sheet = book[book.sheetnames[1]]
place = {cell.value: cell.column for cell in sheet[3]}
for row in range(4, sheet.max_row + 1):
    for title in sys.argv[2].split(","):
        sheet.cell(row, place[title]).value = 30
    sheet.cell(row, place["备注"]).value = f"第{row}行，已逐户电话联系"
book.save(sys.argv[1])
"""


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds of each step; memory in bytes; ``rows`` handed in or written out, ``size`` of the file in bytes."""

    download: float
    upload: float
    rows: int
    size: int
    memory_before: int
    memory_peak: int


def workbook(client: TestClient, unit: str, query: str, titles: str, file: Path) -> Run:
    """Download, have it filled in, upload. Raises RuntimeError when the upload is not taken."""
    client.get(f"/units/{unit}/workbook")
    before = peak_bytes()
    began = time.perf_counter()
    file.write_bytes(client.get(f"/units/{unit}/workbook.xlsx?{query}").raise_for_status().content)
    download = time.perf_counter() - began
    subprocess.run([sys.executable, "-c", FILL, str(file), titles], check=True)
    data = file.read_bytes()
    began = time.perf_counter()
    answer = client.post(f"/units/{unit}/workbook", files={"file": (file.name, data)}, follow_redirects=False)
    upload = time.perf_counter() - began
    if answer.status_code != 303:
        raise RuntimeError(f"the workbook was not taken: {answer.status_code}")
    done = dict(part.split("=") for part in answer.headers["location"].partition("?")[2].split("&"))
    return Run(download, upload, int(done["done"]), len(data), before, peak_bytes())


def register(client: TestClient, path: str) -> Run:
    """All pages of the register, taken piece by piece."""
    client.get("/register")
    before = peak_bytes()
    began = time.perf_counter()
    with client.stream("GET", path) as answer:
        answer.raise_for_status()
        size = sum(len(piece) for piece in answer.iter_raw())
    seconds = time.perf_counter() - began
    return Run(seconds, 0.0, 0, size, before, peak_bytes())


def _signed_in(database: Database, now: datetime) -> str:
    """The key of a session of an account that may do everything everywhere."""
    with database.write() as session:
        account = accounts.create_account(session, "benchmark", "测量员", now)
        accounts.set_grants(session, account, [Grant(role, "") for role in Role], now)
        return logins.open_login(session, account, now)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("what", choices=["workbook", "register"])
    arguments.add_argument("url")
    arguments.add_argument("now", type=datetime.fromisoformat)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("given", nargs="+", help="unit, query and titles; or the register's address")
    given = arguments.parse_args()
    database = connect(given.url)
    client = TestClient(create_app(database, Settings(clock=given.now, data_dir=given.folder)))
    client.headers["sec-fetch-site"] = "same-origin"
    client.cookies.set(COOKIE, _signed_in(database, given.now))
    if given.what == "workbook":
        unit, query, titles = given.given
        found = workbook(client, unit, query, titles, given.folder / "sheet.xlsx")
    else:
        found = register(client, *given.given)
    database.close()
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
