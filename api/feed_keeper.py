"""What is known of every feed between two polls: tokens by their hash, validators, the last good bytes.

A look at the ledger costs one statement; only a feed that it says may have changed is made anew, and of that feed only
the items that changed are rendered. All of it may be lost at any time: it is made again from the ledger.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import time
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from isal import igzip

from api.conditional import http_date
from api.dependencies import Clock
from api.feed_cache import MEGABYTE, BytesKept
from api.feed_entries import fragment, item_piece, mark
from api.feed_options import FeedOptions
from api.feed_render import Rendered, assemble, render_stopped
from api.feed_watch import Tokens, Watch, topics_of
from ledger import feed_changes, feed_tokens
from ledger.civil import civil_date
from ledger.database import Database, Session
from ledger.feed_changes import KnownToken
from ledger.feed_tokens import TOUCH_EVERY, Use
from ledger.fragments import Fragment, keep, version_of
from ledger.plans import whole_plans
from ledger.queries.feed import frame
from ledger.queries.feed_items import extent, facts, slots
from policy_models.errors import LuchengError
from policy_models.feeds import Subject

log = logging.getLogger("api")
ZIPPED_MOST, PLAIN_MOST = 256 * MEGABYTE, 64 * MEGABYTE
MOST_BUILT = 250_000
MOST_USES = 10_000  # noted in one go; more than this in a row of failures are forgotten
FLUSH_SECONDS = 2.0
GZIP_LEVEL = 2
FeedKey = tuple[Subject, FeedOptions]


@dataclass(slots=True)
class Token:
    """A token as polls know it; ``used_at`` moves with each noted use."""

    id: int
    subject: Subject
    used_at: datetime | None
    revoked_at: datetime | None
    replaced: bool
    name: str


@dataclass(frozen=True, slots=True)
class Built:
    """A feed's validators; ``day``: the civil date it is good for; ``tick``: the look before it was made."""

    tag: str
    plain_tag: bytes
    zipped_tag: bytes
    modified: bytes
    changed_at: datetime
    day: int
    tick: int
    topics: tuple[str, ...]


class FeedKeeper:
    """Shared by all polls of a process. ``look``, ``build`` and ``flush`` wait for the database; nothing else does."""

    def __init__(self, database: Database, base_url: str, clock: Clock) -> None:
        self.database, self.clock = database, clock
        self._base_url = base_url.rstrip("/")
        self.tokens: dict[bytes, Token] = {}
        self.known = False  # whether the tokens were read at all
        self.away = False  # whether the last look failed
        self.looked_at = float("-inf")  # monotonic seconds
        self.wanted = 0  # how often something was written here: a look begun before does not count
        self._watch = Watch()
        self._built: dict[FeedKey, Built] = {}
        self._zipped, self._plain = BytesKept(ZIPPED_MOST), BytesKept(PLAIN_MOST)
        self._uses: list[Use] = []
        self._fragments: list[Fragment] = []
        self._flushed_at = float("-inf")
        self._looking, self._flushing = Lock(), Lock()

    def look_again(self) -> None:
        """Something may just have been written: the next poll looks first."""
        self.wanted += 1
        self.looked_at = float("-inf")

    def look(self) -> None:
        """Read what changed in the ledger. A failure is logged and remembered: until the next look nothing is asked."""
        with self._looking:
            began, wanted = time.monotonic(), self.wanted
            try:
                with self.database.read() as session:
                    self._read_tokens(session, self._watch.look(session))
                self.away = False
            except LuchengError as error:
                if not self.away:  # once, not every second
                    log.warning("the ledger cannot be read; feeds are served as last seen: %s", error)
                self.away = True
            except Exception:
                log.exception("a look at the ledger failed; feeds are served as last seen")
                self.away = True
            if wanted == self.wanted:
                self.looked_at = began

    def _read_tokens(self, session: Session, changed: Tokens) -> None:
        if not self.known:
            changed = Tokens.ALL
        if changed is Tokens.NONE:
            return
        self.known = False
        above = 0 if changed is Tokens.ALL else self._watch.token_floor
        for one in (*feed_changes.tokens(session, above=above), *feed_changes.tokens(session, stopped=True)):
            self.tokens[one.digest] = self._token(one)
        self.known = True

    def _token(self, one: KnownToken) -> Token:
        before = self.tokens.get(one.digest)
        subject = before.subject if before is not None and before.subject == one.subject else one.subject
        return Token(one.id, subject, one.last_used_at, one.revoked_at, one.replaced, one.name)

    @property
    def tick(self) -> int:
        """Grows with each look that found a change."""
        return self._watch.tick

    def fresh(self, key: FeedKey, day: int) -> Built | None:
        """What is known of a feed, if it is good for the day and nothing that concerns it changed."""
        built = self._built.get(key)
        if built is None or built.day != day or self._watch.changed_since(built.tick, built.topics):
            return None
        return built

    def last(self, key: FeedKey) -> Built | None:
        """What was last known of a feed, however old."""
        return self._built.get(key)

    def zipped(self, built: Built) -> bytes | None:
        return self._zipped.get(built.tag)

    def plain(self, built: Built) -> bytes | None:
        """The bytes of a feed; None when they are not kept any more."""
        found = self._plain.get(built.tag)
        if found is None and (packed := self._zipped.get(built.tag)) is not None:
            found = self._plain.put(built.tag, gzip.decompress(packed))
        return found

    def build(self, key: FeedKey) -> Built:
        """Make a feed anew from the ledger. Raises what the ledger raises."""
        subject, options = key
        now, tick, before = self.clock.now(), self._watch.tick, self._built.get(key)
        rendered, units = self._render(subject, options, now)
        changed_at = max(rendered.changed_at, before.changed_at) if before is not None else rendered.changed_at
        if self._zipped.get(rendered.tag) is None:
            self._zipped.put(rendered.tag, igzip.compress(rendered.body, GZIP_LEVEL, mtime=0))
        day, topics = civil_date(now).toordinal(), topics_of(subject, units)
        if before is not None and before.topics == topics:
            topics = before.topics
        return self._hold(key, _built(rendered.tag, changed_at, day, tick, topics))

    def _hold(self, key: FeedKey, built: Built) -> Built:
        self._built[key] = built
        while len(self._built) > MOST_BUILT:
            self._built.pop(next(iter(self._built)), None)
        return built

    def _render(self, subject: Subject, options: FeedOptions, now: datetime) -> tuple[Rendered, tuple[str, ...]]:
        choice, printed = options.choice, mark(self._base_url)
        with self.database.read() as session:
            of, known = extent(session, subject), whole_plans(session)
            order = slots(session, of, choice, today=civil_date(now))
            versions = {
                one.item_id: version_of(printed, one.revision, one.unit_version, one.plan_version) for one in order
            }
            good = {one.item_id: one.fragment for one in order if one.fragment is not None}
            stale = [id for id, version in versions.items() if id not in good or good[id].version != version]
            found = facts(session, stale, known)
            framed = frame(session, of, choice, known, now=now)
        made = [
            fragment(
                id,
                versions[id],
                choice.component,
                item_piece(item, framed.calendars[item.plan_code], self._base_url, choice.component),
            )
            for id, item in found.items()
        ]
        good.update((one.item_id, one) for one in made)
        self._fragments += made
        items = [good[one.item_id] for one in order]
        return assemble(framed, items, base_url=self._base_url, alarm=options.alarm), framed.units

    def stopped(self, token: Token, options: FeedOptions) -> tuple[Built, bytes]:
        """The notice of a stopped subscription, and its bytes."""
        assert token.revoked_at is not None
        component = options.choice.component
        notice = render_stopped(
            token.name, token.revoked_at, base_url=self._base_url, replaced=token.replaced, component=component
        )
        return _built(notice.tag, notice.changed_at, 0, 0, ()), notice.body

    def note(self, token: Token, client: str, now: datetime) -> None:
        """Remember that a client used a token; at most once an hour."""
        if token.used_at is None or now - token.used_at >= TOUCH_EVERY:
            token.used_at = now
            self._uses.append(Use(token.id, client, now))

    @property
    def unwritten(self) -> bool:
        """Whether it is time to write down uses and fragments."""
        pending = bool(self._uses or self._fragments)
        return pending and not self.away and time.monotonic() - self._flushed_at >= FLUSH_SECONDS

    def flush(self) -> None:
        """Write down uses and fragments, after the answers. A failure is logged: it must not reach a client."""
        if not self._flushing.acquire(blocking=False):
            return
        try:
            self._flushed_at = time.monotonic()
            uses, self._uses = self._uses[:MOST_USES], self._uses[MOST_USES:]
            made, self._fragments = self._fragments, []
            self._write(uses, list({(one.item_id, one.component): one for one in made}.values()))
        finally:
            self._flushing.release()

    def _write(self, uses: list[Use], made: list[Fragment]) -> None:
        try:
            with self.database.write() as session:
                feed_tokens.touch(session, uses)
            for start in range(0, len(made), 1000):
                with self.database.write() as session:
                    keep(session, made[start : start + 1000])
        except LuchengError:  # a use is noted with the next poll of another hour, a fragment rendered again
            log.warning("uses or fragments of feeds could not be written down", exc_info=True)


def digest_of(token: str) -> bytes:
    """The key of a token in ``tokens``."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _built(tag: str, changed_at: datetime, day: int, tick: int, topics: tuple[str, ...]) -> Built:
    modified = http_date(changed_at).encode()
    return Built(tag, f'"{tag}"'.encode(), f'"{tag}-gzip"'.encode(), modified, changed_at, day, tick, topics)
