"""The table of rights: one row for each verb of each page. Nothing is served that has no row here.

A row says which right is asked for and where: at the unit, item or file that the address names (``Place``), anywhere, or
over the whole city. ``name``: the verb as the trail tells it ("" for what only reads).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from policy_models.access import Right


class Place(StrEnum):
    """ANYONE: without an account (its own secret in the address, or nothing to hide); SIGNED_IN: any account; LISTED: the
    right held anywhere, and the list shows what lies in the visitor's scope; UNIT, ITEM, FILE: at what the address
    names; WHOLE: over the whole city."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    LISTED = "listed"
    UNIT = "unit"
    ITEM = "item"
    FILE = "file"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Rule:
    right: Right
    place: Place
    name: str = ""


READ, REPORT, REVIEW = Right.READ, Right.REPORT, Right.REVIEW
COORDINATE, STAFF, ADMINISTER, AUDIT = Right.COORDINATE, Right.STAFF, Right.ADMINISTER, Right.AUDIT
ANYONE, SIGNED_IN, LISTED, WHOLE = Place.ANYONE, Place.SIGNED_IN, Place.LISTED, Place.WHOLE
UNIT, ITEM, FILE = Place.UNIT, Place.ITEM, Place.FILE
U = "/units/{code}"
API = "/api/v1"
Row = tuple[str, str, Right, Place, str]
ROWS: tuple[Row, ...] = (
    # doors
    ("GET", "/healthz", READ, ANYONE, ""),
    ("GET", "/login", READ, ANYONE, ""),
    ("POST", "/login", READ, ANYONE, ""),  # notes itself: it knows the account only at its end
    ("POST", "/logout", READ, SIGNED_IN, "退出登录"),
    # overviews
    ("GET", "/", READ, LISTED, ""),
    ("GET", "/tasks", READ, LISTED, ""),
    ("GET", "/tasks/{number}", READ, LISTED, ""),
    ("GET", "/phases/{number}", READ, LISTED, ""),
    ("GET", "/safeguards/{number}", READ, LISTED, ""),
    ("GET", "/units", READ, LISTED, ""),
    ("GET", U, READ, UNIT, ""),
    ("GET", "/items", READ, LISTED, ""),
    ("GET", "/items/{key:path}", READ, ITEM, ""),
    ("GET", "/register", READ, LISTED, ""),
    ("GET", "/register.xlsx", READ, LISTED, ""),
    ("GET", "/register.csv", READ, LISTED, ""),
    ("GET", "/reminders", READ, LISTED, ""),
    ("GET", "/reminders.csv", READ, LISTED, ""),
    ("GET", "/circulars", READ, LISTED, ""),
    ("GET", "/circulars/{id}", READ, LISTED, ""),
    ("GET", "/circulars/{kind}/{period}.docx", READ, LISTED, ""),
    ("GET", "/circulars/{kind}/{period}", READ, LISTED, ""),
    ("GET", "/exemplars", READ, LISTED, ""),
    ("GET", "/exemplars/{exemplar_id}", READ, LISTED, ""),
    ("GET", "/rounds", READ, LISTED, ""),
    ("GET", "/rounds/{round_code}", READ, LISTED, ""),
    ("GET", "/report-template.docx", READ, LISTED, ""),
    ("GET", "/report-template/built-in.docx", READ, LISTED, ""),
    # a unit hands in
    ("GET", U + "/submit/{key:path}", REPORT, UNIT, ""),
    ("POST", U + "/submit/{key:path}", REPORT, UNIT, "报送"),
    ("POST", U + "/withdraw/{key:path}", REPORT, UNIT, "撤回"),
    ("POST", U + "/files/{key:path}/missing", REPORT, UNIT, ""),
    ("POST", U + "/files/{key:path}", REPORT, UNIT, "上传材料"),
    ("GET", U + "/files/{file_id}", REPORT, UNIT, ""),
    ("GET", "/files/{file_id}/thumbnail", READ, FILE, ""),
    ("GET", "/files/{file_id}/{name}", READ, FILE, ""),
    ("GET", U + "/files/{file_id}/mask", REPORT, UNIT, ""),
    ("POST", U + "/files/{file_id}/mask", REPORT, UNIT, "遮盖图片"),
    ("POST", U + "/files/{file_id}/unmask", REPORT, UNIT, "撤销遮盖"),
    ("GET", U + "/sheets", REPORT, UNIT, ""),
    ("GET", U + "/sheet/{requirement}/{period}", REPORT, UNIT, ""),
    ("POST", U + "/sheet/{requirement}/{period}", REPORT, UNIT, "填报汇总表"),
    ("GET", U + "/workbook", REPORT, UNIT, ""),
    ("GET", U + "/workbook.xlsx", REPORT, UNIT, ""),
    ("GET", U + "/workbook/{digest}.xlsx", REPORT, UNIT, ""),
    ("POST", U + "/workbook", REPORT, UNIT, "导入填报表"),
    ("GET", U + "/extend/{key:path}", REPORT, UNIT, ""),
    ("POST", U + "/extend/{key:path}", REPORT, UNIT, "申请延期"),
    ("POST", U + "/extensions/{id}/withdraw", REPORT, UNIT, "撤回延期申请"),
    ("GET", U + "/reports/{round_code}", REPORT, UNIT, ""),
    ("POST", U + "/reports/{round_code}/sections/{section}", REPORT, UNIT, "编写报告"),
    ("POST", U + "/reports/{round_code}/submit", REPORT, UNIT, "报送报告"),
    ("POST", U + "/reports/{round_code}/withdraw", REPORT, UNIT, "撤回报告"),
    ("GET", U + "/exemplars", REPORT, UNIT, ""),
    ("POST", U + "/exemplars", REPORT, UNIT, "新建案例"),
    ("POST", U + "/exemplars/nothing", REPORT, UNIT, "说明没有案例"),
    ("GET", U + "/exemplars/{exemplar_id}", REPORT, UNIT, ""),
    ("POST", U + "/exemplars/{exemplar_id}", REPORT, UNIT, "编写案例"),
    ("POST", U + "/exemplars/{exemplar_id}/withdraw", REPORT, UNIT, "撤回案例"),
    ("POST", U + "/exemplars/{exemplar_id}/pictures", REPORT, UNIT, "上传案例图片"),
    ("POST", U + "/exemplars/{exemplar_id}/pictures/{picture_id}", REPORT, UNIT, "更改案例图片"),
    ("GET", U + "/bulletin", READ, UNIT, ""),
    ("POST", U + "/bulletin", REPORT, UNIT, "报送信息"),
    ("POST", U + "/bulletin/year", REPORT, UNIT, "更改信息年度"),
    ("POST", U + "/bulletin/{item_id}", REPORT, UNIT, "更改信息"),
    # a superior reviews
    ("GET", U + "/review", REVIEW, UNIT, ""),
    ("POST", U + "/review", REVIEW, UNIT, "批量审核"),
    ("GET", U + "/review/{key:path}", REVIEW, UNIT, ""),
    ("POST", U + "/review/{key:path}", REVIEW, UNIT, "审核"),
    ("GET", U + "/extensions", READ, UNIT, ""),
    ("POST", U + "/extensions/{id}/grant", REVIEW, UNIT, "同意延期"),
    ("POST", U + "/extensions/{id}/refuse", REVIEW, UNIT, "不同意延期"),
    ("POST", U + "/samples", REVIEW, UNIT, "抽查"),
    ("GET", U + "/samples/{id}", REVIEW, UNIT, ""),
    ("POST", U + "/samples/{id}/check", REVIEW, UNIT, "登记抽查结果"),
    ("POST", U + "/samples/{id}/rest", REVIEW, UNIT, "抽查后办结其余"),
    ("GET", U + "/reports/{round_code}/{unit}", REVIEW, UNIT, ""),
    ("POST", U + "/reports/{round_code}/{unit}/review", REVIEW, UNIT, "审核报告"),
    ("GET", U + "/chase", REVIEW, UNIT, ""),
    ("POST", U + "/chase/preview", REVIEW, UNIT, ""),
    ("POST", U + "/chase", REVIEW, UNIT, "催办"),
    ("GET", U + "/chase/{batch}", REVIEW, UNIT, ""),
    # the coordinator
    ("POST", U + "/rounds/{round_code}/{act}", COORDINATE, UNIT, "更改报送期次"),
    ("GET", "/rounds/{round_code}/compilations", COORDINATE, WHOLE, ""),
    ("POST", U + "/compilations/{round_code}", COORDINATE, UNIT, "汇编"),
    ("GET", "/rounds/{round_code}/compilations/{id}/check", COORDINATE, WHOLE, ""),
    ("GET", "/rounds/{round_code}/compilations/{id}.docx", COORDINATE, WHOLE, ""),
    ("GET", "/rounds/{round_code}/compilations/{id}.xlsx", COORDINATE, WHOLE, ""),
    ("GET", "/rounds/{round_code}/compilations/{id}.pdf", COORDINATE, WHOLE, ""),
    ("POST", U + "/compilations/{round_code}/{id}/pdf", COORDINATE, UNIT, ""),
    ("POST", U + "/compilations/{round_code}/template", COORDINATE, UNIT, "更换汇编模板"),
    ("POST", U + "/compilations/{round_code}/template/built-in", COORDINATE, UNIT, "恢复内置模板"),
    ("GET", U + "/shortlist", COORDINATE, UNIT, ""),
    ("POST", U + "/shortlist/{exemplar_id}", COORDINATE, UNIT, "评选案例"),
    ("POST", U + "/panelists", COORDINATE, UNIT, "添加评委"),
    ("POST", U + "/panelists/{panelist_id}", COORDINATE, UNIT, "更改评委"),
    ("POST", U + "/panel/close", COORDINATE, UNIT, "结束评分"),
    ("POST", U + "/bulletin/{item_id}/review", COORDINATE, UNIT, "审核信息"),
    ("GET", U + "/exceptions", COORDINATE, UNIT, ""),
    ("POST", U + "/exceptions/{sha256}", COORDINATE, UNIT, "例外放行"),
    ("GET", U + "/mail", COORDINATE, UNIT, ""),
    ("GET", U + "/mail/{letter_id}", COORDINATE, UNIT, ""),
    ("POST", U + "/mail/{letter_id}/confirm", COORDINATE, UNIT, "确认来信"),
    ("POST", U + "/mail/{letter_id}/dismiss", COORDINATE, UNIT, "不采用来信"),
    ("POST", U + "/mail/{letter_id}/assign", COORDINATE, UNIT, "登记来信单位"),
    ("GET", "/messages", COORDINATE, WHOLE, ""),
    ("POST", U + "/messages/{message_id}/resend", COORDINATE, UNIT, "重新发送"),
    ("POST", U + "/messages/resend", COORDINATE, UNIT, "批量重新发送"),
    # panelists come by a secret address
    ("GET", "/scoring/{token}", READ, ANYONE, ""),
    ("GET", "/scoring/{token}/{exemplar_id}", READ, ANYONE, ""),
    ("POST", "/scoring/{token}/{exemplar_id}", READ, ANYONE, ""),
    # people and feeds
    ("GET", "/people/unreachable", READ, LISTED, ""),
    ("GET", U + "/people", READ, UNIT, ""),
    ("GET", U + "/people/import", STAFF, UNIT, ""),
    ("GET", U + "/people/people.csv", STAFF, UNIT, ""),
    ("POST", U + "/people/import", STAFF, UNIT, ""),
    ("POST", U + "/people/import/confirm", STAFF, UNIT, "导入人员"),
    ("GET", U + "/people/{id}", STAFF, UNIT, ""),
    ("POST", U + "/people", STAFF, UNIT, "添加人员"),
    ("POST", U + "/people/{id}", STAFF, UNIT, "更改人员"),
    ("POST", U + "/people/{id}/deactivate", STAFF, UNIT, "停用人员"),
    ("POST", U + "/people/{id}/restore", STAFF, UNIT, "恢复人员"),
    ("POST", U + "/people/{id}/trust", STAFF, UNIT, "恢复地址"),
    ("GET", U + "/subscribe", READ, UNIT, ""),
    ("POST", U + "/feeds", READ, UNIT, "新建日历订阅"),
    ("POST", U + "/feeds/{token_id}/rotate", READ, UNIT, "更换订阅地址"),
    ("POST", U + "/feeds/{token_id}/revoke", READ, UNIT, "停用日历订阅"),
    # the administrator
    ("GET", U + "/channels", ADMINISTER, UNIT, ""),
    ("POST", U + "/channels/{channel}/test", ADMINISTER, UNIT, "测试渠道"),
    ("POST", U + "/channels/{channel}/confirm", ADMINISTER, UNIT, "启用渠道"),
    ("POST", U + "/channels/{channel}/withdraw", ADMINISTER, UNIT, "停用渠道"),
    # programs
    ("GET", API + "/plans", READ, SIGNED_IN, ""),
    ("GET", API + "/board", READ, LISTED, ""),
    ("GET", API + "/tasks/{number}", READ, LISTED, ""),
    ("GET", API + "/units", READ, LISTED, ""),
    ("GET", API + "/units/{code}", READ, UNIT, ""),
    ("GET", API + "/items", READ, LISTED, ""),
    ("GET", API + "/units/{code}/review", REVIEW, UNIT, ""),
    ("GET", API + "/rounds", READ, LISTED, ""),
    ("GET", API + "/rounds/{round_code}", READ, LISTED, ""),
    ("GET", API + "/circulars", READ, LISTED, ""),
    ("GET", API + "/circulars/{kind}/{period}", READ, LISTED, ""),
)
RULES: dict[tuple[str, str], Rule] = {
    (method, path): Rule(right, place, name) for method, path, right, place, name in ROWS
}
