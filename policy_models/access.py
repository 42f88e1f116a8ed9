"""权限: who may do what, where. A role is held at a unit and holds for it and for all below it: the units under it in
the tree, and those whose line of work it leads (a county's department under the city's)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    COORDINATOR = "coordinator"
    REVIEWER = "reviewer"
    LIAISON = "liaison"
    AUDITOR = "auditor"


class Right(StrEnum):
    """READ: see; REPORT: hand in for a unit; REVIEW: accept, send back, extend, chase; COORDINATE: rounds, compilations,
    exemplars, messages; STAFF: the people of a unit; ADMINISTER: accounts, units, calendars, channels; AUDIT: the trail."""

    READ = "read"
    REPORT = "report"
    REVIEW = "review"
    COORDINATE = "coordinate"
    STAFF = "staff"
    ADMINISTER = "administer"
    AUDIT = "audit"


ROLE_NAMES = {
    Role.ADMINISTRATOR: "管理员",
    Role.COORDINATOR: "统筹员",
    Role.REVIEWER: "审核员",
    Role.LIAISON: "联络员",
    Role.AUDITOR: "监督员（只读）",
}
ROLE_RIGHTS = {
    Role.ADMINISTRATOR: frozenset((Right.READ, Right.STAFF, Right.ADMINISTER, Right.AUDIT)),
    Role.COORDINATOR: frozenset((Right.READ, Right.REVIEW, Right.COORDINATE, Right.STAFF)),
    Role.REVIEWER: frozenset((Right.READ, Right.REVIEW)),
    Role.LIAISON: frozenset((Right.READ, Right.REPORT, Right.STAFF)),
    Role.AUDITOR: frozenset((Right.READ, Right.AUDIT)),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held at a unit; "" for everywhere. ``whole``: nothing lies outside of it (the city itself, or a plan's
    coordinator)."""

    role: Role
    unit: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """The units whose affairs may be seen: these ``roots`` and all below them; None for all there are."""

    roots: tuple[str, ...] | None = None

    @property
    def is_whole(self) -> bool:
        return self.roots is None


WHOLE = Scope()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: an account, signed in by a browser (``login_id``) or by a machine's token (``token_id``), and its grants.

    A token that only reads has READ of its account's rights and nothing else.
    """

    account_id: int
    account: str
    name: str
    grants: tuple[Grant, ...]
    login_id: int | None = None
    token_id: int | None = None
    only_reads: bool = False
    must_set_totp: bool = False

    def _rights(self, grant: Grant) -> frozenset[Right]:
        rights = ROLE_RIGHTS[grant.role]
        return rights & {Right.READ} if self.only_reads else rights

    def rights_at(self, line: frozenset[str]) -> frozenset[Right]:
        """The rights held at a unit; ``line``: its code and those of all units above it, in the tree or its line of
        work."""
        found = (self._rights(grant) for grant in self.grants if grant.whole or grant.unit in line)
        return frozenset().union(*found)

    @property
    def rights(self) -> frozenset[Right]:
        """The rights held anywhere."""
        return frozenset().union(*(self._rights(grant) for grant in self.grants))

    @property
    def scope(self) -> Scope:
        """What may be read."""
        return self.scope_of(Right.READ)

    def scope_of(self, right: Right) -> Scope:
        """The units at which a right is held, and all below them."""
        held = [grant for grant in self.grants if right in self._rights(grant)]
        if any(grant.whole for grant in held):
            return WHOLE
        return Scope(tuple(sorted({grant.unit for grant in held})))

    @property
    def home(self) -> str | None:
        """The unit whose desk this account sits at: that of its first grant to report, else of its first grant."""
        own = [grant for grant in self.grants if grant.role is Role.LIAISON] or list(self.grants)
        return next((grant.unit for grant in own if grant.unit), None)
