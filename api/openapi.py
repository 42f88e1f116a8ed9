"""The description of /api/v1: made from the routes, with what all of them share: how one signs in, how errors look, tags
of versions, and an example of every answer. Pure but for the routes it is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from api.errors import API, TITLES
from api.openapi_words import NAMES, PARAMETERS

ABOUT = """鹿程的程序接口，与页面办理同样的事项，遵守同样的权限和规则。

- **登录**：`Authorization: Bearer 令牌`。令牌由管理员在“管理 → 程序凭证”页面建立，只显示一次；只读令牌只能读取。
- **日期**为 Asia/Shanghai 民用日期（`2025-06-30`），**时刻**为 UTC。
- **错误**一律为 problem+json（RFC 9457），`detail` 为一句中文。
- **分页**：把 `next_cursor` 作为 `cursor` 传入取下一页，直到为 null。
- **版本**：读取的答复都有 `ETag`，以 `If-None-Match` 再问，没有变化答 304；办理时以 `If-Match` 送回办理件的 `ETag`，已有变化答 412，什么也不做。
- **重复提交**：同一办理再做一次，答 409 并说明现在的情况，不会做两遍。
- 文字和文件与页面一样经过个人信息筛查：儿童姓名、证件号码等不予接收（422）。
"""
PROBLEM = {
    "title": "错误",
    "description": "RFC 9457 的 problem+json。",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "description": "总是 about:blank", "examples": ["about:blank"]},
        "title": {"type": "string", "description": "错误的种类", "examples": [TITLES[404]]},
        "status": {"type": "integer", "description": "HTTP 状态码", "examples": [404]},
        "detail": {
            "type": "string",
            "description": "一句中文说明",
            "examples": ["没有这个办理件，地址可能不完整或已失效"],
        },
    },
}
DETAILS = {
    400: "请求的内容不能读取，请核对格式和编码（UTF-8）。",
    401: "请先登录",
    403: "您的账号没有这项权限；如工作需要，请联系本级管理员",
    404: "没有这个办理件，地址可能不完整或已失效",
    405: "这个地址不支持这种操作。",
    409: "“已通过”的办理件不能报送",
    412: "办理件在您读取之后有了变化，请重新读取后再操作",
    413: "请求内容超过 1 MB，没有接收，请分次提交",
    415: "请求内容须为 JSON，并写明 Content-Type: application/json",
    422: "日期须写作 2025-06-30 的样子，现为“明天”",
    429: "请求过于频繁，请稍后再试。",
    503: "台账数据库暂时无法使用，数据没有丢失，也没有写入一半。",
}
ALWAYS = (400, 401, 403, 404, 405, 422, 429, 503)
WRITES = (409, 413, 415)
HEADERS = {
    401: ("WWW-Authenticate", "总是 Bearer", {"type": "string"}, "Bearer"),
    429: ("Retry-After", "几秒后再试", {"type": "integer", "minimum": 0}, 30),
    503: ("Retry-After", "几秒后再试", {"type": "integer", "minimum": 0}, 30),
}
ETAG = {
    "ETag": {
        "description": "这份答复的版本；办理件的以版本号开头",
        "schema": {"type": "string"},
        "example": '"2-4f6c1d0b7a9e8c3d5f21"',
    }
}


def described(routes: Sequence[BaseRoute], *, base_url: str) -> dict[str, Any]:
    """The whole document, OpenAPI 3.1."""
    document = get_openapi(title="鹿程接口", version="1", description=ABOUT, routes=routes)
    document["paths"] = {path: found for path, found in document["paths"].items() if path.startswith(API)}
    document["servers"] = [{"url": base_url.rstrip("/"), "description": "本系统"}]
    components = document.setdefault("components", {})
    schemas: dict[str, Any] = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    for name, (title, words) in NAMES.items():
        if name in schemas:
            schemas[name] |= {"title": title, "description": words}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "description": "接口账号的令牌"}}
    document["security"] = [{"token": []}]
    for _, method, operation in operations(document):
        _complete(method, operation, schemas)
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation with its path and method."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _complete(method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for one in operation.get("parameters", ()):
        words, example = PARAMETERS.get(one["name"], ("", None))
        one.setdefault("description", words)
        if example is not None and "example" not in one and "examples" not in one["schema"]:
            one["example"] = example
    answers = operation["responses"]
    answers.pop("422", None)
    success = answers["200"] | {"description": "成功"}
    answers["200"] = success
    versioned = method == "get" or any(one["name"] == "if-match" for one in operation.get("parameters", ()))
    content = success.get("content", {}).get("application/json")
    if content:
        content["example"] = example_of(content["schema"], schemas)
    if versioned:
        success["headers"] = ETAG
    if method == "get":
        answers["304"] = {"description": "没有变化", "headers": ETAG}
    for status in (*ALWAYS, *(WRITES if method != "get" else ()), *((412,) if versioned and method != "get" else ())):
        answers[str(status)] = _problem(status)
    operation["responses"] = dict(sorted(answers.items()))
    for kind in operation.get("requestBody", {}).get("content", {}).values():
        if "multipart" not in str(kind) and "example" not in kind and "examples" not in kind:
            kind["example"] = example_of(kind["schema"], schemas)


def _problem(status: int) -> dict[str, Any]:
    example = {"type": "about:blank", "title": TITLES[status], "status": status, "detail": DETAILS[status]}
    schema = {"$ref": "#/components/schemas/Problem"}
    found: dict[str, Any] = {
        "description": TITLES[status],
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }
    if status in HEADERS:
        name, words, kind, value = HEADERS[status]
        found["headers"] = {name: {"description": words, "schema": kind, "example": value, "required": True}}
    return found


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value of a schema, put together from the examples of its fields."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if "default" in schema:
        return schema["default"]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas)
    if schema.get("type") == "object" or "properties" in schema:
        return {name: example_of(one, schemas) for name, one in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    plain = {"string": "", "integer": 1, "number": 1.0, "boolean": False, "null": None}
    if schema.get("format") == "date":
        return "2025-06-30"
    if schema.get("format") == "date-time":
        return "2025-06-20T02:11:00Z"
    return plain.get(str(schema.get("type")))
