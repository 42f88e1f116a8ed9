"""How the door is used: its help in Chinese, wrong usage with exit code 2, and JSON from everything that lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from lucheng.__main__ import app
from tests.lucheng.door import call, run, tiny

pytestmark = pytest.mark.thorough

COMMANDS = ["plan", "units", "calendar", "round", "report", "mail", "feed", "db", "up", "demo", "doctor"]
PACK = "(the tiny pack)"
LISTS = [
    ["plan", "check", PACK],
    ["plan", "show", PACK],
    ["plan", "items", PACK],
    ["plan", "list"],
    ["units", "list"],
    ["feed", "list", "--unit", "9000-mz"],
    ["calendar", "days", "--from", "2025-05-01", "--to", "2025-05-05"],
    ["calendar", "observances", "--year", "2025"],
    ["calendar", "school", "--year", "2025"],
    ["calendar", "status"],
    ["round", "list"],
    ["mail", "addresses", "list"],
    ["people", "list"],
    ["people", "unreachable"],
    ["account", "list"],
    ["token", "list"],
    ["channel", "list"],
    ["channel", "messages"],
    ["circular", "list"],
    ["doctor"],
]


def commands(group: TyperGroup, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if isinstance(command, TyperGroup):
            yield from commands(command, *above, name)
        else:
            yield (*above, name), command


def visible() -> dict[str, Any]:
    """Every command that help shows, by its words."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return {" ".join(words): command for words, command in commands(group)}


def test_the_commands_that_there_are() -> None:
    wanted = "up demo doctor"
    wanted += (
        " plan:check,show,items,list,load,copy,schema units:import,list,close feed:export,create,list,revoke,rotate"
    )
    wanted += " calendar:import-notice,days,observances,school,status db:migrate,check"
    wanted += (
        " round:list,open,close report:template,use-template,compile mail:fetch,check people:import,list,unreachable"
    )
    wanted += " circular:issue,list,show token:account,create,list,revoke"
    wanted += " account:invite,create,list,grant,revoke,deactivate,restore,unlock,reset"
    wanted += " channel:list,test,confirm,withdraw,messages,resend"
    named = set()
    for group in wanted.split():
        noun, _, verbs = group.partition(":")
        named |= {f"{noun} {verb}" for verb in verbs.split(",")} if verbs else {noun}
    named |= {"mail addresses import", "mail addresses list"}
    assert set(visible()) == named


def test_help_is_in_chinese() -> None:
    for name, command in visible().items():
        assert command.help, name
        assert any("一" <= letter <= "鿿" for letter in command.help), name
        for option in command.params:
            about = getattr(option, "help", None)
            if about is not None and option.name != "help":
                assert any("一" <= letter <= "鿿" for letter in about), (name, option.name)
    said = run("--help")
    assert (said.code, all(name in said.out for name in COMMANDS)) == (0, True)
    assert "鹿程：把行动方案变成落实到位的工作" in said.out


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["plan", "nonsense"],
        ["plan", "items", "--nonsense"],
        ["plan", "items", "--task", "五"],
        ["plan", "load", "--catch-up", "forget"],
        ["plan", "load", "a", "b"],
        ["units", "import"],
        ["units", "list", "--level", "planet"],
        ["feed", "export", "--unit", "1"],
        ["feed", "revoke", "--unit", "1", "one"],
        ["calendar", "days"],
        ["calendar", "observances", "--year", "1800"],
        ["up", "--port", "70000"],
        ["demo", "--port", "-1"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_another_exit_code(tmp_path: Path, words: list[str]) -> None:
    said = call(*words, env={"LUCHENG_DATA_DIR": str(tmp_path / "data")})
    assert said.code == 2
    assert "Usage" in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "data").exists()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    pack = tiny(folder.parent / "tiny-pack")
    assert (
        call("plan", "load", pack, "--data-dir", folder, env={"LUCHENG_CLOCK": "2025-01-01T09:00:00+08:00"}).code == 0
    )
    return folder


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_whatever_lists_speaks_json(data: Path, words: list[str]) -> None:
    given = [data.parent / "tiny-pack" if word == PACK else word for word in words]
    said = call(*given, "--json", "--data-dir", data)
    assert (said.code, said.err) == (0, "")
    assert isinstance(json.loads(said.out), dict | list)
    assert "\\u" not in said.out


def test_no_list_is_forgotten() -> None:
    speaking = {name for name, command in visible().items() if any(o.name == "as_json" for o in command.params)}
    listed = {" ".join(words) for words in LISTS}
    assert {name for name in speaking if not any(f"{words} ".startswith(f"{name} ") for words in listed)} == {
        "plan load",
        "circular issue",
        "circular show",
    }
    assert len(speaking) == len(LISTS) + 3


def test_the_data_folder_by_option_or_environment(data: Path, tmp_path: Path) -> None:
    by_option = call("plan", "list", "--json", "--data-dir", data, env={"LUCHENG_DATA_DIR": str(tmp_path)}).json
    by_environment = call("plan", "list", "--json", env={"LUCHENG_DATA_DIR": str(data)}).json
    assert [one["code"] for one in by_option] == ["tiny-2025"]
    assert by_environment == by_option


def test_sentences_are_not_broken_and_brackets_stay(tmp_path: Path) -> None:
    out = tmp_path / "a folder [red] with a name that is longer than any terminal would be wide, and then some more"
    said = run("plan", "copy", tiny(tmp_path / "pack"), "--starts", "2026-01-01", "--out", out, "--data-dir", tmp_path)
    assert said.out.splitlines() == [
        f"已写入 {out}（2026-01-01 至 2026-12-31）",
        f"载入：lucheng plan load {out}，或 bin/up --plan {out}",
    ]
