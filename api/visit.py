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
    it is done to, ``address``: from where."""

    visitor: Visitor | None = None
    rights: frozenset[Right] = field(default_factory=frozenset)
    address: str = ""
    act: str = ""
    unit: str = ""
    object: str = ""

    @property
    def scope(self) -> Scope:
        """The units whose affairs this request may show."""
        return self.visitor.scope if self.visitor else NOBODY


_current: ContextVar[Visit] = ContextVar("visit", default=Visit())  # noqa: B039 - frozen


def current() -> Visit:
    return _current.get()


def begin(visit: Visit) -> None:
    _current.set(visit)


def may(right: str) -> bool:
    """For templates: whether the visitor holds a right where the page stands."""
    return Right(right) in current().rights
