"""邮箱登记: which unit an office address belongs to, from a table that people keep."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping

from policy_models.errors import Fault, Faulty
from policy_models.letters import canonical_address
from policy_models.text import normalize_digits
from policy_models.units import Unit

HEADINGS = {
    "address": "address",
    "邮箱": "address",
    "邮箱地址": "address",
    "电子邮箱": "address",
    "unit": "unit",
    "code": "unit",
    "单位": "unit",
    "单位代码": "unit",
    "单位名称": "unit",
}


def parse_addresses(text: str, file: str, units: Mapping[str, Unit]) -> dict[str, str]:
    """Address → unit code, from CSV with the columns address (邮箱) and unit (单位: its code, or its full name).

    Raises Faulty with every fault by line: no such unit, a name that several units have, no address, an address that
    stands there for two units. All or nothing.
    """
    rows = csv.DictReader(io.StringIO(text, newline=""))
    rows.fieldnames = [HEADINGS.get((name or "").strip().lower(), name or "") for name in rows.fieldnames or []]
    if absent := [name for name in ("address", "unit") if name not in rows.fieldnames]:
        words = {"address": "邮箱", "unit": "单位"}
        raise Faulty([Fault(file, 1, absent[0], f"表头缺少列：{'、'.join(words[one] for one in absent)}")])
    names: dict[str, list[str]] = defaultdict(list)
    for unit in units.values():
        names[unit.name].append(unit.code)
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for row in rows:
        if not any((value or "").strip() for value in row.values() if not isinstance(value, list)):
            continue
        line = rows.line_num
        address, code = canonical_address(row["address"] or ""), _code(row["unit"] or "", units, names)
        if not address:
            faults.append(
                Fault(file, line, "邮箱", f"不是完整的邮箱地址：{(row['address'] or '').strip()[:40] or '（空）'}")
            )
        if len(code) != 1:
            faults.append(Fault(file, line, "单位", _which(row["unit"] or "", code)))
        if not address or len(code) != 1:
            continue
        if found.setdefault(address, code[0]) != code[0]:
            faults.append(Fault(file, line, "邮箱", f"同一邮箱登记了两个单位：{address}"))
    if not found and not faults:
        faults.append(Fault(file, 2, "", "没有任何邮箱"))
    if faults:
        raise Faulty(faults)
    return found


def _code(written: str, units: Mapping[str, Unit], names: Mapping[str, list[str]]) -> list[str]:
    words = written.strip()
    code = normalize_digits(words).replace("－", "-")
    return [code] if code in units else list(names.get(words, ()))


def _which(written: str, codes: list[str]) -> str:
    words = written.strip()[:40] or "（空）"
    if not codes:
        return f"没有这个单位：{words}"
    return f"名为“{words}”的单位有 {len(codes)} 个，请写单位代码（{'、'.join(codes[:4])}）"
