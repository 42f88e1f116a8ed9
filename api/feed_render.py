"""A calendar feed as bytes: an order of fragments inside a head, its validator a hash of their digests. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.feed_entries import (
    RENDERER_CHANGED_AT,
    Piece,
    backlog_piece,
    days_piece,
    group_piece,
    item_piece,
    mark,
    nothing_piece,
    round_piece,
    seed,
    stopped_piece,
)
from api.ics import TAIL, ended, head, joined, rung
from ledger.fragments import Fragment
from ledger.queries.feed import Feed, Frame
from policy_models.feeds import Component

DEFAULT_ALARM = 0
STOPPED = "这个日历订阅已停用，不再更新。如需继续使用，请在单位页面重新订阅，并在日历软件中删除本订阅。"
REPLACED = "这个日历订阅的地址已更换，本地址不再更新。请改用新地址，并在日历软件中删除本订阅。"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A feed's bytes, its strong validator without quotes, and its Last-Modified (UTC, whole seconds)."""

    body: bytes
    tag: str
    changed_at: datetime


def render(feed: Feed, *, base_url: str, alarm: int | None = DEFAULT_ALARM) -> bytes:
    """A feed from its facts alone: CRLF, UTF-8, at most 75 octets a line, one entry for each dated item.

    ``alarm``: days before the last work day to ring at 09:00 for each item that is owed; None for no alarm.
    """
    base_url, frame = base_url.rstrip("/"), feed.frame
    component = frame.choice.component
    pieces = [item_piece(one, frame.calendars[one.plan_code], base_url, component) for one in feed.items]
    return assemble(frame, pieces, base_url=base_url, alarm=alarm).body


def assemble(frame: Frame, items: Sequence[Piece | Fragment], *, base_url: str, alarm: int | None) -> Rendered:
    """The feed whose items are rendered already. ``base_url`` without a slash at its end."""
    component = frame.choice.component
    others = _others(frame, base_url)
    pieces = [*items, *others] or [nothing_piece(frame, base_url)]
    top = joined(_head(frame))
    closing = ended(component)
    body = "".join([top, *(_written(piece, closing, alarm) for piece in pieces), TAIL])
    tag = _tag(frame, top, pieces, base_url, alarm)
    return Rendered(body.encode(), tag, max(frame.changed_at, RENDERER_CHANGED_AT).replace(microsecond=0))


def render_stopped(
    name: str, revoked_at: datetime, *, base_url: str, replaced: bool = False, component: Component = Component.EVENT
) -> Rendered:
    """What a stopped subscription still shows for a while: one all-day notice on the day it was stopped."""
    words = REPLACED if replaced else STOPPED
    piece = stopped_piece(name, revoked_at, words, f"{base_url}/units", component)
    top = joined(head("日历订阅已停用", words, name))
    body = f"{top}{piece.body}{ended(component)}{TAIL}".encode()
    return Rendered(body, hashlib.sha256(body).hexdigest()[:32], revoked_at.replace(microsecond=0))


def _others(frame: Frame, base_url: str) -> list[Piece]:
    return [
        *(group_piece(one, frame, base_url) for one in frame.groups),
        *(backlog_piece(one, frame, base_url) for one in frame.backlogs),
        *(round_piece(one, frame, base_url) for one in frame.rounds),
        *(days_piece(one, frame, base_url) for one in frame.days),
    ]


def _written(piece: Piece | Fragment, closing: str, alarm: int | None) -> str:
    if alarm is None or piece.alarm is None:
        return piece.body + closing
    return piece.body + rung(piece.alarm, piece.lead + alarm) + closing


def _tag(frame: Frame, top: str, pieces: Iterable[Piece | Fragment], base_url: str, alarm: int | None) -> str:
    digests = "\n".join([mark(base_url), frame.choice.component, str(alarm), top, *(one.digest for one in pieces)])
    return hashlib.sha256(digests.encode()).hexdigest()[:32]


def _head(frame: Frame) -> Iterable[str]:
    todo = "（待办）" if frame.choice.component is Component.TODO else ""
    demonstration = "（演示数据）" if frame.demonstration else ""
    words = f"{'、'.join(frame.plan_titles)}{demonstration}：{frame.name}的报送时限。标【推定】的日期以后可能调整。"
    return head(f"{frame.name} 办理时限{todo}", words, seed(frame))
