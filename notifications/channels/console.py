"""The console: one structured line (JSON) for each letter, for trying out and for logs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime

from notifications.channel_config import ChannelConfig
from notifications.letter import Letter
from policy_models.errors import DeliveryError


def send(config: ChannelConfig, letter: Letter, _now: datetime) -> str:
    """Print the letter on standard output. Raises DeliveryError (not permanent) when that is closed or full."""
    facts = {name: value for name, value in asdict(letter).items() if value not in (None, "")}
    try:
        print(json.dumps({"channel": config.code, **facts}, ensure_ascii=False), file=sys.stdout, flush=True)
    except (OSError, ValueError) as error:
        raise DeliveryError(f"无法写到控制台：{error}", permanent=False) from error
    return ""
