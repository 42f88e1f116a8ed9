"""Which civil date a run decides for, and how it is called in Prefect's pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from prefect.runtime import flow_run

from tasks import clock


def resolve(as_of: str | None) -> date:
    """``as_of`` (ISO date) where a person gave one, else the civil date (Asia/Shanghai) of the scheduled start."""
    return clock.run_date(as_of, flow_run.scheduled_start_time)


def no_day_gone_by(day: date) -> date:
    """``day``, or today where that is later: after an outage the runs of the days that went by all speak of today, so
    that the first of them reminds and the others find nothing left to say."""
    return max(day, clock.today())


def named(label: str) -> Callable[[], str]:
    """A name for each run of a flow: what it does, of which plan, as of when."""

    def name() -> str:
        parameters = flow_run.parameters or {}
        words = [label, parameters.get("plan"), f"截至 {resolve(parameters.get('as_of'))}"]
        return " ".join(str(word) for word in words if word)

    return name
