"""代填: a township hands in for its villages on one sheet. What still lacks files waits in the drafts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from ledger import plans, submissions
from ledger.acts import Actor, Standing, standings
from ledger.database import Session
from ledger.pieces import columns_of, evidence_from
from ledger.screenings import require_clean
from ledger.submissions import Handed, words_of
from ledger.tables import draft_evidence
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, Fault, Faulty, LuchengError, NotResponsible
from policy_models.evidence import Evidence, missing
from policy_models.lifecycle import OWED, STATE_NAMES
from policy_models.plan import EvidenceType, Requirement

FILE_TYPES = frozenset({EvidenceType.PHOTO, EvidenceType.DOCUMENT, EvidenceType.SIGN_IN})


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of a sheet: how many were handed in, and the names of those kept as drafts, for want of files."""

    submitted: int
    drafted: tuple[str, ...]


def fill(
    session: Session, rows: Sequence[Handed], *, by: Actor, now: datetime, seen: dict[str, int] | None = None
) -> Filled:
    """Hand in every row that has all it needs, with the files that lie in its draft; keep as a draft what lacks only
    files. ``rows``: an item's key, its words and figures, the note; ``seen``: the revision that was shown, by key.
    All or nothing, a few statements whatever the number.

    Raises Faulty with a fault for each row that is wrong (its key, and why); NotFound, ChangedMeanwhile.
    """
    items = standings(session, [key for key, _, _ in rows])
    if any((seen or {}).get(item.key, item.revision) != item.revision for item in items):
        changed = "、".join(item.unit_name for item in items if (seen or {}).get(item.key) != item.revision)
        raise ChangedMeanwhile(f"{changed}的办理件刚刚有了变化，请看过最新情况再提交")
    rules = _rules(session, items)
    files = _files(session, [item.id for item in items])
    whole: list[Handed] = []
    waiting: list[tuple[Standing, Sequence[Evidence]]] = []
    faults: list[Fault] = []
    for item, (key, given, note) in zip(items, rows, strict=True):
        rule = rules[item.id]
        try:
            _check(item, rule, given, note, by)
        except LuchengError as error:
            faults.append(Fault(key, None, "", str(error)))
            continue
        answers = [piece for piece in given if piece.type is EvidenceType.NOTHING_NEW]
        together = answers or [*given, *files.get(item.id, [])]
        if missing(rule.evidence, together, nothing_new=rule.nothing_new):
            waiting.append((item, given))
        else:
            whole.append((key, together, note))
    if faults:
        raise Faulty(faults)
    _keep(session, waiting, by, now)
    if whole:
        submissions.submit_all(session, whole, by=by, now=now)
        done = {key for key, _, _ in whole}
        _forget(session, [item.id for item in items if item.key in done])
    return Filled(len(whole), tuple(item.unit_name for item, _ in waiting))


def _rules(session: Session, items: Sequence[Standing]) -> dict[int, Requirement]:
    codes = {item.plan_code for item in items}
    known = {(code, one.code): one for code in codes for _, one in plans.plan_document(session, code).requirements()}
    for item in items:
        if (item.plan_code, item.requirement) not in known:
            raise ActNotAllowed(f"方案修订后已不再包含事项 {item.requirement}，无需报送")
    return {item.id: known[item.plan_code, item.requirement] for item in items}


def _check(item: Standing, rule: Requirement, given: Sequence[Evidence], note: str | None, by: Actor) -> None:
    """Everything but the files. Raises NotResponsible, ActNotAllowed, PrivacyBlocked, Faulty."""
    if by.unit not in (item.unit, item.superior):
        raise NotResponsible("这一办理件由其他单位报送，您的单位不能代办")
    if item.state not in OWED:
        raise ActNotAllowed(f"现为“{STATE_NAMES[item.state]}”，不能填报")
    words = [one for one in rule.evidence if one.type not in FILE_TYPES]
    if wanted := missing(words, given, nothing_new=rule.nothing_new):
        raise ActNotAllowed(f"还缺：{'、'.join(wanted)}")
    require_clean(words_of(given, note, by))


def _files(session: Session, item_ids: Sequence[int]) -> dict[int, list[Evidence]]:
    of_these = draft_evidence.c.item_id.in_(item_ids) & draft_evidence.c.file_id.is_not(None)
    found: dict[int, list[Evidence]] = {}
    for row in session.execute(select(draft_evidence).where(of_these).order_by(draft_evidence.c.id)):
        found.setdefault(row.item_id, []).append(evidence_from(row))
    return found


def _keep(session: Session, waiting: Sequence[tuple[Standing, Sequence[Evidence]]], by: Actor, now: datetime) -> None:
    """Words and figures of these drafts are from now on these; files stay."""
    ids = [item.id for item, _ in waiting]
    session.execute(delete(draft_evidence).where(draft_evidence.c.item_id.in_(ids), draft_evidence.c.file_id.is_(None)))
    stamp: dict[str, Any] = {"added_at": now, "added_by": by.name}
    lines = [{"item_id": item.id, **columns_of(piece), **stamp} for item, given in waiting for piece in given]
    if lines:
        session.execute(insert(draft_evidence), lines)


def _forget(session: Session, item_ids: Sequence[int]) -> None:
    session.execute(delete(draft_evidence).where(draft_evidence.c.item_id.in_(item_ids)))
