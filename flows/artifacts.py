"""What a run leaves behind in Prefect's pages, under keys that stay the same from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect.artifacts import (
    acreate_link_artifact,
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
)


async def publish_section(key: str, standing: Mapping[str, Any], as_of: str) -> None:
    """Progress in percent, the table of what is due in 30 days, a link to our own page."""
    words = f"{standing['title']}：已办结 {standing['done']}/{standing['expected']}，逾期 {standing['late']}（截至 {as_of}）"
    await acreate_progress_artifact(round(standing["share_done"] * 100, 1), key=f"{key}-progress", description=words)
    await acreate_table_artifact(
        list(standing["coming"]), key=f"{key}-due", description=f"今后30天到期（截至 {as_of}）"
    )
    await acreate_link_artifact(standing["page"], link_text="在鹿程中查看", key=f"{key}-page")


async def publish_scorecard(key: str, standing: Mapping[str, Any], as_of: str) -> None:
    """A phase's scorecard: its figures, its tasks, what is missing at the gate."""
    await acreate_markdown_artifact(scorecard(standing, as_of), key=f"{key}-scorecard", description=standing["title"])
    await acreate_link_artifact(standing["page"], link_text="在鹿程中查看", key=f"{key}-page")


def scorecard(standing: Mapping[str, Any], as_of: str) -> str:
    """The scorecard as Markdown."""
    head = [
        f"# {standing['title']}（{standing['starts_on']} 至 {standing['ends_on']}）",
        f"截至 {as_of}：已办结 {standing['done']}/{standing['expected']}，逾期 {standing['late']}，"
        f"办结率 {standing['share_done']:.0%}，序时进度 {standing['share_due']:.0%}。",
    ]
    return "\n\n".join([*head, _gate(standing["missing"]), _table(standing["tasks"])])


def _gate(missing: Sequence[Mapping[str, Any]]) -> str:
    if not missing:
        return "**里程碑：全部审核通过。**"
    lines = [f"- {row['code']} {row['title']}：还差 {row['left']} 件" for row in missing]
    return "\n".join([f"**里程碑：还有 {len(missing)} 项未完成。**", "", *lines])


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    head = ["| 任务 | 状态 | 已办结 | 逾期 | 办结率 |", "|---|---|---|---|---|"]
    return "\n".join(
        [
            *head,
            *(
                f"| {row['task']} {row['title']} | {row['light']} | {row['done']}/{row['expected']} "
                f"| {row['late']} | {row['share_done']:.0%} |"
                for row in rows
            ),
        ]
    )
