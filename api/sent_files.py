"""What was written for one answer and goes out as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import StreamingResponse

IN_MEMORY = 1 << 20  # bytes of an export before it moves to disk
PIECE = 1 << 16


def sent_file(target: IO[bytes], media_type: str, name: str, plain_name: str) -> Response:
    """What was written, piece by piece: the transaction has ended by then, and memory holds one piece."""
    size = target.seek(0, 2)
    target.seek(0)

    def pieces() -> Iterator[bytes]:
        with target:
            while piece := target.read(PIECE):
                yield piece

    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(name)}",
        "Content-Length": str(size),
        "Cache-Control": "no-store",
    }
    return StreamingResponse(pieces(), media_type=media_type, headers=headers)
