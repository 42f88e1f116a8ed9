"""What an administrator fills in for a new account: name, whose it is, roles at a unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form

from ledger.accounts import LONGEST_NAME
from ledger.people import Person
from policy_models.access import Grant, Role
from policy_models.credentials import folded, name_fault
from policy_models.errors import Faulty

NO_ROLE = "请至少选择一个角色"
NO_SUCH_ROLE = "没有这个角色，请从列出的角色中选择"
NO_PERSON = "这位人员不在所选单位的名单中，请重新选择"


@dataclass(frozen=True, slots=True)
class Typed:
    """As it was typed; nothing of it is trusted yet."""

    name: str = ""
    display_name: str = ""
    roles: tuple[str, ...] = ()
    person: str = ""

    def faults(self, people: Sequence[Person]) -> dict[str, str]:
        """What is wrong, by field."""
        found: dict[str, str] = {}
        if wrong := name_fault(self.name):
            found["name"] = wrong
        shown = self.display_name.strip() or self.person_name(people)
        if not shown or len(shown) > LONGEST_NAME or not shown.isprintable():
            found["display_name"] = f"请填写姓名，不超过 {LONGEST_NAME} 个字"
        if not self.roles:
            found["roles"] = NO_ROLE
        elif not set(self.roles) <= {role.value for role in Role}:
            found["roles"] = NO_SUCH_ROLE
        if self.person and self.person_id not in {one.id for one in people}:
            found["person"] = NO_PERSON
        return found

    @property
    def person_id(self) -> int | None:
        return int(self.person) if self.person.isascii() and self.person.isdigit() and len(self.person) < 19 else None

    def person_name(self, people: Sequence[Person]) -> str:
        return next((one.name for one in people if one.id == self.person_id), "")

    def shown(self, people: Sequence[Person]) -> str:
        """The display name: what was typed, else the person's."""
        return self.display_name.strip() or self.person_name(people)

    def grants(self, unit: str) -> tuple[Grant, ...]:
        return tuple(Grant(Role(role), unit) for role in dict.fromkeys(self.roles))


def typed(
    name: Annotated[str, Form(max_length=200)] = "",
    display_name: Annotated[str, Form(max_length=200)] = "",
    role: Annotated[list[str], Form(max_length=20)] = [],  # noqa: B006 - FastAPI copies it
    person: Annotated[str, Form(max_length=40)] = "",
) -> Typed:
    return Typed(folded(name), display_name, tuple(role), person)


def first_fault(error: Faulty) -> str:
    return error.faults[0].message
