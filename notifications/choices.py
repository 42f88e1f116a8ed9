"""The channels that a person may choose: those that are configured, and mail and inbox in any case."""

from __future__ import annotations

from pathlib import Path

from notifications.channel_file import load_channels
from policy_models.people import ALWAYS, KnownChannel


def choices(data_dir: Path | None = None) -> tuple[KnownChannel, ...]:
    """Mail and inbox first, then those of the channels file in its order. Raises Faulty where that file is wrong."""
    found = {one.code: one for one in ALWAYS}
    for code, config in load_channels(data_dir).items():
        found.setdefault(code, KnownChannel(code, config.kind, config.name or config.facts.name))
    return tuple(found.values())
