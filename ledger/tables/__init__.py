"""The tables, private to the ledger. Facts only: nothing here says late, due soon or done.

Civil dates are Asia/Shanghai; instants are UTC. ``tally`` is the one derived table: see ledger/tally.py.
"""

from __future__ import annotations

from ledger.tables.columns import (
    Identity,
    UtcDateTime,
    metadata,
)
from ledger.tables.feeds import feed_fragment, feed_token
from ledger.tables.files import (
    draft_evidence,
    extension,
    file,
    privacy_exception,
    sample,
    sample_item,
    screening,
)
from ledger.tables.mail import (
    mail_attachment,
    mail_letter,
    mailbox_mark,
    unit_address,
)
from ledger.tables.people import person, person_address
from ledger.tables.rounds import (
    bulletin_item,
    compilation,
    exemplar,
    exemplar_entry,
    exemplar_picture,
    panel,
    panelist,
    report,
    report_draft,
    report_section,
    round_,
    score,
    section_review,
    template,
)
from ledger.tables.telling import channel, circular, outbox, outbox_line, reminder
from ledger.tables.work import (
    ALL_AREAS,
    assignee,
    duty,
    entry,
    evidence,
    flow_mark,
    item_move,
    plan,
    requirement,
    tally,
    unit,
    work_item,
)

APPEND_ONLY = (
    "entry",
    "reminder",
    "item_move",
    "privacy_exception",
    "sample",
    "sample_item",
    "report_section",
    "exemplar_entry",
    "template",
    "compilation",
    "circular",
)
__all__ = [
    "ALL_AREAS",
    "APPEND_ONLY",
    "Identity",
    "UtcDateTime",
    "assignee",
    "bulletin_item",
    "channel",
    "circular",
    "compilation",
    "draft_evidence",
    "duty",
    "entry",
    "evidence",
    "exemplar",
    "exemplar_entry",
    "exemplar_picture",
    "extension",
    "feed_fragment",
    "feed_token",
    "file",
    "flow_mark",
    "item_move",
    "mail_attachment",
    "mail_letter",
    "mailbox_mark",
    "metadata",
    "outbox",
    "outbox_line",
    "panel",
    "panelist",
    "person",
    "person_address",
    "plan",
    "privacy_exception",
    "reminder",
    "report",
    "report_draft",
    "report_section",
    "requirement",
    "round_",
    "sample",
    "sample_item",
    "score",
    "screening",
    "section_review",
    "tally",
    "template",
    "unit",
    "unit_address",
    "work_item",
]
