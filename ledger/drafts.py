"""草稿: what a unit has put together for an item and not yet handed in. No evidence until it is submitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger import plans, submissions
from ledger.acts import Actor, Standing
from ledger.database import Session
from ledger.files import NO_FILE, StoredFile, stored_from
from ledger.pieces import columns_of, evidence_from
from ledger.screenings import require_clean
from ledger.submissions import owed, require_not_report, words_of
from ledger.tables import draft_evidence, file, work_item
from ledger.used_files import files_of
from policy_models.errors import ActNotAllowed, FileRefused, NotFound
from policy_models.evidence import TYPE_NAMES, Evidence
from policy_models.file_names import plain_name
from policy_models.lifecycle import OWED, STATE_NAMES
from policy_models.plan import EvidenceType

FILE_TYPES = frozenset({EvidenceType.PHOTO, EvidenceType.DOCUMENT, EvidenceType.SIGN_IN})
GONE = "这份材料已不在草稿中，请刷新后再看"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a draft; ``file`` where it has one."""

    id: int
    evidence: Evidence
    file: StoredFile | None
    added_at: datetime
    added_by: str


def pieces(session: Session, item_id: int) -> tuple[Piece, ...]:
    """The draft of an item, in the order it was put together."""
    labelled = [column.label(f"stored_{column.name}") for column in file.c]
    rows = session.execute(
        select(draft_evidence, *labelled)
        .outerjoin(file, file.c.id == draft_evidence.c.file_id)
        .where(draft_evidence.c.item_id == item_id)
        .order_by(draft_evidence.c.id)
    )
    return tuple(_piece(row) for row in rows)


def add_file(
    session: Session,
    key: str,
    stored: StoredFile,
    name: str,
    type: EvidenceType,
    *,
    limit: int,
    by: Actor,
    now: datetime,
    effective_on: date | None = None,
) -> bool:
    """Lay a file into an item's draft; False where it lay there already (it then counts as ``type``).

    Raises NotFound, NotResponsible, ActNotAllowed, PrivacyBlocked for its name, FileRefused where it cannot count as
    ``type`` or the draft already holds ``limit`` files.
    """
    item = _editable(session, key, by)
    return _add(session, item, [(stored, name)], type, limit=limit, by=by, now=now, effective_on=effective_on) == 1


def pick_files(
    session: Session,
    key: str,
    file_ids: Sequence[int],
    type: EvidenceType,
    *,
    limit: int,
    by: Actor,
    now: datetime,
    names: Mapping[int, str] | None = None,
) -> int:
    """Use files that the item's unit (or the one that acts for it) already has; how many were not in the draft before.

    ``names``: where a file is to be called otherwise than it was last. Errors as ``add_file``; NotFound for files of
    other units.
    """
    item = _editable(session, key, by)
    own = {one.file.id: one for one in files_of(session, {item.unit, by.unit}, ids=set(file_ids), limit=None)}
    if any(one not in own for one in file_ids):
        raise NotFound(NO_FILE)
    called = names or {}
    named = [(own[one].file, called.get(one) or own[one].name) for one in dict.fromkeys(file_ids)]
    return _add(session, item, named, type, limit=limit, by=by, now=now, effective_on=None)


def write_words(session: Session, key: str, given: Sequence[Evidence], *, by: Actor, now: datetime) -> None:
    """Figures, texts, links and 无新增 of the draft are from now on these; files stay as they are.

    Raises NotFound, NotResponsible, ActNotAllowed, PrivacyBlocked.
    """
    item = _editable(session, key, by)
    require_clean(words_of(given, None, by))
    of_item = draft_evidence.c.item_id == item.id
    session.execute(delete(draft_evidence).where(of_item, draft_evidence.c.file_id.is_(None)))
    if given:
        session.execute(insert(draft_evidence), [_row(item, piece, by, now) for piece in given])


def date_files(session: Session, key: str, days: dict[int, date | None], *, by: Actor) -> None:
    """When what files show happened, by piece. Raises NotFound, NotResponsible, ActNotAllowed."""
    item = _editable(session, key, by)
    for day in set(days.values()):
        chosen = [piece for piece, wanted in days.items() if wanted == day]
        where = (draft_evidence.c.item_id == item.id, draft_evidence.c.id.in_(chosen))
        session.execute(update(draft_evidence).where(*where).values(effective_on=day))


def remove(session: Session, key: str, piece_id: int, *, by: Actor) -> Evidence:
    """Take one piece out of the draft; what it was, so that it can be put back. Errors as ``write_words``."""
    item = _editable(session, key, by)
    where = (draft_evidence.c.item_id == item.id, draft_evidence.c.id == piece_id)
    row = session.execute(delete(draft_evidence).where(*where).returning(*draft_evidence.c)).first()
    if row is None:
        raise NotFound(GONE)
    return evidence_from(row)


def clear(session: Session, key: str, *, by: Actor) -> int:
    """Empty the draft; how many pieces there were. Errors as ``write_words``."""
    item = _editable(session, key, by)
    return session.execute(delete(draft_evidence).where(draft_evidence.c.item_id == item.id)).rowcount


def missing_contents(session: Session, key: str, sha256: Iterable[str], *, by: Actor) -> list[str]:
    """Which of these contents the draft does not hold yet, in their order: what a retry has to send."""
    item = _editable(session, key, by)
    asked = list(dict.fromkeys(sha256))
    there = select(file.c.sha256).join(draft_evidence, draft_evidence.c.file_id == file.c.id)
    held = set(session.execute(there.where(draft_evidence.c.item_id == item.id)).scalars())
    return [one for one in asked if one not in held]


def submit_draft(
    session: Session, key: str, *, by: Actor, now: datetime, note: str | None = None, received_on: date | None = None
) -> int:
    """Hand in an item with what its draft holds; the new revision. An answer 无新增 goes in alone; what lay beside it
    stays in the draft. Errors as ``submissions.submit``."""
    item = owed(session, key, by)
    require_not_report(plans.requirement(session, item.plan_code, item.requirement))
    held = pieces(session, item.id)
    answers = [piece for piece in held if piece.evidence.type is EvidenceType.NOTHING_NEW]
    chosen = answers or held
    given = [piece.evidence for piece in chosen]
    revision = submissions.submit(session, key, by=by, evidence=given, now=now, note=note, received_on=received_on)
    ids = [piece.id for piece in chosen]
    session.execute(delete(draft_evidence).where(draft_evidence.c.item_id == item.id, draft_evidence.c.id.in_(ids)))
    return revision


def _editable(session: Session, key: str, by: Actor) -> Standing:
    item = owed(session, key, by)
    if item.state not in OWED:
        raise ActNotAllowed(f"“{STATE_NAMES[item.state]}”的办理件不能修改材料")
    return item


def _add(
    session: Session,
    item: Standing,
    named: Sequence[tuple[StoredFile, str]],
    type: EvidenceType,
    *,
    limit: int,
    by: Actor,
    now: datetime,
    effective_on: date | None,
) -> int:
    _require_fit(type, [stored for stored, _ in named])
    clean = [(stored, plain_name(name)) for stored, name in named]
    require_clean([*(("文件名", name) for _, name in clean), ("经办人", by.name)])
    of_item = draft_evidence.c.item_id == item.id
    held = set(
        session.execute(
            select(draft_evidence.c.file_id).where(of_item, draft_evidence.c.file_id.is_not(None))
        ).scalars()
    )
    fresh = [(stored, name) for stored, name in clean if stored.id not in held]
    if len(held) + len(fresh) > limit:
        raise FileRefused(f"一次报送最多 {limit} 份文件，草稿中已有 {len(held)} 份，请分次报送或删去不需要的文件")
    there = [stored.id for stored, _ in clean if stored.id in held]
    if there:
        session.execute(
            update(draft_evidence).where(of_item, draft_evidence.c.file_id.in_(there)).values(type=type.value)
        )
    rows = [
        _row(item, Evidence(type, file_id=stored.id, file_name=name, effective_on=effective_on), by, now)
        for stored, name in fresh
    ]
    return _insert(session, rows)


def _insert(session: Session, rows: list[dict[str, Any]]) -> int:
    """How many were not there: somebody else may have added the same at this moment."""
    if not rows:
        return 0
    try:
        with session.begin_nested():
            session.execute(insert(draft_evidence), rows)
    except IntegrityError:
        if len(rows) == 1:
            return 0
        return sum(_insert(session, [row]) for row in rows)
    return len(rows)


def _require_fit(type: EvidenceType, files: Sequence[StoredFile]) -> None:
    if type not in FILE_TYPES:
        raise FileRefused(f"“{TYPE_NAMES[type]}”不以文件报送")
    if type is EvidenceType.PHOTO and not all(stored.is_photo for stored in files):
        raise FileRefused("照片须为 jpg、png 或 heic 图片，其他文件请放入“文件”一栏")


def _row(item: Standing, piece: Evidence, by: Actor, now: datetime) -> dict[str, Any]:
    return {"item_id": item.id, **columns_of(piece), "added_at": now, "added_by": by.name}


def _piece(row: Any) -> Piece:
    stored = stored_from(row, "stored_") if row.file_id is not None else None
    return Piece(row.id, evidence_from(row), stored, row.added_at, row.added_by)


def held_counts(session: Session, plan_id: int, unit_code: str) -> dict[str, dict[EvidenceType, int]]:
    """How many pieces of each type lie in the drafts of the items a unit owes, by the item's key: one statement."""
    owed_now = [state.value for state in OWED]
    rows = session.execute(
        select(work_item.c.key, draft_evidence.c.type, func.count().label("n"))
        .join(draft_evidence, draft_evidence.c.item_id == work_item.c.id)
        .where(work_item.c.plan_id == plan_id, work_item.c.unit_code == unit_code, work_item.c.state.in_(owed_now))
        .group_by(work_item.c.key, draft_evidence.c.type)
    )
    found: dict[str, dict[EvidenceType, int]] = {}
    for row in rows:
        found.setdefault(row.key, {})[EvidenceType(row.type)] = row.n
    return found
