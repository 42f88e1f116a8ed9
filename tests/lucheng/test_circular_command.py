"""`lucheng circular`, as an administrator types it."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest

from tests.lucheng.door import call, refused, tiny

pytestmark = pytest.mark.thorough

MONDAY = {"LUCHENG_CLOCK": "2025-04-07T08:40:00+08:00"}
EARLY = {"LUCHENG_CLOCK": "2025-04-06T12:00:00+08:00"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    loaded = {"LUCHENG_CLOCK": "2025-03-20T09:00:00+08:00"}
    assert call("plan", "load", tiny(tmp_path / "pack"), "--data-dir", folder, env=loaded).code == 0
    return folder


def test_what_is_due_is_issued_once(data: Path) -> None:
    words = ("circular", "issue", "--data-dir", data)
    assert call(*words, env=MONDAY).out == "已发布2025年第14周周通报，发往 1 处\n已发布2025年3月月通报，发往 1 处\n"
    assert call(*words, env=MONDAY).out == "没有到期未发布的通报\n"
    assert call(*words, "2025-w14", env=MONDAY).out == "2025年第14周周通报此前已发布，没有变化\n"
    said = call(*words, "2025-W13", "--json", env=MONDAY).json
    assert said == [{"id": 3, "kind": "weekly", "period": "2025-W13", "fresh": True, "messages": 1}]


def test_they_are_listed(data: Path) -> None:
    assert call("circular", "list", "--data-dir", data, "--json", env=MONDAY).json == []
    call("circular", "issue", "--data-dir", data, env=MONDAY)
    said = call("circular", "list", "--data-dir", data, "--json", env=MONDAY).json
    assert [(one["kind"], one["period"], one["day"]) for one in said] == [
        ("weekly", "2025-W14", "2025-04-06"),
        ("monthly", "2025-03", "2025-03-31"),
    ]
    assert said[0]["title"] == "方案落实情况周通报（2025年第14周）"
    table = call("circular", "list", "--data-dir", data, env=MONDAY).out
    assert "2025-W14" in table
    assert "周通报" in table
    assert call("circular", "list", "--year", "2024", "--data-dir", data, "--json", env=MONDAY).json == []


def test_one_is_shown_as_words_json_and_paper(data: Path, tmp_path: Path) -> None:
    show = ("circular", "show", "2025-W14", "--data-dir", data)
    preview = call(*show, env=EARLY).out
    assert "截至2025年4月6日 · 预览，未发布" in preview
    call("circular", "issue", "--data-dir", data, env=MONDAY)
    shown = call(*show, env=MONDAY).out
    assert "截至2025年4月6日 · 2025年4月7日发布" in shown
    assert "一、总体进展\n  截至4月6日，方案全程应办" in shown
    told = call(*show, "--json", env=MONDAY).json
    assert (told["period"], told["issued_on"], told["title"]) == (
        "2025-W14",
        "2025-04-07",
        "方案落实情况周通报（2025年第14周）",
    )
    paper = tmp_path / "通报.docx"
    assert call(*show, "--docx", paper, env=MONDAY).out == f"已写入 {paper}\n"
    first = paper.read_bytes()
    assert docx.Document(str(paper)).paragraphs[0].text == told["title"]
    assert call(*show, "--docx", paper, "--json", env=MONDAY).json == told
    assert paper.read_bytes() == first


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("issue", "2025-W15"), "2025年第15周还没有结束，结束后才能发布周通报"),
        (("issue", "2025-W99"), "没有 2025-W99 这一期，周通报的期次写作 2025-W14 的样子"),
        (("issue", "2025-13"), "没有 2025-13 这一期，月通报的期次写作 2025-03 的样子"),
        (("issue", "2024-05"), "2024年5月不在方案实施期间，没有月通报"),
        (("show", "２０２５-０３"), "没有“２０２５-０３”这一期，月通报的期次写作 2025-03 的样子"),
        (("show", "2025-W20"), "2025年第20周尚未开始，开始后可以预览通报"),
        (("list", "--plan", "none"), "台账中没有代码为 none 的方案"),
        (("show", "2025-W14", "--docx", "/nowhere/x.docx"), "无法写入"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(data: Path, words: tuple[str, ...], sentence: str) -> None:
    said = call("circular", *words, "--data-dir", data, env=MONDAY)
    assert said.code == 1
    assert said.out == ""
    assert sentence in said.err
    assert said.err.count("\n") == 1


def test_without_a_ledger(tmp_path: Path) -> None:
    assert "还没有台账" in refused(call("circular", "list", "--data-dir", tmp_path / "none"))
