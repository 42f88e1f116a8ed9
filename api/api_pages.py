"""The description of /api/v1 as people read it: chapters of operations, each with its fields in a table. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from api.openapi import operations

TYPES = {
    "string": "文字",
    "integer": "整数",
    "number": "数",
    "boolean": "true/false",
    "null": "null",
    "object": "对象",
    "array": "列表",
}
PLACES = {"path": "路径", "query": "查询", "header": "请求头"}
FORMATS = {"date": "日期", "date-time": "时刻（UTC）", "binary": "文件"}
DEEPEST = 3  # levels of fields that are told


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its path ("items[].key"), type and meaning in words; ``place``: of a parameter."""

    name: str
    type: str
    words: str
    required: bool
    place: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``request`` and ``answer`` are examples as indented JSON, "" for none."""

    anchor: str
    method: str
    path: str
    summary: str
    words: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    fields: tuple[Field, ...]
    request: str
    answer: str
    statuses: tuple[tuple[str, str], ...]


def chapters(document: dict[str, Any]) -> list[tuple[str, list[Operation]]]:
    """Operations by their tag, in the order of the routes."""
    found: dict[str, list[Operation]] = {}
    for path, method, operation in operations(document):
        chapter = found.setdefault((operation.get("tags") or ["其他"])[0], [])
        chapter.append(_operation(path, method, operation, document["components"]["schemas"]))
    return list(found.items())


def _operation(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Operation:
    body: dict[str, Any] = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {})
    answer: dict[str, Any] = next(iter(operation["responses"]["200"].get("content", {}).values()), {})
    return Operation(
        operation["operationId"],
        method.upper(),
        path,
        operation["summary"],
        operation.get("description", ""),
        tuple(_parameter(one, schemas) for one in operation.get("parameters", ())),
        tuple(_fields(body.get("schema", {}), schemas)),
        tuple(_fields(answer.get("schema", {}), schemas)),
        _written(body.get("example")),
        _written(answer.get("example")),
        tuple((status, one["description"]) for status, one in operation["responses"].items()),
    )


def _parameter(one: dict[str, Any], schemas: dict[str, Any]) -> Field:
    place, required = PLACES.get(one["in"], one["in"]), bool(one.get("required"))
    return Field(one["name"], _type(one["schema"], schemas), one.get("description", ""), required, place)


def _fields(schema: dict[str, Any], schemas: dict[str, Any], prefix: str = "", depth: int = 1) -> Iterator[Field]:
    schema = _resolved(schema, schemas)
    if schema.get("type") == "array":
        yield from _fields(schema["items"], schemas, f"{prefix}[]", depth)
        return
    wanted = set(schema.get("required", ()))
    for name, one in schema.get("properties", {}).items():
        full = f"{prefix}.{name}" if prefix else name
        yield Field(full, _type(one, schemas), one.get("description", ""), name in wanted)
        inner = _resolved(one, schemas)
        if depth < DEEPEST and (inner.get("properties") or inner.get("type") == "array"):
            yield from _fields(inner, schemas, full, depth + 1)


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, or what it refers to, or the first of several that is not null."""
    if "$ref" in schema:
        found: dict[str, Any] = schemas[schema["$ref"].rpartition("/")[2]]
        return found
    if "anyOf" in schema:
        return _resolved(next((one for one in schema["anyOf"] if one.get("type") != "null"), {}), schemas)
    return schema


def _type(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " 或 ".join(dict.fromkeys(_type(one, schemas) for one in schema["anyOf"]))
    inner = _resolved(schema, schemas)
    if "enum" in inner:
        return "、".join(map(str, inner["enum"]))
    if inner.get("format") in FORMATS:
        return FORMATS[inner["format"]]
    kind = inner.get("type", "")
    kinds: list[str] = kind if isinstance(kind, list) else [kind]
    return " 或 ".join(TYPES.get(one, one) for one in kinds)


def _written(example: Any) -> str:
    return "" if example is None else json.dumps(example, ensure_ascii=False, indent=2)
