"""The visit of a request: who asks and with what rights. Set by the guard, read by pages, queries and verbs."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from policy_models.access import Right, Scope, Visitor

NOBODY = Scope(())


@dataclass(frozen=True, slots=True)
class Visit:
    """``rights``: those held at the unit, item or file that the request addresses; for a page that addresses none, those
    held anywhere. ``act``: what the route is called in the trail ("" where it only reads), ``unit`` and ``object``: what
    it is done to, ``address``: from where; ``told``: the word of what the page before has just done (``api.told``).
    ``details``: what the act's line in the trail says beyond that; neutral words, never a secret."""

    visitor: Visitor | None = None
    rights: frozenset[Right] = field(default_factory=frozenset)
    address: str = ""
    act: str = ""
    unit: str = ""
    object: str = ""
    told: str = ""
    details: list[str] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        """The units whose affairs this request may show."""
        return self.visitor.scope if self.visitor else NOBODY


_current: ContextVar[Visit] = ContextVar("visit", default=Visit())  # noqa: B039 - frozen


def current() -> Visit:
    return _current.get()


def begin(visit: Visit) -> None:
    _current.set(visit)


def add_detail(words: str) -> None:
    """For routes that are named in the table of rights: say more in the line that the act leaves in the trail."""
    current().details.append(words)


def may(right: str) -> bool:
    """For templates: whether the visitor holds a right where the page stands."""
    return Right(right) in current().rights
