"""评选: what the coordinator does with exemplars: send back, pick, drop, publish, take down."""

from __future__ import annotations

from datetime import datetime

from ledger import exemplar_items, panels
from ledger.acts import Actor
from ledger.database import Session
from ledger.exemplar_steps import act_on_exemplar, coordinated, require_publishable
from ledger.screenings import require_clean
from policy_models.errors import ReasonMissing
from policy_models.exemplars import ExemplarAct


def send_back(session: Session, exemplar_id: int, *, reason: str, version: int, by: Actor, now: datetime) -> None:
    """The coordinator sends it back with a reason. Raises ReasonMissing, NotFound, NotResponsible, PrivacyBlocked,
    ActNotAllowed, ChangedMeanwhile."""
    if not reason.strip():
        raise ReasonMissing("退回须写明理由")
    require_clean([("退回意见", reason), ("经办人", by.name)])
    one = coordinated(session, exemplar_id, by)
    act_on_exemplar(session, one, ExemplarAct.SEND_BACK, version=version, by=by, now=now, note=reason, reason=reason)
    exemplar_items.send_back_with(session, one.plan_id, one.unit, one.round_code, reason=reason, by=by, now=now)


def shortlist(
    session: Session, exemplar_id: int, *, version: int, by: Actor, now: datetime, note: str | None = None
) -> None:
    """The coordinator picks it, once the panel (if there is one) is closed. Raises as ``send_back`` but for the reason."""
    require_clean([("选入理由", note), ("经办人", by.name)])
    one = coordinated(session, exemplar_id, by)
    panels.require_settled(session, one.plan_id, one.round_code)
    act_on_exemplar(session, one, ExemplarAct.SHORTLIST, version=version, by=by, now=now, note=note)


def drop(session: Session, exemplar_id: int, *, version: int, by: Actor, now: datetime) -> None:
    """The coordinator takes it off the short list. Raises NotFound, NotResponsible, ActNotAllowed, ChangedMeanwhile."""
    act_on_exemplar(session, coordinated(session, exemplar_id, by), ExemplarAct.DROP, version=version, by=by, now=now)


def publish(session: Session, exemplar_id: int, *, version: int, by: Actor, now: datetime) -> None:
    """Show it to everybody in the system. Consent and screening are looked at once more.

    Raises NotFound, NotResponsible, EvidenceMissing, PrivacyBlocked, ActNotAllowed, ChangedMeanwhile.
    """
    one = coordinated(session, exemplar_id, by)
    require_publishable(session, one, by)
    act = ExemplarAct.PUBLISH
    act_on_exemplar(session, one, act, version=version, by=by, now=now, published_at=now, published_by=by.name)


def unpublish(
    session: Session, exemplar_id: int, *, version: int, by: Actor, now: datetime, note: str | None = None
) -> None:
    """Take it off the public page; it stays short-listed. Raises as ``drop``, and PrivacyBlocked."""
    require_clean([("撤下原因", note), ("经办人", by.name)])
    one = coordinated(session, exemplar_id, by)
    act_on_exemplar(session, one, ExemplarAct.UNPUBLISH, version=version, by=by, now=now, note=note)
