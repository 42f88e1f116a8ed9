"""People and channels for tests of notices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger import channels, people
from ledger.database import Session
from policy_models.channels import EMAIL_CODE, INBOX_CODE, ChannelKind
from policy_models.people import PersonFacts, PersonRole
from policy_models.people import Way as PersonWay
from tests.factories import instant


@dataclass(frozen=True, slots=True)
class TestedWay:
    """A channel as its settings would have it."""

    code: str = "email"
    kind: ChannelKind = ChannelKind.EMAIL
    digest: str = "d" * 64
    per_minute: int | None = None


MAIL = TestedWay()
LONG_AGO = instant("2024-12-02")


def confirm_mail(session: Session, now: datetime = LONG_AGO) -> None:
    """Test and confirm the channel MAIL."""
    channels.note_test(session, MAIL.code, MAIL.kind.value, MAIL.digest, number="123456", now=now)
    assert channels.confirm(session, MAIL.code, "123456", by="管理员", now=now)


def add_person(
    session: Session, unit: str, name: str, *, liaison: bool = False, principal: bool = False, email: str = ""
) -> int:
    """Somebody at a unit, reached by e-mail or (without an address) by the inbox; the row's id."""
    roles = {PersonRole.LIAISON: liaison, PersonRole.PRINCIPAL: principal}
    way = PersonWay(EMAIL_CODE, email) if email else PersonWay(INBOX_CODE)
    facts = PersonFacts(unit, name, frozenset(role for role, has in roles.items() if has), ways=(way,))
    return people.add_person(session, facts, now=LONG_AGO)
