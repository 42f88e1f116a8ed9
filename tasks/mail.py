"""The step that reads the mailbox. The network is never inside a transaction: a letter is fetched and looked into, then
written down with its attachments, its answer and how far the mailbox was read, in one transaction. Killed anywhere,
the next run goes on after the last letter that was written."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from prefect import task

from documents.mail import Part, assemble, identity, parse
from documents.receiving import receive
from ledger import bounces, letters
from ledger.database import Database, connect
from ledger.file_store import FileStore
from ledger.letters import Looked, Mark, Place
from ledger.settings import Settings
from notifications.imap_answers import PartPlace
from notifications.mailbox import Glimpse, OpenMailbox, open_mailbox
from notifications.servers import ImapSettings, SmtpSettings
from policy_models.errors import ChangedMeanwhile, FileRefused
from policy_models.files import LETTER_KINDS, MEGABYTE, Limits
from policy_models.letters import Attachment, IncomingLetter, canonical_address, unreadable
from tasks import clock
from tasks.transaction import STEP

AT_A_TIME = 100  # letters of one step
ENCODED = 78 / 57  # bytes on the way for a byte on the disk: base64 in lines
SLACK = 256 * 1024  # bytes: head and text beside an attachment
SMALL = 1 << 20  # bytes of a letter that is fetched whole
MOST_TOGETHER = 5  # times the limit for one attachment: what all attachments of a letter may have
log = logging.getLogger("tasks.mail")
T = TypeVar("T")
TRIES = 3  # to write a letter down while another run takes it in


@dataclass(frozen=True)
class Intake:
    """What taking in needs: the ledger, the file store, the limits, and the servers as configured."""

    database: Database
    store: FileStore
    limits: Limits
    imap: ImapSettings
    smtp: SmtpSettings

    @property
    def travelling(self) -> int:
        """The most bytes that an attachment within the limit has on the way."""
        return int(self.limits.file_bytes * ENCODED) + SLACK

    @property
    def own(self) -> frozenset[str]:
        """Our own addresses."""
        return frozenset({canonical_address(self.imap.imap_user), self.smtp.address}) - {""}


@task(name="收取来信", **STEP)
def take_letters(limit: int = AT_A_TIME) -> dict[str, int]:
    """Read up to ``limit`` letters that were not read yet: how many were "read", how many of them came as a "double" or
    were deleted meanwhile ("gone"), and how many stand in each state. All 0 when there is nothing new or no mailbox is
    configured. Raises MailboxUnavailable; what was read stays read."""
    imap = ImapSettings()
    if not imap.configured:
        return {"read": 0}
    settings = Settings.load()
    database = connect(settings.url)
    try:
        return collect(Intake(database, FileStore(settings.file_dir), settings.limits, imap, SmtpSettings()), limit)
    finally:
        database.close()


def collect(intake: Intake, limit: int) -> dict[str, int]:
    """The same, for whoever has the ledger open. Raises MailboxUnavailable."""
    counted: Counter[str] = Counter(read=0)
    with open_mailbox(intake.imap) as box:
        mark = _again(lambda: _begin(intake, box.uidvalidity))
        uids = box.uids_after(mark.uid, mark.since)[:limit]
        seen: set[int] = set()
        for glimpse in _unknown(intake, box, uids):
            outcome = _take(intake, box, glimpse)
            seen.add(glimpse.uid)
            counted[outcome] += 1
        counted["read"] = len(uids)
        counted["double"] += len(uids) - len(seen)
        if uids:
            _again(lambda: _pass_by(intake, box.uidvalidity, uids[-1]))
    return dict(counted)


def _begin(intake: Intake, uidvalidity: int) -> Mark:
    """From where to read on."""
    with intake.database.write() as session:
        return letters.begin(session, intake.imap.mailbox, uidvalidity, since=intake.imap.imap_since, now=clock.now())


def _pass_by(intake: Intake, uidvalidity: int, uid: int) -> None:
    """Letters that are known or gone are read, too."""
    with intake.database.write() as session:
        letters.advance(session, intake.imap.mailbox, uidvalidity, uid, now=clock.now())


def _unknown(intake: Intake, box: OpenMailbox, uids: Sequence[int]) -> Iterator[Glimpse]:
    """Of these letters those that the ledger does not have."""
    for start in range(0, len(uids), AT_A_TIME):
        glimpses = list(box.glimpses(uids[start : start + AT_A_TIME]))
        names = {glimpse.uid: identity(glimpse.head, glimpse.size) for glimpse in glimpses}
        with intake.database.read() as session:
            there = letters.known(session, intake.imap.mailbox, list(names.values()))
        yield from (glimpse for glimpse in glimpses if names[glimpse.uid] not in there)


def _take(intake: Intake, box: OpenMailbox, glimpse: Glimpse) -> str:
    """Take one letter in; what became of it in one word."""
    letter = _fetched(intake, box, glimpse)
    if letter is None:
        return "gone"
    looked = [_look_into(one, intake.limits) for one in letter.attachments]
    letter = _without_bytes(letter)
    arrived = glimpse.arrived_at or clock.now()
    return _again(lambda: _write_down(intake, box.uidvalidity, glimpse.uid, arrived, letter, looked))


def _again(act: Callable[[], T]) -> T:
    """Do a transaction that another run may be in the way of; the second time what that run wrote is seen."""
    for _ in range(TRIES - 1):
        try:
            return act()
        except ChangedMeanwhile:
            log.info("另一次收取正在进行，重试")
    return act()


def _fetched(intake: Intake, box: OpenMailbox, glimpse: Glimpse) -> IncomingLetter | None:
    """The letter; part by part where it is large, so that nothing is held twice, and what is too large is refused
    without being fetched. One that cannot be read at all must not keep those after it from being read: it is set
    aside."""
    name, uid = identity(glimpse.head, glimpse.size), glimpse.uid
    places = box.parts(uid) if glimpse.size > SMALL else ()
    if not places and glimpse.size <= intake.travelling:
        raw = box.letter(uid)
        return _read(name, lambda: parse(raw, name)) if raw is not None else None
    parts, left = [], MOST_TOGETHER * intake.limits.file_bytes
    for one in places:
        parts.append(_part(intake, box, uid, one, left))
        left -= one.size
    return _read(name, lambda: assemble(glimpse.head, name, parts))


def _read(name: str, reading: Callable[[], IncomingLetter]) -> IncomingLetter:
    try:
        return reading()
    except Exception as error:  # noqa: BLE001 - whatever a hostile letter brings about; its words stay out of the log
        log.error("来信 %s 无法解析：%s", name[:80], type(error).__name__)
        return unreadable(name)


def _part(intake: Intake, box: OpenMailbox, uid: int, one: PartPlace, left: int) -> Part:
    head = box.part_head(uid, one.place)
    real = int(one.size / ENCODED) if one.encoding == "base64" else one.size
    most = intake.limits.file_bytes // MEGABYTE
    if one.size > intake.travelling:
        told = f"约 {real // MEGABYTE} MB，超过单个附件 {most} MB 的上限，请压缩或拆分后重新发送"
        return Part(head, size=real, reason=told)
    if one.size > left:
        return Part(head, size=real, reason=f"一封来信的附件合计超过 {most * MOST_TOGETHER} MB，请分几封发送")
    if one.encoding == "base64" and not one.media_type.startswith(("text/", "message/")):
        return Part(head, data=box.decoded(uid, one.place))
    return Part(head, box.part(uid, one.place))


def _look_into(attachment: Attachment, limits: Limits) -> Looked:
    if attachment.data is None:
        return Looked(attachment.name, attachment.size, None, attachment.reason)
    try:
        received = receive(attachment.name, attachment.data, limits=limits, kinds=LETTER_KINDS)
    except FileRefused as error:
        return Looked(attachment.name, attachment.size, None, str(error))
    except Exception as error:  # noqa: BLE001 - a gate that cannot look into a file keeps it out
        log.error("附件无法检查：%s", type(error).__name__)
        return Looked(attachment.name, attachment.size, None, "附件无法检查，没有收取，请另存为 docx 或 pdf 后重新发送")
    return Looked(attachment.name, attachment.size, received)


def _without_bytes(letter: IncomingLetter) -> IncomingLetter:
    """The letter without what its attachments hold: that was looked into, and what may be kept is at hand."""
    empty = tuple(Attachment(one.name, one.size, None, one.reason) for one in letter.attachments)
    return replace(letter, attachments=empty)


def _write_down(
    intake: Intake, uidvalidity: int, uid: int, arrived: datetime, letter: IncomingLetter, looked: Sequence[Looked]
) -> str:
    place = Place(intake.imap.mailbox, uidvalidity, uid, arrived)
    with intake.database.write() as session:
        if letter.returned and not bounces.record(session, letter.returned, now=clock.now()):
            letter = replace(letter, returned=None)  # it only looks like one of ours: for a person to look at
        taken = letters.take_in(
            session,
            intake.store,
            letter,
            looked,
            place=place,
            own=intake.own,
            answer=intake.smtp.configured,
            now=clock.now(),
        )
    return taken.state.value if taken else "double"
