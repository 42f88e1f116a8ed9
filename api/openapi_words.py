"""What the description of /api/v1 says in Chinese about words and values that pages and API share."""

from __future__ import annotations

from typing import Any, Final

# By schema: its title, and what it means.
NAMES: Final[dict[str, tuple[str, str]]] = {
    "Act": (
        "办理",
        "issue 交办、submit 报送、withdraw 撤回、accept 通过、send_back 退回、waive 豁免、cancel 取消、extend 延期",
    ),
    "Answer": ("延期申请的状态", "requested 待审批、granted 已同意、refused 不同意、withdrawn 已撤回"),
    "AreaLine": ("一个地方或部门的数字", "一个旗县区及其下级单位，或一个市直部门（of_city）。"),
    "By": ("按什么分", "county 旗县区、department 部门、section 方案各部分"),
    "Chased": ("期间的催办", "催办了几件次、几个单位，其中人工催办几件次。"),
    "Circular": ("一期通报", "发布时的数字和文字；预览的 issued_on 为 null。"),
    "CircularKind": ("通报的种类", "weekly 周通报、monthly 月通报"),
    "ComingLine": ("下期到期的事项", "几个单位应报送、几个尚未报送。"),
    "Confidence": ("日期依据", "announced 已公布、forecast 推定、placeholder 暂定"),
    "EvidenceType": (
        "材料的类别",
        "measure 指标、photo 照片、document 文件、sign_in 签到表、link 链接、text 文字、nothing_new 无新增",
    ),
    "ExemplarState": ("案例的状态", "草稿、已报送、退回、入选、已发布等"),
    "Level": ("层级", "city 市、county 旗县区、township 乡镇街道、village 嘎查村社区"),
    "LeftOut": (
        "不催办的原因",
        "settled 已办、unopened 尚未启动、exempt 启用前的事项、closed 单位已停用、chased 今天已催办",
    ),
    "Light": ("状态灯", "对事不对人：green 正常、yellow 临期、orange 逾期、red 严重逾期、blue 办结、grey 未开始"),
    "Outcome": ("告知的结果", "已发送、待发送、没有送达及其原因"),
    "PersonRole": ("角色", "liaison 联络员、principal 负责人、reviewer 审核人"),
    "ReportStatus": (
        "报告的状态",
        "missing 未交、draft 草稿、submitted 已报、returned 退回、accepted 通过、exempt 不需报送",
    ),
    "RoundLine": ("正在进行的半年报送", "应报、已报、通过、退回和过期未报的份数。"),
    "Said": ("通报中的一段", "标题和各句。"),
    "Scope": ("订阅的内容", "unit 单位、below 单位及下级、function 条线、person 人员、task 任务、phase 阶段"),
    "Span": ("查看多久", "month 近 30 天、year 近一年、all 全部"),
    "State": (
        "办理件的状态",
        "scheduled 未启动、open 待报送、submitted 待审核、returned 已退回、accepted 已通过、waived 已豁免、cancelled 已取消",
    ),
    "Step": ("步长", "day 按日、week 按周"),
    "TaskLight": ("一项任务的状态灯", "continuous 为没有时限的长期事项。"),
    "Timing": (
        "办理状态",
        "not_started 未开始、on_track 正常、due_soon 临期、under_review 待审核、overdue 逾期、long_overdue 严重逾期、"
        "done_on_time 按期办结、done_late 逾期办结、backfill 待补录、backfilled 补录办结、counted 仅统计、exempt 已豁免",
    ),
}
# By name of a parameter: what it means, and a value as it may be.
PARAMETERS: Final[dict[str, tuple[str, Any]]] = {
    "code": ("单位代码：以这个单位的名义办理", "150203001"),
    "key": ("办理件编号", "baotou-2024:5.2:150203001:2025Q2"),
    "as_of": ("截至日期；不写为今日", "2025-05-31"),
    "unit": ("单位代码", "150203001"),
    "section": ("所属部分：task-5、phase-2、safeguard-3；报告中为节的代码", "task-5"),
    "requirement": ("事项编号", "5.2"),
    "period": ("期次", "2025Q2"),
    "under": ("旗县区代码；city 为市直单位", "150203"),
    "within": ("单位代码：这个单位及其下级", "150203"),
    "state": ("状态", "open"),
    "timing": ("办理状态，可重复", ["overdue"]),
    "phase": ("阶段序号", 1),
    "opens_from": ("启动日期不早于", "2025-04-01"),
    "opens_to": ("启动日期不晚于", "2025-04-30"),
    "due_from": ("时限不早于", "2025-06-01"),
    "due_to": ("时限不晚于", "2025-06-30"),
    "late": ("on 为只列逾期报送的", "on"),
    "whole": ("on 为统筹单位查看全部", "on"),
    "kind": ("种类", "weekly"),
    "year": ("年份", 2025),
    "round_code": ("半年报送的期次", "2025-H1"),
    "round": ("半年报送的期次", "2025-H1"),
    "id": ("编号", 7),
    "level": ("层级", "village"),
    "light": ("状态灯，可重复", ["red"]),
    "q": ("查找的文字", "照护"),
    "exemplar_id": ("案例编号", 12),
    "item": ("办理件编号", "baotou-2024:5.2:150203001:2025Q2"),
    "day": ("日期", "2025-06-25"),
    "outcome": ("告知的结果", "sent"),
    "span": ("查看多久；不写为近 30 天", "month"),
    "account": ("账号", "mzj-xitong"),
    "act": ("操作的名称", "审核"),
    "day_from": ("不早于", "2025-06-01"),
    "day_to": ("不晚于", "2025-06-30"),
    "refused": ("true 为只列被拒绝的", True),
    "part": ("方案的一部分：task-5、phase-2、safeguard-3", "task-5"),
    "step": ("步长", "week"),
    "by": ("按什么分", "county"),
    "start": ("从哪一周开始", "2025-06-02"),
}
