"""`lucheng feed`: a unit's calendar as a file, and its secret addresses from the first day to the last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from icalendar import Calendar

from ledger import feed_tokens
from ledger.database import connect, sqlite_url
from tests.factories import requirement_of
from tests.lucheng.door import call, refused, run, tiny

pytestmark = pytest.mark.thorough

CLOCK = {"LUCHENG_CLOCK": "2025-01-01T09:00:00+08:00", "LUCHENG_BASE_URL": "https://plan.example.org/"}
VILLAGE = "900101001"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with the tiny plan; its bureau owes one thing, by 2025-06-30."""
    folder = tmp_path / "data"
    pack = tiny(tmp_path / "pack", lambda files: requirement_of(files, "1.1").update(title="制定办法[试行]"))
    assert call("plan", "load", pack, "--data-dir", folder, env=CLOCK).code == 0
    return folder


def test_export(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "own [1].ics"
    said = call("feed", "export", "--unit", "9000-mz", "--out", out, "--data-dir", data, env=CLOCK)
    assert (said.code, said.out, said.err) == (0, f"已写入 {out}（1 个日程）\n", "")
    [event] = Calendar.from_ical(out.read_bytes()).walk("VEVENT")
    assert event["DTSTART"].dt.isoformat() == "2025-06-30"
    assert "制定办法[试行]" in event["SUMMARY"]
    piped = run("feed", "export", "--unit", "9000-mz", "--out", "-", "--data-dir", data, env=CLOCK)
    assert piped.out.encode() == out.read_bytes()


def test_export_of_a_village(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "village.ics"
    said = call("feed", "export", "--unit", VILLAGE, "--out", out, "--data-dir", data, env=CLOCK)
    assert said.out == f"已写入 {out}（14 个日程）\n"
    days = sorted(event["DTSTART"].dt.isoformat() for event in Calendar.from_ical(out.read_bytes()).walk("VEVENT"))
    assert len(days) == 14
    assert {"2025-01-31", "2025-02-28", "2025-12-31"} <= set(days)


def test_an_address_from_its_making_to_its_end(data: Path) -> None:
    words = ["--unit", VILLAGE, "--data-dir", data]
    said = call("feed", "create", *words, "--name", "张主任的手机", env=CLOCK)
    found = re.fullmatch(r"https://plan\.example\.org/feeds/([A-Za-z0-9_-]{32})\.ics\n", said.out)
    assert found, said.out
    [one] = call("feed", "list", *words, "--json").json
    assert one == {
        "id": one["id"],
        "name": "张主任的手机",
        "scope": "unit",
        "target": VILLAGE,
        "created_at": "2025-01-01 01:00:00+00:00",
        "last_used_at": None,
        "client": None,
        "revoked_at": None,
    }
    assert found[1] not in call("feed", "list", *words).out
    assert call("feed", "revoke", one["id"], *words, env=CLOCK).out == "已停用\n"
    [after] = call("feed", "list", *words, "--json").json
    assert after == {**one, "revoked_at": "2025-01-01 01:00:00+00:00"}
    assert refused(call("feed", "revoke", one["id"], *words, env=CLOCK)) == "这个日历订阅此前已停用"
    database = connect(sqlite_url(data))
    with database.read() as session:
        record = feed_tokens.look_up(session, found[1])
    database.close()
    assert record is not None
    assert (record.unit_code, record.revoked_at is None) == (VILLAGE, False)


def test_other_scopes_and_options(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "below.ics"
    words = ["--data-dir", data, "--out", out]
    said = call("feed", "export", "--unit", "9001", "--scope", "below", "--options", "kind=todo", *words, env=CLOCK)
    todos = Calendar.from_ical(out.read_bytes()).walk("VTODO")
    assert said.out == f"已写入 {out}（{len(todos)} 个日程）\n"
    assert {str(one["UID"]).split(":")[2][:4] for one in todos} == {"9001"}
    wrong = call("feed", "export", "--unit", "9001", "--scope", "function", "--target", "民政", *words, env=CLOCK)
    assert refused(wrong) == "其他单位的日历由统筹单位订阅，本单位只能订阅本单位及下级的事项"
    assert call("feed", "list", "--unit", "9001", "--json", "--data-dir", data).json == []  # an export keeps no address
    made = call(
        "feed", "create", "--unit", "9000-mz", "--scope", "task", "--target", "2", "--data-dir", data, env=CLOCK
    )
    assert made.code == 0
    [one] = call("feed", "list", "--unit", "9000-mz", "--json", "--data-dir", data).json
    assert (one["scope"], one["target"]) == ("task", "2")


def test_an_address_is_rotated(data: Path) -> None:
    words = ["--unit", VILLAGE, "--data-dir", data]
    old = call("feed", "create", *words, env=CLOCK).out
    [one] = call("feed", "list", *words, "--json").json
    new = call("feed", "rotate", one["id"], *words, env=CLOCK).out
    assert re.fullmatch(r"https://plan\.example\.org/feeds/[A-Za-z0-9_-]{32}\.ics\n", new)
    assert new != old
    fresh, stopped = call("feed", "list", *words, "--json").json
    assert (stopped["id"], fresh["revoked_at"]) == (one["id"], None)
    assert stopped["revoked_at"] is not None
    assert refused(call("feed", "rotate", one["id"], *words, env=CLOCK)) == "这个日历订阅此前已停用"


def test_only_the_units_own_address_can_be_stopped(data: Path) -> None:
    call("feed", "create", "--unit", VILLAGE, "--data-dir", data, env=CLOCK)
    [one] = call("feed", "list", "--unit", VILLAGE, "--json", "--data-dir", data).json
    said = call("feed", "revoke", one["id"], "--unit", "900201001", "--data-dir", data)
    assert refused(said) == "本单位没有这个日历订阅"
    assert call("feed", "list", "--unit", "900201001", "--json", "--data-dir", data).json == []


def test_what_cannot_be(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "none.ics"
    nobody = call("feed", "export", "--unit", "777", "--out", out, "--data-dir", data)
    assert "777" in refused(nobody)
    assert not out.exists()
    assert refused(call("feed", "create", "--unit", "777", "--data-dir", data)) == "没有代码为“777”的单位"
    (tmp_path / "file").touch()
    nowhere = call("feed", "export", "--unit", VILLAGE, "--out", tmp_path / "file" / "x.ics", "--data-dir", data)
    assert refused(nowhere) == f"无法写入 {tmp_path}/file/x.ics：Not a directory"
