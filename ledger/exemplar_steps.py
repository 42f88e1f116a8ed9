"""What every step of an exemplar shares: who may, what must be there, the conditional update, the entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from ledger.acts import Actor
from ledger.database import Session
from ledger.exemplar_rows import Exemplar, append_entry, exemplar_row, pictures_of
from ledger.screenings import require_clean
from ledger.tables import exemplar
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, EvidenceMissing, Fault, Faulty, NotResponsible
from policy_models.exemplars import (
    EDITABLE,
    EXEMPLAR_STATE_NAMES,
    PART_LENGTH,
    TITLE_LENGTH,
    Content,
    ExemplarAct,
    missing_consent,
    next_state,
)

CHANGED = "这篇案例刚刚有了变化，请看过最新内容后再操作"
SAME_TITLE = "本单位这一期已有同题案例，请换一个题目，或打开原来那一篇"


def act_on_exemplar(
    session: Session,
    one: Exemplar,
    act: ExemplarAct,
    *,
    version: int,
    by: Actor,
    now: datetime,
    note: str | None = None,
    **facts: Any,
) -> None:
    target = next_state(one.state, act)
    after = version + 1 if act is ExemplarAct.SUBMIT else version
    values = {"state": target.value, "version": after, "changed_at": now, "changed_by": by.name, **facts}
    change(session, replace(one, version=version), values)
    append_entry(session, one, target, by=by, now=now, note=note or None, version=after)


def change(session: Session, one: Exemplar, values: dict[str, Any]) -> None:
    """Raises ChangedMeanwhile unless state and version are still those that were read, ActNotAllowed where the title is taken."""
    still = (exemplar.c.id == one.id, exemplar.c.state == one.state.value, exemplar.c.version == one.version)
    try:
        with session.begin_nested():
            met = session.execute(update(exemplar).where(*still).values(**values)).rowcount
    except IntegrityError as error:
        raise ActNotAllowed(SAME_TITLE) from error
    if met == 0:
        raise ChangedMeanwhile(CHANGED)


def own(session: Session, exemplar_id: int, by: Actor) -> Exemplar:
    one = exemplar_row(session, exemplar_id)
    if by.unit != one.unit:
        raise NotResponsible("这篇案例由其他单位撰写，您的单位不能修改")
    return one


def coordinated(session: Session, exemplar_id: int, by: Actor) -> Exemplar:
    one = exemplar_row(session, exemplar_id)
    if by.unit != one.coordinator:
        raise NotResponsible("只有统筹单位可以评选和发布优秀案例")
    return one


def require_editable(one: Exemplar) -> None:
    if one.state not in EDITABLE:
        raise ActNotAllowed(f"“{EXEMPLAR_STATE_NAMES[one.state]}”的案例不能修改，可先撤回")


def require_publishable(session: Session, one: Exemplar, by: Actor) -> None:
    """The consent gate and the privacy gate. Raises EvidenceMissing, PrivacyBlocked."""
    if wanted := missing_consent(one.content):
        raise EvidenceMissing(f"讲述儿童个案的案例须取得同意并作匿名处理，还缺：{'、'.join(wanted)}")
    require_clean(_words(one.content, by))
    require_clean(("照片说明", picture.caption) for picture in pictures_of(session, [one.id])[one.id])


def check(content: Content, by: Actor) -> None:
    """Raises Faulty for what the columns cannot hold, PrivacyBlocked for what must not enter."""
    if not content.title:
        raise Faulty([Fault("案例", None, "题目", "请填写题目")])
    if len(content.title) > TITLE_LENGTH:
        raise Faulty([Fault("案例", None, "题目", f"题目不超过 {TITLE_LENGTH} 字，现为 {len(content.title)} 字")])
    long = [heading for _, heading, text in content.parts() if len(text) > PART_LENGTH]
    if long:
        raise Faulty([Fault("案例", None, heading, f"不超过 {PART_LENGTH} 字") for heading in long])
    require_clean(_words(content, by))


def _words(content: Content, by: Actor) -> Iterator[tuple[str, str | None]]:
    yield "题目", content.title
    for _, heading, text in content.parts():
        yield heading, text
    yield "经办人", by.name
