"""`lucheng people`: a table in, the list out, the units that nobody can reach; and what doctor says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lucheng.door import call, refused, tiny

CLOCK = {"LUCHENG_CLOCK": "2024-12-20T14:00:00+08:00"}
HEAD = "单位,姓名,职务,电话,角色,电子邮箱,渠道,通报,停用\n"
ROWS = "1县民政局,王　芳,科长,０４７２－５１２３４５６,联络员、负责人,Wang@Mz.example,,周,\n市教育局,李明,,,联络员,,inbox,,\n"
OWING = ["9000-mz", "9001-mz", "9002-mz", "900101001", "900101002", "900201001", "900201002"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    assert call("plan", "load", tiny(tmp_path / "pack"), "--data-dir", folder, env=CLOCK).code == 0
    return folder


def table(folder: Path, text: str = HEAD + ROWS, encoding: str = "gb18030") -> Path:
    path = folder / "人员.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_table_in_and_a_list_out(data: Path, tmp_path: Path) -> None:
    dry = call("people", "import", table(tmp_path), "--dry-run", "--data-dir", data)
    assert dry.out == "将新增人员 2 人，更改 0 人，停用 0 人，没有变化 0 人；在用共 2 人\n"
    assert call("people", "list", "--json", "--data-dir", data).json == []
    done = call("people", "import", table(tmp_path), "--data-dir", data)
    assert done.out == "已新增人员 2 人，更改 0 人，停用 0 人，没有变化 0 人；在用共 2 人\n"
    later = table(tmp_path, f"{HEAD}1县民政局,王芳,局长,,负责人,,,,\n市教育局,李明,,,联络员,,inbox,,是\n", "utf-8-sig")
    assert call("people", "import", later, "--data-dir", data).out == (
        "已新增人员 0 人，更改 1 人，停用 1 人，没有变化 0 人；在用共 1 人\n"
    )
    wang = {
        "unit": "9001-mz",
        "unit_name": "1县民政局",
        "name": "王芳",
        "post": "局长",
        "phone": "",
        "roles": ["principal"],
        "weekly": False,
        "monthly": False,
        "active": True,
        "addresses": [],
    }
    assert call("people", "list", "--unit", "9001-mz", "--json", "--data-dir", data).json == [wang]
    assert len(call("people", "list", "--json", "--data-dir", data).json) == 2
    shown = call("people", "list", "--data-dir", data).out
    assert ("李明" in shown, "已停用" in shown, shown.splitlines()[-1]) == (True, True, "共 2 人")
    assert refused(call("people", "list", "--unit", "none", "--data-dir", data)) == "没有代码为“none”的单位"


def test_a_table_with_a_fault_changes_nothing(data: Path, tmp_path: Path) -> None:
    bad = table(tmp_path, f"{HEAD}{ROWS}没有的局,赵静,,,联络员,,,,\n")
    assert refused(call("people", "import", bad, "--data-dir", data)) == "人员.csv:4 [单位] 没有这个单位：没有的局"
    assert call("people", "list", "--json", "--data-dir", data).json == []
    assert "文件无法读取" in refused(call("people", "import", tmp_path / "none.csv", "--data-dir", data))
    unknown = table(tmp_path, f"{HEAD}市教育局,李明,,,联络员,,ding-city,,\n")
    said = refused(call("people", "import", unknown, "--data-dir", data))
    assert said == "人员.csv:2 [渠道] 没有这个渠道：ding-city；可写 email（电子邮件）、inbox（站内消息）"
    (data / "channels.yaml").write_text(
        "- code: ding-city\n  kind: dingtalk\n  name: 市级钉钉群\n  url: https://oapi.dingtalk.com/robot/send?access_token=x\n  secret: SECx\n",
        encoding="utf-8",
    )
    assert call("people", "import", unknown, "--data-dir", data).out.startswith("已新增人员 1 人")


def test_units_that_nobody_can_reach(data: Path, tmp_path: Path) -> None:
    found = call("people", "unreachable", "--json", "--data-dir", data, env=CLOCK).json
    assert [(one["unit"], one["why"]) for one in found] == [(code, "nobody") for code in OWING]
    assert about_people(data) == [("note", "tiny-2025：7 个单位联系不到，请运行 lucheng people unreachable 查看原因")]
    call("people", "import", table(tmp_path), "--data-dir", data)
    shown = call("people", "unreachable", "--data-dir", data, env=CLOCK).out
    assert shown.splitlines()[-1] == "共 7 个：没有联络员 6 个，渠道未确认 1 个"
    everybody = HEAD + "".join(f"{code},赵静,,,联络员,,inbox,,\n" for code in OWING)
    assert call("people", "import", table(tmp_path, everybody), "--data-dir", data).code == 0
    assert call("people", "unreachable", "--data-dir", data, env=CLOCK).out == "没有联系不到的单位\n"
    assert about_people(data) == [("good", "tiny-2025：有事项的单位都有联络员能收到消息")]
    assert "没有代码为 none 的方案" in refused(
        call("people", "unreachable", "--plan", "none", "--data-dir", data, env=CLOCK)
    )


def about_people(data: Path) -> list[tuple[str, str]]:
    said = call("doctor", "--json", "--data-dir", data, env=CLOCK).json
    return [(one["grade"], one["sentence"]) for one in said if one["matter"] == "人员"]
