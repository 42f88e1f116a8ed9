"""What people write into a cell: figures and dates in the many forms that mean one thing; all others are refused."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from policy_models.evidence import TOO_LARGE
from policy_models.workbook import NOTHING_NEW, Raw

PLACES = 4  # decimal places that the ledger keeps
SERIAL_START = date(1899, 12, 30)  # day 0 of a spreadsheet's calendar
SERIALS = range(36526, 73051)  # 2000-01-01 to 2099-12-31: a date that lost its format
FIGURE = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
CIVIL = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(\s+00:00(:00)?)?")
YES = {NOTHING_NEW, "无新增情况", "无此情况", "是", "√", "✓", "y", "yes", "1"}
SHOWN = 24  # characters of a wrong value that are repeated


class Wrong(ValueError):
    """Why a cell cannot be taken; one Chinese sentence without full stop."""


def text(raw: Raw) -> str:
    """What stands in the cell as words, NFC, without the spaces around."""
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() and abs(raw) < 1e15 else format(Decimal(str(raw)), "f")
    if isinstance(raw, datetime):
        return f"{raw:%Y-%m-%d}" if raw.time() == time() else f"{raw:%Y-%m-%d %H:%M}"
    return unicodedata.normalize("NFC", str(raw)).strip(" \t\r\n\u3000\u00a0\u200b\ufeff")


def folded(raw: Raw) -> str:
    """As ``text``, with full-width letters and digits made plain."""
    return unicodedata.normalize("NFKC", text(raw)).strip()


def number(raw: Raw) -> Decimal | None:
    """The figure in a cell, None for an empty one. Raises Wrong."""
    words = folded(raw).replace("，", ",")
    if not words:
        return None
    if isinstance(raw, (date, datetime, time)):
        raise Wrong("单元格被识别成了日期，请改为数字格式后重新填写")
    if isinstance(raw, bool):
        raise Wrong("请填写数字")
    compact = re.sub(r"\s", "", words)
    if "%" in compact:
        raise Wrong("请填写数量，不填百分比")
    if not FIGURE.fullmatch(compact):
        raise Wrong(_why_no_figure(compact))
    value = Decimal(compact.replace(",", ""))
    if value < 0:
        raise Wrong("不能是负数")
    if value >= TOO_LARGE:
        raise Wrong("数字过大，请核对")
    if value != round(value, PLACES):
        raise Wrong(f"小数不超过 {PLACES} 位")
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def _why_no_figure(words: str) -> str:
    if found := re.fullmatch(r"([\d,.]+)(\D{1,4})", words):
        return f"只填数字，请删去“{found.group(2)}”"
    if re.search(r"\d", words):
        return "不是一个数字，请只填一个确定的数"
    return "请填写数字"


def day(raw: Raw, today: date) -> date | None:
    """The civil date in a cell, None for an empty one; not later than ``today``. Raises Wrong."""
    if isinstance(raw, datetime):
        found: date | None = raw.date()
    elif isinstance(raw, date):
        found = raw
    elif isinstance(raw, (time, bool)):
        raise Wrong("请填写日期，如 2025-06-30")
    else:
        found = _written_day(folded(raw))
    if found is not None and found > today:
        raise Wrong("日期晚于今天，请核对")
    if found is not None and found.year < 2000:
        raise Wrong("日期过早，请核对")
    return found


def _written_day(words: str) -> date | None:
    if not words:
        return None
    if words.isdigit() and int(words) in SERIALS:
        return SERIAL_START + timedelta(days=int(words))
    if not (found := CIVIL.fullmatch(words)):
        raise Wrong("请填写日期，如 2025-06-30")
    year, month, number = map(int, found.group(1, 2, 3))
    try:
        return date(year, month, number)
    except ValueError:
        raise Wrong(f"没有{year}年{month}月{number}日这一天") from None


def choice(raw: Raw) -> bool:
    """Whether 无新增 was chosen. Raises Wrong for anything but that and an empty cell."""
    if isinstance(raw, bool):
        return raw
    words = folded(raw).lower()
    if words in ("", "否", "0", "no", "n"):
        return False
    if words in YES:
        return True
    raise Wrong(f"只能选“{NOTHING_NEW}”或留空")


def words(raw: Raw, longest: int) -> str | None:
    """The text in a cell, None for an empty one. Raises Wrong where it is too long."""
    found = text(raw)
    if len(found) > longest:
        raise Wrong(f"内容过长：{len(found)} 字，不超过 {longest} 字")
    return found or None
