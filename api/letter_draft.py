"""What a letter's attachments say, cut into the sections of a report, for the coordinator to look over."""

from __future__ import annotations

from dataclasses import dataclass

from documents.letter_sections import Cut, cut
from documents.letter_text import text_of
from ledger.database import Session
from ledger.file_store import FileStore
from ledger.files import stored_files
from ledger.queries.letters import LetterRow
from policy_models.errors import FileRefused, NotFound


@dataclass(frozen=True, slots=True)
class LetterDraft:
    """The sections found in the attachment ``name`` (None: none has text); ``unread``: why others could not be read."""

    name: str | None
    cut: Cut
    unread: tuple[str, ...]


def drafted(session: Session, store: FileStore, row: LetterRow) -> LetterDraft:
    """Of all attachments the one in which most headings of a report were found; the first where they are equal."""
    kept = stored_files(session, [one.file_id for one in row.kept if one.file_id is not None])
    best: tuple[str, Cut] | None = None
    unread = []
    for attachment, stored in zip(row.kept, kept, strict=True):
        try:
            found = cut(text_of(stored.kind, store.get(stored.shown)))
        except (FileRefused, NotFound) as error:
            unread.append(f"{attachment.name}：{error}")
            continue
        if found.sections and (best is None or found.headings > best[1].headings):
            best = attachment.name, found
    return LetterDraft(best[0] if best else None, best[1] if best else Cut({}, 0), tuple(unread))
