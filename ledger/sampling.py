"""抽查: a few of many submissions are looked at, and the rest accepted when all of them pass.

A sample is recorded with its seed and everything it was drawn from, and never changed: anybody can draw it again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.acts import Actor, act_on, act_on_each, standing, standings
from ledger.database import Session
from ledger.plans import plan_summary
from ledger.review_scope import reviewed_by
from ledger.samples import Sample, in_samples, read
from ledger.screenings import require_clean
from ledger.tables import plan, requirement, sample, sample_item, unit, work_item
from policy_models import sampling as draws
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotFound, NotResponsible, ReasonMissing
from policy_models.lifecycle import Act, State
from policy_models.plan import Level
from policy_models.sampling import Outcome


def draw(
    session: Session,
    plan_code: str,
    requirement_code: str,
    period: str,
    *,
    by: Actor,
    now: datetime,
    seed: str,
    size: int | None = None,
    share: int | None = None,
) -> int:
    """Draw from the villages' submissions of one requirement and period that wait for this reviewer; the sample's id.

    ``size`` of them, or ``share`` per cent. What lies in an earlier sample (not void) is not drawn again.
    Raises NotFound, ActNotAllowed (nothing to draw from, a size out of range).
    """
    summary = plan_summary(session, plan_code)
    rows = session.execute(_population(summary.id, requirement_code, period, by.unit)).all()
    if not rows:
        raise ActNotAllowed("没有可以抽查的办理件：须是嘎查村社区已报送、待本单位审核、尚未列入其他抽查的")
    number = _next_number(session, rows[0].requirement_id, period, by.unit)
    wanted = size if size is not None else draws.size_of(len(rows), share or draws.USUAL_SHARE)
    if not 1 <= wanted <= len(rows):
        raise ActNotAllowed(f"抽查件数须在 1 与 {len(rows)} 之间")
    chosen = set(draws.draw([row.key for row in rows], wanted, seed))
    values = {
        "plan_id": summary.id,
        "requirement_id": rows[0].requirement_id,
        "period": period,
        "reviewer": by.unit,
        "number": number,
        "seed": seed,
        "share": share if size is None else None,
        "population": len(rows),
        "size": wanted,
        "drawn_by": by.name,
        "drawn_at": now,
    }
    try:
        made = session.execute(insert(sample).values(values))
    except IntegrityError as error:
        raise ChangedMeanwhile("刚刚已有人抽取，请刷新后再看") from error
    sample_id = int(made.inserted_primary_key[0])  # type: ignore[index]
    pieces = [
        {"sample_id": sample_id, "item_id": row.id, "revision": row.revision, "drawn": row.key in chosen}
        for row in rows
    ]
    session.execute(insert(sample_item), pieces)
    return sample_id


def _next_number(session: Session, requirement_id: int, period: str, reviewer: str) -> int:
    """Two draws at the same instant take the same number, and the unique key lets one of them through."""
    mine = and_(sample.c.requirement_id == requirement_id, sample.c.period == period, sample.c.reviewer == reviewer)
    return int(session.execute(select(func.coalesce(func.max(sample.c.number), 0) + 1).where(mine)).scalar_one())


def _population(plan_id: int, requirement_code: str, period: str, reviewer: str) -> Select[Any]:
    """The villages' submissions that wait for a reviewer and lie in no sample yet."""
    items = work_item.c
    return (
        select(items.id, items.key, items.revision, items.requirement_id)
        .select_from(
            work_item.join(unit, unit.c.code == items.unit_code)
            .join(requirement, requirement.c.id == items.requirement_id)
            .join(plan, plan.c.id == items.plan_id)
        )
        .where(items.plan_id == plan_id, requirement.c.code == requirement_code, items.period == period)
        .where(items.state == State.SUBMITTED.value, unit.c.level == Level.VILLAGE.value, reviewed_by(reviewer))
        .where(requirement.c.collects == "")
        .where(items.id.not_in(in_samples([Outcome.OPEN, Outcome.PASSED, Outcome.FAILED])))
        .order_by(items.id)
    )


def check(
    session: Session, sample_id: int, key: str, *, passed: bool, note: str | None, by: Actor, now: datetime
) -> Outcome:
    """Record the result of a drawn piece: passed accepts it, failed sends it back with the note as reason; how the
    sample stands then. Raises NotFound, NotResponsible, ReasonMissing, PrivacyBlocked, ChangedMeanwhile."""
    require_clean([("抽查意见", note), ("经办人", by.name)])
    found = _own(session, sample_id, by)
    piece = next((piece for piece in found.pieces if piece.key == key and piece.drawn), None)
    if piece is None:
        raise NotFound("这一办理件不在本次抽查之内")
    item = standing(session, key)
    if not piece.stands:
        raise ChangedMeanwhile("这一办理件在抽查之后已有变化，请刷新后再看")
    words = f"第{found.number}次抽查{'合格' if passed else '不合格'}"
    if passed:
        told = f"{words}：{note.strip()}" if note and note.strip() else words
        act_on(session, item, Act.ACCEPT, by=by, now=now, note=told, reviewed_by=by.name, reviewed_at=now)
    else:
        if not (note and note.strip()):
            raise ReasonMissing("不合格须写明问题，并据此退回")
        told = f"{words}：{note.strip()}"
        act_on(session, item, Act.SEND_BACK, by=by, now=now, note=told, reason=told, returns=item.returns + 1)
    return read(session, sample_id).outcome


def accept_rest(session: Session, sample_id: int, *, by: Actor, now: datetime) -> int:
    """Accept what was not drawn and still stands, once all that was drawn has passed; how many.

    Raises NotFound, NotResponsible, ActNotAllowed, ChangedMeanwhile.
    """
    found = _own(session, sample_id, by)
    if found.outcome is not Outcome.PASSED:
        raise ActNotAllowed("抽到的全部合格之后，其余的才能一并通过")
    rest = [piece.key for piece in found.rest]
    if not rest:
        raise ActNotAllowed("这次抽查之外已没有待审核的办理件")
    note = f"第{found.number}次抽查合格（{found.population}件中抽{found.size}件，种子{found.seed}），其余一并通过"
    act_on_each(session, standings(session, rest), Act.ACCEPT, by=by, now=now, note=note)
    return len(rest)


def _own(session: Session, sample_id: int, by: Actor) -> Sample:
    found = read(session, sample_id)
    if by.unit != found.reviewer:
        raise NotResponsible("这次抽查由另一单位进行")
    return found
