"""A real server over the bundled plan's work in one district, and the calendar programs that subscribe to it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx

from ledger import extensions, feed_tokens, reviews
from ledger.acts import Actor
from ledger.civil import at_hour
from ledger.database import Database, connect, sqlite_url
from ledger.migrations import migrate
from lucheng import demo
from policy_models.plan_file import BUNDLED, Pack, load_pack
from policy_models.units import Units
from tests.factories import query
from tests.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
DISTRICT, COORDINATOR = "150206", "150200-mz"
IDLE = "150200"  # the city itself owes nothing
DAY = date(2026, 3, 12)
Occurrence = tuple[str, str, str]  # address of the item, date as YYYY-MM-DD, STATUS


def district_pack() -> Pack:
    """The bundled plan for the city's departments and one district with all below it."""
    pack = load_pack(BUNDLED)
    kept = [one for one in pack.units.values() if pack.units.county_of(one.code) in (None, DISTRICT)]
    return dataclasses.replace(pack, units=Units(kept))


@dataclass
class Town:
    """A ledger in a data folder, and the port that its server always comes back to."""

    folder: Path
    database: Database
    port: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def subscribe(self, unit: str, scope: str = "unit") -> str:
        """The address of a new subscription."""
        with self.database.write() as session:
            token = feed_tokens.create(session, unit, "测试", at_hour(DAY, 8), scope=scope)
        return f"{self.base}/feeds/{token}.ics"

    def stop(self, address: str) -> None:
        """Revoke the subscription at an address."""
        with self.database.write() as session:
            record = feed_tokens.look_up(session, address.rpartition("/")[2].removesuffix(".ics"))
            assert record is not None
            feed_tokens.revoke(session, record.unit_code, record.id, at_hour(DAY, 9))

    def owed(self) -> list[tuple[str, str, str]]:
        """Key, unit and deadline of the district's open items that can still be moved, those due last first."""
        with self.database.read() as session:
            return query(
                session,
                "SELECT key, unit_code, deadline FROM work_item WHERE state = 'open' AND unit_code LIKE :district "
                "AND catch_up = '' AND deadline BETWEEN :today AND :latest ORDER BY deadline DESC, key",
                district=f"{DISTRICT}%",
                today=str(DAY),
                latest="2026-10-01",
            )

    @contextmanager
    def serving(self, day: date = DAY) -> Iterator[None]:
        """`lucheng web` in a process of its own, as if it were 09:00 of that day."""
        log = self.folder / "web.log"
        environment = {
            **os.environ,
            "LUCHENG_DATA_DIR": str(self.folder),
            "LUCHENG_BASE_URL": self.base,
            "LUCHENG_CLOCK": at_hour(day, 9).isoformat(),
        }
        command = [sys.executable, "-m", "lucheng", "web", "--port", str(self.port)]
        with log.open("ab") as output:
            server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        try:
            self._wait(server, log)
            yield
        finally:
            server.terminate()
            server.wait(timeout=30)

    def _wait(self, server: subprocess.Popen[bytes], log: Path) -> None:
        for _ in range(600):
            try:
                httpx.get(f"{self.base}/healthz", timeout=5)
            except httpx.TransportError:
                assert server.poll() is None, log.read_text(encoding="utf-8", errors="replace")
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the server did not come up within a minute")


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """A district two years into its work."""
    folder.mkdir(parents=True)
    migrate(sqlite_url(folder))
    database = connect(sqlite_url(folder))
    try:
        for _ in demo.build(database, district_pack(), DAY, base_url="http://127.0.0.1"):
            pass
        yield Town(folder, database, free_port())
    finally:
        database.close()


def move(found: Town, key: str, unit: str, wanted: date, day: date = DAY) -> None:
    """An item's deadline moved by an extension that was asked for and granted."""
    now = at_hour(day, 9, 30)
    with found.database.write() as session:
        id = extensions.request(session, key, wanted=wanted, reason="道路施工", by=Actor(unit, "经办人"), now=now)
    with found.database.write() as session:
        extensions.grant(session, id, by=Actor(COORDINATOR, "经办人"), now=now + timedelta(minutes=5))


def waive(found: Town, key: str, day: date = DAY) -> None:
    with found.database.write() as session:
        reviews.waive(session, key, by=Actor(COORDINATOR, "经办人"), now=at_hour(day, 9, 30), reason="本期无此情形")


@dataclass(frozen=True)
class Desk:
    """vdirsyncer and khal as a person would have them: a home folder of their own, configuration files, no more."""

    home: Path

    @classmethod
    def set_up(cls, home: Path, address: str) -> Desk:
        calendar = home / "calendars" / "lucheng"
        calendar.mkdir(parents=True)
        pair = [
            "[general]",
            f'status_path = "{home}/status"',
            "[pair lucheng]",
            'a = "here"\nb = "feed"\ncollections = null\nconflict_resolution = "b wins"',
            "[storage here]",
            f'type = "filesystem"\npath = "{calendar}"\nfileext = ".ics"',
            "[storage feed]",
            f'type = "http"\nurl = "{address}"',
        ]
        (home / "vdirsyncer.conf").write_text("\n".join(pair) + "\n", encoding="utf-8")
        khal = [
            "[calendars]",
            "[[lucheng]]",
            f"path = {calendar}",
            "[sqlite]",
            f"path = {home}/khal.db",
            "[locale]",
            "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d",
            "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M",
            "local_timezone = Asia/Shanghai\ndefault_timezone = Asia/Shanghai",
        ]
        (home / "khal.conf").write_text("\n".join(khal) + "\n", encoding="utf-8")
        desk = cls(home)
        desk.run("vdirsyncer", "-c", f"{home}/vdirsyncer.conf", "discover")
        return desk

    def run(self, program: str, *words: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TZ": "Asia/Shanghai",
        }
        command = [str(Path(sys.executable).parent / program), *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"{program}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def sync(self) -> None:
        self.run("vdirsyncer", "-c", f"{self.home}/vdirsyncer.conf", "sync")

    def listed(self, start: date, end: date) -> list[Occurrence]:
        """What khal shows from ``start`` to ``end``, both included. By address: vdirsyncer gives what comes over HTTP
        UIDs of its own."""
        found = self.run(
            "khal", "-c", f"{self.home}/khal.conf", "list", str(start), str(end + timedelta(days=1)),
            "--day-format", "", "--format", "{url}\t{start-date}\t{status}",
        )  # fmt: skip
        return sorted(_occurrence(line.split("\t")) for line in found.splitlines() if line.strip())


def _occurrence(fields: Sequence[str]) -> Occurrence:
    address, day, status = fields
    return address, day, status.strip()
