"""测试消息: shows an administrator that a channel leads where it should; the number in it, given back, confirms it."""

from __future__ import annotations

import secrets
from datetime import datetime

from notifications.channel_config import ChannelConfig
from notifications.letter import Letter
from notifications.render import environment, moment
from policy_models.errors import ActNotAllowed
from policy_models.letters import canonical_address

KIND = "trial"


def new_number() -> str:
    """Six digits that nobody can guess."""
    return f"{secrets.randbelow(10**6):06}"


def trial_address(config: ChannelConfig, written: str | None) -> str | None:
    """Where the test message goes: a channel that needs an address gets one, the others post to their own group.
    Raises ActNotAllowed where it is missing or none."""
    if not config.facts.addressed:
        return None
    address = canonical_address(written or "")
    if not address:
        raise ActNotAllowed(
            "请填写完整的收件邮箱，测试消息将发到那里" if written else "请填写收件邮箱，测试消息将发到那里"
        )
    return address


def trial_letter(config: ChannelConfig, number: str, *, now: datetime, address: str | None = None) -> Letter:
    """The test message with its number. ``address``: where the channel needs one. It stands in no outbox, so its
    ``message`` is negative: another one at each instant, and never that of a row."""
    name = config.name or config.facts.name
    facts = {"name": name, "code": config.code, "kind": config.facts.name, "number": number, "at": moment(now)}
    subject = environment().get_template(f"{KIND}/subject.txt").render(facts).strip()
    body = environment().get_template(f"{KIND}/body.txt").render(facts).strip() + "\n"
    stamp = int(now.timestamp())
    return Letter(-stamp, f"{KIND}:{config.code}:{stamp}", KIND, "", name, subject, body, address=address)
