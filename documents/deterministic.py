"""Office files that are the same whenever they are made: a zip archive remembers its hour, its order and its machine.

What stays is what zlib makes of the same bytes; so two archives are also held against each other unpacked.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip archive can tell
TYPES = "[Content_Types].xml"  # stands first: some programs know the kind of file by it
LEVEL = 6
PLAIN_FILE = 0o100644 << 16


def normalised(data: bytes) -> bytes:
    """The same archive with its entries in order, dated 1980, without anything of the machine that packed it."""
    return packed(unpacked(data))


def packed(entries: Mapping[str, bytes]) -> bytes:
    """An archive of these entries; the same entries give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(entries, key=lambda one: (one != TYPES, one)):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, PLAIN_FILE
            archive.writestr(entry, entries[name], compresslevel=LEVEL)
    return target.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """Every entry by its name. The archive is our own, or has passed the gate for files."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}


def same_content(one: bytes, other: bytes) -> bool:
    """Whether both archives hold the same entries with the same bytes, however they were packed."""
    return one == other or unpacked(one) == unpacked(other)
