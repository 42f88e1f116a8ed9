"""The options that several commands share, and civil dates as people type them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from policy_models.errors import Fault, Faulty
from policy_models.plan_file import BUNDLED
from policy_models.spans import civil_date as parse_civil_date

PackName = Annotated[str, typer.Argument(metavar="方案包", help="方案包的目录，或内置方案的代码")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", envvar="LUCHENG_DATA_DIR", help="数据目录（默认 ./data）", metavar="目录")
]
DEFAULT_PACK = BUNDLED.name


def parse_date(text: str) -> date:
    """A civil date as a person types it. Raises Faulty with one sentence for 2025-06-31."""
    try:
        return parse_civil_date(text)
    except ValueError as error:
        raise Faulty([Fault("日期", None, "", str(error))]) from error


def date_option(name: str, help_text: str) -> Any:
    return typer.Option(name, parser=parse_date, help=help_text, metavar="YYYY-MM-DD")
