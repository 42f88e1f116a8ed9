"""The people of the demonstration: invented names, the same for a unit every time, and telephone numbers that nobody has
(no local number begins with 0). Two units have no liaison, so that the warning shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from ledger.database import Session
from ledger.people_import import save_people
from policy_models.channels import EMAIL_CODE, INBOX_CODE
from policy_models.people import PersonFacts, PersonRole, Way
from policy_models.people_file import COLUMNS, PeopleFile
from policy_models.plan import Level
from policy_models.units import Unit, Units

SURNAMES = (
    "王李张刘陈杨赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任沈姚卢姜崔钟谭"
)
GIVEN = (
    "建国", "志强", "晓燕", "丽娟", "海波", "文静", "玉梅", "春雷", "雪峰", "秀英", "永刚", "红霞", "国庆", "小平", "桂兰", "振华",
    "慧敏", "宏伟", "雅琴", "立新", "婷婷", "俊杰", "淑芬", "占军", "艳红", "明亮", "静", "伟", "磊", "敏", "洋", "芳", "军", "涛",
)  # fmt: skip
MONGOLIAN = ("乌云其木格", "巴特尔", "苏日娜", "斯琴高娃", "朝鲁", "其其格", "格日勒图", "娜仁花", "哈斯巴根", "萨如拉")
POSTS = {Level.VILLAGE: "儿童主任", Level.TOWNSHIP: "儿童督导员"}
WITHOUT = frozenset(("150206-mz", "150207001003"))  # nobody answers there


def invent_people(units: Units) -> Iterator[PersonFacts]:
    """A liaison for each unit; where there is an office also who answers for it, and who reviews."""
    for unit in units.values():
        if unit.code not in WITHOUT:
            yield _liaison(unit)
        if unit.function and unit.level in (Level.CITY, Level.COUNTY):
            yield _principal(unit)


def settle(session: Session, units: Units, now: datetime) -> None:
    """Register them all at an instant."""
    people = tuple(invent_people(units))
    save_people(session, PeopleFile("演示", people, frozenset(COLUMNS), {}), now=now)


def _liaison(unit: Unit) -> PersonFacts:
    above = unit.level not in (Level.VILLAGE, Level.SCHOOL, Level.INSTITUTION)
    roles = {PersonRole.LIAISON, *([PersonRole.REVIEWER] if above else [])}
    ways = (Way(INBOX_CODE), Way(EMAIL_CODE, f"{unit.code}@demo.example"))
    post = POSTS.get(unit.level, "办公室科员")
    return PersonFacts(unit.code, _name(unit.code, "联"), frozenset(roles), post, _phone(unit.code), above, False, ways)


def _principal(unit: Unit) -> PersonFacts:
    names = (_name(unit.code, which) for which in ("负", "副"))
    name, ways = next(one for one in names if one != _name(unit.code, "联")), (Way(INBOX_CODE),)
    return PersonFacts(unit.code, name, frozenset((PersonRole.PRINCIPAL,)), "分管领导", "", False, True, ways)


def _number(*words: str) -> int:
    return int.from_bytes(sha256("|".join(words).encode()).digest()[:6])


def _name(code: str, which: str) -> str:
    number = _number(code, which)
    if number % 7 == 0:
        return MONGOLIAN[number // 7 % len(MONGOLIAN)]
    return SURNAMES[number // 7 % len(SURNAMES)] + GIVEN[number // 700 % len(GIVEN)]


def _phone(code: str) -> str:
    return f"0472-000{_number(code, '电话') % 10_000:04}"
