"""What a unit may subscribe to, with which options, and the links of a new subscription. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from ledger.people import Person
from ledger.queries.units import UnitRow
from policy_models.errors import NotFound
from policy_models.feeds import Scope
from policy_models.plan import Function, Level, Plan

SCOPE_NAMES: dict[str, str] = {
    "unit": "本单位",
    "below": "本单位及下级",
    "function": "本系统全市",
    "person": "个人",
    "task": "任务",
    "phase": "阶段",
}
# How the address says it (api/feed_options.py reads it) → how the page says it; the first of each is what an address
# without the option means.
ALARMS: dict[str, str] = {
    "0": "报送日当天上午九时",
    "1": "报送日前 1 天",
    "3": "报送日前 3 天",
    "7": "报送日前 7 天",
    "off": "不提醒",
}
KINDS: dict[str, str] = {
    "event": "日程（各种日历都能显示）",
    "todo": "待办（苹果提醒事项、Thunderbird 等可以勾选的软件）",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing a unit may subscribe to; ``targets``: names by value where there is something to choose."""

    scope: str
    name: str
    note: str
    targets: dict[str, str]


@dataclass(frozen=True, slots=True)
class Options:
    """How a feed is rendered; all of it stands in the address, so that it can be changed there by hand."""

    alarm: str = "0"
    kind: str = "event"
    open_only: bool = False
    holidays: bool = False

    @property
    def query(self) -> str:
        """``?alarm=3&kind=todo``; nothing for what is the default."""
        flags = {"open": "1" if self.open_only else "", "holidays": "1" if self.holidays else ""}
        given = {"alarm": self.alarm, "kind": self.kind, **flags}
        usual = {"alarm": "0", "kind": "event", "open": "", "holidays": ""}
        found = {name: value for name, value in given.items() if value != usual[name]}
        return f"?{urlencode(found)}" if found else ""


@dataclass(frozen=True, slots=True)
class Links:
    """A subscription's address in the three forms that programs take. ``only_here``: other machines cannot reach it."""

    https: str
    webcal: str
    google: str
    only_here: bool


def links(base_url: str, token: str, options: Options) -> Links:
    base = base_url.rstrip("/")
    path = f"/feeds/{token}.ics{options.query}"
    webcal = f"webcal://{base.partition('://')[2]}{path}"
    google = f"https://calendar.google.com/calendar/r?cid={quote(webcal, safe='')}"
    return Links(f"{base}{path}", webcal, google, is_loopback(base))


def is_loopback(base: str) -> bool:
    """Whether only programs on this machine can reach the address."""
    host = urlsplit(base).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def offers(
    own: UnitRow, plan: Plan | None, people: Iterable[Person], *, has_below: bool, areas: dict[str, str] | None = None
) -> tuple[Offer, ...]:
    """What the unit may choose from, its own work first; nothing that is not there to be chosen.

    ``areas``: the units by code whose lower units the coordinator looks after; None for every other unit.
    """
    named = {str(one.id): f"{one.name}（{one.post}）" if one.post else one.name for one in people if one.active}
    tasks = {str(one.number): f"任务{one.number} {one.title}" for one in plan.tasks} if plan else {}
    phases = {str(one.number): f"第{one.number}阶段 {one.title}" for one in plan.phases} if plan else {}
    extent = "全市" if areas else "本单位及下级" if has_below else "本单位"
    found = [
        Offer("unit", "本单位", f"{own.name}要报送的事项", {}),
        _below(areas, has_below=has_below),
        _line_of_work(own, everything=areas is not None),
        Offer("person", "某人负责的单位", "其担任联络员、负责人的单位要报送的事项", named) if named else None,
        Offer("task", "某项任务", f"{extent}在这项任务中的事项", tasks) if tasks else None,
        Offer("phase", "某个阶段", f"{extent}在这个阶段的事项", phases) if phases else None,
    ]
    return tuple(one for one in found if one)


def _below(areas: dict[str, str] | None, *, has_below: bool) -> Offer | None:
    if areas:
        return Offer("below", "某地及下级", "该地各单位的事项，条目较多", areas)
    return Offer("below", "本单位及下级", "本单位和所有下级单位的事项，条目较多", {}) if has_below else None


def _line_of_work(own: UnitRow, *, everything: bool) -> Offer | None:
    """A department across the city: to the city's own department, and any of them to the coordinator."""
    if own.level is not Level.CITY or not own.function:
        return None
    lines = [own.function, *(one.value for one in Function if everything and one.value != own.function)]
    name = "某系统全市" if everything else f"{own.function}系统全市"
    return Offer("function", name, "市、旗县区这一系统各单位的事项", {line: f"{line}系统" for line in lines})


def target_of(offered: Iterable[Offer], scope: str, chosen: str) -> str:
    """The target of what was chosen. Raises NotFound for what the unit was not offered."""
    offer = next((one for one in offered if one.scope == scope), None)
    if offer is None:
        raise NotFound("本单位没有这种订阅内容，请从列出的内容中选择")
    if len(offer.targets) < 2 and not chosen:
        return next(iter(offer.targets), "")
    if chosen not in offer.targets:
        raise NotFound(f"请选择{offer.name}的具体内容")
    return chosen


def scope_name(scope: str, target: str, offered: Iterable[Offer]) -> str:
    """What a subscription holds: ``任务5 …``; the scope's own name where its target is no longer there."""
    offer = next((one for one in offered if one.scope == scope), None)
    named = offer.targets.get(target, "") if offer else ""
    if scope == Scope.FUNCTION:
        return f"{target}系统全市"
    if scope == Scope.BELOW:
        return f"{named}及下级" if named else SCOPE_NAMES[scope]
    return named or SCOPE_NAMES[scope]
