"""Steps of the half-year rounds, and of units that are closed."""

from __future__ import annotations

from prefect import task

from ledger import rounds, units
from tasks import clock
from tasks.transaction import STEP, writing


@task(name="启动到期的半年报送", **STEP)
def open_rounds(plan: str) -> int:
    """Open every round whose items have opened, and make its reports ready; how many rounds."""
    with writing() as session:
        return rounds.open_due(session, plan, now=clock.now())


@task(name="接替停用单位的审核", **STEP)
def hand_over() -> int:
    """Let another review in place of every unit that is closed by now; for how many units."""
    with writing() as session:
        return units.hand_over(session, now=clock.now())
