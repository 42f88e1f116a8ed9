"""What /api/v1 answers about reminders by hand, subscriptions, exemplars and the record of what was told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from api.answers import Answer, cursor, says
from ledger.chasing import LeftOut
from ledger.queries.outcomes import Outcome
from policy_models.exemplars import ExemplarState
from policy_models.feeds import Scope


class PassedOut(Answer, title="不催办的一件"):
    key: str = says("办理件编号", "baotou-2024:5.2:150203001:2025Q2")
    title: str = says("事项", "签订委托照护协议")
    period: str = says("期次", "2025年第二季度")
    unit_code: str = says("单位代码", "150203001")
    unit_name: str = says("单位", "某某街道")
    reason: LeftOut = says("原因", "chased")
    why: str = says("原因（文字）", "今天已催办过")


class ChasedUnitOut(Answer, title="将告知的单位"):
    unit: str = says("单位代码", "150203001")
    name: str = says("单位", "某某街道")
    keys: list[str] = says("告知的办理件", ["baotou-2024:5.2:150203001:2025Q2"])
    people: list[str] = says("除站内消息外，还告知的联络员", ["王芳"])
    told_at: datetime | None = says("今天上次告知的时刻（UTC）", None)


class ChasePreviewOut(Answer, title="催办预览"):
    units: list[ChasedUnitOut] = Field(description="将告知的单位，时限最早的在前")
    passed: list[PassedOut] = Field(description="不催办的办理件")
    goes_out_at: datetime = says("最早何时发出（UTC）：开放时段之外的等到下一个时段", "2025-06-20T00:30:00Z")
    subject: str | None = says("第一条消息的标题；没有可催办的为 null", "催办：1 项事项逾期")
    body: str | None = says("第一条消息的正文", "某某街道：签订委托照护协议已逾期，请尽快报送。")


class ChasedOut(Answer, title="催办结果"):
    batch: int | None = says("这次催办的编号；没有可催办的为 null", 812)
    items: int = says("催办了几件", 1)
    messages: int = says("产生了几条消息", 2)
    passed: list[PassedOut] = Field(description="不催办的办理件")


class ChaseMessageOut(Answer, title="催办的一条消息"):
    unit_code: str = says("单位代码", "150203001")
    unit_name: str = says("单位", "某某街道")
    person_name: str | None = says("告知的人员；站内消息为 null", "王芳")
    channel: str = says("渠道代码", "email")
    state: str = says("消息的状态", "sent")
    items: int = says("说到几件", 1)


class ChaseSentOut(Answer, title="一次催办"):
    by_name: str = says("经办人", "市民政局经办人")
    at: datetime = says("时刻（UTC）", "2025-06-20T02:11:00Z")
    note: str | None = says("催办说明", None)
    items: int = says("催办了几件", 1)
    messages: list[ChaseMessageOut] = Field(description="产生的消息及其现状")


class FeedOut(Answer, title="日历订阅"):
    id: int = says("订阅编号", 3)
    name: str = says("用途", "值班室日历")
    scope: Scope = says("内容", "unit")
    target: str = says("对象", "150203001")
    created_at: datetime = says("建立时刻（UTC）", "2025-01-06T01:00:00Z")
    last_used_at: datetime | None = says("最近读取时刻（UTC）", None)
    client: str | None = says("最近读取的程序", None)
    revoked_at: datetime | None = says("停用时刻（UTC）", None)


class FeedsOut(Answer, title="一个单位的日历订阅"):
    feeds: list[FeedOut] = Field(description="最新的在前，已停用的在后；不含地址")


class NewFeedOut(FeedOut, title="新的日历订阅"):
    url: str = says("订阅地址：地址即钥匙，只在此处出现一次", "https://lucheng.example.gov.cn/feeds/…….ics")
    webcal: str = says("webcal 地址", "webcal://lucheng.example.gov.cn/feeds/…….ics")


class ExemplarOut(Answer, title="优秀案例"):
    id: int = says("案例编号", 12)
    round_code: str = says("期次", "2025-H1")
    unit: str = says("报送单位代码", "150203001")
    unit_name: str = says("报送单位", "某某街道")
    title: str = says("标题", "邻里守望，照护不断线")
    background: str = says("背景", "辖区内外出务工家庭较多。")
    practice: str = says("做法", "由网格员定期走访。")
    effect: str = says("成效", "委托照护协议签订率达到 100%。")
    insight: str = says("启示", "就近照护更可持续。")
    state: ExemplarState = says("状态", "published")
    published_at: datetime | None = says("发布时刻（UTC）", "2025-08-01T02:00:00Z")


class ExemplarsOut(Answer, title="已发布的优秀案例"):
    exemplars: list[ExemplarOut] = Field(description="最新发布的在前，最多 200 篇")


class NoticeOut(Answer, title="催办记录中的一条"):
    message: int | None = says("消息编号；没有产生消息为 null", 4021)
    kind: str = says("种类：reminder、chase、returned、extension、weekly、monthly", "reminder")
    key: str | None = says("办理件编号；通报为 null", "baotou-2024:5.2:150203001:2025Q2")
    title: str = says("事项", "签订委托照护协议")
    period: str = says("期次", "2025Q2")
    owes: str = says("报送单位代码", "150203001")
    step: int | None = says("催办阶梯：距时限几个工作日；其他种类为 null", 3)
    recipient: str = says("告知的单位代码", "150203001")
    recipient_name: str = says("告知的单位", "某某街道")
    person_name: str | None = says("告知的人员", "王芳")
    channel: str | None = says("渠道代码", "email")
    day: date = says("日期", "2025-06-25")
    queued_at: datetime = says("产生时刻（UTC）", "2025-06-25T00:00:00Z")
    outcome: Outcome = says("结果", "sent")
    sent_at: datetime | None = says("发出时刻（UTC）", "2025-06-25T00:31:00Z")
    error: str | None = says("没有送达的原因", None)


class NoticesOut(Answer, title="一页催办记录"):
    notices: list[NoticeOut] = Field(description="最新的在前")
    total: int = says("符合条件的总数", 41)
    next_cursor: str | None = cursor("100")


class RegisterLineOut(Answer, title="督办台账的一行"):
    cells: list[str] = says("各栏的文字，与 columns 对应", ["1", "5.2"])


class RegisterOut(Answer, title="一页督办台账"):
    columns: list[str] = says("栏目", ["序号", "任务编号"])
    lines: list[RegisterLineOut] = Field(description="与页面、导出表完全相同的文字")
    total: int = says("符合条件的总行数", 455)
    next_cursor: str | None = cursor("100")


class TrailLineOut(Answer, title="一条操作记录"):
    at: datetime = says("时刻（UTC）", "2025-06-20T02:11:00Z")
    account: str = says("账号；系统为空", "mzj-xitong")
    by_name: str = says("姓名", "市民政局")
    act: str = says("操作", "审核")
    unit: str = says("单位代码", "150203001")
    object: str = says("对象", "baotou-2024:5.2:150203001:2025Q2")
    detail: str = says("说明", "")
    done: bool = says("是否办成；被拒绝的为 false", True)


class TrailOut(Answer, title="一页操作记录"):
    lines: list[TrailLineOut] = Field(description="最新的在前")
    next_cursor: str | None = cursor("90210")


class DoneOut(Answer, title="已办"):
    done: Literal[True] = says("总是 true", True)


class ChartOut(Answer, title="图表的数据"):
    title: str = says("标题", "办结进度")
    line: str = says("截至日期和范围", "截至 2025-05-31；全市")
    columns: list[str] = says("栏目", ["日期", "应办结", "已办结"])
    rows: list[list[int | float | str | None]] = says("各行，与 columns 对应；日期为文字", [["2025-05-31", 420, 412]])
