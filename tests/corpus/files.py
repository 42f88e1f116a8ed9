"""The files of the privacy corpus: what must be found in each, and the values that must not remain in its copy."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docx.oxml import parse_xml
from docx.shared import Pt
from openpyxl.packaging.custom import StringProperty
from pypdf import PdfWriter
from pypdf.annotations import FreeText
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from tests.corpus import builders as make
from tests.corpus.lines import found_lines

RESIDENT, RESIDENT_X = "150203201001011232", "15020320120505332X"
DISABILITY, PUPIL = f"{RESIDENT}41", f"G{RESIDENT}"
CARD, MOBILE, NAME, ADDRESS = "6222021234567890128", "13812345678", "张小伟", "昆都仑区友谊大街18号"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
PICTURES = Path(__file__).parent


@dataclass(frozen=True)
class Sample:
    """``kinds``: all that must be found and block; empty: nothing may be found. ``values``: as they stand in it."""

    name: str
    make: Callable[[], bytes]
    kinds: frozenset[str] = frozenset()
    values: tuple[str, ...] = ()


def holds(file: str, build: Callable[[], bytes], /, **values: str) -> Sample:
    return Sample(file, build, frozenset(values), tuple(values.values()))


def across_runs(document: Any) -> None:
    paragraph = document.add_paragraph("身份证号：")
    for n in range(0, 18, 3):
        paragraph.add_run(RESIDENT[n : n + 3]).font.size = Pt(10 + n)


def header_and_footer(document: Any) -> None:
    document.sections[0].header.paragraphs[0].text = f"学籍号：{PUPIL}"
    document.sections[0].footer.paragraphs[0].text = f"联系电话：{MOBILE}"


def remark(document: Any) -> None:
    run = document.paragraphs[0].runs[0]
    document.add_comment(run, text=f"监护人：{NAME}", author="审核", initials="s")


def properties(document: Any) -> None:
    document.core_properties.subject = f"身份证{RESIDENT}"
    document.core_properties.keywords = f"一卡通{CARD}"


def boxes(document: Any) -> None:
    box = (
        f"<w:r {W}><w:pict><v:shape xmlns:v='urn:schemas-microsoft-com:vml'><v:textbox><w:txbxContent><w:p><w:r>"
        f"<w:t>残疾人证号：{DISABILITY}</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
    )
    document.paragraphs[0]._p.append(parse_xml(box))


def deleted(document: Any) -> None:
    gone = f"<w:del {W} w:id='1' w:author='a'><w:r><w:delText>手机{MOBILE}</w:delText></w:r></w:del>"
    document.paragraphs[0]._p.append(parse_xml(gone))


def hidden_words(document: Any) -> None:
    document.paragraphs[0].add_run(f"家庭住址：{ADDRESS}").font.hidden = True


def digit_boxes() -> make.Rows:
    return [["身份证", *RESIDENT]]


def link(document: Any) -> None:
    relation = document.part.relate_to(f"tel:电话{MOBILE}", "http://x/relationships/hyperlink", is_external=True)
    document.paragraphs[0]._p.append(
        parse_xml(
            f"<w:hyperlink {W} xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships' r:id='{relation}'/>"
        )
    )


def alternative_text(document: Any) -> None:
    document.add_picture(io.BytesIO(make.photo(size=(60, 40))))
    document.inline_shapes[0]._inline.docPr.set("descr", f"学生：{NAME}")


def picture_with_facts(document: Any) -> None:
    document.add_picture(io.BytesIO(make.photo(size=(60, 40), exif=make.exif(words=f"ID {RESIDENT}", place=True))))


def plain_picture(document: Any) -> None:
    document.add_picture(io.BytesIO(make.photo(size=(60, 40), exif=make.exif(place=True))))


def hidden_sheet(book: Any) -> None:
    book.worksheets[1].sheet_state = "hidden"
    book.worksheets[0].column_dimensions["B"].hidden = True


def remark_in_cell(book: Any) -> None:
    book.worksheets[0]["A1"].comment = make.comment(f"家长电话{MOBILE}")


def sheet_name(book: Any) -> None:
    book.worksheets[0].title = f"手机{MOBILE}"


def custom_property(book: Any) -> None:
    book.custom_doc_props.append(StringProperty(name="儿童姓名", value=NAME))


def formula(book: Any) -> None:
    book.worksheets[0]["D1"] = f'="身份证"&"{RESIDENT}"'


def pdf_properties(writer: PdfWriter) -> None:
    writer.add_metadata({"/Subject": f"身份证{RESIDENT}", "/Keywords": f"卡号{CARD}"})


def pdf_remark(writer: PdfWriter) -> None:
    writer.add_annotation(0, FreeText(text=f"监护人：{NAME}", rect=(50, 550, 200, 650)))


def pdf_outline(writer: PdfWriter) -> None:
    writer.add_outline_item(title=f"学籍号：{PUPIL}", page_number=0)


def pdf_form(writer: PdfWriter) -> None:
    field = {"/FT": NameObject("/Tx"), "/T": TextStringObject("a"), "/V": TextStringObject(f"电话{MOBILE}")}
    added = writer._add_object(DictionaryObject({NameObject(key): value for key, value in field.items()}))
    form = DictionaryObject({NameObject("/Fields"): ArrayObject([added])})
    writer.root_object[NameObject("/AcroForm")] = writer._add_object(form)


def every_line(document: Any) -> None:
    for line in found_lines():
        if line.expected == "block" and "\t" not in line.text and "\n" not in line.text:
            document.add_paragraph(line.text)


FULL_WIDTH = RESIDENT.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
ROWS: make.Rows = [["序号", "姓名", "身份证号", "联系电话"], [1, NAME, RESIDENT, MOBILE], [2, "巴雅尔", RESIDENT_X, ""]]
NUMBERS: make.Rows = [["电话", "身份证号"], [int(MOBILE), int(RESIDENT)]]
CLEAN_ROWS: make.Rows = [
    ["单位编码", "单位名称", "留守儿童数", "签订责任书", "完成率", "填报日期", "填报人", "办公电话"],
    [150202001001, "昆北社区", 12, 12, 1.0, "2024-05-06", "王建国", "0472-5155123"],
    ["150223102205", "巴音嘎查", 8, 7, 0.875, "2024/5/6", "白玉兰", "（0472）8182233"],
    ["合计", "", 20, 19, 0.95, "", "", ""],
]

FOUND: tuple[Sample, ...] = (
    holds("跨格式.docx", lambda: make.word("走访记录", change=across_runs), resident_id=RESIDENT),
    holds("页眉页脚.docx", lambda: make.word("正文", change=header_and_footer), student_number=PUPIL, mobile=MOBILE),
    holds("批注.docx", lambda: make.word("正文", change=remark), name=NAME),
    holds("属性.docx", lambda: make.word("正文", change=properties), resident_id=RESIDENT, bank_card=CARD),
    holds("文本框.docx", lambda: make.word("正文", change=boxes), disability_certificate=DISABILITY),
    holds("修订.docx", lambda: make.word("正文", change=deleted), mobile=MOBILE),
    holds("隐藏文字.docx", lambda: make.word("正文", change=hidden_words), address=ADDRESS),
    holds(
        "花名册.docx",
        lambda: make.word_table([[str(v) for v in row] for row in ROWS]),
        name=NAME,
        resident_id=RESIDENT,
        mobile=MOBILE,
    ),
    holds("逐格.docx", lambda: make.word_table(digit_boxes()), resident_id="\t".join(RESIDENT)),
    holds("链接.docx", lambda: make.word("正文", change=link), mobile=MOBILE),
    holds("替代文字.docx", lambda: make.word("正文", change=alternative_text), name=NAME),
    holds("照片说明.docx", lambda: make.word("正文", change=picture_with_facts), resident_id=RESIDENT),
    holds("全角.docx", lambda: make.word(f"证件{FULL_WIDTH}"), resident_id=FULL_WIDTH),
    holds("花名册.xlsx", lambda: make.workbook(ROWS), name=NAME, resident_id=RESIDENT, mobile=MOBILE),
    holds(
        "隐藏.xlsx",
        lambda: make.workbook([["说明"]], ROWS, change=hidden_sheet),
        name=NAME,
        resident_id=RESIDENT,
        mobile=MOBILE,
    ),
    holds("数字.xlsx", lambda: make.workbook(NUMBERS), mobile=MOBILE, resident_id="150203201001011"),
    holds("批注.xlsx", lambda: make.workbook([["甲"]], change=remark_in_cell), mobile=MOBILE),
    holds("表名.xlsx", lambda: make.workbook([["甲"]], change=sheet_name), mobile=MOBILE),
    holds("属性.xlsx", lambda: make.workbook([["甲"]], change=custom_property), name=NAME),
    holds("公式.xlsx", lambda: make.workbook([["甲"]], change=formula), resident_id=RESIDENT),
    holds("图表.xlsx", lambda: make.with_chart([["村", "数"], ["甲", 3], ["乙", 4]]), mobile=MOBILE),
    holds(
        "正文.pdf", lambda: make.pdf(f"走访记录\n身份证号：{RESIDENT}\n监护人：{NAME}"), resident_id=RESIDENT, name=NAME
    ),
    holds(
        "属性.pdf",
        lambda: make.pdf_with(make.pdf("本期无新增情况，已核实"), pdf_properties),
        resident_id=RESIDENT,
        bank_card=CARD,
    ),
    holds("批注.pdf", lambda: make.pdf_with(make.pdf("本期无新增情况，已核实"), pdf_remark), name=NAME),
    holds("书签.pdf", lambda: make.pdf_with(make.pdf("本期无新增情况，已核实"), pdf_outline), student_number=PUPIL),
    holds("表单.pdf", lambda: make.pdf_with(make.pdf("本期无新增情况，已核实"), pdf_form), mobile=MOBILE),
    holds("说明.jpg", lambda: make.photo(exif=make.exif(words=f"ID {RESIDENT}", place=True)), resident_id=RESIDENT),
    holds("备注.jpg", lambda: make.photo(exif=make.exif(comment=f"手机{MOBILE}")), mobile=MOBILE),
    holds("标注.jpg", lambda: make.with_segment(make.photo(), 0xFE, f"监护人：{NAME}".encode("gb18030")), name=NAME),
    holds(
        "来源.jpg",
        lambda: make.with_segment(
            make.photo(), 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + f"<d>卡号{CARD}</d>".encode()
        ),
        bank_card=CARD,
    ),
    holds("标题.png", lambda: make.png({"Title": f"ID {RESIDENT}"}), resident_id=RESIDENT),
    holds("压缩.png", lambda: make.png({"Comment": f"学籍号：{PUPIL}"}, packed=True), student_number=PUPIL),
    holds("说明.heic", lambda: (PICTURES / "described.heic").read_bytes(), resident_id=RESIDENT),
    holds(f"{RESIDENT}的照片.jpg", lambda: make.photo(), resident_id=RESIDENT),
    holds(f"姓名：{NAME}.docx", lambda: make.word("正文"), name=NAME),
)
CLEAN: tuple[Sample, ...] = (
    Sample("总结.docx", lambda: make.word("本月走访留守儿童35人次，签订责任确认书12份。", "联系电话：0472-5155123")),
    Sample("汇总.docx", lambda: make.word_table([[str(v) for v in row] for row in CLEAN_ROWS])),
    Sample("汇总.xlsx", lambda: make.workbook(CLEAN_ROWS)),
    Sample("空.xlsx", lambda: make.workbook([])),
    Sample(
        "总结.pdf",
        lambda: make.pdf("半年工作进展情况报告\n按照包民发〔2024〕12号文件要求", "第二页：完成率100%，已办812件"),
    ),
    Sample("IMG_20240506_123045.jpg", lambda: make.photo(exif=make.exif(place=True, turned=6))),
    Sample("截图.png", lambda: make.png()),
    Sample("IMG_0001.HEIC", lambda: (PICTURES / "gps.heic").read_bytes()),
    Sample("带照片.docx", lambda: make.word("活动照片", change=plain_picture)),
    Sample("20240506签到（终稿）2.docx", lambda: make.word("签到情况：应到12人，实到12人")),
)
