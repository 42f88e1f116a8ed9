"""`lucheng doctor`: what is misconfigured, in sentences."""

from __future__ import annotations

import typer

from lucheng.checkup import Grade, examine
from lucheng.opening import settings_for, utc_now
from lucheng.options import AsJson, DataDir
from lucheng.output import print_json, screen


def doctor(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """体检：逐项说明哪里配置不当、怎么办；有错误时退出码为 1。"""
    settings = settings_for(data_dir)
    findings = list(examine(settings, utc_now(settings)))
    if as_json:
        print_json([{"grade": f.grade.name.lower(), "matter": f.matter, "sentence": f.sentence} for f in findings])
    else:
        for finding in findings:
            screen.print(f"{finding.grade}  {finding.matter}：{finding.sentence}")
    if any(finding.grade is Grade.FAULT for finding in findings):
        raise typer.Exit(1)
