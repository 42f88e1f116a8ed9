"""The calendars' only file access: folders of YAML become Calendars; an imported notice becomes a file.

A folder holds ``holidays/2025.yaml``, ``school/2024-2025.yaml`` and ``observances.yaml``; either it is itself named
``calendars``, or it has a folder of this name inside.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from policy_models.calendars import Calendars, HolidayYear, ObservanceRules, SchoolYear, build
from policy_models.errors import CalendarInvalid, Fault, Faulty
from policy_models.plan_yaml import Document, read_document, validation_faults
from policy_models.text import decode_text

BUNDLED = Path(__file__).parent / "plans" / "baotou-2024" / "calendars"
Model = TypeVar("Model", bound=BaseModel)


def load(folders: Sequence[Path]) -> Calendars:
    """Read calendars; a file in a later folder replaces that of the same name in an earlier one.

    A folder that does not exist holds nothing. Raises CalendarInvalid with every fault of every file.
    """
    return parse_texts(read_texts(folders), locate(folders))


def locate(folders: Sequence[Path]) -> dict[str, Path]:
    """Which file counts for each name inside: that of the last folder that has it."""
    files: dict[str, Path] = {}
    for folder in map(_root, folders):
        found = [*folder.glob("holidays/*.yaml"), *folder.glob("school/*.yaml"), *folder.glob("observances.yaml")]
        files.update({path.relative_to(folder).as_posix(): path for path in sorted(found)})
    return files


def read_texts(folders: Sequence[Path]) -> dict[str, str]:
    """The calendar files of some folders as text by their name inside; later folders override earlier ones."""
    return {name: _text(path) for name, path in locate(folders).items()}


def parse_texts(texts: Mapping[str, str], places: Mapping[str, Path] | None = None) -> Calendars:
    """Calendars from the texts that ``read_texts`` gives. Raises CalendarInvalid with every fault of every file.

    ``places``: what faults call each file (``locate``); without it, its name inside ``calendars/``.
    """
    files = {name: (str((places or {}).get(name, f"calendars/{name}")), text) for name, text in texts.items()}
    faults: list[Fault] = []
    holidays = _read_all(files, "holidays/", HolidayYear, faults)
    schools = _read_all(files, "school/", SchoolYear, faults)
    rules = _read_all(files, "observances.yaml", ObservanceRules, faults)
    if faults:
        raise CalendarInvalid(faults)
    return build(holidays, schools, rules[0] if rules else ObservanceRules({}))


def write_holiday_year(folder: Path, year: HolidayYear) -> Path:
    """Write a year's arrangement as ``holidays/<year>.yaml``, all or nothing, and return where.

    Raises CalendarInvalid if the arrangement contradicts itself or the place cannot be written.
    """
    target = _root(folder) / "holidays" / f"{year.year}.yaml"
    if problems := year.problems():
        raise CalendarInvalid([Fault(str(target), None, _dotted(path), message) for path, message in problems])
    text = holiday_text(year)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(target, text)
    except OSError as error:
        raise CalendarInvalid([Fault(str(target), None, "", f"无法写入：{error.strerror}")]) from error
    return target


def holiday_name(year: int) -> str:
    """``holidays/2027.yaml``: the name inside a folder of calendars."""
    return f"holidays/{year}.yaml"


def holiday_text(year: HolidayYear) -> str:
    """A year's arrangement as its file: one line for each block, as a person would write it; the words need quotes only in the source."""
    lines = [f"year: {year.year}", f"source: {json.dumps(year.source, ensure_ascii=False)}"]
    lines += [f"published_on: {year.published_on}"] if year.published_on else []
    lines.append("days_off:")
    for block in year.days_off:
        lines.append(f"  - {{festivals: [{', '.join(block.festivals)}], first: {block.first}, last: {block.last}}}")
    lines.append(f"make_up: [{', '.join(map(str, year.make_up))}]")
    return "\n".join(lines) + "\n"


def _write_whole(target: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def _root(folder: Path) -> Path:
    return folder if folder.name == "calendars" else folder / "calendars"


def _read_all(
    files: Mapping[str, tuple[str, str]], prefix: str, model: type[Model], faults: list[Fault]
) -> list[Model]:
    found = []
    for place, text in (file for name, file in files.items() if name.startswith(prefix)):
        try:
            found.append(_read(place, text, model))
        except Faulty as error:
            faults += error.faults
    return found


def _read(place: str, text: str, model: type[Model]) -> Model:
    document = read_document(text, place)
    try:
        value = model.model_validate(document.data)
    except ValidationError as error:
        raise CalendarInvalid(validation_faults(error, document)) from error
    if faults := _beyond_shape(value, document, Path(place).stem):
        raise CalendarInvalid(faults)
    return value


def _text(path: Path) -> str:
    try:
        return decode_text(path.read_bytes(), str(path))
    except OSError as error:
        raise CalendarInvalid([Fault(str(path), None, "", f"无法读取：{error.strerror}")]) from error
    except Faulty as error:
        raise CalendarInvalid(error.faults) from error


def _beyond_shape(value: BaseModel, document: Document, stem: str) -> list[Fault]:
    """What a file says against itself or its name."""
    if isinstance(value, SchoolYear) and value.school_year != stem:
        return [document.fault(("school_year",), f"与文件名不符：文件名为 {stem}，内容为 {value.school_year}")]
    if not isinstance(value, HolidayYear):
        return []
    faults = [document.fault(path, message) for path, message in value.problems()]
    if str(value.year) != stem:
        faults.insert(0, document.fault(("year",), f"与文件名不符：文件名为 {stem}，内容为 {value.year}"))
    return faults


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path))
