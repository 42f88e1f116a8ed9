"""文件: contents that were let in, each once; the bytes lie in the file store, the row says what they are.

Bytes go into the store before the row is written: a process killed in between leaves bytes that no row names, never
a row without bytes. What a draft or an entry names is evidence, nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, union, update
from sqlalchemy.exc import IntegrityError

from ledger import screenings
from ledger.acts import Actor
from ledger.database import Session
from ledger.file_store import FileStore
from ledger.tables import (
    compilation,
    draft_evidence,
    evidence,
    exemplar,
    exemplar_picture,
    file,
    template,
    work_item,
)
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, FileRefused, NotFound, NotResponsible, PrivacyBlocked
from policy_models.exemplars import ExemplarState
from policy_models.files import PHOTO_KINDS, FileKind, Received
from policy_models.privacy import redact

NO_FILE = "没有这个文件，地址可能不完整或已失效"


@dataclass(frozen=True, slots=True)
class Warned:
    """What screening met in a file that was let in: its kind and a masked sample."""

    kind: str
    sample: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """``sha256``: of the bytes as they came; ``kept``: of the bytes kept; ``redacted``: of the copy that everybody but
    the sending unit sees, None where all see the same; ``restricted``: let in by an exception; ``size`` in bytes."""

    id: int
    sha256: str
    kept: str
    redacted: str | None
    kind: FileKind
    size: int
    restricted: bool
    warnings: tuple[Warned, ...]
    by_unit: str
    kept_at: datetime

    @property
    def shown(self) -> str:
        """The digest of what others see."""
        return self.redacted or self.kept

    @property
    def is_photo(self) -> bool:
        return self.kind in PHOTO_KINDS


def keep(session: Session, store: FileStore, received: Received, *, by: Actor, now: datetime) -> StoredFile:
    """Let a file in; the same content twice is the same row. What blocks enters by an exception alone: then it is
    restricted, and others see its redacted copy.

    Raises PrivacyBlocked (nothing is stored), FileRefused where an exception has no copy to show, and
    ChangedMeanwhile when the same content came in at the same moment and this transaction cannot see it.
    """
    restricted = _enters_restricted(session, received)
    found = _by_content(session, received.sha256)
    if found and found.restricted >= restricted and store.has(found.kept):
        return found
    facts = _facts(store, received, restricted)
    if found:  # its bytes were lost, or what it holds has come to be restricted
        session.execute(update(file).where(file.c.id == found.id).values(**facts))
    else:
        _insert(session, {**facts, "sha256": received.sha256, "by_unit": by.unit, "kept_at": now})
    if received.findings:
        outcome = "allowed" if restricted else "warned"
        screenings.record(
            session, place(received), outcome, received.findings, sha256=received.sha256, by_unit=by.unit, now=now
        )
    stored = _by_content(session, received.sha256)
    if stored is None:
        raise ChangedMeanwhile("同一文件刚刚由他人上传，请重试")
    return stored


def place(received: Received) -> str:
    """Where findings stand, in words: the file by its name, with whatever is personal in the name masked."""
    return redact(f"文件 {received.name}")[:80]


def stored_file(session: Session, file_id: int) -> StoredFile:
    """Raises NotFound."""
    return stored_files(session, [file_id])[0]


def stored_files(session: Session, file_ids: Sequence[int]) -> list[StoredFile]:
    """In the order asked for. Raises NotFound for the first unknown."""
    rows = session.execute(select(file).where(file.c.id.in_(set(file_ids))))
    found = {row.id: stored_from(row) for row in rows}
    if any(one not in found for one in file_ids):
        raise NotFound(NO_FILE)
    return [found[one] for one in file_ids]


def units_of_file(session: Session, file_id: int) -> frozenset[str]:
    """The units whose affair a file is: who sent it first, and whose draft, submission or exemplar holds it (a content is
    kept once, whoever sends it again). One statement. Raises NotFound."""
    item = work_item.c.unit_code.label("code")
    pieces = (
        select(item).join(table, table.c.item_id == work_item.c.id).where(table.c.file_id == file_id)
        for table in (evidence, draft_evidence)
    )
    pictures = (
        select(exemplar.c.unit_code)
        .join(exemplar_picture, exemplar_picture.c.exemplar_id == exemplar.c.id)
        .where(exemplar_picture.c.file_id == file_id)
    )
    sent = select(file.c.by_unit.label("code")).where(file.c.id == file_id)
    found = frozenset(session.execute(union(sent, *pieces, pictures)).scalars())
    if not found:
        raise NotFound(NO_FILE)
    return found


def seen_by_all(session: Session, file_id: int) -> bool:
    """Whether it is a picture of an exemplar that everybody may read."""
    shown = (
        select(exemplar_picture.c.file_id)
        .join(exemplar, exemplar.c.id == exemplar_picture.c.exemplar_id)
        .where(exemplar_picture.c.file_id == file_id, exemplar.c.state == ExemplarState.PUBLISHED.value)
    )
    return session.execute(shown.limit(1)).first() is not None


def set_copy(session: Session, store: FileStore, file_id: int, data: bytes, *, over: str, by: Actor) -> None:
    """From now on others see this copy of a picture, masked by the unit that sent it. ``over``: the digest of what
    others saw until now, which the mask was drawn on.

    Raises NotFound, NotResponsible, and ChangedMeanwhile where another mask was drawn first.
    """
    own = _own(session, file_id, by)
    as_read = file.c.redacted.is_(None) if own.redacted is None else file.c.redacted == own.redacted
    met = session.execute(update(file).where(file.c.id == file_id, as_read).values(redacted=store.put(data)))
    if own.shown != over or met.rowcount == 0:
        raise ChangedMeanwhile("这张图片刚刚被重新遮盖，请刷新后再看")


def drop_copy(session: Session, file_id: int, *, by: Actor) -> None:
    """Others see the whole picture again. Raises ActNotAllowed once it was handed in or must have a copy."""
    own = _own(session, file_id, by)
    if own.restricted or session.execute(select(evidence.c.id).where(evidence.c.file_id == file_id)).first():
        raise ActNotAllowed("文件已经报送或属例外放行，遮盖不能撤销，可继续增加遮盖")
    session.execute(update(file).where(file.c.id == file_id).values(redacted=None))


def _own(session: Session, file_id: int, by: Actor) -> StoredFile:
    found = stored_file(session, file_id)
    if found.by_unit != by.unit:
        raise NotResponsible("文件由其他单位上传，只有上传单位可以遮盖")
    return found


def _enters_restricted(session: Session, received: Received) -> bool:
    """Whether it enters by an exception. Raises PrivacyBlocked, FileRefused."""
    if not received.blocked:
        return False
    if not screenings.is_excepted(session, received.sha256):
        told = [finding for finding in received.findings if finding.blocks]
        where = place(received)
        raise PrivacyBlocked(screenings.sentence(where, told), told, place=where, sha256=received.sha256)
    if received.redacted is None:
        raise FileRefused("这个文件已获例外放行，但这种格式不能自动生成脱敏副本，请转换为 docx 或 xlsx 后重新申请")
    return True


def _facts(store: FileStore, received: Received, restricted: bool) -> dict[str, Any]:
    """Put the bytes into the store; the columns that follow from them."""
    told = [{"kind": one.kind, "sample": one.sample} for one in received.findings]
    return {
        "kept": store.put(received.data),
        "redacted": store.put(received.redacted) if received.redacted is not None else None,
        "kind": received.kind.value,
        "size": len(received.data),
        "restricted": restricted,
        "warnings": json.dumps(told, ensure_ascii=False),
    }


def _insert(session: Session, values: dict[str, Any]) -> None:
    """Raises ChangedMeanwhile where another transaction was first and a snapshot hides its row from this one."""
    try:
        with session.begin_nested():
            session.execute(insert(file).values(**values))
    except IntegrityError as error:
        if _by_content(session, values["sha256"]) is None:
            raise ChangedMeanwhile("同一文件刚刚由他人上传，请重试") from error


def _by_content(session: Session, sha256: str) -> StoredFile | None:
    row = session.execute(select(file).where(file.c.sha256 == sha256)).first()
    return stored_from(row) if row else None


def stored_from(row: Any, label: str = "") -> StoredFile:
    """A StoredFile from a row that holds the columns of ``file``, each with ``label`` before its name."""
    of = {name: getattr(row, label + name) for name in StoredFile.__dataclass_fields__}
    warned = tuple(Warned(one["kind"], one["sample"]) for one in json.loads(of["warnings"]))
    return StoredFile(**{**of, "kind": FileKind(of["kind"]), "warnings": warned})


def contents(session: Session) -> frozenset[str]:
    """The SHA-256 of every content that the file store should hold: files, their copies, compiled reports, templates."""
    columns = (file.c.kept, file.c.redacted, compilation.c.docx, compilation.c.xlsx, template.c.kept)
    found = session.execute(union(*(select(column.label("content")) for column in columns))).scalars()
    return frozenset(content for content in found if content)
