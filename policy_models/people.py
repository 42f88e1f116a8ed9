"""人员: who answers for a unit's work and how they are reached, checked as a table or a form hands it in. Office staff
only, never a child or a guardian."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from policy_models.channels import EMAIL_CODE, INBOX_CODE, KINDS, ChannelKind
from policy_models.letters import canonical_address
from policy_models.privacy import redact, screen

LONGEST_NAME = LONGEST_POST = 40
LONGEST_PHONE = 30
LONGEST_CALL = 64  # whom a robot is to call
SHOWN = 40


class PersonRole(StrEnum):
    LIAISON = "liaison"
    PRINCIPAL = "principal"
    REVIEWER = "reviewer"


ROLE_NAMES = {PersonRole.LIAISON: "联络员", PersonRole.PRINCIPAL: "负责人", PersonRole.REVIEWER: "审核人"}
# as the official register heads its columns (domain facts §6)
ROLE_WORDS = {name: role for role, name in ROLE_NAMES.items()} | {role.value: role for role in PersonRole}
ROLE_WORDS |= {"联系人": PersonRole.LIAISON, "责任人": PersonRole.PRINCIPAL}


class Why(StrEnum):
    """Why nobody can reach a unit."""

    NOBODY = "nobody"
    NO_WAY = "no_way"
    UNCONFIRMED = "unconfirmed"
    BOUNCED = "bounced"


WHY_NAMES = {
    Why.NOBODY: "没有联络员",
    Why.NO_WAY: "联络员没有填写渠道",
    Why.UNCONFIRMED: "渠道未确认",
    Why.BOUNCED: "退信",
}


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """A channel that a person may choose; ``name`` as people say it."""

    code: str
    kind: ChannelKind
    name: str


# These two need no entry in the channels file: a person's mailbox is known before the mail server is.
ALWAYS = (
    KnownChannel(EMAIL_CODE, ChannelKind.EMAIL, KINDS[ChannelKind.EMAIL].name),
    KnownChannel(INBOX_CODE, ChannelKind.INBOX, KINDS[ChannelKind.INBOX].name),
)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to a person: a channel's code, and the address where the channel needs or takes one ("" else)."""

    channel: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """Somebody at a unit as handed in. ``ways``: the preferred one first; ``weekly``, ``monthly``: gets 周通报, 月通报."""

    unit_code: str
    name: str
    roles: frozenset[PersonRole]
    post: str = ""
    phone: str = ""
    weekly: bool = False
    monthly: bool = False
    ways: tuple[Way, ...] = ()
    active: bool = True


_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])[\s\u3000]+(?=[\u3400-\u9fff])")
_DOTS = re.compile("[•‧・．∙⋅]")
_NAME = re.compile(r"[^\W\d_]+(?:[·.' -]{1,2}[^\W\d_]+)*\.?")
_NO_NAME = frozenset(
    ("无", "暂无", "没有", "待定", "空缺", "暂缺", "未定", "同上", "联络员", "负责人", "审核人", "姓名")
)
_PHONE = re.compile(r"\+?\(?\d[\d() \-]{2,22}\d(?: ?(?:转|-) ?\d{1,6})?")
_CALL = re.compile(r"[^\s、,，;；:：<>\"'=＝]{1,64}")


def tidy(text: str) -> str:
    """A cell as one compares it: half-width, no blanks around or between Chinese characters (王　芳)."""
    return _BETWEEN_HAN.sub("", unicodedata.normalize("NFKC", text).strip())


def tidy_name(text: str) -> str:
    return _DOTS.sub("·", " ".join(tidy(text).split()))


def shown(text: str) -> str:
    """A value as a sentence may repeat it: personal numbers masked, cut short."""
    return redact(text.strip())[:SHOWN] or "（空）"


def faults_of(one: PersonFacts, channels: Collection[KnownChannel]) -> Iterator[tuple[str, str]]:
    """What is wrong with a person: (field as its column is headed, one Chinese sentence without full stop)."""
    if one.name in _NO_NAME or not one.name:
        yield "姓名", "请填写姓名，人选未定的先不登记"
    elif len(one.name) > LONGEST_NAME or not _NAME.fullmatch(one.name):
        yield "姓名", f"姓名只能是文字，不超过 {LONGEST_NAME} 字，不能有数字或符号"
    if len(one.post) > LONGEST_POST or not one.post.isprintable():
        yield "职务", f"职务不超过 {LONGEST_POST} 字，不能换行"
    yield from (("电话", words) for words in _phone_faults(one.phone))
    if one.active and not (one.roles or one.weekly or one.monthly):
        yield "角色", f"请至少写一个角色：{'、'.join(ROLE_NAMES.values())}"
    yield from (("渠道", words) for words in way_faults(one.ways, channels))


def _phone_faults(phone: str) -> Iterator[str]:
    if not phone:
        return
    stopping = [finding for finding in screen(f"电话 {phone}") if finding.blocks]
    if any(finding.kind == "mobile" for finding in stopping):
        yield "只登记办公电话，不登记手机号码"
    elif stopping:
        yield f"{stopping[0].why}（{stopping[0].sample}），不能登记"
    elif len(phone) > LONGEST_PHONE or not _PHONE.fullmatch(phone):
        yield f"不是一个办公电话，应如 0472-5123456 转 801：{shown(phone)}"


def way_faults(ways: Sequence[Way], channels: Collection[KnownChannel]) -> Iterator[str]:
    """What is wrong with the ways to a person: unknown or twice, an address that is missing, wrong or needless."""
    known = {one.code: one for one in channels}
    met: set[str] = set()
    for way in ways:
        channel = known.get(way.channel)
        if channel is None:
            names = "、".join(f"{one.code}（{one.name}）" for one in channels)
            yield f"没有这个渠道：{shown(way.channel)}；可写 {names}"
            continue
        if way.channel in met:
            yield f"渠道重复：{channel.name}"
        met.add(way.channel)
        if words := _address_fault(way.address, channel):
            yield words


def _address_fault(address: str, channel: KnownChannel) -> str:
    if channel.kind is ChannelKind.EMAIL:
        if not address:
            return f"{channel.name}须写邮箱地址"
        return "" if canonical_address(address) == address else f"不是完整的邮箱地址：{shown(address)}"
    if channel.kind in (ChannelKind.INBOX, ChannelKind.CONSOLE):
        return f"{channel.name}不用写地址" if address else ""
    if not address or (_CALL.fullmatch(address) and len(address) <= LONGEST_CALL and address.isprintable()):
        return ""
    return f"{channel.name}中的成员标识不能有空格或标点，不超过 {LONGEST_CALL} 字"


def read_way(code: str, address: str, channels: Iterable[KnownChannel]) -> Way:
    """A way as written: the channel by its code or its name, an e-mail address in its canonical form where it is one."""
    plain = tidy(code)
    found = next((one for one in channels if plain.lower() == one.code.lower() or plain == one.name), None)
    if found is None:
        return Way(plain, tidy(address))
    written = canonical_address(address) if found.kind is ChannelKind.EMAIL else ""
    return Way(found.code, written or tidy(address))


def merged(known: PersonFacts, given: PersonFacts, columns: Collection[str]) -> PersonFacts:
    """A person after a row of a table: what the table has no column for stays as it was. ``columns``: its fields."""
    fields = {"post": ("post",), "phone": ("phone",), "circulars": ("weekly", "monthly")}
    kept = {name: getattr(known, name) for column in fields if column not in columns for name in fields[column]}
    return replace(given, **kept, ways=_merged_ways(known.ways, given.ways, columns))


def _merged_ways(known: tuple[Way, ...], given: tuple[Way, ...], columns: Collection[str]) -> tuple[Way, ...]:
    if "channels" in columns:
        return given
    if "email" not in columns:
        return known
    mail = next((way for way in given if way.channel == EMAIL_CODE), None)
    if mail is None:
        return tuple(way for way in known if way.channel != EMAIL_CODE)
    if all(way.channel != EMAIL_CODE for way in known):
        return (*known, mail)
    return tuple(mail if way.channel == EMAIL_CODE else way for way in known)
