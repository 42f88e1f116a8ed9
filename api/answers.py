"""What /api/v1 answers about plans, units, boards and items: the shapes that the description shows. What is said of a
field is read by users of the API, so it is Chinese."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from policy_models.calendars import Confidence
from policy_models.lifecycle import State
from policy_models.plan import Level
from policy_models.timing import Light, Timing


class Answer(BaseModel):
    """Nothing is answered that the description does not name."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


def says(description: str, example: Any, **more: Any) -> Any:
    """A field with what it means, and a value as it may be."""
    return Field(description=description, examples=[example], **more)


def cursor(example: str) -> Any:
    """The field that leads to the next page."""
    return says("取下一页时作为 cursor 传入；最后一页为 null", example)


class PlanOut(Answer, title="方案"):
    code: str = says("方案代码", "baotou-2024")
    title: str = says("方案名称", "包头市农村留守儿童和困境儿童关爱服务质量提升三年行动方案")
    revision: int = says("修订号", 1)
    starts_on: date = says("起始日期", "2024-10-01")
    ends_on: date = says("结束日期", "2026-12-31")
    go_live_on: date = says("启用日期：此前的事项不催办", "2025-01-01")
    catch_up: str = says("启用前事项的处理：backfill 补录、waive 豁免、count_only 仅统计", "backfill")
    demonstration: bool = says("是否为演示方案", False)


class CellOut(Answer, title="一组办理件的统计"):
    expected: int = says("应办件数（不含豁免和仅统计）", 455)
    done: int = says("办结件数", 412)
    overdue: int = says("逾期件数", 7)
    due: int = says("截至当日应已办结的件数", 420)
    share_done: float = says("办结率，0 至 1", 0.9055)
    share_due: float = says("序时进度，0 至 1", 0.9231)
    light: Light = says("状态灯", "yellow")
    by_timing: dict[Timing, int] = says("各办理状态的件数", {"done_on_time": 412})


class SectionOut(Answer, title="方案的一部分"):
    section: str = says("代码：task-5、phase-2、safeguard-3", "task-5")
    title: str = says("名称", "加强监护责任落实")
    owners: list[str] = says("牵头部门", ["民政局"])
    cell: CellOut = Field(description="统计")
    phases: list[CellOut | None] = Field(description="各阶段的统计；没有事项的阶段为 null")


class OverdueOut(Answer, title="有逾期事项的单位"):
    unit: str = says("单位代码", "150203001")
    name: str = says("单位名称", "某某街道")
    county: str = says("所属旗县区代码；市直单位为空", "150203")
    overdue: int = says("逾期件数", 3)
    long_overdue: int = says("其中逾期超过 5 个工作日的件数", 1)
    oldest: date = says("最早的时限", "2025-05-30")


class UpcomingOut(Answer, title="即将到期的事项"):
    deadline: date = says("时限", "2025-06-30")
    remind_by: date = says("时限当日或之前的最后一个工作日", "2025-06-30")
    workdays: int = says("距此还有几个工作日", 12)
    requirement: str = says("事项编号", "5.2")
    title: str = says("事项", "签订委托照护协议")
    section: str = says("所属部分", "task-5")
    period: str = says("期次；一次性事项为 once", "2025Q2")
    units: int = says("应办单位数", 88)
    waiting: int = says("尚未报送的单位数", 41)
    reviewing: int = says("待审核的单位数", 5)
    confidence: Confidence = says("日期依据：announced 已公布、forecast 预测、placeholder 占位", "announced")
    inferred: bool = says("时限是否为推定", False)
    why: str = says("为何是这一天", "每季度末月最后一个工作日")


class BoardOut(Answer, title="总览"):
    plan: str = says("方案代码", "baotou-2024")
    as_of: date = says("截至日期", "2025-05-31")
    ended: bool = says("方案是否已结束", False)
    total: CellOut = Field(description="全部办理件")
    due_this_month: int = says("本月到期件数", 96)
    done_this_month: int = says("其中已办结件数", 71)
    sections: list[SectionOut] = Field(description="方案各部分")
    overdue: list[OverdueOut] = Field(description="有逾期事项的单位，最严重的在前")
    upcoming: list[UpcomingOut] = Field(description="今后 30 天到期的事项")


class MatrixOut(Answer, title="一格：一个事项、期次和区域"):
    requirement: str = says("事项编号", "5.2")
    period: str = says("期次", "2025Q2")
    area: str = says("旗县区代码；市直单位为空", "150203")
    timing: Timing = says("办理状态", "overdue")
    n: int = says("件数", 2)


class MeasureOut(Answer, title="指标"):
    name: str = says("报送时用的名称", "signed")
    label: str = says("指标", "已签订协议的人数")
    of_label: str | None = says("占比的分母；没有为 null", "应签订的人数")
    target: str | None = says("目标值；没有为 null", "100%")


class WantedOut(Answer, title="所需佐证材料"):
    type: str = says("类别：measure、photo、document、sign_in、link、text", "photo")
    label: str = says("名称", "活动照片")
    min: int = says("至少几份", 2)


class RequirementOut(Answer, title="事项"):
    code: str = says("事项编号", "5.2")
    title: str = says("事项", "签订委托照护协议")
    cadence: str = says("频次：dated、recurring、continuous、on_event", "recurring")
    evidence: list[WantedOut] = Field(description="佐证材料要求")
    measures: list[MeasureOut] = Field(description="须填报的指标")
    nothing_new: bool = says("是否可以答复“无新增”", True)


class TaskOut(Answer, title="一项任务"):
    number: int = says("任务序号", 5)
    title: str = says("任务", "加强监护责任落实")
    owners: list[str] = says("牵头部门", ["民政局"])
    notes: list[str] = says("说明", ["文件未写明频次，按季度推定"])
    requirements: list[RequirementOut] = Field(description="任务的事项")
    matrix: list[MatrixOut] = Field(description="各事项、期次和区域的办理状态")


class UnitOut(Answer, title="单位"):
    code: str = says("单位代码", "150203001")
    name: str = says("单位名称", "某某街道")
    level: Level = says("层级", "township")
    function: str = says("条线；综合单位为空", "")
    parent: str | None = says("上级单位代码", "150203")
    county: str = says("所属旗县区代码；市直单位为空", "150203")


class ItemOut(Answer, title="办理件"):
    key: str = says("办理件编号，永不改变", "baotou-2024:5.2:150203001:2025Q2")
    requirement: str = says("事项编号", "5.2")
    title: str = says("事项", "签订委托照护协议")
    section: str = says("所属部分", "task-5")
    task: int | None = says("任务序号；不属于任务的为 null", 5)
    unit: str = says("报送单位代码", "150203001")
    unit_name: str = says("报送单位", "某某街道")
    period: str = says("期次", "2025Q2")
    opens_on: date = says("启动日期", "2025-04-01")
    deadline: date = says("时限", "2025-06-30")
    planned: date | None = says("延期前的原定时限；未延期为 null", None)
    remind_by: date = says("时限当日或之前的最后一个工作日", "2025-06-30")
    confidence: Confidence = says("日期依据", "announced")
    inferred: bool = says("时限是否为推定", False)
    why: str = says("为何是这一天", "每季度末月最后一个工作日")
    state: State = says("状态", "open")
    timing: Timing = says("办理状态", "due_soon")
    light: Light = says("状态灯", "yellow")
    revision: int = says("版本号：每次办理加一", 1)
    changed_at: datetime = says("最近一次变化的时刻（UTC）", "2025-04-01T00:05:00Z")


class ItemsOut(Answer, title="一页办理件"):
    items: list[ItemOut] = Field(description="按时限先后")
    total: int = says("符合条件的总件数", 455)
    next_cursor: str | None = cursor("2025-06-30.1024")


class UnitItemsOut(UnitOut, title="单位及其办理件"):
    items: list[ItemOut] = Field(description="按时限先后")


class UnitsOut(Answer, title="一页单位"):
    units: list[UnitOut] = Field(description="按代码先后")
    next_cursor: str | None = cursor("150203001")


class WaitingOut(Answer, title="待审核的办理件"):
    key: str = says("办理件编号", "baotou-2024:5.2:150203001:2025Q2")
    requirement: str = says("事项编号", "5.2")
    title: str = says("事项", "签订委托照护协议")
    period: str = says("期次", "2025Q2")
    unit: str = says("报送单位代码", "150203001")
    unit_name: str = says("报送单位", "某某街道")
    superior: str | None = says("上级单位代码", "150203")
    deadline: date = says("时限", "2025-06-30")
    revision: int = says("版本号：审核时随结论一并送回", 2)
    returns: int = says("已退回几次", 0)
    late: bool = says("是否逾期报送", False)
    submitted_at: datetime = says("报送时刻（UTC）", "2025-06-20T02:11:00Z")
    by: str = says("经办人", "某某街道经办人")
    note: str | None = says("备注", None)


class ReviewOut(Answer, title="一页待审核的办理件"):
    waiting: list[WaitingOut] = Field(description="最早报送的在前")
    total: int = says("待审核总件数", 12)
    next_cursor: str | None = cursor("100")
