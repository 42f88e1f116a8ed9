"""What /api/v1 is sent about reminders by hand, rounds, reports, people and subscriptions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, StrictBool, StringConstraints

from api.answers import says
from api.bodies import Body, By, Key, Name, Note, Revision, Words, plain_words
from api.dependencies import printable
from ledger.chase_scope import MOST

Line = Annotated[str, BeforeValidator(printable), StringConstraints(max_length=80, strict=True)]
Long = Annotated[str, BeforeValidator(plain_words), StringConstraints(max_length=25_000, strict=True)]
SectionName = Annotated[str, BeforeValidator(printable), StringConstraints(max_length=16, min_length=1, strict=True)]


class ChaseIn(By, title="催办"):
    keys: list[Key] = Field(
        min_length=1,
        max_length=MOST,
        description="办理件编号",
        examples=[["baotou-2024:5.2:150203001:2025Q2"]],
    )
    words: Words = says("催办说明，200 字以内", "", default="")
    principals: StrictBool = says("是否同时告知负责人", False, default=False)


class GuidanceIn(By, title="启动一期报送"):
    guidance: Words = says("报送要求", "请突出监护责任落实情况", default="")


class AnswerIn(Body, title="一个长期事项的答复"):
    requirement: Annotated[str, BeforeValidator(printable), StringConstraints(max_length=12, min_length=1)] = says(
        "事项编号", "5.4"
    )
    text: Words = says("进展；没有变化写“无新增”", "无新增")


class SectionIn(By, title="报告的一节"):
    text: Long = says("正文", "上半年，各项任务有序推进。")
    answers: list[AnswerIn] = Field([], max_length=60, description="长期事项的答复", examples=[[]])
    version: Revision = says("您看到的版本；还没有保存过为 0", 0)


class MarkIn(Body, title="一节的审核意见"):
    section: SectionName = says("节的代码", "problems")
    verdict: Literal["accepted", "returned"] | None = says("通过、退回；null 为取消意见", "returned")
    reason: Note = says("退回的理由", "请补充数据来源", default="")


class ReportReviewIn(By, title="审核报告"):
    act: Literal["keep", "return", "accept"] = says("keep 只保存意见、return 退回、accept 通过", "keep")
    seen: Revision = says("您看到的报告版本（revision）", 2)
    marks: list[MarkIn] = Field([], max_length=60, description="逐节意见", examples=[[]])


class WayIn(Body, title="联系方式"):
    channel: Annotated[str, BeforeValidator(printable), StringConstraints(max_length=40, min_length=1)] = says(
        "渠道代码", "email"
    )
    address: Annotated[str, BeforeValidator(printable), StringConstraints(max_length=254, strict=True)] = says(
        "地址；不需要地址的渠道为空", "wangfang@example.gov.cn", default=""
    )


class PersonIn(By, title="人员"):
    name: Line = says("姓名：只登记工作人员", "王芳")
    roles: list[Literal["liaison", "principal", "reviewer"]] = Field(
        max_length=3, description="联络员、负责人、审核人", examples=[["liaison"]]
    )
    post: Line = says("职务", "干事", default="")
    phone: Line = says("办公电话，不登记手机号码", "0472-5123456", default="")
    weekly: StrictBool = says("接收周通报", False, default=False)
    monthly: StrictBool = says("接收月通报", False, default=False)
    ways: list[WayIn] = Field([], max_length=20, description="联系方式，优先的在前", examples=[[]])


class PersonChangeIn(PersonIn, title="更改人员"):
    seen: AwareDatetime = says("您看到的 changed_at", "2025-06-20T02:11:00Z")


class FeedIn(Body, title="新建日历订阅"):
    name: Annotated[str, BeforeValidator(printable), StringConstraints(max_length=80, min_length=1, strict=True)] = (
        says("用途，便于以后停用时辨认", "值班室日历")
    )
    scope: Literal["unit", "below", "function", "person", "task", "phase"] = says("内容", "unit", default="unit")
    target: Name = says("对象：条线、人员编号、任务或阶段序号；单位本身不写", "", default="")
    alarm: Literal["0", "1", "3", "7", "off"] = says("提前几天提醒", "0", default="0")
    kind: Literal["event", "todo"] = says("日程或待办", "event", default="event")
    open_only: StrictBool = says("只含应报送的", False, default=False)
    holidays: StrictBool = says("含节假日和调休", False, default=False)


class NothingIn(By, title="经办人"):
    pass
