"""Channels as pages know them: by their settings, which the ledger does not have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from api.dependencies import Deployed
from ledger.outbox import INBOX_ONLY
from ledger.queries.outcomes import Sending
from ledger.settings import LadderSettings
from notifications.channel_file import load_channels
from policy_models.channels import KINDS
from policy_models.errors import Faulty
from policy_models.ladder import LadderRule


@dataclass(frozen=True, slots=True)
class KnownWays:
    """``sending``: the channels that are configured, and the open hours; ``rule``: the ladders; ``names``: channels as
    people say them; ``fault``: why the channels file could not be read ("" when it could): then nothing but the inbox
    is known."""

    sending: Sending
    rule: LadderRule
    names: Mapping[str, str]
    fault: str = ""

    def name(self, code: str) -> str:
        return self.names.get(code) or code


BY_KIND = {kind.value: facts.name for kind, facts in KINDS.items()}


def known_ways(deployed: Deployed) -> KnownWays:
    """The channels of this request. A file that is wrong never stops a page that only looks: it is said there."""
    ladder = LadderSettings.load()
    try:
        found = load_channels(deployed.data_dir)
    except Faulty as error:
        return KnownWays(Sending(INBOX_ONLY, ladder.open_hours), ladder.rule, BY_KIND, str(error.faults[0]))
    names = BY_KIND | {code: one.name for code, one in found.items() if one.name}
    return KnownWays(Sending(found, ladder.open_hours), ladder.rule, names)


Ways = Annotated[KnownWays, Depends(known_ways)]
