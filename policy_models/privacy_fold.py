"""Text as a detector reads it: whatever looks like a digit is one, whatever cannot be seen is gone.

Nothing is hidden by full-width or Mongolian digits, zero-width characters, strange dashes and spaces, or a telephone
number written out in Chinese numerals.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LINE_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
CHINESE_DIGITS = str.maketrans("零〇○一二三四五六七八九壹贰叁肆伍陆柒捌玖幺", "0001234567891234567891")
# so many numerals in a row are a number read out digit by digit, not words or a year
SPOKEN = re.compile(r"[零〇○一二三四五六七八九壹贰叁肆伍陆柒捌玖幺\d]{11,}")
ENCLOSED = re.compile(r"[①-⑨⓪➀-➈➊-➒❶-❾⓵-⓽⓿¹²³⁰⁴-⁹₀-₉]{11,}")
SAME_LOOK = {"∶": ":", "꞉": ":", "×": "X", "Х": "X", "х": "X", "Χ": "X", "−": "-", "ー": "-"}
MIDDLE_DOTS = "•・‧∙⋅"


class _Table(dict[int, str]):
    """What each character becomes, worked out when it is first met. ``uneven``: those that do not become one."""

    def __init__(self) -> None:
        super().__init__()
        self.uneven: set[str] = set()

    def __missing__(self, code: int) -> str:
        char = chr(code)
        becomes = self[code] = _folded(char)
        if len(becomes) != 1:
            self.uneven.add(char)
        return becomes


def _folded(char: str) -> str:
    category = unicodedata.category(char)
    if char in LINE_ENDS:
        return "\n"
    if category in ("Cf", "Mn", "Me") or (category == "Cc" and char not in "\t\n\r"):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in ("Zs", "Pd"):
        return " " if category == "Zs" else "-"
    if char in SAME_LOOK or char in MIDDLE_DOTS:
        return SAME_LOOK.get(char, "·")
    plain = unicodedata.normalize("NFKC", char)
    # ① or a footnote's ¹ beside a number is no digit of it
    if plain.isdigit() and unicodedata.decomposition(char).startswith(("<circle>", "<super>", "<sub>")):
        return " "
    return plain


TABLE = _Table()


@dataclass(frozen=True, slots=True)
class Folded:
    """``text`` is what the detectors read; ``origins``: for each of its characters, and its end, the place in the
    original, None where both run in step."""

    text: str
    origins: list[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of what stands at [start, end) here."""
        if self.origins is None:
            return start, end
        return self.origins[start], self.origins[end - 1] + 1


def fold(text: str) -> Folded:
    """A text in the form that is screened, with the way back to places in the original."""
    even = ENCLOSED.sub(lambda run: "".join(str(unicodedata.digit(char)) for char in run.group()), text)
    folded = even.translate(TABLE)
    origins = None
    if any(char in even for char in TABLE.uneven):
        origins = [n for n, char in enumerate(even) for _ in TABLE[ord(char)]]
        origins.append(len(even))
    return Folded(SPOKEN.sub(lambda run: run.group().translate(CHINESE_DIGITS), folded), origins)
