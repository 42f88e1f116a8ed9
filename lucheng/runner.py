"""The runner: registers the timetable with Prefect and starts each run that falls due (``python -m lucheng.runner``).

It ends by itself when a plan or a calendar changes, to be started again with the new timetable by its supervisor.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import signal
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from prefect import serve
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import DeploymentSort, FlowRunSort
from prefect.deployments.runner import RunnerDeployment
from prefect.states import Crashed

from flows.timetable import OURS, deployments
from ledger.civil import civil_date
from ledger.database import Session, connect
from ledger.marks import marks
from ledger.plans import calendars, plan_document, plans
from ledger.settings import Settings
from notifications.servers import ImapSettings

RUNS_AT_A_TIME = 2  # each is an interpreter of its own
LOOK_EVERY = 60.0  # seconds between two looks for a changed plan or a stuck run
STUCK_AFTER = timedelta(minutes=15)
PAGE = 200

log = logging.getLogger("lucheng.runner")


def main() -> None:
    """Serve until SIGTERM. Raises LedgerUnavailable when the ledger cannot be read."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    today = civil_date(datetime.now(UTC))
    listed, print_of_plans, swept = _read(today)
    asyncio.run(prepare(listed, sweep_now=not swept))
    threading.Thread(target=_watch, args=(print_of_plans,), daemon=True, name="watch").start()
    log.info("%s deployments", len(listed))
    serve(*listed, limit=RUNS_AT_A_TIME, pause_on_shutdown=False, print_starting_message=False)


def _read(today: date) -> tuple[list[RunnerDeployment], str, bool]:
    """The timetable, a fingerprint of what it was made of, and whether today's sweep has been."""
    database = connect(Settings.load().url)
    try:
        with database.read() as session:
            known = [plan.code for plan in plans(session)]
            found = [(plan_document(session, code), calendars(session, code)) for code in known]
            listed = deployments(found, today, mailbox=ImapSettings().configured)
            last = marks(session).get("sweep")
            return listed, _fingerprint(session, today), last is not None and last.as_of >= today
    finally:
        database.close()


def _fingerprint(session: Session, today: date) -> str:
    """Changes with any plan or calendar, and with the month: a schedule holds a limited number of dates ahead."""
    parts = [f"{today:%Y-%m}", *(f"{plan.code} {plan.digest}" for plan in plans(session))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


async def prepare(listed: Sequence[RunnerDeployment], *, sweep_now: bool) -> None:
    """Before serving: end the runs of a runner that died, drop deployments no longer wanted, make good by a sweep."""
    async with get_client() as client:
        await end_leftovers(client, older_than=timedelta(0), running_too=True)
        wanted = {deployment.full_name for deployment in listed}
        await _drop_others(client, wanted)
        if sweep_now:
            [sweep] = [deployment for deployment in listed if deployment.name == "sweep"]
            await client.create_flow_run_from_deployment(await sweep.aapply())


async def end_leftovers(client: PrefectClient, *, older_than: timedelta, running_too: bool) -> int:
    """Call runs crashed that nobody carries on, so that they no longer occupy their deployment's place; how many.

    At the start nothing of ours can be running; later only what has stuck on its way to running is meant.
    """
    types = [StateType.PENDING, *([StateType.RUNNING, StateType.CANCELLING] if running_too else [])]
    ours = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[OURS]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=types)),
    )
    before = datetime.now(UTC) - older_than
    found = await client.read_flow_runs(flow_run_filter=ours, sort=FlowRunSort.ID_DESC, limit=PAGE)
    stuck = [run for run in found if run.state is not None and run.state.timestamp <= before]
    for run in stuck:
        await client.set_flow_run_state(
            run.id, Crashed(message="运行程序中断，未完成的工作由每日巡检补做。"), force=True
        )
    return len(stuck)


async def _drop_others(client: PrefectClient, wanted: set[str]) -> None:
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[OURS]))
    found = await client.read_deployments(deployment_filter=ours, sort=DeploymentSort.NAME_ASC, limit=PAGE)
    names = {flow.id: flow.name for flow in [await client.read_flow(d.flow_id) for d in found]}
    for deployment in found:
        if f"{names[deployment.flow_id]}/{deployment.name}" not in wanted:
            await client.delete_deployment(deployment.id)


def _watch(known: str) -> None:
    """Look now and then: a changed plan ends this program, a stuck run is called crashed."""
    while True:
        threading.Event().wait(LOOK_EVERY)
        try:
            if _fingerprint_now() != known:
                log.info("a plan or calendar changed: starting again")
                os.kill(os.getpid(), signal.SIGTERM)
                return
            asyncio.run(_end_stuck())
        except Exception:  # the next look is a minute away; a server or database that is down must not end it
            log.exception("could not look for a changed plan or a stuck run")


def _fingerprint_now() -> str:
    database = connect(Settings.load().url)
    try:
        with database.read() as session:
            return _fingerprint(session, civil_date(datetime.now(UTC)))
    finally:
        database.close()


async def _end_stuck() -> None:
    async with get_client() as client:
        await end_leftovers(client, older_than=STUCK_AFTER, running_too=False)


if __name__ == "__main__":
    main()
