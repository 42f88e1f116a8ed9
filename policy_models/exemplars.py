"""优秀案例: its parts, how long it should be, what it may tell of a child, and the steps it goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from policy_models.errors import ActNotAllowed

# Domain facts §6: what a case consists of, in the order it is read; the title stands before them.
PARTS: Mapping[str, str] = {
    "background": "背景/问题",
    "practice": "主要做法",
    "effect": "工作成效",
    "insight": "经验启示",
}
SHORTEST, LONGEST = 1500, 3000  # characters of the four parts together, blanks not counted
FEWEST_PICTURES, MOST_PICTURES = 3, 5
PICTURES_KEPT = 12  # more than that is no exemplar but an album
TITLE_LENGTH, PART_LENGTH, CAPTION_LENGTH = 60, 20_000, 60


class ExemplarState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"
    SHORTLISTED = "shortlisted"
    PUBLISHED = "published"


class ExemplarAct(StrEnum):
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    SEND_BACK = "send_back"
    SHORTLIST = "shortlist"
    DROP = "drop"
    PUBLISH = "publish"
    UNPUBLISH = "unpublish"


EXEMPLAR_STATE_NAMES = {
    ExemplarState.DRAFT: "草稿",
    ExemplarState.SUBMITTED: "已报送",
    ExemplarState.WITHDRAWN: "已撤回",
    ExemplarState.RETURNED: "已退回",
    ExemplarState.SHORTLISTED: "已入选",
    ExemplarState.PUBLISHED: "已发布",
}
EXEMPLAR_ACT_NAMES = {
    ExemplarAct.SUBMIT: "报送",
    ExemplarAct.WITHDRAW: "撤回",
    ExemplarAct.SEND_BACK: "退回",
    ExemplarAct.SHORTLIST: "选入",
    ExemplarAct.DROP: "移出入选",
    ExemplarAct.PUBLISH: "发布",
    ExemplarAct.UNPUBLISH: "撤下",
}
EDITABLE = frozenset({ExemplarState.DRAFT, ExemplarState.WITHDRAWN, ExemplarState.RETURNED})
SENT = frozenset({ExemplarState.SUBMITTED, ExemplarState.SHORTLISTED, ExemplarState.PUBLISHED})
STEPS: Mapping[ExemplarAct, tuple[frozenset[ExemplarState], ExemplarState]] = {
    ExemplarAct.SUBMIT: (EDITABLE, ExemplarState.SUBMITTED),
    ExemplarAct.WITHDRAW: (frozenset({ExemplarState.SUBMITTED}), ExemplarState.WITHDRAWN),
    ExemplarAct.SEND_BACK: (frozenset({ExemplarState.SUBMITTED}), ExemplarState.RETURNED),
    ExemplarAct.SHORTLIST: (frozenset({ExemplarState.SUBMITTED}), ExemplarState.SHORTLISTED),
    ExemplarAct.DROP: (frozenset({ExemplarState.SHORTLISTED}), ExemplarState.SUBMITTED),
    ExemplarAct.PUBLISH: (frozenset({ExemplarState.SHORTLISTED}), ExemplarState.PUBLISHED),
    ExemplarAct.UNPUBLISH: (frozenset({ExemplarState.PUBLISHED}), ExemplarState.SHORTLISTED),
}


@dataclass(frozen=True, slots=True)
class Content:
    """What an exemplar says. ``tells_of_child``: it tells of a child's situation, and so needs the three that follow:
    consent of the child and of the guardian, and that nobody can recognise the child (domain facts §9)."""

    title: str
    background: str = ""
    practice: str = ""
    effect: str = ""
    insight: str = ""
    tells_of_child: bool = False
    child_consents: bool = False
    guardian_consents: bool = False
    anonymised: bool = False

    def parts(self) -> tuple[tuple[str, str, str], ...]:
        """(name, Chinese heading, text) of each part, in the order it is read."""
        return tuple((name, heading, getattr(self, name)) for name, heading in PARTS.items())


def next_state(state: ExemplarState, act: ExemplarAct) -> ExemplarState:
    """The state an act leads to. Raises ActNotAllowed."""
    sources, target = STEPS[act]
    if state not in sources:
        raise ActNotAllowed(f"“{EXEMPLAR_STATE_NAMES[state]}”的案例不能{EXEMPLAR_ACT_NAMES[act]}")
    return target


def characters(text: str) -> int:
    """How many characters a text has, blanks and line ends not counted, as office people count."""
    return sum(not c.isspace() for c in text)


def length(content: Content) -> int:
    """Characters of the four parts together; the title does not count."""
    return sum(characters(text) for _, _, text in content.parts())


def missing_parts(content: Content) -> list[str]:
    """The headings of what is still empty: all must be written before it is handed in."""
    empty = ["题目"] if not content.title.strip() else []
    return empty + [heading for _, heading, text in content.parts() if not text.strip()]


def missing_consent(content: Content) -> list[str]:
    """What an exemplar that tells of a child's situation still lacks, in Chinese; empty for one that tells of none."""
    if not content.tells_of_child:
        return []
    wanted = (
        (content.child_consents, "儿童本人同意"),
        (content.guardian_consents, "监护人同意"),
        (content.anonymised, "已作匿名处理"),
    )
    return [words for given, words in wanted if not given]


def hints(content: Content, pictures: int) -> list[str]:
    """What is unusual about length and number of pictures: told, never refused."""
    told, count = [], length(content)
    if count < SHORTEST:
        told.append(f"正文 {count} 字，少于 {SHORTEST} 字")
    if count > LONGEST:
        told.append(f"正文 {count} 字，多于 {LONGEST} 字")
    if not FEWEST_PICTURES <= pictures <= MOST_PICTURES:
        told.append(f"照片 {pictures} 张，一般为 {FEWEST_PICTURES} 至 {MOST_PICTURES} 张")
    return told
