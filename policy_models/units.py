"""单位: the tree of units, who stands above whom, and which units an assignee means."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from policy_models.errors import Fault, NotFound, UnitsInvalid
from policy_models.plan import Assignee, Function, Level

COLUMNS = ("code", "name", "level", "function", "parent", "functional_zone")
CODE = re.compile(r"[0-9A-Za-z]{2,12}(-[0-9a-z]{1,8})?")
LONGEST_NAME = 80
RANK = {Level.CITY: 0, Level.COUNTY: 1, Level.TOWNSHIP: 2, Level.VILLAGE: 3, Level.SCHOOL: 3, Level.INSTITUTION: 3}
LEVEL_NAMES = {
    Level.CITY: "市级",
    Level.COUNTY: "旗县区",
    Level.TOWNSHIP: "苏木乡镇街道",
    Level.VILLAGE: "嘎查村社区",
    Level.SCHOOL: "学校",
    Level.INSTITUTION: "机构",
}

# A list may be headed and filled in Chinese, as it is handed out.
COLUMN_NAMES = {
    "code": "代码",
    "name": "名称",
    "level": "层级",
    "function": "条线",
    "parent": "上级代码",
    "functional_zone": "功能区",
}
_COLUMNS_BY_NAME = {name: column for column, name in COLUMN_NAMES.items()}
_LEVELS_BY_NAME = {name: level.value for level, name in LEVEL_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: ``code`` is stable and unique (names repeat), ``parent`` is the code above it."""

    code: str
    name: str
    level: Level
    function: Function | None
    parent: str | None
    functional_zone: bool = False


class Units(Mapping[str, Unit]):
    """All units by code. Raises UnitsInvalid for a double code, an unknown parent, a cycle or a level out of order."""

    def __init__(self, units: Iterable[Unit], file: str = "units.csv", lines: Mapping[str, int] | None = None) -> None:
        self._file, self._lines = file, lines or {}
        self._by_code: dict[str, Unit] = {}
        faults: list[Fault] = []
        for unit in units:
            if unit.code in self._by_code:
                faults.append(self._fault(unit.code, "code", f"单位代码重复：{unit.code}"))
            self._by_code[unit.code] = unit
        faults += self._tree_faults()
        if faults:
            raise UnitsInvalid(faults)

    def __getitem__(self, code: str) -> Unit:
        return self._by_code[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_code)

    def __len__(self) -> int:
        return len(self._by_code)

    def _fault(self, code: str, field: str, message: str) -> Fault:
        return Fault(self._file, self._lines.get(code), field, message)

    def _tree_faults(self) -> list[Fault]:
        faults = []
        for unit in self._by_code.values():
            if unit.parent is None:
                continue
            above = self._by_code.get(unit.parent)
            if above is None:
                faults.append(self._fault(unit.code, "parent", f"上级单位不存在：{unit.parent}"))
            elif self._in_cycle(unit):
                faults.append(
                    self._fault(unit.code, "parent", f"上下级关系成环：{unit.code}（{unit.name}）是自己的上级")
                )
            elif RANK[above.level] > RANK[unit.level]:
                faults.append(self._fault(unit.code, "parent", f"上级单位的层级低于本单位：{above.name}"))
        return faults

    def _in_cycle(self, unit: Unit) -> bool:
        seen: set[str] = set()
        code = unit.parent
        while code is not None and code in self._by_code and code not in seen:
            if code == unit.code:
                return True
            seen.add(code)
            code = self._by_code[code].parent
        return False

    def one(self, code: str) -> Unit:
        """The unit with this code. Raises NotFound."""
        if code not in self._by_code:
            raise NotFound(f"没有代码为 {code} 的单位")
        return self._by_code[code]

    def county_of(self, code: str) -> str | None:
        """The code of the county (without function) a unit lies in; None for city units."""
        unit: Unit | None = self._by_code[code]
        while unit is not None:
            if unit.level is Level.COUNTY and unit.function is None:
                return unit.code
            unit = self._by_code.get(unit.parent) if unit.parent else None
        return None

    @cached_property
    def counties(self) -> tuple[Unit, ...]:
        return tuple(u for u in self._by_code.values() if u.level is Level.COUNTY and u.function is None)

    def superior(self, unit: Unit, function: Function = Function.CIVIL_AFFAIRS) -> str | None:
        """The unit that reviews its work: a village's township, a township's county department, a department's city
        department of the same function, and for the city's own units the coordinator's line; ``function`` is that line,
        taken also where a unit has none."""
        line = unit.function or function
        if unit.level is Level.CITY:
            return self._line_at.get((self._city, function))
        if unit.level in (Level.VILLAGE, Level.SCHOOL, Level.INSTITUTION):
            return unit.parent
        area = self.county_of(unit.code) if unit.level is Level.TOWNSHIP else self._city
        return self._line_at.get((area, line)) or self._line_at.get((area, function)) or unit.parent

    @cached_property
    def _city(self) -> str | None:
        return next((u.code for u in self._by_code.values() if u.level is Level.CITY and u.function is None), None)

    @cached_property
    def _line_at(self) -> dict[tuple[str | None, Function], str]:
        return {(u.parent, u.function): u.code for u in self._by_code.values() if u.function}

    def assigned(self, assignee: Assignee, organs: Mapping[str, str]) -> tuple[Unit, ...]:
        """The units that an assignee means, in code order. A level without function means units without one."""
        if assignee.units:
            named = {organs.get(name, name) for name in assignee.units}
            return tuple(self.one(code) for code in sorted(named))
        level, functions = assignee.level, assignee.function
        return tuple(
            u for u in self._in_order.get(level, ()) if (u.function in functions if functions else u.function is None)
        )

    @cached_property
    def _in_order(self) -> dict[Level | None, tuple[Unit, ...]]:
        """The units of each level in code order, and under None those of all levels."""
        ordered = [unit for _, unit in sorted(self._by_code.items())]
        found: dict[Level | None, tuple[Unit, ...]] = {None: tuple(ordered)}
        return found | {level: tuple(unit for unit in ordered if unit.level is level) for level in Level}


def parse_units(text: str, file: str = "units.csv", known: Mapping[str, Unit] | None = None) -> Units:
    """Units from CSV text with the columns of COLUMNS, in these words or in those of COLUMN_NAMES (function and functional_zone may be absent).

    ``known``: units that a parent may also be among (they are part of the result where the text does not replace
    them). Errors name line and column; all or nothing: UnitsInvalid lists every fault found.
    """
    rows = csv.DictReader(io.StringIO(text, newline=""))
    header = [_COLUMNS_BY_NAME.get(found, found) for found in ((name or "").strip() for name in rows.fieldnames or [])]
    if missing := [name for name in ("code", "name", "level", "parent") if name not in header]:
        raise UnitsInvalid([Fault(file, 1, missing[0], f"表头缺少列：{'、'.join(missing)}")])
    rows.fieldnames = header
    units: list[Unit] = []
    lines: dict[str, int] = {}
    faults: list[Fault] = []
    for row in rows:
        unit, found = _unit(row, file, rows.line_num)
        faults += found
        if unit:
            if unit.code in lines:
                faults.append(
                    Fault(file, rows.line_num, "code", f"单位代码重复：{unit.code}（已见于第 {lines[unit.code]} 行）")
                )
            lines.setdefault(unit.code, rows.line_num)
            units.append(unit)
    if not units and not faults:
        faults.append(Fault(file, 2, "", "没有任何单位"))
    if faults:
        raise UnitsInvalid(faults)
    others = [unit for code, unit in (known or {}).items() if code not in lines]
    return Units([*others, *units], file, lines)


def _unit(row: Mapping[str, str | None], file: str, line: int) -> tuple[Unit | None, list[Fault]]:
    value = {name: (row.get(name) or "").strip() for name in COLUMNS}
    for name in ("code", "parent"):  # spreadsheets hand over full-width digits
        value[name] = unicodedata.normalize("NFKC", value[name])
    value["level"] = _LEVELS_BY_NAME.get(value["level"], value["level"])
    faults = []
    if None in row:
        faults.append(Fault(file, line, "", "列数多于表头"))
    if not CODE.fullmatch(value["code"]):
        faults.append(
            Fault(file, line, "code", f"单位代码须为数字或字母，可带“-”和条线缩写：{value['code'] or '（空）'}")
        )
    if not value["name"]:
        faults.append(Fault(file, line, "name", "单位名称为空"))
    elif len(value["name"]) > LONGEST_NAME or not value["name"].isprintable():
        faults.append(Fault(file, line, "name", f"单位名称须在 {LONGEST_NAME} 字以内，不含控制字符"))
    if value["level"] not in set(Level):
        faults.append(Fault(file, line, "level", f"层级只能是 {'、'.join(Level)}：{value['level'] or '（空）'}"))
    if value["function"] and value["function"] not in set(Function):
        faults.append(Fault(file, line, "function", f"条线只能是 {'、'.join(Function)}：{value['function']}"))
    if not value["parent"] and value["level"] != Level.CITY:
        faults.append(Fault(file, line, "parent", "除市级外都须写上级单位"))
    if faults:
        return None, faults
    function = Function(value["function"]) if value["function"] else None
    zone = value["functional_zone"].lower() in {"1", "true", "yes", "是"}
    return Unit(value["code"], value["name"], Level(value["level"]), function, value["parent"] or None, zone), []


def unit_rows(units: Iterable[Unit]) -> Iterator[tuple[str, ...]]:
    """The rows of a list that ``parse_units`` reads back: a Chinese head, then one unit each."""
    yield tuple(COLUMN_NAMES[column] for column in COLUMNS)
    for one in units:
        zone = "是" if one.functional_zone else ""
        yield one.code, one.name, LEVEL_NAMES[one.level], one.function or "", one.parent or "", zone
