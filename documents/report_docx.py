"""The compiled report as .docx, from the built-in template or one that the bureau edited in Word."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from typing import Any

from docx.opc.constants import RELATIONSHIP_TYPE as LINK
from docx.opc.exceptions import PackageNotFoundError
from docxtpl import DocxTemplate
from lxml import etree
from markupsafe import Markup, escape

from documents.cells import UNWRITABLE
from documents.deterministic import normalised
from documents.template import built_in
from documents.template_tags import SANDBOX, TAGS, require_known
from policy_models.compilation import (
    Compilation,
    Progress,
    SectionPart,
    UnitText,
    full_day,
    numeral,
    overview,
    reconciliation,
    section_words,
)
from policy_models.errors import FileRefused

NOT_A_TEMPLATE = "模板不是可以打开的 .docx 文件，请在 Word 或 WPS 中另存为 .docx 后重试"
MACROS = "模板带有宏，不能使用；请另存为不带宏的 .docx"
LINKED = "模板链接了外部文件（图片、对象或其他文档），不能使用；请改为嵌入，或删去链接"
BROKEN = "模板中循环或条件标记的位置不对，生成的文档不完整；请让 for 与 endfor、if 与 endif 处于同一层（同为段落、同为表格行或同为单元格）"
OUTSIDE_OTHERS = "阶段工作和保障措施"
UNDIVIDED = "未按任务分写的报送内容"
ATTACHED_TEMPLATE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
Context = dict[str, Any]


def report_docx(facts: Compilation, template: bytes | None = None) -> bytes:
    """The report. Same facts and template, same bytes. ``template``: None for the built-in one.

    Raises FileRefused with a sentence about the template where it cannot be used.
    """
    return _filled(facts, template or built_in())[0]


def check_template(data: bytes, trial: Compilation) -> tuple[str, ...]:
    """See whether a template that came in can be used, by rendering it; the tags it leaves out, whose content would
    not stand in the report. Raises FileRefused with a sentence that names what is wrong."""
    _, used = _filled(trial, data)
    return tuple(name for name in TAGS if name not in used)


def _filled(facts: Compilation, template: bytes) -> tuple[bytes, frozenset[str]]:
    _require_docx(template)
    filled = _Filled(io.BytesIO(template))
    try:
        filled.render(context(facts), SANDBOX, autoescape=True)
    except etree.XMLSyntaxError as error:
        raise FileRefused(BROKEN) from error
    _drop_attached_template(filled)
    _stamp(filled.core_properties, facts)
    target = io.BytesIO()
    filled.docx.save(target)
    return normalised(target.getvalue()), frozenset(filled.used)


class _Filled(DocxTemplate):  # type: ignore[misc]  # docxtpl is untyped
    """docxtpl with nothing left to chance: only known tags run, in every part; broken XML is told, never mended; what
    stands between braces in the properties is text."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.used: set[str] = set()

    def render_xml_part(self, src_xml: str, part: Any, context: Context, jinja_env: Any = None) -> str:
        source = src_xml.replace("<w:p ", "\n<w:p ").replace("<w:p>", "\n<w:p>")  # a line for each paragraph
        self.used |= require_known(source)
        return str(jinja_env.from_string(src_xml).render(context))

    def render_properties(self, context: Context, jinja_env: Any = None) -> None:
        return None

    def fix_tables(self, xml: str) -> Any:
        """The tree, each table with a grid of as many columns as its widest row has cells, as wide as it was."""
        tree = etree.fromstring(xml, etree.XMLParser(huge_tree=True, resolve_entities=False))
        for table in tree.iter(f"{W}tbl"):
            _fit(table)
        return tree


def _fit(table: Any) -> None:
    """Scale the cells of a table whose columns became more or fewer by a loop, so that it keeps its width."""
    grid = table.find(f"{W}tblGrid")
    rows = [row.findall(f"{W}tc") for row in table.findall(f"{W}tr")]
    widest: list[Any] = max(rows, key=len, default=[])
    if grid is None or not widest or len(grid) == len(widest):
        return
    total = sum(int(column.get(f"{W}w", "0")) for column in grid)
    wanted = [_cell_width(cell) for cell in widest]
    scale = total / sum(wanted) if total and all(wanted) else 0.0
    widths = [int(one * scale) for one in wanted] if scale else [total // len(widest)] * len(widest)
    for old in list(grid):
        grid.remove(old)
    for width in widths:
        etree.SubElement(grid, f"{W}gridCol", {f"{W}w": str(width)})
    for row in rows:
        if len(row) == len(widths):
            for cell, width in zip(row, widths, strict=True):
                for found in cell.iterfind(f"{W}tcPr/{W}tcW"):
                    found.set(f"{W}w", str(width))


def _cell_width(cell: Any) -> int:
    found = cell.find(f"{W}tcPr/{W}tcW")
    return int(found.get(f"{W}w", "0")) if found is not None and found.get(f"{W}type") == "dxa" else 0


def _require_docx(data: bytes) -> None:
    """Raises FileRefused for what is no .docx, holds macros, or fetches something from elsewhere."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            links = [archive.read(name) for name in names if name.endswith(".rels")]
            types = archive.read("[Content_Types].xml")
            archive.getinfo("word/document.xml")
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
        raise FileRefused(NOT_A_TEMPLATE) from error
    if b"macroEnabled" in types or any("vbaproject" in name.lower() for name in names):
        raise FileRefused(MACROS)
    try:
        found = [
            one for text in links for one in etree.fromstring(text, _strict()) if one.get("TargetMode") == "External"
        ]
        DocxTemplate(io.BytesIO(data)).init_docx()
    except (etree.XMLSyntaxError, PackageNotFoundError, KeyError, ValueError) as error:
        raise FileRefused(NOT_A_TEMPLATE) from error
    if any(one.get("Type") not in (LINK.HYPERLINK, ATTACHED_TEMPLATE) for one in found):
        raise FileRefused(LINKED)


def _strict() -> Any:
    return etree.XMLParser(resolve_entities=False, no_network=True)


def _drop_attached_template(filled: Any) -> None:
    """Word remembers the template on the author's own disk; a reader's Word would look for it there."""
    for part in (one.target_part for one in filled.docx.part.rels.values() if one.reltype == LINK.SETTINGS):
        for found in part.element.findall(f"{W}attachedTemplate"):
            part.element.remove(found)
        for key in [key for key, one in part.rels.items() if one.reltype == ATTACHED_TEMPLATE]:
            part.rels.pop(key)


def _stamp(core: Any, facts: Compilation) -> None:
    moment = facts.as_of.replace(tzinfo=None, microsecond=0)
    core.author = core.last_modified_by = facts.bureau[:255]
    core.title, core.subject, core.comments = facts.title[:255], facts.round_code, ""
    core.created = core.modified = moment
    core.revision, core.language = 1, "zh-CN"


def words(text: str) -> Markup:
    """Text as it may stand in a document: without what XML cannot hold, and with braces that no tag can be made of."""
    clean = UNWRITABLE.sub("", text.replace("\t", " "))
    return Markup(str(escape(clean)).replace("{", "&#123;").replace("}", "&#125;"))


def context(facts: Compilation) -> Context:
    """What the tags stand for; every key of TAGS."""
    return {
        "标题": words(facts.title),
        "方案": words(facts.plan_title),
        "期次": words(facts.round_name),
        "截至": full_day(facts.day),
        "编制单位": words(facts.bureau),
        "总体情况": list(map(words, overview(facts))),
        "各单位情况": _units(facts.overviews),
        "行动": _actions(facts),
        "特色亮点": _units(facts.highlights),
        "存在问题": _units(facts.problems),
        "下一步打算": _units(facts.plans),
        **_annexes(facts),
    }


def _units(texts: Iterable[UnitText]) -> list[Context]:
    return [
        {"序号": str(place), "单位": words(one.name), "段落": list(map(words, one.paragraphs))}
        for place, one in enumerate(texts, 1)
    ]


def _actions(facts: Compilation) -> list[Context]:
    found = [
        (action.title, [_section(task, task.section.partition("-")[2]) for task in action.tasks])
        for action in facts.actions
    ]
    if facts.others:
        found.append((OUTSIDE_OTHERS, [_section(part, str(place)) for place, part in enumerate(facts.others, 1)]))
    if facts.whole:
        whole = {"编号": "1", "名称": "综合情况", "责任单位": "", "进展": [], "报告": _units(facts.whole)}
        found.append((UNDIVIDED, [whole]))
    return [
        {"序号": numeral(place), "名称": words(title), "任务": parts} for place, (title, parts) in enumerate(found, 1)
    ]


def _section(part: SectionPart, number: str) -> Context:
    return {
        "编号": number,
        "名称": words(part.title if part.section.startswith("task-") else part.heading),
        "责任单位": words("、".join(part.owners)),
        "进展": list(map(words, section_words(part))),
        "报告": _units(part.texts),
    }


def _annexes(facts: Compilation) -> Context:
    return {
        "进展表": list(progress_rows(facts)),
        "旗县区": [words(name) for _, name in facts.counties],
        "指标表": [
            {
                "名称": words(one.full_label),
                "全市": one.total.shown,
                "市级单位": one.of_city.shown,
                "各旗县区": [amount.shown if (amount := one.county(code)) else "–" for code, _ in facts.counties],
            }
            for one in facts.indicators
        ],
        "指标核对": list(map(words, reconciliation(facts))),
        "缺报迟报": [
            {
                "序号": str(place),
                "单位": words(one.name),
                "时限": full_day(one.report.deadline),
                "情况": words(one.remark(facts.day)),
            }
            for place, one in enumerate(facts.absent, 1)
        ],
        "案例": [
            {
                "序号": str(place),
                "题目": words(one.title),
                "单位": words(one.unit_name),
                "部分": [{"名称": words(name), "段落": list(map(words, lines))} for name, lines in one.parts],
            }
            for place, one in enumerate(facts.cases, 1)
        ],
    }


def progress_rows(facts: Compilation) -> Iterable[Context]:
    """附件1: each action's tasks and their sum, phases and safeguards, and the sum of all."""
    for action in facts.actions:
        yield from (_row(task.heading, task.progress) for task in action.tasks)
        yield _row(f"{action.title}小计", action.progress)
    yield from (_row(part.heading, part.progress) for part in facts.others)
    yield _row("合计", facts.progress)


def _row(name: str, one: Progress) -> Context:
    counts = {
        "应办": one.expected,
        "办结": one.done,
        "按期办结": one.on_time,
        "逾期": one.overdue,
        "待审核": one.under_review,
    }
    return {"名称": words(name), "办结率": one.share, **{key: str(count) for key, count in counts.items()}}
