"""人员表: people of many units from a table that offices keep, all of it or nothing."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from policy_models.channels import EMAIL_CODE
from policy_models.errors import Fault, Faulty
from policy_models.people import (
    ALWAYS,
    ROLE_NAMES,
    ROLE_WORDS,
    KnownChannel,
    PersonFacts,
    Way,
    faults_of,
    read_way,
    shown,
    tidy,
    tidy_name,
    way_faults,
)
from policy_models.units import Unit

# The columns in their order, as the template heads them.
COLUMNS = {
    "unit": "单位",
    "name": "姓名",
    "post": "职务",
    "phone": "电话",
    "roles": "角色",
    "email": "电子邮箱",
    "channels": "渠道",
    "circulars": "通报",
    "inactive": "停用",
}
WANTED = ("unit", "name", "roles")
HEADINGS = {title: name for name, title in COLUMNS.items()} | {name: name for name in COLUMNS}
HEADINGS |= {"code": "unit", "unit_code": "unit", "单位代码": "unit", "单位全称": "unit", "单位名称": "unit"}
HEADINGS |= {"role": "roles", "title": "post", "办公电话": "phone", "联系电话": "phone", "telephone": "phone"}
HEADINGS |= {"邮箱": "email", "电子邮件": "email", "e-mail": "email", "mail": "email", "channel": "channels"}
HEADINGS |= {"circular": "circulars", "备注": "", "序号": "", "note": ""}
FORMULA = frozenset("=＝+＋-－@＠\t")
YES, NO = (
    frozenset(("是", "1", "true", "yes", "y", "停用", "√")),
    frozenset(("", "否", "0", "false", "no", "n", "在用")),
)
CIRCULARS = {
    "周": "w",
    "周通报": "w",
    "weekly": "w",
    "月": "m",
    "月通报": "m",
    "monthly": "m",
    "周月": "wm",
    "无": "",
    "否": "",
}
_APART = re.compile(r"[、,，;；\s]+")
_BRACKETED = re.compile(r"(?P<name>.+?) ?\((?P<code>[^()]+)\)")
_MANGLED = re.compile(r"\d(?:\.\d+)?[eE]\+\d+")  # 1.50203E+11: what spreadsheets make of a long code


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """What a table says. ``columns``: the fields it has a column for; ``lines``: where each person stands."""

    name: str
    people: tuple[PersonFacts, ...]
    columns: frozenset[str]
    lines: Mapping[tuple[str, str], int]

    def fault(self, one: PersonFacts, field: str, message: str) -> Fault:
        return Fault(self.name, self.lines.get((one.unit_code, one.name)), field, message)


def parse_people(
    text: str, file: str, units: Mapping[str, Unit], channels: Collection[KnownChannel] = ALWAYS
) -> PeopleFile:
    """People from CSV with the columns of COLUMNS (单位, 姓名 and 角色 at least; commas, tabs or semicolons between).

    A unit stands there by its code, its full name, or ``名称（代码）``. Rows with nothing but a unit are passed over, so
    that a template may name the units. Raises Faulty with every fault by line; all or nothing.
    """
    reader = _Reader(file, units, channels)
    people, faults = reader.read(text)
    if not people and not faults:
        faults.append(Fault(file, 2, "", "没有任何人员"))
    if faults:
        raise Faulty(faults)
    return PeopleFile(file, tuple(people), reader.columns, reader.lines)


class _Reader:
    def __init__(self, file: str, units: Mapping[str, Unit], channels: Collection[KnownChannel]) -> None:
        self.file, self.units, self.channels = file, units, channels
        self.columns: frozenset[str] = frozenset()
        self.lines: dict[tuple[str, str], int] = {}

    def read(self, text: str) -> tuple[list[PersonFacts], list[Fault]]:
        rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=_delimiter(text), strict=True)
        people: list[PersonFacts] = []
        faults: list[Fault] = []
        row: list[str] = []
        try:
            fields = self._fields(next(rows, []))
            for row in rows:
                one, found = self._person(fields, row, rows.line_num)
                faults += found
                if one is not None:
                    people.append(one)
            if 0 < len(row) < len(fields) and not text.endswith(("\n", "\r")):
                faults = [one for one in faults if one.line != rows.line_num]
                faults.append(Fault(self.file, rows.line_num, "", "最后一行不完整，文件可能没有上传完整"))
        except csv.Error:
            faults.append(Fault(self.file, rows.line_num, "", "引号不成对，或一格过长，无法按表格读取"))
        return people, faults

    def _fields(self, titles: list[str]) -> list[str]:
        """The field of each column, "" for one that is passed over. Raises Faulty."""
        words = [tidy(title).lower() for title in titles]
        unknown = [title for title in words if title and title not in HEADINGS]
        fields = [HEADINGS.get(title, "") for title in words]
        self.columns = frozenset(filter(None, fields))
        faults = []
        if absent := [COLUMNS[name] for name in WANTED if name not in self.columns]:
            faults.append(Fault(self.file, 1, "", f"表头缺少列：{'、'.join(absent)}"))
        if unknown:
            told = "、".join(map(shown, unknown))
            faults.append(Fault(self.file, 1, "", f"不认识的列：{told}；可用的列：{'、'.join(COLUMNS.values())}"))
        if twice := sorted({name for name in fields if name and fields.count(name) > 1}):
            faults.append(Fault(self.file, 1, "", f"列重复：{'、'.join(COLUMNS[name] for name in twice)}"))
        if faults:
            raise Faulty(faults)
        return fields

    def _person(self, fields: list[str], row: list[str], line: int) -> tuple[PersonFacts | None, list[Fault]]:
        cells = {field: _plain(value) for field, value in zip(fields, row, strict=False) if field}
        if not any(value for field, value in cells.items() if field != "unit"):
            return None, []
        faults: list[tuple[str, str]] = []
        if any(value.strip() for value in row[len(fields) :]):
            faults.append(("", "列数多于表头"))
        if formulas := [COLUMNS[name] for name, value in cells.items() if _is_formula(name, value)]:
            faults += [(title, "不能是公式，请粘贴为数值（文本）后再导入") for title in formulas]
            return None, self._at(line, faults)
        unit, words = self._unit(cells.get("unit", ""))
        faults += [("单位", words)] if words else []
        one, wrong = _facts(unit, cells, self.channels)
        faults += wrong
        if unit and one.name:
            first = self.lines.setdefault((unit, one.name), line)
            if first != line:
                faults.append(("姓名", f"同一单位的同一人写了两行（已见于第 {first} 行）"))
        return (None if faults else one), self._at(line, faults)

    def _at(self, line: int, faults: list[tuple[str, str]]) -> list[Fault]:
        return [Fault(self.file, line, field, message) for field, message in faults]

    def _unit(self, written: str) -> tuple[str, str]:
        """A unit's code and "", or "" and what is wrong."""
        plain, as_named = tidy(written), written.strip()
        if plain in self.units:
            return plain, ""
        codes = self._names.get(as_named) or self._names.get(plain) or []
        if len(codes) == 1:
            return codes[0], ""
        if codes:
            return "", f"名为“{shown(as_named)}”的单位有 {len(codes)} 个，请写单位代码（{'、'.join(codes[:4])}）"
        if found := _BRACKETED.fullmatch(plain):
            unit = self.units.get(found["code"])
            if unit is not None and tidy(unit.name) == found["name"]:
                return unit.code, ""
            return "", f"单位名称与代码不符：{shown(as_named)}"
        if _MANGLED.fullmatch(plain):
            return "", f"单位代码被表格软件改写为 {plain}，请把这一列设为文本格式后重填，或改写单位全称"
        return "", f"没有这个单位：{shown(as_named)}"

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = defaultdict(list)
        for unit in self.units.values():
            for name in dict.fromkeys((unit.name, tidy(unit.name))):
                names[name].append(unit.code)
        return names


def _facts(
    unit: str, cells: Mapping[str, str], channels: Collection[KnownChannel]
) -> tuple[PersonFacts, list[tuple[str, str]]]:
    """A person as far as the cells can be read, and all that is wrong with them."""
    faults: list[tuple[str, str]] = []
    roles = set()
    for word in _words(cells.get("roles", "")):
        if word in ROLE_WORDS:
            roles.add(ROLE_WORDS[word])
        else:
            faults.append(("角色", f"角色只能是 {'、'.join(ROLE_NAMES.values())}：{shown(word)}"))
    told = _words(cells.get("circulars", ""))
    faults += [("通报", f"通报只能是 周、月：{shown(word)}") for word in told if word not in CIRCULARS]
    chosen = "".join(CIRCULARS.get(word, "") for word in told)
    stopped = tidy(cells.get("inactive", "")).lower()
    if stopped not in YES | NO:
        faults.append(("停用", f"停用只能写 是 或 否：{shown(stopped)}"))
    ways, wrong = _ways(cells.get("channels", ""), cells.get("email", ""), channels)
    faults += wrong
    one = PersonFacts(
        unit,
        tidy_name(cells.get("name", "")),
        frozenset(roles),
        tidy(cells.get("post", "")),
        tidy(cells.get("phone", "")),
        "w" in chosen,
        "m" in chosen,
        ways,
        stopped not in YES,
    )
    named = {field for field, _ in faults}
    return one, faults + [fault for fault in faults_of(one, channels) if fault[0] not in named]


def _ways(
    written: str, email: str, channels: Collection[KnownChannel]
) -> tuple[tuple[Way, ...], list[tuple[str, str]]]:
    """The ways in order; an e-mail address from its own column is used where 渠道 names no other, else it comes last."""
    faults: list[tuple[str, str]] = []
    ways = []
    for word in filter(None, _APART.split(written)):
        code, _, address = word.replace("：", ":").partition(":")
        ways.append(read_way(code, address, channels))
    if not email:
        return tuple(ways), faults
    mail = read_way(EMAIL_CODE, email, channels)
    at = next((place for place, way in enumerate(ways) if way.channel == EMAIL_CODE), None)
    if at is None:
        ways.append(mail)
    elif not ways[at].address:
        ways[at] = mail
    elif ways[at] != mail:
        faults.append(("电子邮箱", "与“渠道”一列中的邮箱地址不同，请只写一处"))
    if wrong := [("电子邮箱", words) for words in way_faults([mail], channels)]:
        faults += wrong
        ways = [way for way in ways if way != mail]
    return tuple(ways), faults


def _words(cell: str) -> list[str]:
    return [tidy(word).lower() for word in _APART.split(cell) if word]


def _plain(value: str) -> str:
    """A cell without blanks, and without the apostrophe by which our own exports keep it from being a formula."""
    plain = value.strip()
    return plain[1:] if plain[:1] == "'" and plain[1:2] in FORMULA else plain


def _is_formula(field: str, value: str) -> bool:
    first = value[:1]
    return first in FORMULA and bool(first) and not (field == "phone" and first in "+＋")


def _delimiter(text: str) -> str:
    """Spreadsheet programs save a "CSV" with what their country writes between columns."""
    head = text.partition("\n")[0]
    return max((",", "\t", ";"), key=head.count)


def people_rows(units: Mapping[str, Unit], people: Iterable[PersonFacts]) -> Iterator[list[str]]:
    """The table as ``parse_people`` reads it back: a head, then every unit with its people, or with an empty row."""
    yield list(COLUMNS.values())
    here: dict[str, list[PersonFacts]] = defaultdict(list)
    for one in people:
        here[one.unit_code].append(one)
    often = Counter(unit.name for unit in units.values())
    for code, unit in units.items():
        written = unit.name if often[unit.name] == 1 else f"{unit.name}（{code}）"
        for one in here[code]:
            yield [written, *_cells(one)]
        if not here[code]:
            yield [written, *[""] * (len(COLUMNS) - 1)]


def _cells(one: PersonFacts) -> list[str]:
    """A person in the columns after the unit's."""
    mail = next((way.address for way in one.ways if way.channel == EMAIL_CODE), "")
    ways = (
        f"{way.channel}:{way.address}" if way.address and way.channel != EMAIL_CODE else way.channel for way in one.ways
    )
    circulars = [name for name, chosen in (("周", one.weekly), ("月", one.monthly)) if chosen]
    roles = [name for role, name in ROLE_NAMES.items() if role in one.roles]
    stopped = "" if one.active else "是"
    return [one.name, one.post, one.phone, "、".join(roles), mail, "、".join(ways), "、".join(circulars), stopped]
