"""YAML for plan packs: every value keeps its line, dates stay text until the model reads them, doubles are refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from policy_models.errors import Fault, PlanInvalid

Path = Sequence[str | int]

# pydantic's error types in the words of a person who writes a plan; others keep pydantic's own sentence.
SENTENCES = {
    "missing": "缺少此项",
    "extra_forbidden": "没有这个字段",
    "date_from_datetime_parsing": "不是有效日期（应如 2025-06-30）：{input}",
    "date_parsing": "不是有效日期（应如 2025-06-30）：{input}",
    "date_from_datetime_inexact": "不是有效日期（应如 2025-06-30）：{input}",
    "date_type": "不是有效日期（应如 2025-06-30）：{input}",
    "bool_parsing": "只能是 true 或 false：{input}",
    "bool_type": "只能是 true 或 false：{input}",
    "int_from_float": "须为整数：{input}",
    "greater_than_equal": "不得小于 {ge}：{input}",
    "less_than_equal": "不得大于 {le}：{input}",
    "too_long": "至多 {max_length} 项",
    "enum": "只能是 {expected}",
    "literal_error": "只能是 {expected}",
    "string_type": "须为文字（数字请加引号）：{input}",
    "int_parsing": "须为整数：{input}",
    "int_type": "须为整数：{input}",
    "tuple_type": "须为列表",
    "model_type": "须为若干“字段: 值”",
    "dict_type": "须为若干“字段: 值”",
    "string_pattern_mismatch": "写法不符（应合 {pattern}）：{input}",
    "string_too_long": "不得超过 {max_length} 个字：{input}",
    "string_too_short": "至少 {min_length} 个字",
    "too_short": "至少 {min_length} 项",
}


class _Loader(yaml.SafeLoader):
    """Safe YAML in which ``2025-06-31`` stays text, so that the model can say what is wrong with it, and in which
    ``on``, ``yes`` and ``no`` are words (YAML 1.1 would read the field ``on:`` as True)."""


_TRUTH = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:timestamp", _TRUTH)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_TRUTH, re.compile(r"(?:true|false)$"), list("tf"))


@dataclass(frozen=True)
class Document:
    """One YAML file: ``data`` as plain values, ``line(path)`` for the place of a value in it."""

    name: str
    data: Any
    node: yaml.Node | None

    def line(self, path: Path) -> int | None:
        """The 1-based line of the deepest part of ``path`` that exists in the file."""
        node = self.node
        line = node.start_mark.line + 1 if node else None
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            node, line = found
        return line

    def fault(self, path: Path, message: str) -> Fault:
        return Fault(self.name, self.line(path), ".".join(map(str, path)), message)


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line + 1
    return None


def read_document(text: str, name: str) -> Document:
    """Parse one YAML text. Raises PlanInvalid with the line for broken YAML or a key that stands twice."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise PlanInvalid([Fault(name, 1, "", "文件是空的")])
        faults = list(_key_faults(node, name, ()))
        if faults:
            raise PlanInvalid(faults)
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise PlanInvalid([Fault(name, line, "", f"YAML 写法有误：{error.problem or error.context}")]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise PlanInvalid([Fault(name, None, "", f"YAML 无法读取：{error}")]) from error
    return Document(name, data, node)


def _key_faults(node: yaml.Node, name: str, above: tuple[int, ...]) -> Iterable[Fault]:
    """Keys that stand twice or are no words, and an alias to what contains it."""
    line = node.start_mark.line + 1
    if id(node) in above:
        yield Fault(name, line, "", "引用（*）指向了包含它自己的内容")
        return
    above = (*above, id(node))
    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                yield Fault(name, key.start_mark.line + 1, "", "字段名须为文字")
                continue
            if key.value in seen:
                yield Fault(name, key.start_mark.line + 1, str(key.value), "同一处写了两次")
            seen.add(key.value)
            children.append(value)
    elif isinstance(node, yaml.SequenceNode):
        children = list(node.value)
    for child in children:
        yield from _key_faults(child, name, above)


def validation_faults(error: ValidationError, document: Document, base: Path = ()) -> list[Fault]:
    """pydantic's findings as faults with file, line and field, in Chinese where the kind is known."""
    return [document.fault((*base, *_in_file(item["loc"])), _sentence(item)) for item in error.errors()]


def _in_file(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return tuple(step for step in location if not (isinstance(step, str) and ("[" in step or "(" in step)))


def _sentence(item: Any) -> str:
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    pattern = SENTENCES.get(item["type"])
    return pattern.format(input=item["input"], **item.get("ctx", {})) if pattern else str(item["msg"])
