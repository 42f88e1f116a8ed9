"""The State Council's notice on a year's holidays: from its text to the year's arrangement.

The text may come from anywhere (a web page, a PDF, a message): brackets in either width, spaces inside dates, full-width
digits. Only what is said to be 放假 is off and only what is said to be 上班 is made up; 「休息」 is advice to employers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from policy_models.errors import CalendarInvalid, Fault
from policy_models.festivals import FESTIVAL_NAMES, FIRST_YEAR, LAST_YEAR, Festival
from policy_models.holiday_years import HolidayBlock, HolidayYear
from policy_models.spans import month_day, weekday_name

NAME = "放假通知"
LONGEST_TEXT, LONGEST_SENTENCE = 20_000, 300
_FESTIVALS = {
    **{name: festival for festival, name in FESTIVAL_NAMES.items()},
    "新年": Festival.NEW_YEAR,
    "清明": Festival.QINGMING,
    "五一": Festival.LABOUR_DAY,
    "国际劳动节": Festival.LABOUR_DAY,
    "端午": Festival.DRAGON_BOAT,
    "中秋": Festival.MID_AUTUMN,
    "国庆": Festival.NATIONAL_DAY,
}
_ONE = "|".join(sorted(_FESTIVALS, key=len, reverse=True))
_NUMBER = r"(?:[一二三四五六七八九十]+、|\([一二三四五六七八九十]+\)|\d+[.、])"
_KNOWN = re.compile(rf"{_NUMBER}?((?:{_ONE})(?:[、,和与](?:{_ONE}))*)(?:假期)?:")
_HEADING = re.compile(rf"{_NUMBER}([^:。;、,\d]{{1,16}}):|{_KNOWN.pattern}")
_DATE = r"(?:\d{4}年)?(?:\d{1,2}月)?\d{1,2}日(?:\([^()]*\))?"
_TO = "(?:至|到|-|—|–|~)"
_PIECE = re.compile(rf"({_DATE})(?:{_TO}({_DATE}))?")
_SAYING = re.compile(rf"({_DATE}(?:(?:{_TO}|[、,和及]){_DATE})*)(?:均|都|照常|正常|为)*(放假|上班|休息)")
_PARTS = re.compile(r"(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})日(?:\(([^()]*)\))?")
_WEEKDAY = re.compile(r"(?:周|星期|礼拜)([一二三四五六日天])")
_LENGTH = re.compile(r"(?:共|放假)(\d{1,2}|[一二三四五六七八九十])天")
_TITLE = re.compile(r"关于(\d{4})年(?:部分)?节假日安排的通知")
_DOCUMENT = re.compile(r"国办发(?:明电)?[〔\[(]\d{4}[〕\])]\d+号")
_SIGNED = re.compile(r"国务院办公厅(\d{4})年(\d{1,2})月(\d{1,2})日")


@dataclass(frozen=True)
class _Section:
    """One numbered item of the notice: its festivals and its text."""

    festivals: tuple[Festival, ...]
    text: str

    @property
    def name(self) -> str:
        return "、".join(FESTIVAL_NAMES[festival] for festival in self.festivals)


def parse(text: str, year: int | None = None) -> HolidayYear:
    """The arrangement that a notice announces, for ``year`` or the year of its title.

    Raises CalendarInvalid, one sentence for each fault: no year, a festival missing, a sentence that cannot be read, a
    date that does not exist, a number of days or a weekday that contradicts the dates, overlaps, senseless make-up days.
    """
    plain = _plain(text)
    if len(plain) > LONGEST_TEXT:
        raise CalendarInvalid([Fault(NAME, None, "", f"超过{LONGEST_TEXT}字，不像放假通知")])
    found = _arrangement(plain, _year_of(plain, year))
    if problems := found.problems():
        raise CalendarInvalid([Fault(NAME, None, _field(found, path), message) for path, message in problems])
    return found


def _arrangement(plain: str, year: int) -> HolidayYear:
    faults: list[Fault] = []
    off: list[HolidayBlock] = []
    make_up: list[date] = []
    for section in _sections(plain, faults):
        try:
            days_off, made_up = _read(section, year)
            off.append(_block(section, days_off))
            make_up += made_up
        except _Unreadable as error:
            faults.append(Fault(NAME, None, section.name, str(error)))
    if not off and not faults:
        faults.append(Fault(NAME, None, "", "没有读到任何节日的放假安排"))
    if faults:
        raise CalendarInvalid(faults)
    source, signed, made_ups = _source(plain, year), _signed(plain), tuple(sorted(make_up))
    return HolidayYear(year=year, source=source, published_on=signed, days_off=tuple(off), make_up=made_ups)


class _Unreadable(Exception):
    """What a section says cannot be: the sentence for the person."""


def _plain(text: str) -> str:
    """One width of digits and punctuation, no white space or invisible marks: notices are pasted from anywhere."""
    narrow = unicodedata.normalize("NFKC", text)
    return "".join(c for c in narrow if not c.isspace() and unicodedata.category(c) != "Cf")


def _year_of(plain: str, given: int | None) -> int:
    titled = {int(found) for found in _TITLE.findall(plain)}
    if given is None and len(titled) != 1:
        what = "标题中没有年份" if not titled else "标题中的年份不止一个"
        raise CalendarInvalid([Fault(NAME, None, "year", f"{what}，请写明是哪一年的通知")])
    year = given if given is not None else titled.pop()
    if titled and year not in titled:
        raise CalendarInvalid([Fault(NAME, None, "year", f"通知是{titled.pop()}年的，与指定的{year}年不符")])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CalendarInvalid([Fault(NAME, None, "year", f"没有{year}年的日历")])
    return year


def _sections(plain: str, faults: list[Fault]) -> Iterator[_Section]:
    signatures = list(_SIGNED.finditer(plain))
    # What stands after the signature is the page around the notice, often with headlines about days off.
    plain = plain[: signatures[-1].start()] if signatures else plain
    headings = list(_HEADING.finditer(plain))
    ends = [*(heading.start() for heading in headings[1:]), len(plain)]
    for heading, end in zip(headings, ends[: len(headings)], strict=True):
        body = plain[heading.end() : end]
        title = heading.group(1) or heading.group(2)
        names = re.split("[、,和与]", title)
        if all(name in _FESTIVALS for name in names):
            found = {_FESTIVALS[name] for name in names}
            yield _Section(tuple(festival for festival in Festival if festival in found), body)
        elif any(len(sentence) <= LONGEST_SENTENCE and _SAYING.search(sentence) for sentence in _sentences(body)):
            faults.append(Fault(NAME, None, title, f"不认识的节日“{title}”"))


def _read(section: _Section, year: int) -> tuple[list[date], list[date]]:
    """Days off and make-up days of a section, as written."""
    found: dict[str, list[date]] = {"放假": [], "上班": [], "休息": []}
    for sentence in _sentences(section.text):
        if len(sentence) > LONGEST_SENTENCE:
            raise _Unreadable(f"句子过长，请核对标点：{sentence[:20]}……")
        for saying in _SAYING.finditer(sentence):
            found[saying.group(2)] += _days(saying.group(1), section, year)
        rest = _SAYING.sub("", sentence)
        if re.search(r"\d日.*(?:放假|上班)", rest):
            raise _Unreadable(f"看不懂这一句：{sentence}")
    if not found["放假"]:
        raise _Unreadable("没有读到放假日期")
    _check_length(section, found["放假"])
    return sorted(found["放假"]), found["上班"]


def _sentences(text: str) -> list[str]:
    """Those that say something of days off or work days."""
    return [
        sentence
        for sentence in re.split("[。;]", text)
        if "放假" in sentence or "上班" in sentence or "休息" in sentence
    ]


def _days(listed: str, section: _Section, year: int) -> Iterator[date]:
    month: int | None = None
    for first_text, last_text in _PIECE.findall(listed):
        first = _day(first_text, section, year, month, None)
        last = _day(last_text, section, year, first.month, first) if last_text else first
        month = last.month
        if last < first:
            raise _Unreadable(f"{first_text}至{last_text}：结束早于开始")
        yield from (
            date.fromordinal(n) for n in range(first.toordinal(), min(last.toordinal(), first.toordinal() + 60) + 1)
        )


def _day(text: str, section: _Section, year: int, month: int | None, after: date | None) -> date:
    """One written date. A month or year left out is that of the date before; December of 元旦 is last year's."""
    parts = _PARTS.fullmatch(text)
    assert parts is not None
    written_year, written_month, day, remark = parts.groups()
    if written_month is None and month is None:
        raise _Unreadable(f"“{text}”没有写明月份")
    in_month = int(written_month or month or 0)
    if written_year:
        in_year = int(written_year)
    elif after:
        in_year = after.year + (in_month < after.month)
    else:
        in_year = year - (in_month == 12 and Festival.NEW_YEAR in section.festivals)
    try:
        found = date(in_year, in_month, int(day))
    except ValueError:
        raise _Unreadable(f"没有{in_year}年{in_month}月{int(day)}日这一天") from None
    _check_weekday(found, remark or "")
    return found


def _check_weekday(day: date, remark: str) -> None:
    written = _WEEKDAY.search(remark)
    if written and written.group(1).replace("天", "日") != weekday_name(day)[1]:
        raise _Unreadable(f"{day.year}年{month_day(day)}写作{written.group()}，实为{weekday_name(day)}")


def _check_length(section: _Section, off: list[date]) -> None:
    for written in _LENGTH.findall(section.text):
        number = int(written) if written.isdigit() else "一二三四五六七八九十".index(written) + 1
        if number != len(set(off)):
            raise _Unreadable(f"写作共{number}天，所列日期为{len(set(off))}天")


def _block(section: _Section, off: list[date]) -> HolidayBlock:
    if (off[-1] - off[0]).days + 1 != len(set(off)):
        raise _Unreadable("放假日期不相连，请核对")
    return HolidayBlock(festivals=section.festivals, first=off[0], last=off[-1])


def _source(plain: str, year: int) -> str:
    number = _DOCUMENT.search(plain)
    return f"《国务院办公厅关于{year}年部分节假日安排的通知》" + (f"（{number.group()}）" if number else "")


def _signed(plain: str) -> date | None:
    found = _SIGNED.findall(plain)
    if not found:
        return None
    year, month, day = map(int, found[-1])
    try:
        return date(year, month, day)
    except ValueError:
        raise CalendarInvalid([Fault(NAME, None, "published_on", f"没有{year}年{month}月{day}日这一天")]) from None


def _field(year: HolidayYear, path: tuple[str | int, ...]) -> str:
    """The festival's name where a problem lies in its block, else what the list is called."""
    if path[0] == "days_off" and len(path) > 1:
        return year.days_off[int(path[1])].name
    return {"days_off": "放假", "make_up": "调休上班"}[str(path[0])]
