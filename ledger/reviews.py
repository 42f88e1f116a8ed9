"""审核: the superior (or the coordinator) accepts, sends back with a reason, or waives with a reason."""

from __future__ import annotations

from datetime import datetime

from ledger import plans
from ledger.acts import Actor, Standing, act_on, standing
from ledger.database import Session
from policy_models.errors import NotResponsible
from policy_models.lifecycle import Act


def accept(session: Session, key: str, *, by: Actor, now: datetime, note: str | None = None) -> int:
    """Accept a submission; the new revision. Raises NotFound, NotResponsible, ActNotAllowed, ChangedMeanwhile."""
    item = _reviewed(session, key, by)
    return act_on(session, item, Act.ACCEPT, by=by, now=now, note=note, reviewed_by=by.name, reviewed_at=now)


def send_back(session: Session, key: str, *, by: Actor, now: datetime, reason: str) -> int:
    """Send a submission back; the reason is shown to the unit. Raises ReasonMissing and as ``accept``."""
    item = _reviewed(session, key, by)
    return act_on(session, item, Act.SEND_BACK, by=by, now=now, note=reason, reason=reason, returns=item.returns + 1)


def waive(session: Session, key: str, *, by: Actor, now: datetime, reason: str) -> int:
    """Exempt an unfinished item; only the coordinator may. Raises ReasonMissing and as ``accept``."""
    item = standing(session, key)
    if by.unit != plans.plan_summary(session, item.plan_code).coordinator:
        raise NotResponsible("只有统筹单位可以豁免")
    return act_on(session, item, Act.WAIVE, by=by, now=now, note=reason, reason=reason)


def _reviewed(session: Session, key: str, by: Actor) -> Standing:
    item = standing(session, key)
    coordinator = plans.plan_summary(session, item.plan_code).coordinator
    if by.unit not in (item.reviewer, coordinator):
        raise NotResponsible("您的单位不是这一办理件的审核单位")
    return item
