"""A QR code as an inline SVG that the page's Content-Security-Policy lets through: no style, no script. Pure."""

from __future__ import annotations

import segno
from markupsafe import Markup

QUIET = 4  # modules of white around the code (ISO/IEC 18004 §9.1): scanners need it, also on paper


def qr_svg(text: str, label: str) -> Markup:
    """The text as a code that survives a creased print-out (level M). ``label`` is read out instead of the picture.

    The size is left to the style sheet (class ``qr``); black on white whatever the theme.
    """
    made = segno.make_qr(text, error="m", boost_error=False)
    side = made.symbol_size(border=QUIET)[0]
    path = "".join(_runs(made.matrix))
    return Markup(
        '<svg class="qr" role="img" aria-label="{label}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        '<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d="{path}"/></svg>'
    ).format(label=label, side=side, path=path)


def _runs(matrix: tuple[bytearray, ...]) -> list[str]:
    """Each row's dark modules as rectangles one module high."""
    found: list[str] = []
    for y, row in enumerate(matrix, QUIET):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                found.append(f"M{start + QUIET} {y}h{x - start}v1h-{x - start}z")
            x += x == start
    return found
