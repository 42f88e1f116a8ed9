"""Errors become answers: one place decides the status; a page for people, problem+json for programs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api import visit
from api.blocked import record_blocked
from api.headers import HEADERS
from api.pages import page
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    EvidenceMissing,
    Faulty,
    FileRefused,
    LedgerUnavailable,
    LuchengError,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)

log = logging.getLogger("api")
STATUS: dict[type[LuchengError], int] = {
    NotFound: 404,
    NotResponsible: 403,
    ActNotAllowed: 409,
    ChangedMeanwhile: 409,
    EvidenceMissing: 422,
    ReasonMissing: 422,
    FileRefused: 422,
    PrivacyBlocked: 422,
    Faulty: 422,
    LedgerUnavailable: 503,
}
TITLES = {
    400: "请求有误",
    401: "需要登录",
    403: "不能这样操作",
    404: "没有找到",
    405: "不支持的操作",
    409: "内容已有变化",
    412: "版本已变",
    413: "内容过大",
    415: "格式不对",
    422: "填写有误",
    429: "请求过于频繁",
    500: "系统出现故障",
    503: "台账暂时无法使用",
}
SENTENCES = {
    400: "请求的内容不能读取，请核对格式和编码（UTF-8）。",
    401: "请先登录。",
    403: "这项操作不是从本系统的页面发出的，已拒绝。请回到页面重新操作。",
    404: "没有这个页面，地址可能不完整或已失效。",
    405: "这个地址不支持这种操作。",
    413: "一次提交的内容过大，没有接收。",
    429: "请求过于频繁，请稍后再试。",
    500: "系统未能完成这次请求，已记入日志。",
    503: "台账数据库暂时无法使用，数据没有丢失，也没有写入一半。",
}
NEXT_STEPS = {
    401: "请登录后再操作。",
    403: "请从总览或您本单位的页面重新进入。",
    404: "请从总览或单位页面重新进入。",
    405: "请从总览重新进入。",
    409: "请刷新页面，看过最新情况后再操作。",
    422: "请核对后重新提交，或返回总览。",
    500: "请稍后再试；如反复出现，请把时间和地址告知系统管理员。",
    503: "请稍候一分钟再刷新；如持续出现，请系统管理员运行 lucheng doctor 查看原因。",
}
FIELDS = {
    "body": "请求内容",
    "as_of": "截至日期",
    "view_id": "常用视图",
    "query": "筛选条件",
    "which": "选择的范围",
    "back": "返回的页面",
    "chapter_name": "帮助的章节",
    "gone": "常用视图",
    "gone_query": "筛选条件",
    "plan": "方案",
    "unit": "单位",
    "task": "任务",
    "state": "状态",
    "timing": "办理状态",
    "phase": "阶段",
    "limit": "条数",
    "name": "名称",
    "number": "编号",
    "token_id": "订阅编号",
    "code": "单位代码",
    "key": "办理件编号",
    "q": "查找内容",
    "page": "页码",
    "within": "单位",
    "due_from": "起始时限",
    "due_to": "截止时限",
    "change": "变化类别",
    "from": "起始日期",
    "opens_from": "起始启动日",
    "opens_to": "截止启动日",
    "month": "月份",
    "zoom": "时间范围",
    "cursor": "页码",
    "section": "任务",
    "requirement": "事项",
    "period": "期次",
    "under": "旗县区",
    "after": "起点",
    "parent": "上级单位",
    "round_code": "期次",
    "id": "编号",
    "file": "文件",
    "light": "状态灯",
    "level": "层级",
    "by_name": "经办人",
    "part": "范围",
    "step": "间隔",
    "by": "分组",
    "start": "起始日期",
    "note": "备注",
    "type": "材料类别",
    "effective_on": "发生日期",
    "file_id": "文件编号",
    "sha256": "文件校验值",
    "verdict": "审核结论",
    "seen": "版本",
    "pick": "勾选的内容",
    "share": "抽查比例",
    "result": "抽查结果",
    "reason": "意见",
    "wanted": "申请的时限",
    "until": "同意的时限",
    "late": "筛选条件",
    "whole": "筛选条件",
    "letter_id": "来信编号",
    "overview": "总体情况",
    "progress": "重点任务进展",
    "highlights": "特色亮点",
    "problems": "存在问题",
    "next": "下一步打算",
    "remember": "登记邮箱",
    "round": "期次",
    "outcome": "结果",
    "span": "期间",
    "kind": "类别",
    "pile": "类别",
    "left": "事项",
    "day": "日期",
    "item": "办理件编号",
    "words": "催办说明",
    "keys": "选择的事项",
    "batch": "编号",
    "message_id": "消息编号",
    "channel": "渠道代码",
    "to": "收件邮箱",
    "role": "角色",
    "persona": "演示身份",
    "token": "链接",
    "password": "密码",
    "display_name": "姓名",
}
RETRY_AFTER_SECONDS = 30
API = "/api/v1/"  # below it, errors are problem+json
UNREADABLE = "There was an error parsing the body"  # what the framework says of a body that it could not read


def install(app: FastAPI) -> None:
    """Answer every error of the app."""
    app.add_exception_handler(LuchengError, _expected)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)


def status_of(error: LuchengError) -> int:
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def answer(request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """The sentence as a page with the next step, or as problem+json below /api/ (RFC 9457)."""
    title = TITLES.get(status, HTTPStatus(status).phrase)
    if request.url.path.startswith(API):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": sentence}
        return JSONResponse(problem, status, headers, media_type="application/problem+json")
    facts: dict[str, object] = {"status": status, "title": title, "sentence": sentence}
    facts["next_step"] = NEXT_STEPS.get(status, "")
    facts["visitor"] = getattr(request.state, "visitor", None) or visit.current().visitor
    return page("error.html", facts, status=status, headers=headers)


def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, LuchengError)
    status = status_of(error)
    if status == 503:  # the cause names hosts and files: it is for the log
        log.error("ledger unavailable: %s", error)
        return answer(request, status, SENTENCES[status], {"Retry-After": str(RETRY_AFTER_SECONDS)})
    if isinstance(error, PrivacyBlocked):
        _note(request, error)
    return answer(request, status, str(error))


def _note(request: Request, error: PrivacyBlocked) -> None:
    """Record what the gate stopped; it stays stopped even where that cannot be recorded."""
    state, code = request.app.state, str(request.path_params.get("code", ""))[:24]
    try:
        record_blocked(state.database, error, by_unit=code, now=state.clock.now())
    except LedgerUnavailable as failed:
        log.error("a blocked text was not recorded: %s", failed)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = error.detail if error.detail not in (HTTPStatus(error.status_code).phrase, UNREADABLE) else None
    sentence = told or SENTENCES.get(error.status_code, TITLES.get(error.status_code, "请求未能完成。"))
    return answer(request, error.status_code, sentence, error.headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    if not request.url.path.startswith(API) and all("as_of" in fault["loc"] for fault in faults):
        return _other_day(request, _sentence(faults[0]))
    return answer(request, 422, "；".join(dict.fromkeys(map(_sentence, error.errors()))))


def _other_day(request: Request, sentence: str) -> Response:
    """The sentence, and the same page to be asked for again with another 截至."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "as_of"]
    facts = {"title": TITLES[422], "sentence": sentence, "path": request.url.path, "kept": kept}
    return page("other_day.html", facts, status=422)


def _sentence(fault: Mapping[str, object]) -> str:
    context, kind = fault.get("ctx"), str(fault.get("type", ""))
    if kind == "value_error" and isinstance(context, dict):
        return str(context["error"])
    place = fault.get("loc")
    steps = [part for part in place if isinstance(part, str)] if isinstance(place, tuple) else []
    name = _shown(steps[-1] if steps else "")
    field = FIELDS.get(name, name)
    if kind == "json_invalid":
        return "请求内容不是完整的 JSON"
    if kind == "extra_forbidden":
        return f"没有“{name}”这一项"
    if kind in ("string_too_long", "too_long") and isinstance(context, dict):
        return f"{field}最多 {context['max_length']} {'个字' if isinstance(fault.get('input'), str) else '项'}"
    value = fault.get("input")
    given = (
        "" if kind == "missing" or value is None or isinstance(value, (dict, list, bytes)) else _shown(str(value)[:20])
    )
    if given:
        return f"{field}不能写作“{given}”"
    return f"请填写{field}" if value in (None, "") or kind == "missing" else f"{field or '请求内容'}的格式不对"


def _shown(text: str) -> str:
    """What was sent, as it may stand in an answer: halves of characters cannot be written down at all."""
    return "".join(one for one in text if one.isprintable())[:40]


def _unexpected(request: Request, error: Exception) -> Response:
    return answer(request, 500, SENTENCES[500], HEADERS)  # sent from outside SafeHeaders
