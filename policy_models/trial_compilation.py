"""A Compilation with one of everything, by which a template is tried out before it is used."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from policy_models.compilation import (
    ActionPart,
    Amount,
    CasePart,
    Compilation,
    Indicator,
    Progress,
    SectionPart,
    Submitter,
    UnitText,
)
from policy_models.lifecycle import State
from policy_models.rounds import ReportStanding

FIRST, LAST, DEADLINE = date(2025, 1, 1), date(2025, 6, 30), date(2025, 7, 15)


def trial() -> Compilation:
    """Invented throughout; every list holds something, so that every loop of a template runs."""
    written = (UnitText("9000-jy", "某市教育局", ("第一段。", "第二段。")),)
    amount = Amount(Decimal(3), Decimal(4), 1, 1)
    indicator = Indicator(
        "1.1", "done", "已办", "应办", None, (("9001", amount), ("9002", amount)), (("某市教育局", amount),)
    )
    progress = Progress(expected=4, done=3, on_time=2, due=4, met=2, overdue=1)
    task = SectionPart("task-1", "任务名称", ("教育局",), progress, (indicator,), written)
    phase = SectionPart("phase-1", "部署启动", (), progress, (), ())
    missing = Submitter("9001-mz", "某县民政局", ReportStanding(State.OPEN, DEADLINE))
    return Compilation(
        plan_code="trial",
        plan_title="某方案",
        round_code="2025-H1",
        round_name="2025年上半年",
        first=FIRST,
        last=LAST,
        as_of=datetime(2025, 7, 20, 16, tzinfo=UTC),
        day=date(2025, 7, 20),
        bureau="某市民政局",
        counties=(("9001", "某县"), ("9002", "某区")),
        actions=(ActionPart(1, "行动名称", (task,)),),
        others=(phase,),
        whole=written,
        overviews=written,
        highlights=written,
        problems=written,
        plans=written,
        submitters=(missing,),
        cases=(CasePart("某县民政局", "案例题目", (("主要做法", ("做法。",)),)),),
    )
