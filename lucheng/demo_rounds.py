"""The half-year rounds of the demonstration: the last one played to its end, the present one under way. All invented.

Everything goes through the ledger's verbs at instants of the past, so that the pages of any past day show it.
"""

from __future__ import annotations

from datetime import date, timedelta

from ledger import report_reviews, reports, rounds
from ledger.acts import Actor
from ledger.civil import at_hour
from ledger.database import Database, Session
from ledger.report_reviews import RETURNED, Marked
from ledger.report_scope import ReportScope, report_of, scope_of
from policy_models.periods import period_name
from policy_models.plan import Collects
from policy_models.plan_file import Pack
from policy_models.reports import HIGHLIGHTS, NEXT, OVERVIEW, PROBLEMS, section_title
from policy_models.work_items import WorkItem, work_items

PLAYED = 2  # the last so many half-years are written out; of earlier ones only the fact that they were handed in
LATE = {"150206-mz"}  # 白云鄂博矿区: late last time, and not yet begun this time
RETURNED_ONCE = {"150200-fl", "150222-mz"}
NOT_YET = {"150206-mz", "150200-wx", "150200-xf"}
DONE_ALREADY = ("150200-mz", "150200-jy", "150203-mz", "150221-mz")  # this time
WORDS = {
    OVERVIEW: "本期按照方案分工推进各项工作，重点任务按时序完成，有关数字见各节（演示文字）。",
    HIGHLIGHTS: "联合社区、学校和志愿服务队伍开展关爱活动，形成固定日程（演示文字）。",
    PROBLEMS: "基层力量仍显不足，部分偏远嘎查村走访路程较远（演示文字）。",
    NEXT: "继续按月调度，补齐短板，做好寒暑假期间的走访和安全教育（演示文字）。",
}


def report_items(pack: Pack, day: date) -> list[WorkItem]:
    """The reports that are written out, in order: the last PLAYED half-years that have opened by ``day``."""
    codes = {r.code for _, r in pack.plan.requirements() if r.collects is Collects.REPORT}
    opened = [
        i for i in work_items(pack.plan, pack.units, pack.calendars) if i.requirement in codes and i.opens_on <= day
    ]
    last = sorted({item.period for item in opened})[-PLAYED:]
    return [item for item in opened if item.period in last]


def play(database: Database, pack: Pack, day: date) -> None:
    """Open every round when it opened, and write, hand in and review the reports of the last two."""
    coordinator = Actor(pack.plan.organs[pack.plan.coordinator], "市民政局联络员")
    _open(database, pack, day, coordinator)
    for item in report_items(pack, day):
        with database.write() as session:
            _write_report(session, pack, item, day, coordinator)


def _open(database: Database, pack: Pack, day: date, coordinator: Actor) -> None:
    codes = {r.code for _, r in pack.plan.requirements() if r.collects is Collects.REPORT}
    first: dict[str, date] = {}
    for item in work_items(pack.plan, pack.units, pack.calendars):
        if item.requirement in codes and item.opens_on <= day:
            first[item.period] = min(item.opens_on, first.get(item.period, item.opens_on))
    with database.write() as session:
        for period, opens in sorted(first.items()):
            rounds.open_round(session, pack.plan.code, period, by=coordinator, now=at_hour(opens, 8, 40))


def _write_report(session: Session, pack: Pack, item: WorkItem, day: date, coordinator: Actor) -> None:
    """One report from its first words to its review, as far as it has come by ``day``."""
    over = item.deadline < day
    unit = pack.units[item.unit]
    by = Actor(item.unit, f"{unit.name}联络员")
    if not over and item.unit in NOT_YET:
        return
    written = max(item.opens_on, min(day, item.remind_by) - timedelta(days=6))
    scope = scope_of(session, report_of(session, pack.plan.code, item.period, item.unit))
    _draft(session, pack, item, scope, by, written)
    handed = (
        pack.calendars.work.shift(item.remind_by, 3 if item.unit in LATE else -2) if over else _yesterday(pack, day)
    )
    if not over and item.unit not in DONE_ALREADY:
        return
    reports.submit(session, pack.plan.code, item.period, item.unit, by=by, now=at_hour(handed, 10, 20))
    if over:
        _review(session, pack, item, by, coordinator, handed)


def _yesterday(pack: Pack, day: date) -> date:
    return pack.calendars.work.shift(day, -1)


def _draft(session: Session, pack: Pack, item: WorkItem, scope: ReportScope, by: Actor, day: date) -> None:
    period = period_name(item.period, pack.calendars)
    for number, section in enumerate(scope.sections):
        title = section_title(pack.plan, section)
        text = (
            WORDS.get(section)
            or f"{period}，{by.name.removesuffix('联络员')}在“{title}”方面按要求开展工作（演示文字）。"
        )
        answers = {one.code: "持续开展，未发现异常（演示文字）。" for one in scope.checklists.get(section, ())}
        reports.save_section(
            session,
            pack.plan.code,
            item.period,
            item.unit,
            section,
            text=text,
            answers=answers,
            version=0,
            by=by,
            now=at_hour(day, 9, number),
        )


def _review(session: Session, pack: Pack, item: WorkItem, by: Actor, coordinator: Actor, handed: date) -> None:
    """Accepted three work days later; with some, one section is sent back first."""
    where = (pack.plan.code, item.period, item.unit)
    day = pack.calendars.work.shift(handed, 2)
    if item.unit in RETURNED_ONCE:
        mark = {PROBLEMS: Marked(RETURNED, "请写明具体困难和需要协调的事项")}
        seen = _revision(session, *where)
        report_reviews.mark_sections(session, *where, mark, by=coordinator, now=at_hour(day, 9), seen=seen)
        report_reviews.send_back(session, *where, by=coordinator, now=at_hour(day, 9, 5), seen=seen)
        told = "嘎查村专职力量不足，冬季走访交通不便，建议统筹补贴（演示文字）。"
        saved = at_hour(pack.calendars.work.shift(day, 1), 11)
        reports.save_section(session, *where, PROBLEMS, text=told, answers={}, version=1, by=by, now=saved)
        reports.submit(session, *where, by=by, now=saved + timedelta(minutes=5))
        day = pack.calendars.work.shift(day, 2)
    report_reviews.accept(session, *where, by=coordinator, now=at_hour(day, 15), seen=_revision(session, *where))


def _revision(session: Session, plan_code: str, period: str, unit: str) -> int:
    found = reports.last_revision(session, report_of(session, plan_code, period, unit).id)
    assert found is not None, (plan_code, period, unit)
    return found
