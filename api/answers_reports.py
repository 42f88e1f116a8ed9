"""What /api/v1 answers about half-year rounds, reports and people."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.answers import Answer, says
from api.answers_items import Number
from policy_models.lifecycle import State
from policy_models.people import PersonRole
from policy_models.rounds import ReportStatus


class RoundOut(Answer, title="一期半年报送"):
    code: str = says("期次", "2025-H1")
    phase: str = says("coming 未启动、open 进行中、closed 已结束、skipped 启用之前", "open")
    first: date = says("所述期间的第一天", "2025-01-01")
    last: date = says("所述期间的最后一天", "2025-06-30")
    opens_on: date = says("启动日期", "2025-06-16")
    deadline: date = says("时限", "2025-07-10")
    owing: int = says("应报送的单位数", 32)
    handed_in: int = says("已报送", 20)
    on_time: int = says("其中按期", 19)
    late: int = says("其中逾期", 1)
    missing: int = says("时限已过仍未报送", 0)
    accepted: int = says("已通过", 12)
    returned: int = says("已退回", 2)
    waiting: int = says("待审核", 6)
    completeness: float = says("报送率，0 至 1", 0.625)
    timeliness: float = says("按期率，0 至 1", 0.5938)


class ReportOut(Answer, title="一个单位的报告"):
    unit: str = says("单位代码", "150203")
    name: str = says("单位", "昆都仑区")
    status: ReportStatus = says("状态", "submitted")
    deadline: date = says("时限", "2025-07-10")
    first_submitted_on: date | None = says("首次报送日期", "2025-07-03")
    late: bool = says("是否逾期报送", False)
    missing: bool = says("是否时限已过仍未报送", False)
    returns: int = says("已退回几次", 0)
    exemplars: int = says("案例篇数", 2)
    bulletins: int = says("信息篇数", 3)


class RoundReportsOut(Answer, title="一期报送和各单位的报告"):
    round: RoundOut = Field(description="期次")
    as_of: date = says("截至日期", "2025-07-05")
    reports: list[ReportOut] = Field(description="各单位")


class OpenedOut(Answer, title="启动的结果"):
    code: str = says("期次", "2025-H1")
    fresh: bool = says("是否由这次启动（此前已启动为 false）", True)
    reports: int = says("新备好的报告份数", 32)


class AnswerOut(Answer, title="一个长期事项的答复"):
    requirement: str = says("事项编号", "5.4")
    text: str = says("进展", "无新增")


class FigureOut(Answer, title="报告引用的数字"):
    requirement: str = says("事项编号", "5.2")
    title: str = says("事项", "签订委托照护协议")
    label: str = says("指标；没有指标的为空，数的是办结件数", "已签订协议的人数")
    value: Number = says("值，十进制文本", "412")
    of: Number | None = says("分母，十进制文本", "455")


class SectionTextOut(Answer, title="一节的文字"):
    text: str = says("正文", "上半年，各项任务有序推进。")
    answers: list[AnswerOut] = Field(description="长期事项的答复")


class ReportSectionOut(Answer, title="报告的一节"):
    section: str = says("节的代码", "overview")
    title: str = says("节的名称", "总体情况")
    version: int = says("草稿的版本；0 为还没有保存过", 1)
    draft: SectionTextOut = Field(description="草稿")
    handed_in: SectionTextOut | None = Field(description="最近一次报送的文字；没有为 null")
    figures: list[FigureOut] = Field(description="台账中的数字，截至此刻")
    lacking: str | None = says("还缺什么；齐全为 null", None)
    verdict: str | None = says("审核意见：accepted、returned；没有为 null", None)
    reason: str | None = says("这一节退回的理由", None)


class ReportDetailOut(Answer, title="一份半年报告"):
    key: str = says("办理件编号", "baotou-2024:S1.1:150203:2025-H1")
    round_code: str = says("期次", "2025-H1")
    unit: str = says("单位代码", "150203")
    state: State = says("状态", "open")
    deadline: date = says("时限", "2025-07-10")
    revision: int | None = says("最近一次报送的版本，审核时作为 seen 送回；没有报送为 null", None)
    reason: str | None = says("最近一次退回的理由", None)
    writable: bool = says("现在能否填写", True)
    sections: list[ReportSectionOut] = Field(description="各节")


class SavedOut(Answer, title="已保存的一节"):
    section: str = says("节的代码", "overview")
    version: int = says("新的版本", 2)
    saved_at: datetime = says("时刻（UTC）", "2025-07-03T02:11:00Z")


class WayOut(Answer, title="联系方式"):
    channel: str = says("渠道代码", "email")
    address: str = says("地址", "wangfang@example.gov.cn")
    bounce: str | None = says("退信的原因；没有退信为 null", None)


class PersonOut(Answer, title="人员"):
    id: int = says("人员编号", 5)
    name: str = says("姓名", "王芳")
    post: str = says("职务", "干事")
    phone: str = says("办公电话", "0472-5123456")
    roles: list[PersonRole] = says("角色", ["liaison"])
    weekly: bool = says("接收周通报", False)
    monthly: bool = says("接收月通报", False)
    active: bool = says("是否在用", True)
    ways: list[WayOut] = Field(description="联系方式，优先的在前")
    changed_at: datetime = says("最近更改的时刻（UTC），更改时作为 seen 送回", "2025-06-20T02:11:00Z")


class PeopleOut(Answer, title="一个单位的人员"):
    people: list[PersonOut] = Field(description="在用的在前")
