"""A letter's words as robots take them: title and lines, markdown in which nothing that a person wrote is markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from notifications.letter import Letter
from policy_models.text import normalize_digits

URL = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]+")
MARKUP = str.maketrans("*_`[]<>#~|\\!", "＊＿｀［］＜＞＃～｜＼！")
MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")


def lines_of(letter: Letter) -> list[str]:
    """The body by lines, with the link where the words do not have it."""
    lines = letter.body.strip("\n").splitlines()
    if letter.link and letter.link not in letter.body:
        lines += ["", f"办理页面：{letter.link}"]
    return lines


def title_of(letter: Letter, keyword: str = "") -> str:
    """The subject on one line; with the keyword, where a robot demands one and the subject does not have it."""
    title = " ".join(letter.subject.split())
    return f"{title}（{keyword}）" if keyword and keyword not in title else title


def numbered(title: str, place: int, count: int) -> str:
    """The title of one part of several (place from 0)."""
    return f"{title}（{place + 1}/{count}）" if count > 1 else title


def markdown(line: str) -> str:
    """One line as markdown shows it as it is: signs of markup by their full-width forms, addresses as links."""
    out, end = [], 0
    for found in URL.finditer(line):
        out += [_plain(line[end : found.start()]), f"[{found[0]}]({found[0]})"]
        end = found.end()
    return "".join([*out, _plain(line[end:])])


def pieces(line: str) -> Iterator[tuple[str, bool]]:
    """A line cut into words and addresses (True)."""
    end = 0
    for found in URL.finditer(line):
        if found.start() > end:
            yield line[end : found.start()], False
        yield found[0], True
        end = found.end()
    if end < len(line) or not line:
        yield line[end:], False


def mobile(address: str | None) -> str | None:
    """The eleven digits of a mobile number; None for anything else."""
    found = MOBILE.fullmatch(re.sub(r"[\s-]", "", normalize_digits(address or "")))
    return found[1] if found else None


def packed(payload: Mapping[str, Any]) -> bytes:
    """JSON as it travels: UTF-8, so that a Chinese character takes three bytes and not six."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _plain(text: str) -> str:
    return text.translate(MARKUP)
