"""`lucheng report`: the template out and in, the compiled report as files; every wrong turn is one sentence."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import docx
import openpyxl
import pytest

from documents.template import built_in
from ledger.database import sqlite_url
from tests.api.compiling import HOSTILE, played, with_everything
from tests.factories import instant, load, opened, tiny_pack
from tests.lucheng.door import call, refused, run

pytestmark = pytest.mark.thorough

CLOCK = {"LUCHENG_CLOCK": "2025-07-21T09:00:00+08:00"}


@pytest.fixture
def data(tmp_path: Path, sqlite_template: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copyfile(sqlite_template, folder / "ledger.db")
    with opened(sqlite_url(folder)) as database:
        load(database, tiny_pack(tmp_path / "pack", with_everything), instant("2025-01-01"))
        played(database)
    return folder


def edited(path: Path, line: str) -> Path:
    document = docx.Document(io.BytesIO(built_in()))
    document.paragraphs[0].insert_paragraph_before(line)
    document.save(path)
    return path


def test_the_template_is_written_without_a_ledger(tmp_path: Path) -> None:
    out = tmp_path / "新 [目录]" / "模板.docx"
    said = run("report", "template", "--out", out)
    assert (said.code, said.out, said.err) == (0, f"已写入 {out}\n", "")
    assert out.read_bytes() == built_in()


def test_a_round_is_compiled_into_files_twice_the_same(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("report", "compile", "2025-H1", "--as-of", "2025-07-20", "--data-dir", data, "--out")
    said = call(*words, out, env=CLOCK)
    names = ["2025-H1-20250720.docx", "2025-H1-20250720.xlsx"]
    assert (said.code, said.out) == (0, "".join(f"已写入 {out / name}\n" for name in names))
    assert HOSTILE in [p.text for p in docx.Document(out / names[0]).paragraphs]
    assert openpyxl.load_workbook(out / names[1])["进展表"]["A4"].value == "任务1 任务一"
    assert call(*words, tmp_path / "again", env=CLOCK).code == 0
    for name in names:
        assert (out / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.slow
def test_with_pdf(data: Path, tmp_path: Path) -> None:
    said = call("report", "compile", "2025-H1", "--data-dir", data, "--out", tmp_path, "--pdf", env=CLOCK)
    assert said.code == 0
    assert (tmp_path / "2025-H1-20250721.pdf").read_bytes().startswith(b"%PDF-")


def test_an_edited_template_is_used_until_the_built_in_one_is_again(data: Path, tmp_path: Path) -> None:
    own = edited(tmp_path / "局发 模板.docx", "{{ 编制单位 }}文件")
    said = call("report", "use-template", own, "--data-dir", data, env=CLOCK)
    told = "已改用 局发 模板.docx\n模板没有用到：方案、期次；这些内容不会出现在汇编中\n"
    assert (said.code, said.out) == (0, told)
    compile_it = ("report", "compile", "2025-H1", "--data-dir", data, "--out")
    assert call(*compile_it, tmp_path / "1", env=CLOCK).code == 0
    assert docx.Document(tmp_path / "1" / "2025-H1-20250721.docx").paragraphs[0].text == "市民政局文件"
    in_use = call("report", "template", "--in-use", "--out", tmp_path / "x.docx", "--data-dir", data, env=CLOCK)
    assert in_use.code == 0
    assert docx.Document(tmp_path / "x.docx").paragraphs[0].text == "{{ 编制单位 }}文件"
    assert call("report", "use-template", "--data-dir", data, env=CLOCK).out == "已改回内置模板\n"
    assert call(*compile_it, tmp_path / "2", env=CLOCK).code == 0
    assert docx.Document(tmp_path / "2" / "2025-H1-20250721.docx").paragraphs[0].text != "市民政局文件"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("compile", "2025-H2"), "2025-H2 这一期半年报送还没有启动"),
        (("compile", "上半年"), "上半年 这一期半年报送还没有启动"),
        (("compile", "2025-H1", "--as-of", "2025-08-01"), "截至日期2025-08-01尚未到来，不能汇编"),
        (("compile", "2025-H1", "--as-of", "2025-05-01"), "2025-H1 这一期当时还没有启动，不能汇编"),
        (("compile", "2025-H1", "--plan", "other"), "台账中没有代码为 other 的方案"),
    ],
)
def test_what_cannot_be_compiled(data: Path, tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    said = call("report", *words, "--data-dir", data, "--out", tmp_path / "out", env=CLOCK)
    assert refused(said) == sentence
    assert not (tmp_path / "out").exists()


def test_templates_that_cannot_be_used(data: Path, tmp_path: Path) -> None:
    def told(path: Path) -> str:
        return refused(call("report", "use-template", path, "--data-dir", data, env=CLOCK))

    assert told(edited(tmp_path / "a.docx", "{{ 日期 }}")) == "模板中有不认识的标记“日期”（见“{{ 日期 }}”处）"
    assert told(tmp_path / "没有.docx").startswith(f"无法读取 {tmp_path / '没有.docx'}")
    (tmp_path / "b.docx").write_bytes("模板".encode("gb18030"))
    assert told(tmp_path / "b.docx") == "这里只接收Word（.docx），上传的是文本（.txt）"
    assert "疑似" in told(edited(tmp_path / "c.docx", "身份证 110101199003070134"))


def test_without_a_ledger_or_a_place_to_write(data: Path, tmp_path: Path) -> None:
    said = call("report", "compile", "2025-H1", "--data-dir", tmp_path / "empty", "--out", tmp_path, env=CLOCK)
    assert "还没有台账" in refused(said)
    (tmp_path / "file").write_text("x")
    said = call("report", "compile", "2025-H1", "--data-dir", data, "--out", tmp_path / "file", env=CLOCK)
    assert refused(said).startswith(f"无法写入 {tmp_path / 'file'}")
