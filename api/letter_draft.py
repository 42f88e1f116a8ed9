"""What a letter's attachments say, cut into the sections of a report, for the coordinator to look over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from documents.letter_sections import Cut, cut
from documents.letter_text import text_of
from ledger.file_store import FileStore
from ledger.files import StoredFile
from policy_models.errors import FileRefused, NotFound
from policy_models.files import FileKind


@dataclass(frozen=True, slots=True)
class LetterDraft:
    """The sections found in the attachment ``name`` (None: none has text); ``unread``: why others could not be read."""

    name: str | None
    cut: Cut
    unread: tuple[str, ...]


def drafted(store: FileStore, kept: Sequence[tuple[str, StoredFile]]) -> LetterDraft:
    """Of all attachments (name, file) the one in which most headings of a report were found; the first where they are
    equal. Takes seconds for an old Word document: never in a transaction."""
    best: tuple[str, Cut] | None = None
    unread = []
    for name, stored in kept:
        try:
            found = cut(_text(store.folder, stored.shown, stored.kind))
        except (FileRefused, NotFound) as error:
            unread.append(f"{name}：{error}")
            continue
        if found.sections and (best is None or found.headings > best[1].headings):
            best = name, found
    return LetterDraft(best[0] if best else None, best[1] if best else Cut({}, 0), tuple(unread))


@lru_cache(maxsize=64)
def _text(folder: Path, digest: str, kind: FileKind) -> str:
    return text_of(kind, FileStore(folder).get(digest))
