"""Files that a unit adds to an item's draft: each is committed as it arrives, so that a broken upload is progress.

The one exception to "one request is one transaction": docs/decisions/0006-an-upload-commits-file-by-file.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from starlette.concurrency import run_in_threadpool

from api.blocked import record_blocked
from api.multipart import BrokenUpload, Part, parts
from documents.receiving import receive
from ledger import drafts
from ledger.acts import Actor
from ledger.database import Database
from ledger.file_store import FileStore
from ledger.files import keep
from policy_models.errors import ChangedMeanwhile, FileRefused, PrivacyBlocked
from policy_models.file_names import plain_name
from policy_models.files import PHOTO_KINDS, Limits, Received
from policy_models.plan import EvidenceType
from policy_models.privacy import redact

OVERHEAD = 64 * 1024 * 1024  # what a body may hold beside its files


class Outcome(StrEnum):
    KEPT = "kept"
    THERE = "there"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one file; ``name`` is fit to show, ``sentence`` says why it was refused."""

    name: str
    outcome: Outcome
    sentence: str = ""


@dataclass
class Answers:
    """What became of the files so far: whole even where the upload breaks in between."""

    files: list[Answer] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        return sum(one.outcome is outcome for one in self.files)

    @property
    def refused(self) -> list[Answer]:
        return [one for one in self.files if one.outcome is Outcome.REFUSED]


@dataclass(frozen=True)
class Desk:
    """Where files go: the item's draft, by whom, counted as which type (None: by their kind), when it happened."""

    database: Database
    store: FileStore
    limits: Limits
    key: str
    by: Actor
    now: datetime
    type: EvidenceType | None = None
    effective_on: date | None = None


async def take_all(desk: Desk, chunks: AsyncIterator[bytes], content_type: str, answers: Answers) -> None:
    """Read a form and lay its files into the draft, one after the other; what became of them goes into ``answers``.

    Raises BrokenUpload, and what stops all files alike: NotFound, NotResponsible, ActNotAllowed, LedgerUnavailable.
    """
    body = desk.limits.files * desk.limits.file_bytes + OVERHEAD
    async for part in parts(chunks, content_type, file_bytes=desk.limits.file_bytes, body_bytes=body):
        if part.file_name is None:
            desk = with_field(desk, part)
        elif part.file_name or part.data:  # a file field that was left empty is sent without a name
            answers.files.append(await run_in_threadpool(take, desk, part))


def with_field(desk: Desk, part: Part) -> Desk:
    """The desk as a field before the files says: who acts. Raises BrokenUpload."""
    if part.field != "by_name" or not part.text.strip():
        return desk
    name = part.text.strip()
    if len(name) > 40 or not name.isprintable():
        raise BrokenUpload("经办人姓名须在 40 字以内，且不含特殊字符")
    return replace(desk, by=Actor(desk.by.unit, name))


def take(desk: Desk, part: Part) -> Answer:
    """Look into one file, keep it and lay it into the draft, in a transaction of its own."""
    name = plain_name(part.file_name or "")
    shown = redact(name)
    if part.too_large:
        limit = desk.limits.file_bytes // (1 << 20)
        return Answer(shown, Outcome.REFUSED, f"超过 {limit} MB，请压缩或拆分后再上传")
    try:
        received = receive(name, part.data, limits=desk.limits)
        return Answer(shown, Outcome.KEPT if _keep(desk, received) else Outcome.THERE)
    except PrivacyBlocked as error:
        record_blocked(desk.database, error, by_unit=desk.by.unit, now=desk.now)
        return Answer(shown, Outcome.REFUSED, str(error))
    except (FileRefused, ChangedMeanwhile) as error:
        return Answer(shown, Outcome.REFUSED, str(error))


def _keep(desk: Desk, received: Received) -> bool:
    """Whether the draft did not hold the file before."""
    type = desk.type or (EvidenceType.PHOTO if received.kind in PHOTO_KINDS else EvidenceType.DOCUMENT)
    with desk.database.claim() as session:
        stored = keep(session, desk.store, received, by=desk.by, now=desk.now)
        return drafts.add_file(
            session,
            desk.key,
            stored,
            received.name,
            type,
            limit=desk.limits.files,
            by=desk.by,
            now=desk.now,
            effective_on=desk.effective_on,
        )
