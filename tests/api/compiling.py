"""A round played until it can be compiled: four submitters, one accepted, one sent back in part, one waiting, one silent."""

from __future__ import annotations

from ledger import report_reviews
from ledger.database import Database
from ledger.report_reviews import Marked
from tests.factories import BUREAU, CODE, SCHOOLS, Files, duty, instant, office, village
from tests.reporting import COUNTY, OTHER, ROUND, hand_in, opened, told, visit, with_reports, write


def with_everything(files: Files) -> None:
    """Reports and 优秀案例 are collected."""
    with_reports(files)
    sent = {"type": "measure", "name": "exemplars_sent", "label": "本期报送优秀案例数"}
    asked = {"opens": {"days_before": 45}, "evidence": [sent], "collects": "exemplars", "review": "coordinator"}
    every = {"every": "half_year", "due": {"at": "end", "days": 15}}
    county = {"level": "county", "function": "民政"}
    files["tasks/01.yaml"]["requirements"].append(duty("1.7", "recurring", county, every, nothing_new=True, **asked))


HOSTILE = "超过 < 三成 & 五成 {{ 标题 }} {% for x in 行动 %} 圐圙"


def accept(database: Database, unit: str, day: str) -> None:
    with database.write() as session:
        seen = told_revision(database, unit, day)
        report_reviews.accept(session, CODE, ROUND, unit, by=office(BUREAU), now=instant(day, 16), seen=seen)


def told_revision(database: Database, unit: str, day: str) -> int:
    revision = told(database, unit, day).revision
    assert revision is not None
    return revision


def send_back(database: Database, unit: str, day: str, *, returned: str, kept: str) -> None:
    """Send a report back for one section; of the others one is marked as accepted."""
    seen = told_revision(database, unit, day)
    marks = {returned: Marked("returned", "请补充数据"), kept: Marked("accepted")}
    with database.write() as session:
        mine = {"by": office(BUREAU), "now": instant(day, 16), "seen": seen}
        report_reviews.mark_sections(session, CODE, ROUND, unit, marks, **mine)  # type: ignore[arg-type]
    with database.write() as session:
        report_reviews.send_back(session, CODE, ROUND, unit, by=office(BUREAU), now=instant(day, 17), seen=seen)


def played(database: Database) -> None:
    """As it stands at the end of 2025-07-20."""
    opened(database)
    visit(database, village(1, 1), "2025-01", "2025-01-20", "3", "80")
    visit(database, village(1, 2), "2025-02", "2025-03-05", "4.5", "60")
    visit(database, village(2, 1), "2025-03", "2025-03-20", "7", "100")
    visit(database, village(2, 2), "2025-04", "2025-04-20", "9", "90", accepted=False)
    texts = {"overview": "总体平稳。", "problems": HOSTILE, "next": "继续推进。", "highlights": "村村有人管。"}
    write(
        database,
        COUNTY,
        texts | {"task-1": "任务一进展。\n第二段。", "task-2": "任务二进展。", "phase-1": "阶段完成。"},
    )
    hand_in(database, COUNTY, "2025-07-10")
    accept(database, COUNTY, "2025-07-11")
    write(database, OTHER)
    hand_in(database, OTHER, "2025-07-18")
    send_back(database, OTHER, "2025-07-19", returned="task-1", kept="task-2")
    write(database, SCHOOLS)
    hand_in(database, SCHOOLS, "2025-07-12")
