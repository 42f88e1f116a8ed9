"""Small builders: a tiny plan pack as plain data, written to a folder, and a ledger that it is loaded into."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import event, text

from ledger.acts import Actor
from ledger.civil import SHANGHAI
from ledger.database import Database, Session, connect
from ledger.loading import LoadReport, load_plan
from policy_models.evidence import Evidence
from policy_models.plan import EvidenceType
from policy_models.plan_file import Pack, load_pack

CODE = "tiny-2025"
CITY, BUREAU, SCHOOLS = "9000", "9000-mz", "9000-jy"
COUNTIES = ("9001", "9002")
Files = dict[str, Any]
Change = Callable[[Files], None]


def instant(day: date | str, hour: int = 9, minute: int = 0) -> datetime:
    """A time of day in Shanghai on a civil date, as an aware instant."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def duty(code: str, kind: str, assignee: dict[str, Any], recurrence: dict[str, Any] | None, **more: Any) -> Files:
    section = f"phase-{code[1:].split('.')[0]}" if code.startswith("P") else f"task-{code.split('.')[0]}"
    body = {"code": code, "title": f"事项{code}", "kind": kind, "assignee": assignee, "recurrence": recurrence}
    return {k: v for k, v in body.items() if v is not None} | {
        "source": [{"section": section, "phrase": "按时完成"}],
        **more,
    }


def tiny_files() -> Files:
    """Two tasks and a phase, by file name: a date, months, quarters, an event, vacations, and a continuous duty."""
    bureau, county, village = {"units": ["民政局"]}, {"level": "county", "function": "民政"}, {"level": "village"}
    measure = {"type": "measure", "name": "done", "label": "已办", "of": "all", "of_label": "应办"}
    phase = {"number": 1, "title": "全程", "starts_on": "2025-01-01", "ends_on": "2025-12-31"}
    first = duty("P1.1", "dated", county, {"deadline": "2025-03-31"})
    plan = {
        "code": CODE,
        "title": "小方案",
        "revision": 1,
        "starts_on": "2025-01-01",
        "ends_on": "2025-12-31",
        "coordinator": "民政局",
        "organs": {"民政局": BUREAU, "教育局": SCHOOLS},
        "actions": [{"number": 1, "title": "行动", "tasks": [1, 2]}],
        "phases": [{**phase, "requirements": [first]}],
    }
    one = [
        duty("1.1", "dated", bureau, {"deadline": "2025-06-30"}, evidence=[measure, {"type": "photo", "min": 2}]),
        duty("1.2", "recurring", village, {"every": "month"}),
        duty("1.3", "on_event", village, {"within": "3d"}),
    ]
    two = [
        duty("2.1", "recurring", county, {"every": "quarter"}),
        duty("2.2", "recurring", village, {"every": "vacation"}),
        duty("2.3", "continuous", county, None),
    ]
    return {
        "plan.yaml": plan,
        "tasks/01.yaml": {"number": 1, "title": "任务一", "action": 1, "owners": ["民政局"], "requirements": one},
        "tasks/02.yaml": {"number": 2, "title": "任务二", "action": 1, "owners": ["教育局"], "requirements": two},
        "calendars/observances.yaml": {"children": {"kind": "fixed", "name": "儿童节", "date": "06-01"}},
    }


def requirement_of(files: Files, code: str) -> Files:
    """The requirement with this code, to be changed in place."""
    sections = [files["plan.yaml"]["phases"][0], files["tasks/01.yaml"], files["tasks/02.yaml"]]
    return next(r for section in sections for r in section["requirements"] if r["code"] == code)


def drop_requirement(files: Files, code: str) -> None:
    for section in (files["plan.yaml"]["phases"][0], files["tasks/01.yaml"], files["tasks/02.yaml"]):
        section["requirements"] = [r for r in section["requirements"] if r["code"] != code]


def village(county: int, number: int) -> str:
    return f"900{county}01{number:03}"


def tiny_units(villages: int = 2) -> str:
    """A city with two departments, and two counties with two departments, a township and ``villages`` each."""
    rows = ["code,name,level,function,parent", f"{CITY},小城,city,,", f"{BUREAU},市民政局,city,民政,{CITY}"]
    rows.append(f"{SCHOOLS},市教育局,city,教育,{CITY}")
    for n, county in enumerate(COUNTIES, 1):
        rows += [f"{county},{n}县,county,,{CITY}", f"{county}-mz,{n}县民政局,county,民政,{county}"]
        rows += [f"{county}-jy,{n}县教育局,county,教育,{county}", f"{county}01,{n}县镇,township,,{county}"]
        rows += [f"{village(n, v)},{n}县{v}村,village,,{county}01" for v in range(1, villages + 1)]
    return "\n".join(rows) + "\n"


def write_files(folder: Path, files: Files, units: str) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    (folder / "units.csv").write_text(units, encoding="utf-8")
    return folder


def tiny_pack(folder: Path, change: Change | None = None, *, villages: int = 2) -> Pack:
    """The tiny pack, as changed by ``change``, written to a folder (over what is there) and read back."""
    files = tiny_files()
    if change:
        change(files)
    return load_pack(write_files(folder, files, tiny_units(villages)))


KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
numbers = itertools.count(1)


@contextmanager
def fresh_database(request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated database for a whole module, of the kind that is the request's parameter (one of KINDS)."""
    if request.param == "sqlite":
        path = folders.mktemp("ledger") / "ledger.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        with opened(f"sqlite:///{path}") as database:
            yield database
        return
    server, name = request.getfixturevalue("postgres_server"), f"lucheng_module_{next(numbers)}"
    try:
        with opened(server.create(name, template=request.getfixturevalue("postgres_template"))) as database:
            yield database
    finally:
        server.drop(name)


class Rewound(Database):
    """A database whose every transaction is a savepoint in one that is rolled back: tests share what it holds."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database.engine)
        self.session = session

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self.session.begin_nested():
            yield self.session

    @contextmanager
    def trial(self) -> Iterator[Session]:
        savepoint = self.session.begin_nested()
        try:
            yield self.session
        finally:
            savepoint.rollback()

    @contextmanager
    def read(self) -> Iterator[Session]:
        yield self.session


@contextmanager
def rewound(database: Database) -> Iterator[Database]:
    """The same database for one test: what the test writes is gone after it."""
    with database.trial() as session:
        yield Rewound(database, session)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = connect(url)
    try:
        yield database
    finally:
        database.close()


def load(database: Database, pack: Pack, now: datetime | None = None, **settings: Any) -> LoadReport:
    """Load a pack in a transaction of its own, by default as if before everything in it."""
    with database.write() as session:
        return load_plan(session, pack, now=now or instant("2024-12-01"), **settings)


def item(requirement: str, unit: str, period: str, plan: str = CODE) -> str:
    return f"{plan}:{requirement}:{unit}:{period}"


def office(code: str) -> Actor:
    return Actor(code, f"{code}经办人")


def full_evidence() -> list[Evidence]:
    """What requirement 1.1 of the tiny plan wants."""
    measure = Evidence(EvidenceType.MEASURE, "done", Decimal("3.5"), Decimal(4))
    return [measure, *(Evidence(EvidenceType.PHOTO, text=f"照片{n}") for n in (1, 2))]


def query(session: Session, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(text(statement), values)]


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Every SQL statement that is sent while the block runs."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Sequence[Any]) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


@contextmanager
def just_before(database: Database, beginning: str, act: Callable[[], None]) -> Iterator[None]:
    """Do ``act`` once, in between, when the database is about to send the first statement that begins so."""
    done: list[bool] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Sequence[Any]) -> None:
        if not done and statement.startswith(beginning):
            done.append(True)
            act()

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield
        assert done, f"nothing began with {beginning!r}"
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
