"""审核: a reviewer's queue, one submission beside its rule, many villages' at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.blocked import record_blocked
from api.dependencies import Acting, Ledger, Now, PlanCode, Reads, UnitCode, empty_is_none
from api.desk import Today, present
from api.guard import Guarded
from api.pages import address, plan_page
from api.routes.item import Key, PageNumber, Word
from ledger import plans, reviews, samples
from ledger.acts import Actor, standing
from ledger.database import Database, Session
from ledger.queries.items import item
from ledger.queries.reading import Reading
from ledger.queries.review import (
    PAGE_ROWS,
    Group,
    Queue,
    QueueFilter,
    Waiting,
    keys_in_order,
    last_acts,
    period_before,
    review_queue,
)
from ledger.queries.units import counties, unit_names, unit_row
from ledger.reviews import Bulk
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    LuchengError,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)
from policy_models.lifecycle import State
from policy_models.plan import Collects

router = APIRouter(route_class=Guarded, include_in_schema=False)
TRIES = 3  # of a bulk act that somebody else's act met at the same instant
Verdict = Literal["accept", "send_back"]
Switch = Annotated[Literal["on"] | None, BeforeValidator(empty_is_none), Query()]
Words = Annotated[str, Form(max_length=500)]


def asked(
    requirement: Word = None, period: Word = None, under: Word = None, late: Switch = None, whole: Switch = None
) -> QueueFilter:
    return QueueFilter(requirement, period, under, late == "on", whole == "on")


Asked = Annotated[QueueFilter, Depends(asked)]


def kept(wanted: QueueFilter) -> dict[str, object]:
    """The filter as fields of an address."""
    return {
        "requirement": wanted.requirement,
        "period": wanted.period,
        "under": wanted.under,
        "late": "on" if wanted.late else None,
        "whole": "on" if wanted.whole else None,
    }


def queue_path(code: str) -> str:
    return f"/units/{quote(code, safe='-')}/review"


@router.get("/units/{code}/review")
def show_queue(
    session: Reads,
    reading: Today,
    code: UnitCode,
    wanted: Asked,
    number: PageNumber = None,
    done: Annotated[int, Query(ge=0, le=100_000)] = 0,
    verdict: Annotated[Verdict | None, Query()] = None,
) -> Response:
    """What waits for this unit, oldest first."""
    return _queue_page(session, reading, code, wanted, number=number or 1, done=done, verdict=verdict)


def _queue_page(
    session: Session,
    reading: Reading,
    code: str,
    wanted: QueueFilter,
    *,
    number: int = 1,
    done: int = 0,
    verdict: Verdict | None = None,
    fault: str = "",
    reason: str = "",
    picked: frozenset[str] = frozenset(),
    status: int = 200,
) -> Response:
    own = unit_row(session, code)
    coordinates = own.code == reading.summary.coordinator
    queue = review_queue(session, reading, own.code, wanted, skip=(number - 1) * PAGE_ROWS)
    drawn = samples.of_reviewer(session, reading.plan_id, own.code)
    context = {
        "here": "units",
        "unit": own,
        "wanted": wanted,
        "kept": kept(wanted),
        "queue": queue,
        "grouped": grouped(queue),
        "elsewhere": elsewhere,
        "number": number,
        "coordinates": coordinates,
        "counties": counties(session) if coordinates else (),
        "held": samples.held_back(session, [row.id for row in queue.rows]),
        "samples": drawn,
        "labels": _labels(reading, {group.requirement for group in queue.groups}),
        "names": unit_names(session, frozenset({wanted.under} if wanted.under else ())),
        "done": done,
        "verdict": verdict,
        "fault": fault,
        "reason": reason,
        "picked": picked,
    }
    return plan_page("review.html", reading, plans.plans(session), context, status=status)


def grouped(queue: Queue) -> list[tuple[Group, list[Waiting]]]:
    """The rows of a page under their groups, in the order of the queue."""
    groups = {(group.requirement, group.period): group for group in queue.groups}
    parts: dict[tuple[str, str], list[Waiting]] = {}
    for row in queue.rows:
        parts.setdefault((row.requirement, row.period), []).append(row)
    return [(groups[name], rows) for name, rows in parts.items()]


def elsewhere(code: str, collects: str | None, period: str, unit: str) -> str | None:
    """The page on which a half-year report, an exemplar or a bulletin item is reviewed; None for all else."""
    if not collects:
        return None
    desk = f"/units/{quote(code, safe='-')}"
    pages = {
        Collects.REPORT: f"{desk}/reports/{quote(period)}/{quote(unit, safe='-')}",
        Collects.EXEMPLARS: f"{desk}/exemplars",
        Collects.BULLETIN: f"{desk}/bulletin",
    }
    return pages[Collects(collects)]


def _labels(reading: Reading, codes: set[str]) -> dict[str, list[tuple[str, str, str | None]]]:
    """Name, label and denominator's label of the measures of each requirement, in the rule's order."""
    found = {code: reading.requirement(code) for code in codes}
    return {
        code: [(rule.name or "", rule.label or "", rule.of_label) for rule in one.measures] if one else []
        for code, one in found.items()
    }


@router.post("/units/{code}/review")
def review_many(
    database: Ledger,
    now: Now,
    by: Acting,
    code: UnitCode,
    wanted: Asked,
    verdict: Annotated[Verdict, Form()],
    pick: Annotated[list[str], Form()] = [],  # noqa: B006
    reason: Words = "",
    plan: PlanCode = None,
) -> Response:
    """Accept or send back what is ticked. What somebody else changed meanwhile is left alone and told."""
    seen = picked_items(pick)
    try:
        bulk = do_all(database, list(seen), seen, verdict, by=by, now=now, reason=reason)
    except (ReasonMissing, PrivacyBlocked, ActNotAllowed) as error:
        note_blocked(database, error, by=by, now=now)
        with database.read() as session:
            reading, status = present(session, plan, now), 409 if isinstance(error, ActNotAllowed) else 422
            return _queue_page(
                *(session, reading, code, wanted),
                fault=str(error),
                reason=reason,
                picked=frozenset(seen),
                status=status,
            )
    if not bulk.left:
        told = {"done": len(bulk.done), "verdict": verdict, "plan": plan}
        return RedirectResponse(address(queue_path(code), **told, **kept(wanted)), 303)
    with database.read() as session:
        reading = present(session, plan, now)
        context = {
            "here": "units",
            "unit": unit_row(session, code),
            "kept": kept(wanted),
            "bulk": bulk,
            "verdict": verdict,
            "last": last_acts(session, [one.id for one in bulk.left]),
        }
        status = 200 if bulk.done else 409
        return plan_page("review_left.html", reading, plans.plans(session), context, status=status)


def note_blocked(database: Database, error: LuchengError, *, by: Actor, now: datetime) -> None:
    """Record what the privacy gate stopped, where that is what happened."""
    if isinstance(error, PrivacyBlocked):
        record_blocked(database, error, by_unit=by.unit, now=now)


def picked_items(pick: Sequence[str]) -> dict[str, int]:
    """``key@revision`` as the check boxes send it: the revision that the reviewer saw, by key. Raises NotFound."""
    found: dict[str, int] = {}
    for one in pick:
        key, _, revision = one.rpartition("@")
        if not key or not revision.isascii() or not revision.isdigit() or len(revision) > 9 or not key.isprintable():
            raise NotFound("勾选的内容不完整，请刷新页面后重新勾选")
        found[key] = int(revision)
    return found


def do_all(
    database: Database,
    keys: Sequence[str],
    seen: Mapping[str, int],
    verdict: Verdict,
    *,
    by: Actor,
    now: datetime,
    reason: str,
) -> Bulk:
    """Accept or send back these items. Try again when another act came in at the same instant: the second reading knows who was first."""
    for left in reversed(range(TRIES)):
        try:
            with database.write() as session:
                if verdict == "accept":
                    return reviews.accept_all(session, keys, by=by, now=now, note=reason or None, seen=seen)
                return reviews.send_back_all(session, keys, by=by, now=now, reason=reason, seen=seen)
        except ChangedMeanwhile:
            if not left:
                raise
    raise AssertionError("unreachable")


@router.get("/units/{code}/review/{key:path}")
def show_one(
    session: Reads,
    reading: Today,
    code: UnitCode,
    key: Key,
    wanted: Asked,
    verdict: Annotated[Verdict | None, Query()] = None,
) -> Response:
    """One submission: its evidence beside the rule, what was asked for before, the figures of the period before."""
    return _one_page(session, reading, code, key, wanted, verdict=verdict)


def _one_page(
    session: Session,
    reading: Reading,
    code: str,
    key: str,
    wanted: QueueFilter,
    *,
    verdict: Verdict | None = None,
    fault: str = "",
    reason: str = "",
    status: int = 200,
) -> Response:
    own = unit_row(session, code)
    found = standing(session, key)
    if not reviews.may_review(found, own.code):
        raise NotResponsible("您的单位不是这一办理件的审核单位")
    if found.state is not State.SUBMITTED:
        return _gone(session, reading, code, key, wanted, "这一办理件不在待审核之列", status=200)
    detail = item(session, reading, key)
    rule = reading.requirement(detail.row.requirement)
    order = keys_in_order(session, reading, own.code, wanted)
    context = {
        "here": "units",
        "unit": own,
        "kept": kept(wanted),
        "detail": detail,
        "row": detail.row,
        "elsewhere": elsewhere(own.code, rule.collects if rule else None, detail.row.period, detail.row.unit),
        "requirement": rule,
        "before": period_before(session, reading, detail.row.requirement, detail.row.unit, detail.row.deadline),
        "place": order.index(key) + 1 if key in order else None,
        "total": len(order),
        "previous": _beside(order, key, -1),
        "next": _beside(order, key, +1),
        "verdict": verdict,
        "fault": fault,
        "reason": reason,
    }
    return plan_page("review_one.html", reading, plans.plans(session), context, status=status)


def _beside(order: tuple[str, ...], key: str, step: int) -> str | None:
    if key not in order:
        return order[0] if order and step > 0 else None
    place = order.index(key) + step
    return order[place] if 0 <= place < len(order) else None


@router.post("/units/{code}/review/{key:path}")
def review_one(
    database: Ledger,
    now: Now,
    by: Acting,
    code: UnitCode,
    key: Key,
    wanted: Asked,
    verdict: Annotated[Verdict, Form()],
    seen: Annotated[int, Form(ge=0, le=10**9)],
    reason: Words = "",
    plan: PlanCode = None,
) -> Response:
    """One verdict, then the next in the queue. Who comes second reads who was first."""
    try:
        with database.write() as session:
            order = keys_in_order(session, present(session, plan, now), by.unit, wanted)
            if standing(session, key).collects:
                raise ActNotAllowed(reviews.BY_SECTION)
            if verdict == "accept":
                reviews.accept(session, key, by=by, now=now, note=reason.strip() or None, seen=seen)
            else:
                reviews.send_back(session, key, by=by, now=now, reason=reason, seen=seen)
    except (ReasonMissing, PrivacyBlocked, ActNotAllowed, ChangedMeanwhile) as error:
        note_blocked(database, error, by=by, now=now)
        with database.read() as session:
            return _refused(session, present(session, plan, now), code, key, wanted, error, reason)
    after = _beside(order, key, +1) or next((one for one in order if one != key), None)
    told = {"verdict": verdict, "plan": plan, **kept(wanted)}
    path = f"{queue_path(code)}/{quote(after, safe=':-._~')}" if after else queue_path(code)
    return RedirectResponse(address(path, **told, **({} if after else {"done": 1})), 303)


def _refused(
    session: Session, reading: Reading, code: str, key: str, wanted: QueueFilter, error: LuchengError, reason: str
) -> Response:
    """The page again with what was typed; for who came second, who was first and the way on."""
    if isinstance(error, (ReasonMissing, PrivacyBlocked)):
        return _one_page(session, reading, code, key, wanted, fault=str(error), reason=reason, status=422)
    return _gone(session, reading, code, key, wanted, str(error), status=409, reason=reason)


def _gone(
    session: Session,
    reading: Reading,
    code: str,
    key: str,
    wanted: QueueFilter,
    sentence: str,
    *,
    status: int,
    reason: str = "",
) -> Response:
    detail = item(session, reading, key)
    context = {
        "here": "units",
        "unit": unit_row(session, code),
        "kept": kept(wanted),
        "row": detail.row,
        "last": detail.entries[-1] if detail.entries else None,
        "sentence": sentence,
        "reason": reason,
        "next": _beside(keys_in_order(session, reading, code, wanted), key, +1),
    }
    return plan_page("review_gone.html", reading, plans.plans(session), context, status=status)
