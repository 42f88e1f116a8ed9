"""The form for one person: what it shows and what it hands in. The rules are those of the table (policy_models.people)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form
from pydantic import AfterValidator

from policy_models.channels import KINDS, ChannelKind
from policy_models.people import KnownChannel, PersonFacts, PersonRole, faults_of, read_way, tidy, tidy_name
from policy_models.text import written

Short = Annotated[str, AfterValidator(written), Form(max_length=80)]
Chosen = Annotated[list[str], Form(max_length=60)]
PLACES = frozenset(map(str, range(1, 61)))
LOCAL = (ChannelKind.INBOX, ChannelKind.CONSOLE)


@dataclass(frozen=True, slots=True)
class Line:
    """One channel on the form: ``place`` in the person's order ("" where it isn't used), ``wants``: the placeholder of
    its address, None where it takes none."""

    code: str
    name: str
    place: str
    address: str
    wants: str | None


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it was typed."""

    name: str = ""
    post: str = ""
    phone: str = ""
    roles: tuple[str, ...] = ()
    weekly: bool = False
    monthly: bool = False
    ways: tuple[tuple[str, str, str], ...] = ()  # channel, place, address

    def facts(self, unit_code: str, channels: Collection[KnownChannel]) -> PersonFacts:
        """What it says; channels of the same place in the order of the form. One that needs an address and has none is
        not used."""
        needing = {one.code for one in channels if KINDS[one.kind].addressed}
        placed = (way for way in self.ways if way[1] in PLACES and (way[2].strip() or way[0] not in needing))
        used = sorted(placed, key=lambda way: int(way[1]))
        return PersonFacts(
            unit_code,
            tidy_name(self.name),
            frozenset(role for role in PersonRole if role in self.roles),
            tidy(self.post),
            tidy(self.phone),
            self.weekly,
            self.monthly,
            tuple(read_way(code, address, channels) for code, _, address in used),
        )

    def lines(self, channels: Collection[KnownChannel]) -> list[Line]:
        """Every channel that can be chosen, with what was typed; one that is configured no more only while it is used."""
        typed = {code: (place, address) for code, place, address in self.ways}
        lines = [Line(c.code, c.name, *typed.get(c.code, ("", "")), _wants(c)) for c in channels]
        known = {one.code for one in channels}
        gone = [(code, *rest) for code, rest in typed.items() if code not in known and rest[0]]
        return lines + [Line(code, f"{code}（已不在渠道设置中）", place, address, "") for code, place, address in gone]


def typed(
    name: Short = "",
    post: Short = "",
    phone: Short = "",
    role: Chosen = [],  # noqa: B006
    circular: Chosen = [],  # noqa: B006
    way: Chosen = [],  # noqa: B006
    place: Chosen = [],  # noqa: B006
    address: Annotated[list[str], Form(max_length=60)] = [],  # noqa: B006
) -> Typed:
    ways = tuple(zip(way, place, (one[:300] for one in address), strict=False))
    return Typed(name, post, phone, tuple(role), "weekly" in circular, "monthly" in circular, ways)


def typed_as(facts: PersonFacts) -> Typed:
    """A person as the form shows them."""
    ways = tuple((way.channel, str(place), way.address) for place, way in enumerate(facts.ways, 1))
    return Typed(facts.name, facts.post, facts.phone, tuple(facts.roles), facts.weekly, facts.monthly, ways)


def faults(form: Typed, facts: PersonFacts, channels: Sequence[KnownChannel]) -> dict[str, list[str]]:
    """What is wrong, by field. An address that stands there unused may be meant to be used: it is asked about."""
    found: dict[str, list[str]] = defaultdict(list)
    for code, place, address in form.ways:
        if address.strip() and place not in PLACES:
            name = next((one.name for one in channels if one.code == code), code)
            found["渠道"].append(f"写了{name}的地址而选了“不用”，请选择先后，或清空地址")
    for field, words in faults_of(facts, channels):
        found[field].append(words)
    return dict(found)


def _wants(channel: KnownChannel) -> str | None:
    if channel.kind in LOCAL:
        return None
    return "邮箱地址" if KINDS[channel.kind].addressed else "群中提醒谁，可不填"
