"""A Compilation with something of everything, for the tests of this room; and a large one."""

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

HOSTILE = "甲 < 乙 & 丙 > 丁 {{ 标题 }} {% for 段 in 行动 %} {_{ }_} \x00\x07\ud800 ]]> “引号” '单引号' 圐圙"
SHOWN = "甲 < 乙 & 丙 > 丁 {{ 标题 }} {% for 段 in 行动 %} {_{ }_}  ]]> “引号” '单引号' 圐圙"  # as it may be read
DEADLINE = date(2025, 7, 15)
AS_OF = datetime(2025, 7, 20, 16, tzinfo=UTC)  # the end of 20 July in Shanghai
COUNTIES = tuple((f"90{n:02}", name) for n, name in enumerate(("东河区", "昆都仑区", "青山区", "石拐区"), 1))


def said(name: str, *lines: str) -> UnitText:
    return UnitText(f"9000-{name}", name, lines)


def measure(requirement: str, label: str, *values: int, own: int | None = None, of: int | None = None) -> Indicator:
    def amount(value: int) -> Amount:
        return Amount(Decimal(value), None if of is None else Decimal(of), 1, 1)

    counties = tuple((code, amount(value)) for (code, _), value in zip(COUNTIES, values, strict=False))
    city = () if own is None else (("市教育局", amount(own)),)
    return Indicator(requirement, "done", label, "应办" if of else None, None, counties, city)


def task(number: int, title: str, *texts: UnitText, indicators: tuple[Indicator, ...] = ()) -> SectionPart:
    progress = Progress(expected=10, done=8, on_time=7, due=9, met=7, overdue=1, under_review=1)
    return SectionPart(f"task-{number}", title, ("教育局", "民政局"), progress, indicators, texts)


def compilation() -> Compilation:
    one = task(1, "精神素养提升", said("市教育局", "开展宣讲。", HOSTILE), said("东河区民政局", "走访入户。"))
    two = task(
        2, "精准摸排", indicators=(measure("2.1", "已建档", 5, 6, 7, 8, own=3, of=9), measure("2.2", "入户", 1, 2))
    )
    phase = SectionPart("phase-2", "重点推进", (), Progress(expected=2, done=2, on_time=2, due=2, met=2), (), ())
    owed = [
        Submitter("9000-jy", "市教育局", ReportStanding(State.ACCEPTED, DEADLINE, date(2025, 7, 10))),
        Submitter("9001-mz", "东河区民政局", ReportStanding(State.ACCEPTED, DEADLINE, date(2025, 7, 18))),
        Submitter(
            "9002-mz", "昆都仑区民政局", ReportStanding(State.RETURNED, DEADLINE, date(2025, 7, 9)), ("任务2 精准摸排",)
        ),
        Submitter("9003-mz", "青山区民政局", ReportStanding(State.OPEN, DEADLINE)),
    ]
    return Compilation(
        plan_code="tiny-2025",
        plan_title="小方案",
        round_code="2025-H1",
        round_name="2025年上半年",
        first=date(2025, 1, 1),
        last=date(2025, 6, 30),
        as_of=AS_OF,
        day=date(2025, 7, 20),
        bureau="小城市民政局",
        counties=COUNTIES,
        actions=(ActionPart(1, "精神素养提升行动", (one, two)),),
        others=(phase,),
        whole=(said("石拐区民政局", "来信报送，未分任务。"),),
        overviews=(said("市教育局", "总体平稳。"),),
        highlights=(said("东河区民政局", "亮点一。"),),
        problems=(),
        plans=(said("市教育局", "下半年继续。"),),
        submitters=tuple(owed),
        cases=(
            CasePart(
                "东河区民政局", "圐圙村的暖心屋", (("主要做法", ("第一段。", "第二段。")), ("工作成效", ("有效。",)))
            ),
        ),
    )


def large(units: int = 26, tasks: int = 18, characters: int = 1500) -> Compilation:
    """``units`` × ``tasks`` texts of so many characters, in paragraphs of about 250."""
    line = "各单位按照方案要求扎实推进关爱服务工作，入户走访，动态更新底数，" * 8
    lines = [line[:250]] * (characters // 250)
    parts = tuple(
        task(
            n,
            f"任务名称{n}",
            *(said(f"单位{u}", *lines) for u in range(1, units + 1)),
            indicators=(measure(f"{n}.1", "已办", 1, 2, 3, 4),),
        )
        for n in range(1, tasks + 1)
    )
    base = compilation()
    fields = {name: getattr(base, name) for name in Compilation.__dataclass_fields__}
    return Compilation(**{**fields, "actions": (ActionPart(1, "行动", parts),)})
