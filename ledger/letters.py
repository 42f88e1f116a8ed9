"""来信: each letter once, with what its attachments met at the gate and the answer it gets, in one transaction. What
was filed waits for the coordinator, who confirms, dismisses or says whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from ledger import files, screenings
from ledger.acts import Actor
from ledger.addresses import register
from ledger.civil import civil_date
from ledger.database import Session
from ledger.file_store import FileStore
from ledger.plans import default_plan
from ledger.receipts import queue_receipt
from ledger.reports import submit_received
from ledger.tables import (
    mail_attachment,
    mail_letter,
    mailbox_mark,
    plan,
    report,
    round_,
    unit,
    unit_address,
    work_item,
)
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    FileRefused,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)
from policy_models.files import Received
from policy_models.letters import IncomingLetter, KnownUnit, LetterState, Verdict, answerable, decide, units_named
from policy_models.lifecycle import OWED
from policy_models.plan import Level
from policy_models.privacy import redact
from policy_models.rounds import NOT_OWED
from policy_models.text import written

MAILBOX = "来信"  # who brings in a file that came by mail, while nobody knows whose it is
ONLY_COORDINATOR = "来信由统筹单位办理"
GONE = "这封来信刚刚由他人办理，请刷新后再看"
FIRST_LOOK = timedelta(days=14)  # how far back a mailbox is read when it is read for the first time
SUBJECT_LIMIT, NAME_LIMIT = 400, 200


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a mailbox was read: every letter up to ``uid``, as the mailbox numbered them under ``uidvalidity``, that
    arrived on ``since`` (civil date) or later."""

    uidvalidity: int
    uid: int
    since: date
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a letter lies in the mailbox, and when it came in (UTC)."""

    mailbox: str
    uidvalidity: int
    uid: int
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class Looked:
    """An attachment after it was looked into: what may be kept, or why it was refused."""

    name: str
    size: int
    received: Received | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a letter; ``answered``: whether an answer was queued."""

    id: int
    state: LetterState
    answered: bool


def mark_of(session: Session, mailbox: str) -> Mark | None:
    """How far the mailbox was read; None before the first time."""
    row = session.execute(select(mailbox_mark).where(mailbox_mark.c.mailbox == mailbox)).first()
    return Mark(row.uidvalidity, row.uid, row.since, row.read_at) if row else None


def begin(session: Session, mailbox: str, uidvalidity: int, *, since: date | None, now: datetime) -> Mark:
    """From where a mailbox is to be read on: after what was read, or from its beginning when it has numbered its
    letters anew, was never read, or is now to be read from an earlier day.

    ``since``: what arrived before this civil date is passed by; None: as it was said before, the first time a fortnight
    back, so that a mailbox of years is not answered. Raises ChangedMeanwhile.
    """
    found = mark_of(session, mailbox)
    if found is None:
        start = since or civil_date(now) - FIRST_LOOK
        values = {"mailbox": mailbox, "uidvalidity": uidvalidity, "uid": 0, "since": start, "read_at": now}
        try:
            with session.begin_nested():
                session.execute(insert(mailbox_mark).values(values))
        except IntegrityError as error:
            raise ChangedMeanwhile("邮箱正由另一次收取读取") from error
        return Mark(uidvalidity, 0, start, now)
    start = since or found.since
    again = found.uidvalidity != uidvalidity or start < found.since
    mark = Mark(uidvalidity, 0 if again else found.uid, start, now)
    mine = mailbox_mark.c.mailbox == mailbox
    session.execute(
        update(mailbox_mark).where(mine).values(uidvalidity=uidvalidity, uid=mark.uid, since=start, read_at=now)
    )
    return mark


def advance(session: Session, mailbox: str, uidvalidity: int, uid: int, *, now: datetime) -> None:
    """Note that everything up to ``uid`` was read, in a mailbox that was begun. Never goes back; says nothing when the
    mailbox has been begun anew meanwhile. Raises ChangedMeanwhile when another reads it at this moment."""
    mine = (mailbox_mark.c.mailbox == mailbox, mailbox_mark.c.uidvalidity == uidvalidity)
    further = case((mailbox_mark.c.uid < uid, uid), else_=mailbox_mark.c.uid)
    session.execute(update(mailbox_mark).where(*mine).values(uid=further, read_at=now))


def known(session: Session, mailbox: str, message_ids: Sequence[str]) -> frozenset[str]:
    """Which of these letters are in the ledger."""
    mine = (mail_letter.c.mailbox == mailbox, mail_letter.c.message_id.in_(list(message_ids)))
    return frozenset(session.execute(select(mail_letter.c.message_id).where(*mine)).scalars())


def take_in(
    session: Session,
    store: FileStore,
    letter: IncomingLetter,
    looked: Sequence[Looked],
    *,
    place: Place,
    own: Iterable[str],
    answer: bool,
    now: datetime,
) -> TakenIn | None:
    """Write a letter down: its attachments through the privacy gate, to whom it belongs, its answer, and how far the
    mailbox was read; None when it is there already (then only the mark moves).

    ``own``: our own addresses; ``answer``: whether anything is sent at all. Raises ChangedMeanwhile when the same letter
    is being taken in by another at this moment.
    """
    advance(session, place.mailbox, place.uidvalidity, place.uid, now=now)
    if known(session, place.mailbox, [letter.message_id]):
        return None
    scene = _scene(session, letter, now)
    by = Actor(scene.sender.code if scene.sender else "", MAILBOX)
    attached = [_attached(session, store, one, by=by, now=now) for one in looked]
    verdict = decide(
        letter,
        sender_unit=scene.sender,
        rounds=scene.rounds,
        named=scene.named,
        kept=sum(one["file_id"] is not None for one in attached),
        refused=[one["reason"] for one in attached if one["reason"] is not None],
    )
    letter_id = _insert(session, letter, verdict, place, scene.plan_id, now)
    if attached:
        session.execute(insert(mail_attachment), [{"letter_id": letter_id, **one} for one in attached])
    wanted = answer and answerable(letter, own=own)
    told = wanted and queue_receipt(session, letter_id, letter.sender, plan_id=scene.plan_id, now=now)
    return TakenIn(letter_id, verdict.state, told)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What the ledger knows that a letter could belong to. ``rounds``: by code, whether open."""

    plan_id: int | None
    rounds: Mapping[str, bool]
    sender: KnownUnit | None
    named: tuple[KnownUnit, ...]


def _scene(session: Session, letter: IncomingLetter, now: datetime) -> _Scene:
    summary = default_plan(session, civil_date(now))
    of_plan = round_.c.plan_id == (summary.id if summary else None)
    rounds = {row.code: row.closed_at is None for row in session.execute(select(round_).where(of_plan))}
    owing = _owing(session, of_plan)
    city = session.execute(select(unit.c.name).where(unit.c.level == Level.CITY.value, unit.c.function == "")).first()
    named = units_named(letter.subject, owing.values(), city=city.name if city else "")
    return _Scene(summary.id if summary else None, rounds, _sender(session, letter.sender, owing), named)


def _owing(session: Session, of_plan: ColumnElement[bool]) -> dict[str, KnownUnit]:
    """The units that a plan's rounds want a report of."""
    rows = session.execute(
        select(unit.c.code, unit.c.name, unit.c.active, round_.c.code.label("round"), work_item.c.state)
        .join(report, report.c.unit_code == unit.c.code)
        .join(round_, round_.c.id == report.c.round_id)
        .join(work_item, work_item.c.id == report.c.item_id)
        .where(of_plan, work_item.c.state.not_in([state.value for state in NOT_OWED]))
    ).all()
    owes: dict[str, set[str]] = {}
    handed: dict[str, set[str]] = {}
    for row in rows:
        owes.setdefault(row.code, set()).add(row.round)
        if row.state not in {state.value for state in OWED}:
            handed.setdefault(row.code, set()).add(row.round)
    return {
        row.code: KnownUnit(
            row.code, row.name, row.active, frozenset(owes[row.code]), frozenset(handed.get(row.code, ()))
        )
        for row in rows
    }


def _sender(session: Session, address: str, owing: Mapping[str, KnownUnit]) -> KnownUnit | None:
    """The unit that the address is registered for."""
    row = session.execute(
        select(unit.c.code, unit.c.name, unit.c.active)
        .join(unit_address, unit_address.c.unit_code == unit.c.code)
        .where(unit_address.c.address == address)
    ).first()
    return (owing.get(row.code) or KnownUnit(row.code, row.name, row.active)) if row else None


def _attached(session: Session, store: FileStore, one: Looked, *, by: Actor, now: datetime) -> dict[str, Any]:
    """The columns of an attachment: kept, or refused with its reason."""
    row = {"name": redact(one.name)[:NAME_LIMIT], "size": one.size, "file_id": None, "reason": one.reason}
    if one.received is None:
        return row
    try:
        return {**row, "file_id": files.keep(session, store, one.received, by=by, now=now).id, "reason": None}
    except PrivacyBlocked as error:
        place, found = error.place, error.findings
        screenings.record(session, place, "blocked", found, sha256=error.sha256, by_unit=by.unit, now=now)
        return {**row, "reason": str(error)}
    except FileRefused as error:
        return {**row, "reason": str(error)}


def _insert(
    session: Session, letter: IncomingLetter, verdict: Verdict, place: Place, plan_id: int | None, now: datetime
) -> int:
    """Raises ChangedMeanwhile where another transaction was first."""
    settled = verdict.state is LetterState.DISMISSED
    values = {
        "mailbox": place.mailbox,
        "message_id": letter.message_id,
        "uidvalidity": place.uidvalidity,
        "uid": place.uid,
        "sender": letter.sender,
        "subject": redact(written(letter.subject))[:SUBJECT_LIMIT],
        "sent_at": letter.sent_at,
        "received_at": min(place.arrived_at, now),
        "unit_code": verdict.unit,
        "plan_id": plan_id,
        "round_code": verdict.round,
        "state": verdict.state.value,
        "reason": verdict.reason,
        "decided_at": now if settled else None,
        "decided_by": MAILBOX if settled else None,
    }
    try:
        with session.begin_nested():
            found = session.execute(insert(mail_letter).values(values).returning(mail_letter.c.id))
            return int(found.scalar_one())
    except IntegrityError as error:
        raise ChangedMeanwhile("这封来信正由另一次收取办理") from error


def last_read(session: Session) -> datetime | None:
    """When a mailbox was last read; None before the first time."""
    found: datetime | None = session.execute(select(func.max(mailbox_mark.c.read_at))).scalar()
    return found


def waiting(session: Session) -> int:
    """How many letters wait for a coordinator, to be confirmed or to be given to a unit."""
    states = (LetterState.FILED.value, LetterState.SET_ASIDE.value)
    found = select(func.count()).select_from(mail_letter).where(mail_letter.c.state.in_(states))
    return int(session.execute(found).scalar_one())


def confirm(session: Session, letter_id: int, sections: Mapping[str, str], *, by: Actor, now: datetime) -> int:
    """Hand in what a letter brought as its unit's report, on the day the letter came; the new revision of its item.

    ``sections``: the text by section of a report. Raises NotFound, NotResponsible, ActNotAllowed, ChangedMeanwhile, and
    what ``submit_received`` raises.
    """
    found = _letter(session, letter_id, by)
    if found.state != LetterState.FILED:
        raise ActNotAllowed("只有已归入单位和期次、待确认的来信可以确认")
    kept = session.execute(
        select(mail_attachment.c.file_id, mail_attachment.c.name)
        .where(mail_attachment.c.letter_id == letter_id, mail_attachment.c.file_id.is_not(None))
        .order_by(mail_attachment.c.id)
    )
    _settle(session, found, LetterState.CONFIRMED, by=by, now=now)
    return submit_received(
        session,
        found.plan_code,
        found.round_code,
        found.unit_code,
        sections,
        files=[(row.file_id, row.name) for row in kept],
        by=by,
        received_on=civil_date(found.received_at),
        now=now,
    )


def dismiss(session: Session, letter_id: int, reason: str, *, by: Actor, now: datetime) -> None:
    """Settle a letter that needs no more, with a reason. Raises NotFound, NotResponsible, ReasonMissing, PrivacyBlocked,
    ActNotAllowed, ChangedMeanwhile."""
    found = _letter(session, letter_id, by)
    if found.state in (LetterState.CONFIRMED, LetterState.DISMISSED):
        raise ActNotAllowed("这封来信已经办理")
    words = written(reason)
    if not words:
        raise ReasonMissing("不予办理须写明理由")
    screenings.require_clean([("理由", words)])
    _settle(session, found, LetterState.DISMISSED, by=by, now=now, reason=words)


def assign(
    session: Session, letter_id: int, unit_code: str, round_code: str, *, by: Actor, now: datetime, remember: bool
) -> None:
    """Say whose a letter is and for which round; it then waits to be confirmed. ``remember``: from now on this address
    is the unit's. Raises NotFound, NotResponsible, ActNotAllowed, ChangedMeanwhile."""
    found = _letter(session, letter_id, by)
    if found.state not in (LetterState.SET_ASIDE, LetterState.FILED):
        raise ActNotAllowed("只有待归口或待确认的来信可以归入单位")
    of_round = and_(round_.c.plan_id == found.of_plan, round_.c.code == round_code)
    own = _owing(session, of_round).get(unit_code)
    if own is None:
        raise ActNotAllowed("所选单位在这一期没有应报的报告，请核对单位和期次")
    mine = (mail_attachment.c.letter_id == letter_id, mail_attachment.c.file_id.is_not(None))
    if session.execute(select(func.count()).select_from(mail_attachment).where(*mine)).scalar_one() == 0:
        raise ActNotAllowed("这封来信没有收下附件，不能作为报告归入单位")
    caution = f"{own.name}这一期的报告已经报送，如要采用来信，请先退回" if round_code in own.handed_in else None
    facts = {"plan_id": found.of_plan, "unit_code": unit_code, "round_code": round_code, "reason": caution}
    _settle(session, found, LetterState.FILED, by=by, now=now, **facts)
    if remember and found.sender:
        register(session, found.sender, unit_code, now=now)


def _letter(session: Session, letter_id: int, by: Actor) -> Any:
    """The letter's row, where this actor may settle it. Raises NotFound, NotResponsible."""
    # a letter that came before there was any plan belongs to the plan of whoever coordinates one
    own = or_(plan.c.id == mail_letter.c.plan_id, and_(mail_letter.c.plan_id.is_(None), plan.c.coordinator == by.unit))
    row = session.execute(
        select(mail_letter, plan.c.id.label("of_plan"), plan.c.code.label("plan_code"), plan.c.coordinator)
        .outerjoin(plan, own)
        .where(mail_letter.c.id == letter_id)
        .order_by(plan.c.starts_on.desc())
        .limit(1)
    ).first()
    if row is None:
        raise NotFound("没有这封来信")
    if row.coordinator != by.unit:
        raise NotResponsible(ONLY_COORDINATOR)
    screenings.require_clean([("经办人", by.name)])
    return row


def _settle(session: Session, found: Any, state: LetterState, *, by: Actor, now: datetime, **facts: Any) -> None:
    """A conditional update. Raises ChangedMeanwhile."""
    unchanged = and_(
        mail_letter.c.id == found.id,
        mail_letter.c.state == found.state,
        mail_letter.c.unit_code.is_not_distinct_from(found.unit_code),
        mail_letter.c.round_code.is_not_distinct_from(found.round_code),
    )
    met = session.execute(
        update(mail_letter).where(unchanged).values(state=state.value, decided_at=now, decided_by=by.name, **facts)
    )
    if met.rowcount == 0:
        raise ChangedMeanwhile(GONE)
