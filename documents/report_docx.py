"""The compiled report as .docx, from the built-in template or one that the bureau edited in Word."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from docx.opc.constants import RELATIONSHIP_TYPE as LINK
from docx.opc.exceptions import PackageNotFoundError
from docxtpl import DocxTemplate
from lxml import etree

from documents.deterministic import normalised
from documents.paper import stamp
from documents.report_context import Context, context
from documents.template import built_in
from documents.template_tags import SANDBOX, TAGS, require_known
from policy_models.compilation import Compilation
from policy_models.errors import FileRefused

NOT_A_TEMPLATE = "模板不是可以打开的 .docx 文件，请在 Word 或 WPS 中另存为 .docx 后重试"
MACROS = "模板带有宏，不能使用；请另存为不带宏的 .docx"
LINKED = "模板链接了外部文件（图片、对象或其他文档），不能使用；请改为嵌入，或删去链接"
BROKEN = "模板中循环或条件标记的位置不对，生成的文档不完整；请让 for 与 endfor、if 与 endif 处于同一层（同为段落、同为表格行或同为单元格）"
ATTACHED_TEMPLATE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


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
    moment = facts.as_of.replace(tzinfo=None, microsecond=0)
    properties = filled.core_properties
    stamp(properties, author=facts.bureau, title=facts.title, subject=facts.round_code, moment=moment)
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
