"""审核: the superior (or the coordinator) accepts, sends back with a reason, or waives with a reason.

One at a time, or many at once for villages: whoever was changed in between is left as it is and told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.acts import Actor, Standing, act_on, act_on_each, standing, standings
from ledger.database import Session
from ledger.samples import held_back
from ledger.screenings import require_clean
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotResponsible, ReasonMissing
from policy_models.lifecycle import Act, State
from policy_models.plan import Level, Review

ONLY_VILLAGES = "只有嘎查村社区的办理件可以成批审核，其他单位的请逐件审核"
BY_SECTION = "半年报送的内容须在专门的页面逐项审核"


@dataclass(frozen=True, slots=True)
class Bulk:
    """What an act on many did: the keys that it was done on, and the items left alone because somebody acted first."""

    done: tuple[str, ...]
    left: tuple[Standing, ...]


def accept(
    session: Session, key: str, *, by: Actor, now: datetime, note: str | None = None, seen: int | None = None
) -> int:
    """Accept a submission; the new revision. ``seen``: the revision that the reviewer looked at.

    Raises NotFound, NotResponsible, ActNotAllowed, PrivacyBlocked, ChangedMeanwhile.
    """
    require_clean([("审核意见", note), ("经办人", by.name)])
    item = _reviewed(session, key, by, seen)
    return act_on(session, item, Act.ACCEPT, by=by, now=now, note=note, reviewed_by=by.name, reviewed_at=now)


def send_back(session: Session, key: str, *, by: Actor, now: datetime, reason: str, seen: int | None = None) -> int:
    """Send a submission back; the reason is shown to the unit. Raises ReasonMissing and as ``accept``."""
    require_clean([("退回意见", reason), ("经办人", by.name)])
    item = _reviewed(session, key, by, seen)
    return act_on(session, item, Act.SEND_BACK, by=by, now=now, note=reason, reason=reason, returns=item.returns + 1)


def waive(session: Session, key: str, *, by: Actor, now: datetime, reason: str) -> int:
    """Exempt an unfinished item; only the coordinator may. Raises ReasonMissing and as ``accept``."""
    require_clean([("豁免理由", reason), ("经办人", by.name)])
    item = standing(session, key)
    if by.unit != item.coordinator:
        raise NotResponsible("只有统筹单位可以豁免")
    return act_on(session, item, Act.WAIVE, by=by, now=now, note=reason, reason=reason)


def accept_all(
    session: Session,
    keys: Sequence[str],
    *,
    by: Actor,
    now: datetime,
    note: str | None = None,
    seen: Mapping[str, int] | None = None,
) -> Bulk:
    """Accept the submissions of many villages that still stand as the reviewer saw them (``seen``: revision by key);
    the others are left alone and told.

    Refused as a whole for what may not be accepted unseen: what is reviewed by sample (``sampling.accept_rest`` does
    that), and what lies in a sample not finished or not passed. Raises NotFound, NotResponsible, ActNotAllowed,
    PrivacyBlocked; ChangedMeanwhile when somebody acts at the same instant: nothing is done then, and trying again
    tells who was first.
    """
    require_clean([("审核意见", note), ("经办人", by.name)])
    standing_still, left = _chosen(session, keys, by, seen)
    if any(item.review is Review.SAMPLED for item in standing_still):
        raise ActNotAllowed("这一事项按抽查审核，请先抽查，抽查合格后其余的一并通过，或逐件审核")
    if held := held_back(session, [item.id for item in standing_still]):
        names = "、".join(item.unit_name for item in standing_still if item.id in held)
        raise ActNotAllowed(f"抽查尚未完成或不合格，须逐件审核：{names}")
    act_on_each(session, standing_still, Act.ACCEPT, by=by, now=now, note=note)
    return Bulk(tuple(item.key for item in standing_still), left)


def send_back_all(
    session: Session,
    keys: Sequence[str],
    *,
    by: Actor,
    now: datetime,
    reason: str,
    seen: Mapping[str, int] | None = None,
) -> Bulk:
    """Send the submissions of many villages back for one reason, as ``accept_all`` does. Raises ReasonMissing too."""
    if not reason.strip():
        raise ReasonMissing("退回须写明理由")
    require_clean([("退回意见", reason), ("经办人", by.name)])
    standing_still, left = _chosen(session, keys, by, seen)
    act_on_each(session, standing_still, Act.SEND_BACK, by=by, now=now, note=reason)
    return Bulk(tuple(item.key for item in standing_still), left)


def may_review(item: Standing, unit: str) -> bool:
    """Whether a unit may review this item: its reviewer, or the coordinator."""
    return unit in (item.reviewer, item.coordinator)


def _chosen(
    session: Session, keys: Sequence[str], by: Actor, seen: Mapping[str, int] | None
) -> tuple[list[Standing], tuple[Standing, ...]]:
    """Those of the items that stand as they were seen, and the rest; responsibility for all is settled first."""
    items = standings(session, list(dict.fromkeys(keys)))
    if not items:
        raise ActNotAllowed("没有选中办理件，请先勾选")
    if strange := [item for item in items if not may_review(item, by.unit)]:
        raise NotResponsible(f"您的单位不是这些办理件的审核单位：{'、'.join(item.key for item in strange[:5])}")
    if any(item.level is not Level.VILLAGE for item in items):
        raise ActNotAllowed(ONLY_VILLAGES)
    if any(item.collects for item in items):
        raise ActNotAllowed(BY_SECTION)
    still = [item for item in items if item.state is State.SUBMITTED and _as_seen(item, seen)]
    kept = {item.id for item in still}
    return still, tuple(item for item in items if item.id not in kept)


def _as_seen(item: Standing, seen: Mapping[str, int] | None) -> bool:
    return seen is None or seen.get(item.key, item.revision) == item.revision


def _reviewed(session: Session, key: str, by: Actor, seen: int | None) -> Standing:
    item = standing(session, key)
    if not may_review(item, by.unit):
        raise NotResponsible("您的单位不是这一办理件的审核单位")
    if seen is not None and item.revision != seen:
        raise ChangedMeanwhile("这一办理件在您查看之后有了变化，请看过最新情况再审核")
    return item
