"""Pictures as a telephone takes them, drawn: no photograph of anybody is in this project."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

ROOM, FLOOR, WOOD, BOARD, PAPER = "#d9e2dc", "#b9a888", "#8a6b48", "#3f6b5c", "#f4f1e8"


def scene(n: int, size: tuple[int, int] = (1600, 1200)) -> bytes:
    """An empty activity room as a JPEG: board, tables, windows; every ``n`` stands them otherwise."""
    wide, high = size
    picture = Image.new("RGB", size, ROOM)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, high * 0.62, wide, high), FLOOR)
    left = wide * (0.08 + 0.05 * (n % 3))
    draw.rectangle((left, high * 0.14, left + wide * 0.4, high * 0.46), BOARD, WOOD, 14)
    for window in range(2):
        x = wide * (0.6 + 0.19 * window)
        draw.rectangle((x, high * 0.12, x + wide * 0.14, high * 0.42), "#a9cbe0", PAPER, 12)
    for table in range(3 + n % 2):
        x = wide * (0.1 + 0.2 * table)
        draw.polygon(
            [
                (x, high * 0.72),
                (x + wide * 0.16, high * 0.72),
                (x + wide * 0.19, high * 0.8),
                (x - wide * 0.03, high * 0.8),
            ],
            WOOD,
        )
        draw.rectangle((x + wide * 0.03, high * 0.69, x + wide * 0.08, high * 0.72), PAPER)
    draw.rectangle((wide * 0.9, high * (0.5 + 0.02 * n), wide * 0.97, high * 0.66), "#4f8a4a")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88)
    return out.getvalue()
