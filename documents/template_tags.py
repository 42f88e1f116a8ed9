"""The tags of the report's template, and whether a template uses only those.

A template is edited by people, and Jinja is a language: what is allowed is listed here, node by node, and nothing
else runs. Loops inside loops go over what belongs to the outer one, so the length of what they write is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

from policy_models.errors import FileRefused

TEXT = "文字"
UNIT = {"序号": TEXT, "单位": TEXT, "段落": [TEXT]}
SECTION = {"编号": TEXT, "名称": TEXT, "责任单位": TEXT, "进展": [TEXT], "报告": [UNIT]}
ROW = {"名称": TEXT, "应办": TEXT, "办结": TEXT, "办结率": TEXT, "按期办结": TEXT, "逾期": TEXT, "待审核": TEXT}
TAGS: dict[str, Any] = {
    "标题": TEXT,
    "方案": TEXT,
    "期次": TEXT,
    "截至": TEXT,
    "编制单位": TEXT,
    "总体情况": [TEXT],
    "各单位情况": [UNIT],
    "行动": [{"序号": TEXT, "名称": TEXT, "任务": [SECTION]}],
    "特色亮点": [UNIT],
    "存在问题": [UNIT],
    "下一步打算": [UNIT],
    "进展表": [ROW],
    "旗县区": [TEXT],
    "指标表": [{"名称": TEXT, "全市": TEXT, "市级单位": TEXT, "各旗县区": [TEXT]}],
    "指标核对": [TEXT],
    "缺报迟报": [{"序号": TEXT, "单位": TEXT, "时限": TEXT, "情况": TEXT}],
    "案例": [{"序号": TEXT, "题目": TEXT, "单位": TEXT, "部分": [{"名称": TEXT, "段落": [TEXT]}]}],
}
MEANINGS = {
    "标题": "报告标题",
    "方案": "方案名称",
    "期次": "如 2025年上半年",
    "截至": "截至日期",
    "编制单位": "统筹单位名称",
    "总体情况": "由数据生成的总体情况，每段一条",
    "各单位情况": "各单位报送的总体情况",
    "行动": "各行动和阶段、保障措施工作；其下“任务”为各项任务，任务下“进展”为数据，“报告”为各单位报送内容",
    "特色亮点": "各单位报送的特色亮点",
    "存在问题": "各单位报送的存在问题",
    "下一步打算": "各单位报送的下一步打算",
    "进展表": "附件1各行",
    "旗县区": "附件2表头中的旗县区名称",
    "指标表": "附件2各行",
    "指标核对": "附件2旗县区之和与全市的核对说明",
    "缺报迟报": "附件3各行",
    "案例": "附件4各篇",
}
LOOP = {"index": TEXT, "index0": TEXT, "first": TEXT, "last": TEXT, "length": TEXT}
SANDBOX = SandboxedEnvironment(autoescape=True)
PLAIN = (nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.CondExpr, nodes.Concat)
Scope = dict[str, Any]


def require_known(source: str) -> frozenset[str]:
    """The root tags that a part of a template uses. Raises FileRefused with a sentence that names the bad tag.

    ``source``: the part's XML as Jinja is to read it.
    """
    try:
        tree = SANDBOX.parse(source)
    except TemplateSyntaxError as error:
        raise FileRefused(
            f"模板中“{_near(source, error.lineno)}”处的标记没有写完整，请核对括号，以及 for、if 与 endfor、endif 是否成对"
        ) from error
    used: set[str] = set()
    _statements(tree.body, dict(TAGS), source, used, outer=False)
    return frozenset(used)


def _statements(body: list[Any], scope: Scope, source: str, used: set[str], *, outer: bool) -> None:
    for node in body:
        if isinstance(node, nodes.Output):
            for one in node.nodes:
                if not isinstance(one, nodes.TemplateData) and _kind(one, scope, source, used) != TEXT:
                    raise _bad(source, one, f"标记“{_name(one)}”是一组内容，请用 for 逐条写出")
        elif isinstance(node, nodes.For):
            _loop(node, scope, source, used, outer)
        elif isinstance(node, nodes.If):
            _kind(node.test, scope, source, used)
            for branch in (node.body, node.else_):
                _statements(branch, scope, source, used, outer=outer)
            _statements(list(node.elif_), scope, source, used, outer=outer)
        else:
            raise _bad(source, node, "模板中只能使用 for、if 和列出的标记")


def _loop(node: nodes.For, scope: Scope, source: str, used: set[str], outer: bool) -> None:
    over = _kind(node.iter, scope, source, used)
    if not isinstance(over, list):
        raise _bad(source, node.iter, f"标记“{_name(node.iter)}”不是一组内容，不能用 for 逐条写出")
    if node.test is not None or node.recursive or not isinstance(node.target, nodes.Name):
        raise _bad(source, node, "for 只能写作“for 名称 in 标记”")
    if outer and isinstance(node.iter, nodes.Name) and scope.get(node.iter.name) is TAGS.get(node.iter.name):
        raise _bad(source, node.iter, f"循环中不能再循环“{node.iter.name}”，内层只能循环外层各条之下的内容")
    inside = {**scope, node.target.name: over[0], "loop": LOOP}
    _statements(node.body, inside, source, used, outer=True)
    _statements(node.else_, scope, source, used, outer=outer)


def _kind(node: Any, scope: Scope, source: str, used: set[str]) -> Any:
    """What an expression gives: TEXT, a list of something, or a record."""
    if isinstance(node, nodes.Const):
        return TEXT
    if isinstance(node, nodes.Name) and node.name in scope:
        if scope[node.name] is TAGS.get(node.name):
            used.add(node.name)
        return scope[node.name]
    if isinstance(node, nodes.Getattr):
        record = _kind(node.node, scope, source, used)
        if isinstance(record, dict) and node.attr in record:
            return record[node.attr]
    if isinstance(node, nodes.Filter) and node.name in ("length", "count") and node.node is not None and not node.args:
        _kind(node.node, scope, source, used)
        return TEXT
    if isinstance(node, PLAIN):
        for child in node.iter_child_nodes():
            _kind(child, scope, source, used)
        return TEXT
    raise _bad(source, node, f"模板中有不认识的标记“{_name(node)}”")


def _bad(source: str, node: Any, sentence: str) -> FileRefused:
    return FileRefused(f"{sentence}（见“{_near(source, node.lineno)}”处）")


def _name(node: Any) -> str:
    """An expression as its author wrote it, as far as it is names."""
    return ".".join(_names(node)) or "表达式"


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, nodes.Getattr):
        yield from _names(node.node)
        yield node.attr
    elif isinstance(node, nodes.Name):
        yield node.name
    elif hasattr(node, "node") and node.node is not None:
        yield from _names(node.node)


def _near(source: str, line: int | None) -> str:
    """The words of the paragraph where something is wrong."""
    lines = source.splitlines()
    found = lines[min(line or 1, len(lines)) - 1] if lines else ""
    words = re.sub(r"<[^>]*>", "", found).strip()
    return words[:40] or "开头"
