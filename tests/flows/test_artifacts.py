"""The scorecard of a phase, as it is shown."""

from __future__ import annotations

from flows.artifacts import scorecard

STANDING = {
    "title": "部署启动",
    "starts_on": "2024-05-01",
    "ends_on": "2024-05-31",
    "expected": 20,
    "done": 15,
    "late": 5,
    "share_done": 0.75,
    "share_due": 1.0,
    "tasks": [
        {
            "task": 5,
            "title": "完善委托照护制度",
            "light": "逾期",
            "done": 3,
            "expected": 4,
            "late": 1,
            "share_done": 0.75,
        }
    ],
    "missing": [{"code": "P1.2", "title": "建立协作机制", "left": 5}],
}


def test_what_the_gate_lacks_is_said() -> None:
    assert scorecard(STANDING, "2024-06-03") == (
        "# 部署启动（2024-05-01 至 2024-05-31）\n\n"
        "截至 2024-06-03：已办结 15/20，逾期 5，办结率 75%，序时进度 100%。\n\n"
        "**里程碑：还有 1 项未完成。**\n\n- P1.2 建立协作机制：还差 5 件\n\n"
        "| 任务 | 状态 | 已办结 | 逾期 | 办结率 |\n|---|---|---|---|---|\n"
        "| 5 完善委托照护制度 | 逾期 | 3/4 | 1 | 75% |"
    )


def test_an_open_gate() -> None:
    assert "**里程碑：全部审核通过。**" in scorecard({**STANDING, "missing": []}, "2024-06-03").splitlines()
