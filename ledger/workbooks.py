"""工作簿: the rows of a workbook taken over, all or nothing, in a handful of statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert

from ledger.acts import CHUNK, Actor, Standing, standings
from ledger.database import Session
from ledger.pieces import columns_of
from ledger.queries.workbooks import drafts_of
from ledger.screenings import require_clean
from ledger.submissions import Handed, submit_all, words_of
from ledger.tables import draft_evidence
from policy_models.errors import Fault, Faulty, LuchengError, NotResponsible
from policy_models.evidence import Evidence, missing
from policy_models.lifecycle import Act, advance
from policy_models.workbook_check import Filled

WORDS = draft_evidence.c.file_id.is_(None)
EVERYTHING = draft_evidence.c.id.is_not(None)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the rows: handed in; kept as drafts, because files are still to be added on the page, and of
    these how many had a note, which a draft cannot hold."""

    submitted: int
    kept: int
    notes_lost: int


def take(session: Session, rows: Sequence[Filled], *, by: Actor, now: datetime) -> Taken:
    """Hand in every row that has all it needs, with the files of its draft; keep the others as drafts. All or nothing.

    A handful of statements for every 500 rows. Raises Faulty with a fault for each key that cannot be taken, before
    anything is written; NotFound, ChangedMeanwhile.
    """
    items = {item.key: item for item in standings(session, [row.key for row in rows])}
    drafts = drafts_of(session, [item.id for item in items.values()])
    ready: list[Handed] = []
    kept: list[Filled] = []
    for row in rows:
        pieces = [*row.evidence, *_files(drafts.get(items[row.key].id, ()))]
        if row.says_nothing_new:
            ready.append((row.key, row.evidence, row.note))
        elif missing(row.requirement.evidence, pieces):
            kept.append(row)
        else:
            ready.append((row.key, pieces, row.note))
    drafted = [(items[row.key], row) for row in kept]
    _require_keepable(drafted, by)
    submit_all(session, ready, by=by, now=now)
    _keep(session, drafted, by, now)
    quiet = {row.key for row in rows if row.says_nothing_new}  # what lay beside such an answer stays in the draft
    _clear(session, [items[key].id for key, _, _ in ready if key in quiet], WORDS)
    _clear(session, [items[key].id for key, _, _ in ready if key not in quiet], EVERYTHING)
    return Taken(len(ready), len(kept), sum(row.note is not None for row in kept))


def _files(pieces: Iterable[Evidence]) -> list[Evidence]:
    return [piece for piece in pieces if piece.file_id is not None]


def _require_keepable(rows: Sequence[tuple[Standing, Filled]], by: Actor) -> None:
    faults = []
    for item, row in rows:
        try:
            if by.unit not in (item.unit, item.superior):
                raise NotResponsible("这一办理件由其他单位报送，您的单位不能代办")
            advance(item.state, Act.SUBMIT)
            require_clean(words_of(row.evidence, row.note, by))
        except LuchengError as error:
            faults.append(Fault(row.key, None, "", str(error)))
    if faults:
        raise Faulty(faults)


def _keep(session: Session, rows: Sequence[tuple[Standing, Filled]], by: Actor, now: datetime) -> None:
    """Words and figures of the sheet replace those of the drafts; files stay."""
    _clear(session, [item.id for item, _ in rows], WORDS)
    values = [
        {"item_id": item.id, **columns_of(piece), "added_at": now, "added_by": by.name}
        for item, row in rows
        for piece in row.evidence
    ]
    if values:
        session.execute(insert(draft_evidence), values)


def _clear(session: Session, ids: Sequence[int], which: ColumnElement[bool]) -> None:
    for start in range(0, len(ids), CHUNK):
        of_these = draft_evidence.c.item_id.in_(ids[start : start + CHUNK])
        session.execute(delete(draft_evidence).where(of_these, which))
