"""How many items each requirement owes in each period, by arithmetic of its own over the YAML files and the unit list.

Nothing of the product is imported: plain yaml and csv, and the rules as docs and plan files state them.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

Data = dict[str, Any]
Count = dict[tuple[str, str], int]
DAY = timedelta(days=1)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS_BEFORE = {"holiday": 1, "before_vacation": 1}


class Words(yaml.SafeLoader):
    """YAML in which `on` is a word and not a truth value; dates come as dates."""


Words.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if not pair[0].endswith(":bool")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> Data:
    data: Data = yaml.load(path.read_text("utf-8"), Words)
    return data


def count(pack: Path) -> Count:
    """Items by (requirement, period) for a whole plan pack."""
    plan, units = read(pack / "plan.yaml"), list(csv.DictReader((pack / "units.csv").open(encoding="utf-8-sig")))
    calendar = Calendar(pack / "calendars")
    found: Count = {}
    for first, last, requirement in requirements(pack, plan):
        owing = len(owers(requirement["assignee"], plan["organs"], units))
        for period in periods(requirement, first, last, calendar):
            found[requirement["code"], period] = owing
    return found


def requirements(pack: Path, plan: Data) -> Iterator[tuple[date, date, Data]]:
    """Every requirement with the first and last day that its section and its own dates leave it."""
    whole = (plan["starts_on"], plan["ends_on"])
    sections = [(phase["starts_on"], phase["ends_on"], phase) for phase in plan["phases"]]
    sections += [(*whole, read(path)) for path in sorted((pack / "tasks").glob("*.yaml"))]
    sections += [(*whole, guard) for guard in read(pack / "safeguards.yaml")["safeguards"]]
    for first, last, section in sections:
        for one in section["requirements"]:
            yield max(first, one.get("starts_on", first)), min(last, one.get("ends_on", last)), one


def owers(assignee: Data, organs: dict[str, str], units: list[dict[str, str]]) -> set[str]:
    if "units" in assignee:
        named = assignee["units"]
        return {organs[name] for name in ([named] if isinstance(named, str) else named)}
    functions = assignee.get("function", "")
    wanted = {functions} if isinstance(functions, str) else set(functions)
    fitting = (u for u in units if u["function"] in wanted and assignee.get("level", u["level"]) == u["level"])
    return {unit["code"] for unit in fitting}


class Calendar:
    """First and last days of vacations, terms, observances and holidays, as the files write them."""

    def __init__(self, folder: Path) -> None:
        self.school = {int(path.stem[5:]): read(path) for path in (folder / "school").glob("*.yaml")}
        self.holidays = {int(path.stem): read(path) for path in (folder / "holidays").glob("*.yaml")}
        self.rules = read(folder / "observances.yaml")

    def vacation(self, season: str, year: int) -> tuple[date, date] | None:
        vacation = self.school.get(year, {}).get("vacations", {}).get(season)
        return (vacation["primary"]["first"], vacation["primary"]["last"]) if vacation else None

    def terms(self) -> Iterator[tuple[str, date, date]]:
        for year, one in sorted(self.school.items()):
            for season, term in one["terms"].items():
                yield f"{year - (season == 'autumn')}-{season}", term["first"], term["last"]

    def occasion(self, name: str, year: int) -> tuple[date, date] | None:
        if name in self.rules:
            return by_rule(self.rules[name], year)
        blocks = self.holidays.get(year, {"days_off": []})["days_off"]
        return next(((b["first"], b["last"]) for b in blocks if name in b["festivals"]), None)


def by_rule(rule: Data, year: int) -> tuple[date, date]:
    def on(month_day: str) -> date:
        return date(year, *map(int, month_day.split("-")))

    if rule["kind"] == "range":
        return on(rule["default"][0]), on(rule["default"][1])
    if rule["kind"] == "weekday":
        wanted = WEEKDAYS.index(rule["weekday"])
        days = [date(year, rule["month"], n) for n in range(1, 29)]
        day = [d for d in days if d.weekday() == wanted][rule["nth"] - 1]
        return day, day
    day = on(rule["date"])
    monday = day - day.weekday() * DAY
    return (monday, monday + 6 * DAY) if rule["kind"] == "week" else (day, day)


def periods(requirement: Data, first: date, last: date, calendar: Calendar) -> list[str]:
    """Names of the periods that share a day with ``first`` to ``last`` and fall due in it or are cut by its end."""
    recurrence = requirement.get("recurrence", {})
    every = recurrence.get("every")
    if "deadline" in recurrence:
        return ["once"]
    if every is None:
        return []
    if every in ("month", "quarter", "half_year", "year"):
        names = (name_of(every, day) for day in each_day(first, last))
        return list(dict.fromkeys(names))
    if every == "fortnight_in_term":
        return list(fortnights(first, last, calendar))
    return [name for name, day in occasions(every, recurrence, calendar) if first <= day <= last]


def each_day(first: date, last: date) -> Iterator[date]:
    return (first + n * DAY for n in range((last - first).days + 1))


def name_of(every: str, day: date) -> str:
    halves = {"month": f"-{day:%m}", "quarter": f"Q{(day.month + 2) // 3}", "half_year": f"-H{(day.month + 5) // 6}"}
    return f"{day.year}{halves.get(every, '')}"


def fortnights(first: date, last: date, calendar: Calendar) -> Iterator[str]:
    for name, begins, ends in calendar.terms():
        for number, start in enumerate(each_day(begins, ends)):
            week, rest = divmod(number, 14)
            if rest == 0 and start <= last and min(start + 13 * DAY, ends) >= first:
                yield f"{name}-w{2 * week + 2:02}"


def occasions(every: str, recurrence: Data, calendar: Calendar) -> Iterator[tuple[str, date]]:
    """Each occasion's name with the day it falls due."""
    named = recurrence.get("on", ["winter", "summer"])
    due = recurrence.get("due", {})
    for year in range(2020, 2040):
        for name in [named] if isinstance(named, str) else named:
            span = calendar.vacation(name, year) if "vacation" in every else calendar.occasion(name, year)
            if span is None:
                continue
            day = span[0] if due.get("at") == "start" or (every in DAYS_BEFORE and not due) else span[1]
            day += due.get("days", 0) * DAY - (DAYS_BEFORE.get(every, 0) * DAY if not due else 0 * DAY)
            yield f"{year}-{'before-' if every == 'before_vacation' else ''}{name}", day


def total(found: Count) -> Counter[str]:
    """Items by requirement."""
    sums: Counter[str] = Counter()
    for (requirement, _), number in found.items():
        sums[requirement] += number
    return sums
