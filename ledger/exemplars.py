"""优秀案例: written as a draft, with pictures, handed in and taken back. Every change of state leaves an entry.

A unit's work item of the same half-year follows along: see ledger/exemplar_items.py. What the coordinator does with
exemplars is in ledger/shortlisting.py.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger import exemplar_items
from ledger.acts import Actor
from ledger.database import Session
from ledger.exemplar_rows import append_entry, exemplar_row, pictures_of
from ledger.exemplar_steps import SAME_TITLE, act_on_exemplar, change, check, own, require_editable, require_publishable
from ledger.files import stored_file
from ledger.screenings import require_clean
from ledger.tables import exemplar, exemplar_picture
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, EvidenceMissing, FileRefused, NotFound
from policy_models.exemplars import (
    CAPTION_LENGTH,
    EDITABLE,
    PICTURES_KEPT,
    Content,
    ExemplarAct,
    ExemplarState,
    missing_parts,
)

NO_PICTURE = "这张照片已不在案例中，请刷新后再看"


def create(session: Session, plan_id: int, round_code: str, title: str, *, by: Actor, now: datetime) -> int:
    """Begin a draft; its id. The same title again (a form sent twice) is the same draft while it is still one.

    Raises NotResponsible where the unit is asked for none, Faulty, PrivacyBlocked, ActNotAllowed, ChangedMeanwhile.
    """
    content = Content(title=title.strip())
    check(content, by)
    exemplar_items.item_of(session, plan_id, by.unit, round_code)
    mine = (exemplar.c.plan_id == plan_id, exemplar.c.round_code == round_code, exemplar.c.unit_code == by.unit)
    there = session.execute(
        select(exemplar.c.id, exemplar.c.version).where(*mine, exemplar.c.title == content.title)
    ).first()
    if there and there.version == 1:
        return int(there.id)
    if there:
        raise ActNotAllowed(SAME_TITLE)
    values = {"plan_id": plan_id, "round_code": round_code, "unit_code": by.unit, **asdict(content)}
    values |= {"state": ExemplarState.DRAFT.value, "created_at": now, "changed_at": now, "changed_by": by.name}
    try:
        new = session.execute(insert(exemplar).values(**values).returning(exemplar.c.id)).scalar_one()
    except IntegrityError as error:  # somebody of the unit began the same one at the same moment
        raise ChangedMeanwhile(SAME_TITLE) from error
    one = exemplar_row(session, new)
    append_entry(session, one, ExemplarState.DRAFT, by=by, now=now, note=None, version=one.version)
    return one.id


def save(session: Session, exemplar_id: int, content: Content, *, version: int, by: Actor, now: datetime) -> int:
    """Keep the draft's text; the new version. ``version``: the one that the writer had before the eyes.

    Raises NotFound, NotResponsible, Faulty (too long, no title), PrivacyBlocked, ActNotAllowed once it is handed in,
    ChangedMeanwhile when somebody saved another version.
    """
    content = replace(content, title=content.title.strip())
    check(content, by)
    one = own(session, exemplar_id, by)
    # the same form twice, whether it was to save or to save and hand in
    again = version + 1 if one.state in EDITABLE else version + 2 if one.state is ExemplarState.SUBMITTED else None
    if one.content == content and one.version == again:
        return version + 1
    require_editable(one)
    values = {**asdict(content), "version": version + 1, "changed_at": now, "changed_by": by.name}
    change(session, replace(one, version=version), values)
    return version + 1


def submit(session: Session, exemplar_id: int, *, version: int, by: Actor, now: datetime) -> None:
    """Hand the draft in as it was last saved. Twice is once.

    Raises NotFound, NotResponsible, EvidenceMissing (a part is empty, or consent to tell of a child is not declared),
    PrivacyBlocked, ActNotAllowed, ChangedMeanwhile.
    """
    one = own(session, exemplar_id, by)
    if one.state is ExemplarState.SUBMITTED and one.version == version + 1:
        return
    if wanted := missing_parts(one.content):
        raise EvidenceMissing(f"还没有写：{'、'.join(wanted)}")
    exemplar_items.require_open(exemplar_items.item_of(session, one.plan_id, one.unit, one.round_code))
    require_publishable(session, one, by)
    act_on_exemplar(session, one, ExemplarAct.SUBMIT, version=version, by=by, now=now, submitted_at=now, reason=None)
    exemplar_items.follow(session, one.plan_id, one.unit, one.round_code, by=by, now=now)


def withdraw(session: Session, exemplar_id: int, *, version: int, by: Actor, now: datetime) -> None:
    """Take it back to change it, before it is short-listed. Raises NotFound, NotResponsible, ActNotAllowed,
    ChangedMeanwhile."""
    one = own(session, exemplar_id, by)
    act_on_exemplar(session, one, ExemplarAct.WITHDRAW, version=version, by=by, now=now)
    exemplar_items.follow(session, one.plan_id, one.unit, one.round_code, by=by, now=now)


def add_picture(
    session: Session, exemplar_id: int, file_id: int, caption: str, *, no_faces: bool, by: Actor, now: datetime
) -> None:
    """Add a picture that was let in; twice is once. ``no_faces``: the person declares that no child's face shows.

    Raises NotFound, NotResponsible, FileRefused (not declared, no picture, too many), PrivacyBlocked, ActNotAllowed,
    ChangedMeanwhile.
    """
    if not no_faces:
        raise FileRefused("请先确认照片中没有儿童正面，再上传")
    caption = caption.strip()[:CAPTION_LENGTH]
    require_clean([("照片说明", caption), ("经办人", by.name)])
    one = own(session, exemplar_id, by)
    require_editable(one)
    if not stored_file(session, file_id).is_photo:
        raise FileRefused("案例照片只接受 jpg、png、heic 图片，其他材料请在办理件中上传")
    change(session, one, {"changed_at": now, "changed_by": by.name})  # so that nobody hands it in at this moment
    there = pictures_of(session, [one.id])[one.id]
    if any(picture.file_id == file_id for picture in there):
        return
    if len(there) >= PICTURES_KEPT:
        raise FileRefused(f"一篇案例最多保存 {PICTURES_KEPT} 张照片，请先移除不用的")
    session.execute(
        insert(exemplar_picture).values(
            exemplar_id=one.id, file_id=file_id, caption=caption, added_at=now, confirmed_by=by.name
        )
    )


def remove_picture(session: Session, exemplar_id: int, picture_id: int, *, by: Actor, now: datetime) -> None:
    """Raises NotFound, NotResponsible, ActNotAllowed, ChangedMeanwhile."""
    one = own(session, exemplar_id, by)
    require_editable(one)
    change(session, one, {"changed_at": now, "changed_by": by.name})
    mine = (exemplar_picture.c.id == picture_id, exemplar_picture.c.exemplar_id == one.id)
    if session.execute(delete(exemplar_picture).where(*mine)).rowcount == 0:
        raise NotFound(NO_PICTURE)


def caption_picture(
    session: Session, exemplar_id: int, picture_id: int, caption: str, *, by: Actor, now: datetime
) -> None:
    """Change the words below a picture. Raises as ``remove_picture``, and PrivacyBlocked."""
    caption = caption.strip()[:CAPTION_LENGTH]
    require_clean([("照片说明", caption), ("经办人", by.name)])
    one = own(session, exemplar_id, by)
    require_editable(one)
    change(session, one, {"changed_at": now, "changed_by": by.name})
    mine = (exemplar_picture.c.id == picture_id, exemplar_picture.c.exemplar_id == one.id)
    if session.execute(update(exemplar_picture).where(*mine).values(caption=caption)).rowcount == 0:
        raise NotFound(NO_PICTURE)
