"""重新发送: a person has messages that are dead, or may not have arrived, sent again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import update

from ledger.acts import Actor
from ledger.database import Session
from ledger.outbox import anew
from ledger.tables import outbox
from policy_models.delivery import MessageState
from policy_models.errors import ChangedMeanwhile, NotFound

MOST = 200  # messages at a time


def resend_dead(session: Session, ids: Collection[int], *, by: Actor, now: datetime) -> int:
    """Have these dead messages sent again, each with as many attempts as a new one and under its own key; how many
    there were. Uncertain ones, which may have arrived, are decided on one at a time: ledger.outbox.resend.

    Raises NotFound for none or too many, ChangedMeanwhile when one of them is not dead any more: then none is sent.
    """
    wanted = set(ids)
    if not wanted or len(wanted) > MOST:
        raise NotFound(f"请勾选要重新发送的消息，一次最多{MOST}条")
    dead = (outbox.c.id.in_(wanted), outbox.c.state == MessageState.DEAD.value)
    met = session.execute(update(outbox).where(*dead).values(anew(by.name, now))).rowcount
    if met != len(wanted):
        raise ChangedMeanwhile("其中有消息刚刚已被处理，请刷新后重新勾选")
    return int(met)
