"""A template that comes in from Word: used when it works, else one sentence that names what is wrong; nothing runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE as LINK

from documents.deterministic import packed, unpacked
from documents.report_context import context
from documents.report_docx import check_template, report_docx
from documents.template import built_in
from documents.template_tags import MEANINGS, TAGS, TEXT
from policy_models.errors import FileRefused
from policy_models.trial_compilation import trial
from tests.documents.compilations import compilation

pytestmark = pytest.mark.thorough


def edited(change: Callable[[Any], None]) -> bytes:
    """The built-in template after somebody was at it."""
    document = docx.Document(io.BytesIO(built_in()))
    change(document)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def with_line(*lines: str) -> bytes:
    def add(document: Any) -> None:
        for line in reversed(lines):
            document.paragraphs[0].insert_paragraph_before(line)

    return edited(add)


def text(data: bytes) -> list[str]:
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(data)).paragraphs]


def test_the_built_in_template_uses_every_tag_that_carries_content() -> None:
    assert set(check_template(built_in(), trial())) == {"方案", "期次"}
    assert set(MEANINGS) == set(TAGS)


def test_an_edited_template_is_used() -> None:
    def change(document: Any) -> None:
        document.paragraphs[0].insert_paragraph_before("{{ 编制单位 }}文件（{{ 期次 }}）")
        document.sections[0].header.paragraphs[0].text = "{{ 方案 }}"

    data = edited(change)
    assert check_template(data, trial()) == ()
    made = docx.Document(io.BytesIO(report_docx(compilation(), data)))
    assert made.paragraphs[0].text == "小城市民政局文件（2025年上半年）"
    assert made.sections[0].header.paragraphs[0].text == "小方案"


def test_tags_that_word_has_torn_apart_are_still_tags() -> None:
    def change(document: Any) -> None:
        paragraph = document.paragraphs[0].insert_paragraph_before()
        for piece in ("{", "{ 编制", "单位 }", "}"):
            paragraph.add_run(piece).bold = piece == "{"

    assert text(report_docx(compilation(), edited(change)))[0] == "小城市民政局"


def test_what_a_template_leaves_out_is_told() -> None:
    def change(document: Any) -> None:
        title = document.paragraphs[0]._element
        title.getparent().remove(title)

    assert check_template(edited(change), trial()) == ("标题", "方案", "期次")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["报告日期：{{ 日期 }}"], "模板中有不认识的标记“日期”（见“报告日期：{{ 日期 }}”处）"),
        (["{{ 标题.长度 }}"], "模板中有不认识的标记“标题.长度”"),
        (["{{ 行动 }}"], "标记“行动”是一组内容，请用 for 逐条写出"),
        (["{%p for 字 in 标题 %}", "{{ 字 }}", "{%p endfor %}"], "标记“标题”不是一组内容"),
        (["{%p for 甲 in 行动 %}", "{{ 甲.名称 }}"], "处的标记没有写完整"),
        (["{{ 标题 }"], "处的标记没有写完整"),
        (["{{ 标题 | upper }}"], "模板中有不认识的标记"),
        (["{{ ''.__class__.__mro__ }}"], "模板中有不认识的标记"),
        (["{{ 标题.__class__ }}"], "模板中有不认识的标记“标题.__class__”"),
        (["{{ 标题['__class__'] }}"], "模板中有不认识的标记"),
        (["{{ range(10) }}"], "模板中有不认识的标记"),
        (["{{ cycler.__init__.__globals__.os.system('true') }}"], "模板中有不认识的标记"),
        (["{%p for 甲 in range(1000000000) %}", "{%p endfor %}"], "模板中有不认识的标记"),
        (
            ["{%p for 甲 in 行动 %}", "{%p for 乙 in 行动 %}", "{%p endfor %}", "{%p endfor %}"],
            "循环中不能再循环“行动”",
        ),
        (["{% include 'x' %}"], "模板中只能使用 for、if 和列出的标记"),
        (["{% set 甲 = 1 %}"], "模板中只能使用 for、if 和列出的标记"),
        (["{% macro 甲() %}{% endmacro %}"], "模板中只能使用 for、if 和列出的标记"),
        (["{{ '长' * 1000000000 }}"], "模板中有不认识的标记"),
        (["{%tr for 行 in 进展表 %}", "{%tr endfor %}"], None),
    ],
)
def test_a_template_that_cannot_be_used_is_told_in_one_sentence(lines: list[str], sentence: str | None) -> None:
    with pytest.raises(FileRefused) as refused:
        check_template(with_line(*lines), trial())
    told = str(refused.value)
    assert "\n" not in told
    assert sentence is None or sentence in told, told


def test_tags_in_headers_and_footnotes_are_checked_too() -> None:
    def change(document: Any) -> None:
        document.sections[0].header.paragraphs[0].text = "{{ config }}"

    with pytest.raises(FileRefused, match="不认识的标记“config”"):
        check_template(edited(change), trial())


def test_braces_in_the_properties_are_text() -> None:
    def change(document: Any) -> None:
        document.core_properties.title = document.core_properties.subject = "{{ 7 * 7 }}"

    made = docx.Document(io.BytesIO(report_docx(compilation(), edited(change))))
    assert made.core_properties.title == "小方案2025年上半年工作进展情况报告"


def changed_entry(name: str, replace: Callable[[bytes], bytes]) -> bytes:
    entries = unpacked(built_in())
    entries[name] = replace(entries.get(name, b""))
    return packed(entries)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "不是可以打开的 .docx"),
        (b"PK\x03\x04 half a file", "不是可以打开的 .docx"),
        ("\ufeff文本".encode(), "不是可以打开的 .docx"),
        (packed({"a.txt": b"x"}), "不是可以打开的 .docx"),
        (changed_entry("word/document.xml", lambda _: b"<w:document"), "不是可以打开的 .docx"),
        (changed_entry("word/vbaProject.bin", lambda _: b"x"), "带有宏"),
        (changed_entry("[Content_Types].xml", lambda d: d.replace(b"wordprocessingml.document.main", b"x.macroEnabled")), "带有宏"),
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(FileRefused, match=sentence):
        check_template(data, trial())


def test_a_template_that_fetches_from_elsewhere_is_refused_and_links_are_not() -> None:
    def picture(document: Any) -> None:
        document.part.relate_to("http://example.invalid/a.png", LINK.IMAGE, is_external=True)

    def link(document: Any) -> None:
        document.part.relate_to("http://example.invalid/", LINK.HYPERLINK, is_external=True)

    with pytest.raises(FileRefused, match="链接了外部文件"):
        check_template(edited(picture), trial())
    assert "标题" not in check_template(edited(link), trial())


def test_the_template_on_the_authors_disk_is_forgotten() -> None:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"

    def attach(document: Any) -> None:
        part = next(one.target_part for one in document.part.rels.values() if one.reltype == LINK.SETTINGS)
        part.relate_to("file:///C:/Users/zhang/Normal.dotm", kind, is_external=True)

    made = report_docx(compilation(), edited(attach))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert not [name for name in archive.namelist() if b"zhang" in archive.read(name)]


def shape(value: Any) -> Any:
    """A value as TAGS describes it: lists by their first element, records by their fields."""
    if isinstance(value, list):
        return [shape(value[0])]
    return {name: shape(one) for name, one in value.items()} if isinstance(value, dict) else TEXT


def test_the_tags_are_exactly_what_there_is_to_say() -> None:
    assert shape(context(trial())) == TAGS
