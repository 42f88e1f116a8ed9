"""The rules of the house as tests: what docs/architecture.md says, and no linter does."""

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("policy_models", "ledger", "notifications", "documents", "tasks", "flows", "api", "lucheng")
# Folders with Python that are not part of what is installed.
BESIDE = {"tests", "benchmarks", "docs"}
NOT_OURS = {"__pycache__", "build", "data", "demo-data", "node_modules", "test-output"}
LONGEST_FUNCTION = 60
LONGEST_FILE = 400

MAY_IMPORT = {
    "sqlalchemy": {"ledger"},
    "alembic": {"ledger"},
    "prefect": {"flows", "tasks", "lucheng"},
    "fastapi": {"api", "lucheng"},
    "starlette": {"api", "lucheng"},
}
# The only places that may ask what time it is; everywhere else time is a parameter.
CLOCKS = ("lucheng/", "tasks/", "api/dependencies.py")
CLOCK_READINGS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}
EMPTY_NAMES = {"alert", "alerts", "common", "helper", "helpers", "info", "job", "jobs", "manager", "misc", "process"}
EMPTY_NAMES |= {"service", "services", "util", "utils"}

INDEX_HOST = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|npmmirror\.com|mirrors?\.[a-z0-9-]+\.(?:com|cn|edu)|deb\.debian\.org",
    re.IGNORECASE,
)
MACHINE_PATH = re.compile(r"(?<![\w.\-/}>])/(?:work|opt|root|home)/")
LINK = re.compile(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|(?:src|href)=\"([^\"]+)\"")


def is_ours(folder: str) -> bool:
    hidden = folder.startswith(".") and folder != ".ci"
    return not hidden and folder not in NOT_OURS and not folder.endswith(".egg-info")


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, as a clean clone would have it: no caches, no data, nothing installed."""
    found: list[Path] = []
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = sorted(name for name in subfolders if is_ours(name))
        found += [Path(folder) / name for name in sorted(names)]
    return tuple(found)


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def with_suffix(*suffixes: str) -> list[Path]:
    return [path for path in files() if path.suffix in suffixes]


@cache
def trees() -> dict[str, ast.Module]:
    """The parsed Python files by place."""
    return {place(path): ast.parse(path.read_text(encoding="utf-8")) for path in with_suffix(".py")}


def in_rooms() -> Iterator[tuple[str, ast.Module]]:
    yield from ((where, tree) for where, tree in trees().items() if where.split("/")[0] in ROOMS)


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything imported, wherever in the file it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def last_name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def pyproject() -> dict[str, dict[str, dict[str, object]]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("room", ROOMS)
def test_the_room_is_there(room: str) -> None:
    assert (ROOT / room / "__init__.py").is_file()


def test_every_package_has_its_place_in_the_layers() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - BESIDE
    linter = pyproject()["tool"]["importlinter"]
    assert isinstance(linter["root_packages"], list)
    assert set(linter["root_packages"]) == packages == set(ROOMS)
    contracts = linter["contracts"]
    assert isinstance(contracts, list)
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert {room.strip() for floor in layers for room in floor.split("|")} == packages


def test_libraries_stay_in_their_rooms() -> None:
    crossed = [
        f"{where}:{line} {name}"
        for where, tree in in_rooms()
        for line, name in imported(tree)
        if where.split("/")[0] not in MAY_IMPORT.get(name.split(".")[0], set(ROOMS))
    ]
    assert crossed == []


def test_the_tables_are_the_ledgers_own() -> None:
    crossed = [
        f"{where}:{line}"
        for where, tree in in_rooms()
        for line, name in imported(tree)
        if name.startswith("ledger.tables") and not where.startswith("ledger/")
    ]
    assert crossed == []


def test_the_clock_is_read_at_the_edges_only() -> None:
    readings = [
        f"{where}:{node.lineno}"
        for where, tree in in_rooms()
        if not where.startswith(CLOCKS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and (last_name(node.value), node.attr) in CLOCK_READINGS
    ]
    assert readings == []


def swallows(node: ast.AST) -> bool:
    """An except clause, or a suppress of everything, after which nobody knows that something went wrong."""
    if isinstance(node, ast.Call) and last_name(node.func) == "suppress":
        return any(last_name(argument) in {"Exception", "BaseException"} for argument in node.args)
    if not isinstance(node, ast.ExceptHandler):
        return False
    broad = node.type is None or last_name(node.type) in {"Exception", "BaseException"}
    silent = (ast.Pass, ast.Continue) if broad else (ast.Pass,)
    return all(
        isinstance(step, silent) or (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))
        for step in node.body
    )


def test_no_exception_is_swallowed() -> None:
    found = [
        f"{where}:{getattr(node, 'lineno', 0)}"
        for where, tree in trees().items()
        for node in ast.walk(tree)
        if swallows(node)
    ]
    assert found == []


def test_functions_and_files_stay_small() -> None:
    functions = [
        f"{where}:{node.lineno} {node.name}"
        for where, tree in in_rooms()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    long_files = [
        where
        for where, _ in in_rooms()
        if "/migrations/" not in where and len((ROOT / where).read_text(encoding="utf-8").splitlines()) > LONGEST_FILE
    ]
    assert functions + long_files == []


def test_no_file_has_an_empty_name() -> None:
    assert [where for where, _ in in_rooms() if Path(where).stem in EMPTY_NAMES] == []


def texts() -> Iterator[tuple[str, str]]:
    for path in files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield place(path), content.decode("utf-8")


@pytest.mark.parametrize("pattern", [INDEX_HOST, MACHINE_PATH], ids=["package index", "path of a machine"])
def test_no_file_names(pattern: re.Pattern[str]) -> None:
    found = [
        f"{where}:{text.count(chr(10), 0, match.start()) + 1} {match.group()}"
        for where, text in texts()
        for match in pattern.finditer(text)
    ]
    assert found == []


def test_data_files_are_plain_utf8() -> None:
    wrong = []
    for path in with_suffix(".yaml", ".yml", ".csv"):
        content = path.read_bytes()
        content.decode("utf-8")
        if content.startswith(b"\xef\xbb\xbf") or b"\r" in content or not content.endswith(b"\n"):
            wrong.append(place(path))
    assert wrong == []


def test_scripts_can_be_run() -> None:
    scripts = [path for path in (ROOT / "bin").iterdir() if path.is_file()]
    commands = [path for path in scripts if not path.suffix] + [ROOT / ".ci" / "run"]
    assert [place(path) for path in commands if not os.access(path, os.X_OK)] == []
    for path in [*commands, ROOT / "bin" / "lib.sh"]:
        assert subprocess.run(["sh", "-n", str(path)], capture_output=True, text=True, check=False).stderr == ""
        assert "\r" not in path.read_text(encoding="utf-8")
    assert [place(path) for path in commands if not path.read_text(encoding="utf-8").startswith("#!/bin/sh\n")] == []


def test_the_readme_names_scripts_that_exist() -> None:
    named = set(re.findall(r"(?<![\w/])bin/([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"up", "test"} <= named
    assert {name for name in named if not (ROOT / "bin" / name).is_file()} == set()


def test_relative_links_lead_somewhere() -> None:
    dead = []
    for path in with_suffix(".md"):
        for match in LINK.finditer(path.read_text(encoding="utf-8")):
            target = (match.group(1) or match.group(2)).split("#")[0]
            if target and not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
                dead.append(f"{place(path)}: {target}")
    assert dead == []


def pins(name: str) -> set[str]:
    """The `name==version` of a lock, extras left out."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return {re.sub(r"\[.*?\]", "", pin) for pin in re.findall(r"^(\S.*?==[^\s;]+)", text, re.MULTILINE)}


def test_the_tests_run_on_what_is_delivered() -> None:
    run = pins("run.txt")
    assert {pin.split("==")[0] for pin in run} >= {"prefect", "sqlalchemy", "fastapi"}
    assert run - pins("test.txt") == set()


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 3
