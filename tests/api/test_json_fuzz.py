"""The description of /api/v1 is true: schemathesis asks a real server whatever comes to its mind, by every phase it has,
and finds neither a fault of the server nor an answer that the description does not name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger import machine_tokens, submissions
from policy_models.access import Grant, Role
from tests.api.evidence import served
from tests.api.site import BUREAU_ITEM, MONTHLY, VILLAGE, tiny_site
from tests.factories import BUREAU, full_evidence, instant, item, office, village

DAY = "2025-05-31"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
CASES = re.compile(r"(\d+) generated")
THERE: dict[str, list[object]] = {
    "code": [BUREAU, VILLAGE, "900101", "9001-mz"],
    "key": [MONTHLY, BUREAU_ITEM, item("1.2", village(1, 2), "2025-01")],
    "id": [1, 2],
    "unit": ["9001-mz"],
    "round_code": ["2025-H1"],
    "section": ["overview", "task-1"],
}


def known_to(document: dict[str, Any]) -> dict[str, Any]:
    """The description with what is there beside what may be: else few random words would meet an item."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for one in operation.get("parameters", ()):
                if one["in"] == "path" and one["name"] in THERE:
                    kept = {k: v for k, v in one["schema"].items() if k not in ("title", "description")}
                    one["schema"] = {"anyOf": [{"enum": THERE[one["name"]]}, kept]}
                    one["example"] = THERE[one["name"]][0]
    return document


def ask(base: str, token: str, folder: Path, examples: int) -> tuple[int, str, int]:
    """Exit code, what it said, and how many cases it made."""
    headers = {"authorization": f"Bearer {token}"}
    path = folder / "openapi.json"
    path.write_text(json.dumps(known_to(httpx.get(f"{base}/api/v1/openapi.json", headers=headers).json())), "utf-8")
    found = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "schemathesis"), "run", str(path), "--url", base),
            *("-H", f"Authorization: Bearer {token}", "-c", ",".join(CHECKS), "-n", str(examples), "--seed", "5"),
            *("--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure", "--no-shrink"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    cases = CASES.search(found.stdout)
    return found.returncode, found.stdout[-6000:] + found.stderr[-1000:], int(cases.group(1)) if cases else 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("only_reads", [False, True], ids=["full rights", "read only"])
def test_every_answer_is_in_the_description(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, only_reads: bool
) -> None:
    monkeypatch.setenv("LUCHENG_TOKEN_PER_MINUTE", "100000")
    now = instant(DAY)
    with tiny_site(sqlite_url, tmp_path / "pack") as site, site.database.write() as session:
        machine_tokens.create_machine(session, "fuzz", "测试程序", [Grant(role, "") for role in Role], now)
        token = machine_tokens.create(session, "fuzz", "测试", now, only_reads=only_reads)
        submissions.submit(session, MONTHLY, by=office(VILLAGE), evidence=full_evidence(), now=now)
    with served(sqlite_url, tmp_path, DAY) as (_, base):
        code, said, cases = ask(base, token, tmp_path, examples=3)
    assert code == 0, said
    assert cases > 1000
