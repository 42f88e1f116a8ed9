"""公文格式 (GB/T 9704-2012; domain facts §7): page, grid, fonts and styles of a .docx. Fonts are named, none is shipped."""

from __future__ import annotations

import math
from typing import Any

from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

FANGSONG, XIAOBIAOSONG, HEITI, KAITI, SONGTI = "仿宋_GB2312", "方正小标宋简体", "黑体", "楷体_GB2312", "宋体"
ER, SAN, SI, WU, XIAOWU = 22, 16, 14, 10.5, 9  # 二号 三号 四号 五号 小五, in points
LINE = 28  # points from line to line in the body
WIDTH, HEIGHT = 210, 297  # millimetres: A4
TOP, BOTTOM, LEFT, RIGHT = 37, 35, 28, 26
LINES, CHARACTERS = 22, 28  # to a page, to a line
FOOTER = 25  # millimetres from the paper's edge: the dashes stand some 7 mm below the text
POINTS_PER_MM = 72 / 25.4
TABLE_STYLE = "公文表格"
# name of the style, font, points, outline level for the navigation (None: text)
STYLES: tuple[tuple[str, str, float, int | None], ...] = (
    ("Normal", FANGSONG, SAN, None),
    ("Title", XIAOBIAOSONG, ER, None),
    ("Heading 1", HEITI, SAN, 0),
    ("Heading 2", KAITI, SAN, 1),
    ("Heading 3", FANGSONG, SAN, 2),
    ("Heading 4", FANGSONG, SAN, 3),
    ("Footer", SONGTI, SI, None),
)


def set_up(document: Any) -> None:
    """Give a new document the page and the styles of an official paper."""
    fonts(document.styles.element.find(f".//{qn('w:rPrDefault')}/{qn('w:rPr')}"), FANGSONG, SAN)
    for name, font, points, outline in STYLES:
        _style(document.styles[name], font, points, outline)
    _style(document.styles.add_style("附件", WD_STYLE_TYPE.PARAGRAPH), HEITI, SAN, 0)
    _style(document.styles.add_style("表格文字", WD_STYLE_TYPE.PARAGRAPH), FANGSONG, WU, None)
    _table_style(document.styles.add_style(TABLE_STYLE, WD_STYLE_TYPE.TABLE))
    _shape_styles(document.styles)
    page(document.sections[0])
    document.settings.odd_and_even_pages_header_footer = True


def page(section: Any, *, landscape: bool = False) -> None:
    """A4 with the margins, the grid and the place of the page number; on its side for a wide table."""
    upright = (WIDTH, HEIGHT, TOP, RIGHT, BOTTOM, LEFT)
    # turned to the left: what was the top is the left edge, the side that is bound lies at the top
    width, height, top, right, bottom, left = (HEIGHT, WIDTH, LEFT, BOTTOM, RIGHT, TOP) if landscape else upright
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.top_margin, section.right_margin = Mm(top), Mm(right)
    section.bottom_margin, section.left_margin = Mm(bottom), Mm(left)
    section.header_distance, section.footer_distance, section.gutter = Mm(15), Mm(min(FOOTER, bottom - 10)), 0
    _grid(section, landscape)


def _grid(section: Any, landscape: bool) -> None:
    for old in section._sectPr.findall(qn("w:docGrid")):
        section._sectPr.remove(old)
    grid = OxmlElement("w:docGrid")
    if landscape:  # tables only: lines and characters of a page are those of the upright one
        grid.set(qn("w:linePitch"), "312")
    else:
        grid.set(qn("w:type"), "linesAndChars")
        grid.set(qn("w:linePitch"), str(line_pitch()))
        grid.set(qn("w:charSpace"), str(char_space()))
    section._sectPr.append(grid)


def line_pitch() -> int:
    """Twentieths of a point from line to line, so that 22 lines fill the page."""
    return math.floor((HEIGHT - TOP - BOTTOM) * POINTS_PER_MM / LINES * 20)


def char_space() -> int:
    """What is added to each character of 16 points, in 4096ths of a point, so that 28 fill a line; below zero."""
    return math.floor(((WIDTH - LEFT - RIGHT) * POINTS_PER_MM / CHARACTERS - SAN) * 4096)


def fonts(properties: Any, font: str, points: float) -> None:
    """Set the font by name for every script, and its size, on a run's or style's properties (``w:rPr``)."""
    for tag in ("w:rFonts", "w:sz", "w:szCs"):
        for old in properties.findall(qn(tag)):
            properties.remove(old)
    named = OxmlElement("w:rFonts")
    for script in ("ascii", "eastAsia", "hAnsi", "cs"):
        named.set(qn(f"w:{script}"), font)
    properties.insert_element_before(named, "w:b", "w:i", "w:color", "w:kern", "w:sz", "w:lang")
    for tag in ("w:sz", "w:szCs"):
        size = OxmlElement(tag)
        size.set(qn("w:val"), str(int(points * 2)))
        properties.insert_element_before(size, "w:u", "w:lang", "w:specVanish")


def indent(paragraph: Any, characters: int) -> None:
    """First line of a paragraph or style indented by so many characters, whatever their size."""
    properties = paragraph._element.get_or_add_pPr()
    for old in properties.findall(qn("w:ind")):
        properties.remove(old)
    found = OxmlElement("w:ind")
    found.set(qn("w:firstLineChars"), str(characters * 100))
    found.set(qn("w:firstLine"), str(characters * SAN * 20))
    properties.insert_element_before(found, "w:jc", "w:outlineLvl", "w:rPr")


def _style(style: Any, font: str, points: float, outline: int | None) -> None:
    style.font.name = font
    fonts(style.element.get_or_add_rPr(), font, points)
    style.font.bold = style.font.italic = False
    style.font.color.rgb = RGBColor(0, 0, 0)
    if style.type != WD_STYLE_TYPE.PARAGRAPH:
        return
    body = style.paragraph_format
    body.space_before = body.space_after = Pt(0)
    body.line_spacing = Pt(LINE)
    body.keep_with_next = outline is not None
    body.widow_control = False
    properties = style.element.get_or_add_pPr()
    for tag in ("w:pBdr", "w:contextualSpacing", "w:outlineLvl"):
        for old in properties.findall(qn(tag)):
            properties.remove(old)
    if outline is not None:
        level = OxmlElement("w:outlineLvl")
        level.set(qn("w:val"), str(outline))
        properties.append(level)


def _shape_styles(styles: Any) -> None:
    """What makes a title a title and a table's words small: alignment, indents, line spacing."""
    styles["Title"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    styles["Title"].paragraph_format.line_spacing = Pt(ER + 10)
    styles["Normal"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    for tag in ("w:autoSpaceDE", "w:autoSpaceDN"):  # no gaps around digits: a line holds its 28 characters
        off = OxmlElement(tag)
        off.set(qn("w:val"), "0")
        styles["Normal"].element.get_or_add_pPr().insert_element_before(off, "w:spacing", "w:ind", "w:jc")
    for number in (1, 2, 3, 4):
        styles[f"Heading {number}"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        indent(styles[f"Heading {number}"], 2)
    small = styles["表格文字"]
    small.paragraph_format.line_spacing = Pt(14)
    small.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    loose = OxmlElement("w:snapToGrid")
    loose.set(qn("w:val"), "0")
    small.element.get_or_add_pPr().insert_element_before(loose, "w:spacing", "w:ind", "w:jc")
    styles["Footer"].paragraph_format.line_spacing = 1.0


def _table_style(style: Any) -> None:
    """Thin black lines all round, the fonts of the text in its own size."""
    fonts(style.element.get_or_add_rPr(), FANGSONG, WU)
    properties = OxmlElement("w:tblPr")
    borders = OxmlElement("w:tblBorders")
    for edge in ("top", "left", "bottom", "right", "insideH", "insideV"):
        line = OxmlElement(f"w:{edge}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "000000")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    properties.append(borders)
    margins = OxmlElement("w:tblCellMar")
    for edge in ("left", "right"):
        side = OxmlElement(f"w:{edge}")
        side.set(qn("w:w"), "57")
        side.set(qn("w:type"), "dxa")
        margins.append(side)
    properties.append(margins)
    style.element.append(properties)


def page_numbers(section: Any) -> None:
    """— 1 —: at the outer edge, one character in."""
    _page_number(section.footer, WD_ALIGN_PARAGRAPH.RIGHT, "w:right", "w:rightChars")
    _page_number(section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT, "w:left", "w:leftChars")


def _page_number(footer: Any, align: Any, edge: str, characters: str) -> None:
    footer.is_linked_to_previous = False
    paragraph = footer.paragraphs[0]
    paragraph.style, paragraph.alignment = "Footer", align
    inset = OxmlElement("w:ind")
    inset.set(qn(characters), "100")
    inset.set(qn(edge), str(SI * 20))
    paragraph._element.get_or_add_pPr().insert_element_before(inset, "w:jc", "w:outlineLvl", "w:rPr")
    for kind, text in (
        ("t", "— "),
        ("begin", ""),
        ("instr", " PAGE "),
        ("separate", ""),
        ("t", "1"),
        ("end", ""),
        ("t", " —"),
    ):
        run = paragraph.add_run(text if kind == "t" else "")
        fonts(run._element.get_or_add_rPr(), SONGTI, SI)
        if kind == "instr":
            code = OxmlElement("w:instrText")
            code.set(qn("xml:space"), "preserve")
            code.text = text
            run._element.append(code)
        elif kind != "t":
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._element.append(mark)
