"""Knock at the door as a person does: the command in a process of its own, or the same ``main`` here, for speed."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from lucheng.__main__ import main
from policy_models.plan_file import BUNDLED
from tests.factories import Change, tiny_files, tiny_units, write_files

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Said:
    """What a command printed and the code it ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self
        return json.loads(self.out)


def run(*words: object, env: dict[str, str] | None = None, timeout: float = 60) -> Said:
    """The command in a process of its own, without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "lucheng", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def call(*words: object, env: dict[str, str] | None = None) -> Said:
    """The command in this process; what would be a traceback fails the test."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    argv = patch.object(sys, "argv", ["lucheng", *map(str, words)])
    with argv, patch.dict(os.environ, env or {}), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    said = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return Said(code, *said)


def refused(said: Said) -> str:
    """The one sentence of an expected error: exit code 1, and nothing but it on standard error."""
    assert said.code == 1, said
    assert "Traceback" not in said.err + said.out
    assert said.err.count("\n") == 1, said.err
    return said.err.rstrip("\n")


def copy_of_the_plan(folder: Path, *changes: tuple[str, str, str]) -> Path:
    """The bundled pack in a folder, with (file, old, new) changed; each old text stands there exactly once."""
    shutil.copytree(BUNDLED, folder)
    for name, old, new in changes:
        text = (folder / name).read_text("utf-8")
        assert text.count(old) == 1, (name, old, text.count(old))
        (folder / name).write_text(text.replace(old, new), "utf-8")
    return folder


def tiny(folder: Path, change: Change | None = None) -> Path:
    """The tiny pack of the factories in a folder, as changed."""
    files = tiny_files()
    if change:
        change(files)
    return write_files(folder, files, tiny_units())


def line_of(path: Path, words: str) -> int:
    """The number of the first line that holds these words."""
    lines = path.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
