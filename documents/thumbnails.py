"""Small pictures of photos, for cards and lists."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from policy_models.errors import FileRefused

SIDE = 320  # pixels: a card at twice its size, for dense screens
MOST_PIXELS = 80_000_000


def thumbnail(data: bytes) -> bytes:
    """A small JPEG of a photo that was let in, without any metadata. Raises FileRefused where it cannot be read."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise FileRefused("图片过大，不能生成缩略图")
            picture.draft("RGB", (SIDE, SIDE))  # a JPEG is read at the size wanted: ten times faster
            small = ImageOps.exif_transpose(picture).convert("RGB")
            small.thumbnail((SIDE, SIDE))
            out = io.BytesIO()
            small.save(out, "JPEG", quality=80, optimize=True)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise FileRefused("图片不能读取") from error
    return out.getvalue()
