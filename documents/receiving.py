"""Files that come in: told by their content, within limits, screened."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection

from PIL import Image

from policy_models.errors import FileRefused
from policy_models.files import EVIDENCE_KINDS, MEGABYTE, FileKind, Limits, Received
from policy_models.privacy import screen

MAGIC = {b"\xff\xd8\xff": FileKind.JPEG, b"\x89PNG\r\n\x1a\n": FileKind.PNG, b"%PDF-": FileKind.PDF}


def receive(name: str, data: bytes, *, limits: Limits, kinds: Collection[FileKind] = EVIDENCE_KINDS) -> Received:
    """The file, looked into. Raises FileRefused."""
    if not data:
        raise FileRefused("文件是空的，请核对后重新上传")
    if len(data) > limits.file_bytes:
        raise FileRefused(f"超过 {limits.file_bytes // MEGABYTE} MB，请压缩或拆分后再上传")
    kind = next((kind for magic, kind in MAGIC.items() if data.startswith(magic)), None)
    if kind not in kinds or kind is None:
        raise FileRefused("不接受这种格式，请上传照片、docx、xlsx 或 pdf")
    digest = hashlib.sha256(data).hexdigest()
    if kind in (FileKind.JPEG, FileKind.PNG):
        with Image.open(io.BytesIO(data)) as picture:
            picture.thumbnail((limits.photo_side, limits.photo_side))
            out = io.BytesIO()
            picture.save(out, "JPEG" if kind is FileKind.JPEG else "PNG")
        data = out.getvalue()
    return Received(name, kind, digest, data, screen(name))
