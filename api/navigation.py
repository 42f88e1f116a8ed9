"""栏目: what the rail and the bottom bar offer a visitor. The table of rights decides: what they may not open, and what
is not there, is not offered. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from api.rights import RULES, Place
from policy_models.access import Right, Visitor


@dataclass(frozen=True, slots=True)
class Entry:
    """``here``: what pages below it call themselves."""

    path: str
    here: str
    word: str
    icon: str


GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "看",
        (
            Entry("/", "board", "总览", "◧"),
            Entry("/tasks", "tasks", "任务", "☰"),
            Entry("/timeline", "timeline", "时间轴", "▬"),
            Entry("/calendar", "calendar", "日历", "▥"),
        ),
    ),
    (
        "办",
        (
            Entry("/desk", "desk", "我的待办", "☑"),
            Entry("/rounds", "rounds", "报送", "✎"),
            Entry("/register", "register", "督办台账", "▦"),
            Entry("/reminders", "reminders", "催办", "◔"),
            Entry("/circulars", "circulars", "通报", "▣"),
            Entry("/exemplars", "exemplars", "案例", "★"),
        ),
    ),
    (
        "查",
        (
            Entry("/units", "units", "单位", "⌂"),
            Entry("/items", "items", "办理件", "▤"),
            Entry("/charts", "charts", "图表", "◫"),
            Entry("/changes", "changes", "两日变化", "⇄"),
        ),
    ),
    (
        "管",
        (
            Entry("/admin", "admin", "管理", "⚙"),
            Entry("/accounts", "accounts", "账号", "◉"),
        ),
    ),
)
ENTRIES = {entry.here: entry for _, entries in GROUPS for entry in entries}
SHORT = {"desk": "待办", "register": "督办"}  # under a thumb
LIAISON_BAR = ("desk", "calendar", "rounds")
OFFICE_BAR = ("board", "register", "rounds")
ADMIN_BAR = ("board", "admin", "accounts")


def rail(visitor: Visitor) -> tuple[tuple[str, tuple[Entry, ...]], ...]:
    """The groups that have something for the visitor."""
    found = ((name, tuple(one for one in entries if open_to(visitor, one.path))) for name, entries in GROUPS)
    return tuple((name, entries) for name, entries in found if entries)


def bottom_bar(visitor: Visitor) -> tuple[tuple[Entry, str], ...]:
    """The three entries, with their short words, that suit the visitor's work best; 更多 has the rest."""
    chosen = [here for here in _bar(visitor.rights) if open_to(visitor, ENTRIES[here].path)]
    rest = [one.here for one in ENTRIES.values() if one.here not in chosen and open_to(visitor, one.path)]
    return tuple((ENTRIES[here], SHORT.get(here, ENTRIES[here].word)) for here in [*chosen, *rest][:3])


def starts_at_desk(visitor: Visitor, levels: Iterable[str]) -> bool:
    """Whether the day begins with 我的待办: who only hands in, for townships and villages (``levels`` of the units)."""
    wanted = set(levels)
    return (
        visitor.rights <= {Right.READ, Right.REPORT, Right.STAFF} and bool(wanted) and wanted <= {"township", "village"}
    )


def _bar(rights: frozenset[Right]) -> tuple[str, ...]:
    if Right.REPORT in rights and not rights & {Right.REVIEW, Right.COORDINATE}:
        return LIAISON_BAR
    if Right.ADMINISTER in rights and not rights & {Right.REVIEW, Right.COORDINATE, Right.REPORT}:
        return ADMIN_BAR
    return OFFICE_BAR


def open_to(visitor: Visitor, path: str) -> bool:
    rule = RULES.get(("GET", path))
    if rule is None:
        return False
    if rule.place in (Place.ANYONE, Place.SIGNED_IN):
        return True
    return rule.right in (visitor.rights_at(frozenset()) if rule.place is Place.WHOLE else visitor.rights)
