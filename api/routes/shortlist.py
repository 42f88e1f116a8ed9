"""评选: the coordinator's page of a half-year: who has sent, how far the panel is, what is picked and published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Response
from fastapi.responses import RedirectResponse

from api.dependencies import Acting, Now, OpenPlan, Reads, UnitCode, Writes
from api.exemplar_form import LongWords, RowId, Version, exemplar_path, shortlist_path
from api.guard import Guarded
from api.pages import address, plan_page
from api.periods import RoundCode, chosen_round
from ledger import plans, shortlisting
from ledger.civil import civil_date
from ledger.exemplar_rows import Exemplar, exemplar_row
from ledger.queries import exemplars as reads
from ledger.queries.scoring import PanelView, panel_view
from ledger.queries.units import upper_units
from policy_models.errors import NotResponsible
from policy_models.exemplars import SENT, ExemplarState
from policy_models.lifecycle import State
from policy_models.plan import Level
from policy_models.scoring import Ranked

router = APIRouter(route_class=Guarded, include_in_schema=False)
ONLY_COORDINATOR = "只有统筹单位可以评选优秀案例"
DONE = frozenset({State.SUBMITTED, State.ACCEPTED})


@router.get("/units/{code}/shortlist")
def show_shortlist(session: Reads, reading: OpenPlan, code: UnitCode, round: RoundCode = None) -> Response:
    """Everything about a half-year's exemplars on one page."""
    if code != reading.summary.coordinator:
        raise NotResponsible(ONLY_COORDINATOR)
    known = reads.rounds_of(session, reading.plan_id)
    wanted = chosen_round(known, round, civil_date(reading.now))
    found = reads.listing(session, reading.plan_id, wanted)
    view = panel_view(session, reading.plan_id, wanted, found)
    asked = reads.asked_units(session, reading.plan_id, wanted)
    senders = Counter(one.unit for one in found if one.state in SENT)
    answered = [name for unit, (name, state) in asked.items() if unit not in senders and state in DONE]
    context = {
        "here": "exemplars",
        "coordinator": code,
        "path": shortlist_path(code),
        "rounds": [one for one, _ in known],
        "round": wanted,
        "panel": view,
        "rows": ordered(found, view),
        "waiting": [one for one in found if one.state is ExemplarState.RETURNED],
        "senders": senders,
        "asked": asked,
        "answered": answered,
        "silent": [name for unit, (name, state) in asked.items() if unit not in senders and state not in DONE],
        "offices": [one for one in upper_units(session) if one.level is not Level.TOWNSHIP and one.function],
        "link_to": lambda one: exemplar_path(code, one.id),
    }
    return plan_page("shortlist.html", reading, plans.plans(session), context)


def ordered(found: tuple[Exemplar, ...], view: PanelView) -> list[tuple[Exemplar, Ranked | None]]:
    """What was handed in, the best score first where scores may be told; else in the order of handing in."""
    sent = {one.id: one for one in found if one.state in SENT}
    if view.ranking is None:
        return [(one, None) for one in sent.values()]
    return [(sent[row.exemplar], row) for row in view.ranking]


@router.post("/units/{code}/shortlist/{exemplar_id}")
def act(
    session: Writes,
    now: Now,
    by: Acting,
    exemplar_id: RowId,
    version: Version,
    action: Annotated[str, Form(max_length=12)] = "",
    note: LongWords = "",
    back: Annotated[str, Form(max_length=4)] = "",
) -> Response:
    """``action``: shortlist, drop, publish, unpublish or send_back; ``note``: the reason. ``back``: list or one."""
    if len(note) > 500:
        raise HTTPException(422, "理由请控制在 500 字以内")
    acts: dict[str, Callable[[], None]] = {
        "shortlist": lambda: shortlisting.shortlist(session, exemplar_id, version=version, by=by, now=now, note=note),
        "drop": lambda: shortlisting.drop(session, exemplar_id, version=version, by=by, now=now),
        "publish": lambda: shortlisting.publish(session, exemplar_id, version=version, by=by, now=now),
        "unpublish": lambda: shortlisting.unpublish(session, exemplar_id, version=version, by=by, now=now, note=note),
        "send_back": lambda: shortlisting.send_back(session, exemplar_id, reason=note, version=version, by=by, now=now),
    }
    if action not in acts:
        raise HTTPException(422, "没有这种操作，请从页面重新选择")
    acts[action]()
    if back == "one":
        return RedirectResponse(exemplar_path(by.unit, exemplar_id), 303)
    one = exemplar_row(session, exemplar_id)
    return RedirectResponse(
        f"{address(shortlist_path(by.unit), round=one.round_code, plan=one.plan_code)}#e{exemplar_id}", 303
    )
