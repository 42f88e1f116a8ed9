"""`lucheng doctor`: each finding, in its grade, with what to do; and the exit code."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import sys
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text

from ledger import channels, marks
from ledger.database import Database, Session, connect, sqlite_url
from ledger.file_store import FileStore
from ledger.settings import Settings
from lucheng import checkup
from lucheng.checkup import Finding, Grade, examine
from notifications.channel_file import load_channels
from policy_models.plan_file import BUNDLED
from tests.factories import CODE, query
from tests.lucheng.door import call, run, tiny
from tests.receiver import SECRET
from tests.telling import confirm_channel

pytestmark = pytest.mark.thorough

NOW = datetime(2025, 3, 10, 1, tzinfo=UTC)
CLOCK = {"LUCHENG_CLOCK": NOW.isoformat()}
GOOD, NOTE, FAULT = Grade.GOOD, Grade.NOTE, Grade.FAULT
MATTERS = ["数据目录", "台账", "方案", "日历", "流程", "消息", "人员", "账号", "计数"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    assert call("plan", "load", tiny(tmp_path / "pack"), "--data-dir", folder, env=CLOCK).code == 0
    return folder


def findings(data: Path, **env: str) -> list[Finding]:
    """What the command finds, by its JSON; its exit code is 1 exactly when there is a fault."""
    said = call("doctor", "--json", "--data-dir", data, env={**CLOCK, **env})
    found = [Finding(Grade[one["grade"].upper()], one["matter"], one["sentence"]) for one in json.loads(said.out)]
    assert said.code == (1 if FAULT in [one.grade for one in found] else 0)
    assert said.err == ""
    return found


def about(matter: str, found: list[Finding]) -> list[tuple[Grade, str]]:
    return [(one.grade, one.sentence) for one in found if one.matter == matter]


@contextmanager
def written(data: Path) -> Iterator[Session]:
    database: Database = connect(sqlite_url(data))
    try:
        with database.write() as session:
            yield session
    finally:
        database.close()


def test_a_ledger_in_order(data: Path) -> None:
    with written(data) as session:
        marks.mark(session, "sweep", as_of=date(2025, 3, 10), now=NOW - timedelta(hours=2))
    found = findings(data)
    assert [one.matter for one in found] == MATTERS
    assert {one.matter for one in found if one.grade is not GOOD} == {"日历", "人员", "账号"}
    assert about("台账", found) == [(GOOD, "数据库可用（sqlite）")]
    assert about("方案", found) == [(GOOD, f"{CODE} 执行中（2025-01-01 至 2025-12-31）")]
    assert about("流程", found) == [(GOOD, "每日巡检最近完成于 2025-03-10 07:00")]
    assert about("消息", found) == [(GOOD, "发件箱正常（待发 0 条，已发 0 条）")]
    assert about("计数", found) == [(GOOD, f"{CODE}：看板计数与台账一致")]
    said = run("doctor", "--data-dir", data, env=CLOCK)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[1] == "正常  台账：数据库可用（sqlite）"
    assert len(said.out.splitlines()) == len(MATTERS)


def test_no_folder_and_no_ledger(tmp_path: Path) -> None:
    data = tmp_path / "none"
    found = findings(data)
    assert about("数据目录", found) == [(NOTE, f"{data} 还不存在，lucheng up 会建立它")]
    assert about("台账", found) == [(NOTE, "还没有台账，请运行 lucheng up")]
    assert not data.exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    data = tmp_path / "file" / "data"
    assert about("数据目录", findings(data)) == [(FAULT, f"数据目录不可写：{data}（Not a directory）")]


def test_a_full_disk(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2 << 30, 2 << 30, 300 << 20))
    assert about("数据目录", findings(data)) == [(NOTE, "磁盘只剩 300 MB，请清理")]


def test_versions_that_nobody_has_seen_work(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert about("软件版本", findings(data)) == []
    monkeypatch.setitem(checkup.KNOWN_TO_WORK, "prefect", "2.")
    [(grade, sentence)] = about("软件版本", findings(data))
    assert grade is FAULT
    assert sentence.endswith("未经验证（应为 2.…），流程可能不会按时运行，请用 bin/up 重新安装")


def test_a_ledger_of_another_version(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.commit()
    connection.close()
    before = (tmp_path / "ledger.db").read_bytes()
    sentence = "台账数据库不是当前版本，请运行 lucheng db migrate 或 lucheng up"
    assert about("台账", findings(tmp_path)) == [(NOTE, sentence)]
    assert (tmp_path / "ledger.db").read_bytes()[100:] == before[100:]  # past the header, which names the journal


def test_a_ledger_without_a_plan(tmp_path: Path) -> None:
    assert call("db", "migrate", "--data-dir", tmp_path).code == 0
    assert about("方案", findings(tmp_path)) == [(NOTE, "台账中还没有方案，请运行 lucheng plan load")]


def test_a_plan_that_has_not_begun_or_has_ended(data: Path) -> None:
    early = about("方案", findings(data, LUCHENG_CLOCK="2024-12-31T15:00:00Z"))
    assert early == [(GOOD, f"{CODE} 未开始（2025-01-01 至 2025-12-31）")]
    late = findings(data, LUCHENG_CLOCK="2025-12-31T16:00:00Z")  # midnight in Shanghai: the first day after
    assert about("方案", late) == [
        (GOOD, f"{CODE} 已结束（2025-01-01 至 2025-12-31）"),
        (NOTE, "全部方案均已结束，不会再有新的时限；lucheng plan copy --starts 日期 可据此生成下一方案"),
    ]
    assert about("日历", late) == []


def test_calendars_that_are_missing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for words in (["copy", tiny(tmp_path / "pack"), "--starts", "2026-01-01"], ["load", "tiny-2026"]):
        assert call("plan", *words, "--data-dir", data, env=CLOCK).code == 0
    spring = about("日历", findings(data, LUCHENG_CLOCK="2026-05-06T09:00:00+08:00"))
    assert spring == [(NOTE, "tiny-2026：2026 年暑假没有正式校历，相关日期为推定，请录入校历")]
    assert about("日历", findings(data, LUCHENG_CLOCK="2026-10-24T09:00:00+08:00")) == []
    after = about("日历", findings(data, LUCHENG_CLOCK="2026-10-25T09:00:00+08:00"))
    wanted = "tiny-2026：2027 年放假安排尚未录入，相关日期为推定；"
    wanted += "发布后请运行 lucheng calendar import-notice，再 lucheng plan load"
    assert after == [(NOTE, wanted)]


def test_a_school_calendar_that_is_official(data: Path) -> None:
    school = yaml.safe_load((BUNDLED / "calendars/school/2024-2025.yaml").read_text("utf-8"))
    folder = data / "calendars" / "school"
    folder.mkdir(parents=True)
    (folder / "2024-2025.yaml").write_text(
        yaml.safe_dump({**school, "status": "official", "issuer": "教育局", "document": "通知"}, allow_unicode=True),
        "utf-8",
    )
    pack = data.parent / "pack"
    assert call("plan", "load", pack, "--data-dir", data, env=CLOCK).code == 0
    assert about("日历", findings(data)) == []


def test_a_sweep_that_never_ran_or_ran_too_long_ago(data: Path) -> None:
    assert about("流程", findings(data)) == [(NOTE, "每日巡检还没有运行过；lucheng up 启动后会自动运行")]
    with written(data) as session:
        marks.mark(session, "sweep", as_of=date(2025, 3, 8), now=NOW - timedelta(hours=27))
    [(grade, sentence)] = about("流程", findings(data))
    assert (grade, sentence.split("，")[0]) == (
        FAULT,
        "每日巡检已超过 26 小时没有完成（上次 2025-03-09 06:00）",
    )


def test_messages_that_did_not_arrive(data: Path) -> None:
    with written(data) as session:
        for number, state in enumerate(("dead", "uncertain", "uncertain", "sent")):
            values = f"'{number}', 'mail', 'reminder', 1, '9000-mz', '2025-03-10', '{state}'"
            session.exec_driver_sql(
                "INSERT INTO outbox (key, channel, kind, plan_id, recipient, as_of, state, queued_at, next_try_at, sent_at)"
                f" VALUES ({values}, '2025-03-10', '2025-03-10', '2025-03-10')"
            )
    assert about("消息", findings(data)) == [
        (FAULT, "1 条消息无法送达，请统筹单位在“消息”页面查看原因，更正后重新发送"),
        (NOTE, "2 条消息发送时中断，不能确定是否送达，请统筹单位在“消息”页面核实后决定是否重新发送"),
    ]


HOOK = """- code: mz-group
  kind: webhook
  url: "http://127.0.0.1:9/in"
  secret: "{secret}"
  allow_private: true
"""


def channels_file(data: Path, text: str = HOOK.format(secret=SECRET), mode: int = 0o600) -> None:
    (data / "channels.yaml").write_text(text, "utf-8")
    (data / "channels.yaml").chmod(mode)


def test_channels_that_nothing_goes_out_by(data: Path) -> None:
    assert about("渠道", findings(data)) == []
    channels_file(data)
    step = "消息不会由它发出，请运行 lucheng channel test mz-group"
    assert about("渠道", findings(data)) == [(NOTE, f"渠道 mz-group 未测试，{step}")]
    way = load_channels(data)["mz-group"]
    with written(data) as session:
        channels.note_test(session, way.code, "webhook", way.digest, number="123456", now=NOW)
    awaits = "消息不会由它发出，收到测试消息后请运行 lucheng channel confirm mz-group 确认码"
    assert about("渠道", findings(data)) == [(NOTE, f"渠道 mz-group 待确认，{awaits}")]
    with written(data) as session:
        assert channels.confirm(session, way.code, "123456", by="管理员", now=NOW)
    assert about("渠道", findings(data)) == [(GOOD, "1 个渠道可用")]
    channels_file(data, HOOK.format(secret=SECRET).replace("/in", "/other"))
    assert about("渠道", findings(data)) == [(NOTE, f"渠道 mz-group 设置有变，未测试，{step}")]


def test_a_channel_that_is_down(data: Path) -> None:
    channels_file(data)
    way = load_channels(data)["mz-group"]
    with written(data) as session:
        confirm_channel(session, way, NOW)
        for message in (1, 2, 3):
            channels.note_failed(session, way.code, message, error="Webhook暂时不能接受（500）", now=NOW)
    assert about("渠道", findings(data)) == [
        (FAULT, "渠道 mz-group 不可用，消息留在发件箱：Webhook暂时不能接受（500）")
    ]


def test_messages_for_a_channel_that_is_gone(data: Path) -> None:
    with written(data) as session:
        session.exec_driver_sql(
            "INSERT INTO outbox (key, channel, kind, plan_id, recipient, as_of, queued_at, next_try_at)"
            " VALUES ('1', 'old-group', 'reminder', 1, '9000-mz', '2025-03-10', '2025-03-10', '2025-03-10')"
        )
    assert about("渠道", findings(data)) == [(NOTE, "1 条消息等待渠道 old-group，而设置中没有这个渠道")]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_channels_file_that_others_can_read(data: Path, mode: int) -> None:
    channels_file(data, mode=mode)
    first, *_ = about("渠道", findings(data))
    path = data / "channels.yaml"
    assert first == (FAULT, f"渠道文件可被本机其他用户读取，其中有密钥，请运行 chmod 600 {path}")


def test_a_wrong_channels_file_names_no_secret(data: Path) -> None:
    channels_file(data, HOOK.format(secret=SECRET).replace("webhook", "fax"))
    [(grade, sentence)] = about("渠道", findings(data))
    assert grade is FAULT
    assert sentence.startswith("渠道文件有误，暂时只投递站内消息：channels.yaml:2 [")
    assert SECRET not in sentence


def test_numbers_that_disagree(data: Path) -> None:
    with written(data) as session:
        session.exec_driver_sql("UPDATE tally SET n = n + 1 WHERE rowid = (SELECT min(rowid) FROM tally)")
    assert about("计数", findings(data)) == [(FAULT, f"{CODE}：看板计数与台账有 1 处不一致，请报告开发者")]


def test_a_database_that_is_down(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"postgresql://nobody:secret@127.0.0.1:{closed.getsockname()[1]}/x"
        found = findings(tmp_path, LUCHENG_DATABASE_URL=url)
    [(grade, sentence)] = about("台账", found)
    assert grade is FAULT
    assert sentence.startswith("台账数据库暂时无法使用（PostgreSQL 127.0.0.1）：")
    assert "secret" not in sentence
    assert [one.matter for one in found] == ["数据目录", "台账"]


def test_it_changes_nothing(data: Path) -> None:
    def content() -> list[list[tuple[object, ...]]]:
        with written(data) as session:
            names = query(session, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            return [query(session, f"SELECT * FROM {name}") for (name,) in names]

    before = content()
    findings(data)
    assert content() == before


def test_the_command_says_what_the_checkup_finds(data: Path) -> None:
    assert list(examine(Settings(data_dir=data), NOW)) == findings(data)


def test_files_that_the_store_has_lost(data: Path) -> None:
    """A ledger restored without its files, or with some of them."""
    there = FileStore(data / "files").put("材料".encode())
    assert about("文件库", findings(data)) == []
    row = "INSERT INTO file (sha256, kept, kind, size, restricted, by_unit, kept_at) VALUES ('{0}', '{0}', 'pdf', 6, false, '9000', '2025-01-01')"
    with written(data) as session:
        for digest in (there, "0" * 64, "1" * 64):
            session.execute(text(row.format(digest)))
    assert about("文件库", findings(data)) == [(FAULT, "台账记有而文件库中没有的文件 2 个，请从备份恢复文件目录")]


def test_a_file_store_of_its_own(data: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "plain.txt"
    blocked.write_text("x", encoding="utf-8")
    [(grade, sentence)] = about("文件库", findings(data, LUCHENG_FILES_DIR=str(blocked)))
    assert (grade, sentence.startswith("数据目录不可写")) == (FAULT, True)


def test_without_libreoffice(data: Path) -> None:
    assert about("文档", findings(data)) == []
    python = Path(sys.executable).parent
    [(grade, sentence)] = about("文档", findings(data, PATH=str(python)))
    assert grade is NOTE
    assert "LibreOffice" in sentence
