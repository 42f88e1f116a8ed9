"""收信: read the mailbox and answer what came. Nothing is changed in the mailbox, whoever else reads it."""

from __future__ import annotations

from collections import Counter

from prefect import flow

from flows import run_date
from flows.delivery import deliver_all
from tasks.mail import take_letters
from tasks.upkeep import mark


@flow(name="mail", flow_run_name=run_date.named("收信"), persist_result=False)
async def mail(as_of: str | None = None) -> dict[str, int]:
    """Take in every letter that was not read yet, then send the answers; what became of how many. ``as_of`` only dates
    the mark."""
    day = run_date.resolve(as_of).isoformat()
    done: Counter[str] = Counter()
    while (taken := take_letters())["read"]:
        done.update(taken)
    done["answered"] = deliver_all()
    mark("mail", day)
    return dict(done)
