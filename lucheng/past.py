"""What becomes of the past when a plan is loaded that has begun already: flags, an answer at the terminal, or 补录."""

from __future__ import annotations

import sys
from datetime import date

import typer

from policy_models.errors import ReasonMissing
from policy_models.plan import Plan
from policy_models.recurrence import chinese
from policy_models.timing import CATCH_UP_NAMES, CatchUp

CHOICES = {"1": CatchUp.BACKFILL, "2": CatchUp.WAIVE, "3": CatchUp.COUNT_ONLY}
MEANINGS = {
    CatchUp.BACKFILL: "补录：补交佐证材料，不催办",
    CatchUp.WAIVE: "豁免：不再要求，须写明理由",
    CatchUp.COUNT_ONLY: "仅统计：只计数，不要求办理",
}


def decide_past(plan: Plan, live: date, catch_up: CatchUp | None, reason: str | None) -> tuple[CatchUp, str | None]:
    """What to do with what is dated before go-live: the flags, else the answer at the terminal, else 补录."""
    if catch_up is None and plan.starts_on < live and sys.stdin.isatty():
        typer.echo(f"方案自{chinese(plan.starts_on)}开始。{chinese(live)}以前的事项如何处理？")
        for number, choice in CHOICES.items():
            typer.echo(f"  {number}  {MEANINGS[choice]}")
        answer = ""
        while answer not in CHOICES:
            answer = typer.prompt("请选择", default="1").strip()
        catch_up = CHOICES[answer]
    catch_up = catch_up or CatchUp.BACKFILL
    if catch_up is CatchUp.WAIVE and not reason and sys.stdin.isatty():
        reason = typer.prompt(f"{CATCH_UP_NAMES[catch_up]}的理由")
    return catch_up, reason


def require_reason(catch_up: CatchUp | None, reason: str | None) -> None:
    """Before anything is opened or made: waiving by flag without a terminal to ask at. Raises ReasonMissing."""
    if catch_up is CatchUp.WAIVE and not (reason and reason.strip()) and not sys.stdin.isatty():
        raise ReasonMissing("豁免此前的事项须写明理由")
