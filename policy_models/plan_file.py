"""The plan pack's only file access: a folder of YAML becomes a checked Plan with its units and calendars."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from policy_models import calendar_file
from policy_models.calendars import Calendars
from policy_models.errors import Fault, Faulty, PlanInvalid
from policy_models.plan import Plan, PlanTask, Safeguard
from policy_models.plan_checks import Finding, check_plan
from policy_models.plan_yaml import Document, read_document, validation_faults
from policy_models.text import decode_text
from policy_models.units import Units, parse_units

PLANS = Path(__file__).parent / "plans"
BUNDLED = PLANS / "baotou-2024"
ELSEWHERE = {"tasks": "tasks/*.yaml", "safeguards": "safeguards.yaml"}


@dataclass(frozen=True)
class Pack:
    """A plan pack as read: the plan, its units, its calendars, and where each part stands in the files."""

    folder: Path
    plan: Plan
    units: Units
    calendars: Calendars
    calendar_texts: dict[str, str]
    documents: dict[str, Document]
    places: dict[str, tuple[str, tuple[str | int, ...]]]

    def fault(self, finding: Finding) -> Fault:
        """A finding with the file, line and field it stands at."""
        return _fault(self.documents, self.places, finding)

    @property
    def digest(self) -> str:
        """SHA-256 of the plan's canonical content: equal content, equal digest, whatever the layout of the files."""
        return hashlib.sha256(self.plan.model_dump_json().encode()).hexdigest()


def load_pack(folder: Path, calendar_folders: Sequence[Path] = ()) -> Pack:
    """Read and check a pack. ``calendar_folders`` (an administrator's own) override the pack's calendars by file.

    Raises PlanInvalid, UnitsInvalid or CalendarInvalid with every fault found: file, line, field, sentence.
    """
    documents = {name: _read(folder, name) for name in _names(folder)}
    plan, places = _assemble(documents)
    units = parse_units(_text(folder / "units.csv"), "units.csv")
    folders = [folder / "calendars", *calendar_folders]
    texts = calendar_file.read_texts(folders)
    calendars = calendar_file.parse_texts(texts, calendar_file.locate(folders))
    pack = Pack(folder, plan, units, calendars, texts, documents, places)
    if findings := check_plan(plan, units, calendars):
        raise PlanInvalid([pack.fault(finding) for finding in findings])
    return pack


def find_pack(name: str, *roots: Path) -> Path:
    """The folder of a pack named by its path, or by its code under one of ``roots`` or among the bundled ones.

    Raises PlanInvalid.
    """
    for folder in (Path(name), *(root / name for root in roots), PLANS / name):
        if (folder / "plan.yaml").is_file():
            return folder
    raise PlanInvalid([Fault(name, None, "", "这里没有方案包（找不到 plan.yaml）")])


def write_pack(pack: Pack, plan: Plan, folder: Path) -> None:
    """Write ``plan`` as a new pack with the units and calendars of ``pack``: the whole folder or nothing of it.

    Raises PlanInvalid when the folder exists already or can't be written.
    """
    if folder.exists():
        raise PlanInvalid([Fault(str(folder), None, "", "文件夹已存在，不会覆盖")])
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".pack-") as name:
            _write_files(pack, plan, Path(name) / "pack")
            (Path(name) / "pack").rename(folder)
    except OSError as error:
        raise PlanInvalid([Fault(str(folder), None, "", f"无法写入：{error.strerror}")]) from error


def _write_files(pack: Pack, plan: Plan, folder: Path) -> None:
    (folder / "tasks").mkdir(parents=True)
    head = plan.model_dump(mode="json", exclude_defaults=True, exclude={"tasks", "safeguards"})
    _write(folder / "plan.yaml", head)
    for task in plan.tasks:
        _write(folder / "tasks" / f"{task.number:02}.yaml", task.model_dump(mode="json", exclude_defaults=True))
    guards = [guard.model_dump(mode="json", exclude_defaults=True) for guard in plan.safeguards]
    _write(folder / "safeguards.yaml", {"safeguards": guards})
    shutil.copy(pack.folder / "units.csv", folder / "units.csv")
    for name, text in pack.calendar_texts.items():
        target = folder / "calendars" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _write(path: Path, data: object) -> None:
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120), encoding="utf-8")


def _names(folder: Path) -> list[str]:
    tasks = sorted(path.name for path in (folder / "tasks").glob("*.yaml"))
    if not (folder / "plan.yaml").is_file():
        raise PlanInvalid([Fault(str(folder), None, "", "这里没有方案包（找不到 plan.yaml）")])
    if not tasks:
        raise PlanInvalid([Fault(str(folder / "tasks"), None, "", "方案包中没有任务文件（tasks/*.yaml）")])
    names = ["plan.yaml", *(f"tasks/{name}" for name in tasks)]
    return [*names, "safeguards.yaml"] if (folder / "safeguards.yaml").is_file() else names


def _text(path: Path) -> str:
    try:
        return decode_text(path.read_bytes(), path.name)
    except OSError as error:
        raise PlanInvalid([Fault(path.name, None, "", f"文件无法读取：{error.strerror}")]) from error
    except Faulty as error:
        raise PlanInvalid(error.faults) from error


def _read(folder: Path, name: str) -> Document:
    document = read_document(_text(folder / name), name)
    if not isinstance(document.data, dict):
        raise PlanInvalid([Fault(name, 1, "", "文件内容须为若干“字段: 值”")])
    return document


def _assemble(documents: dict[str, Document]) -> tuple[Plan, dict[str, tuple[str, tuple[str | int, ...]]]]:
    """Validate file by file, so that every fault is found at once and named by its own file."""
    places: dict[str, tuple[str, tuple[str | int, ...]]] = {}
    faults: list[Fault] = []
    tasks: list[PlanTask] = []
    safeguards: list[Safeguard] = []
    for name, document in documents.items():
        if name.startswith("tasks/"):
            faults += _validate(PlanTask, document.data, document, (), tasks)
            _place(places, faults, f"task-{document.data.get('number')}", document, ())
    if guards := documents.get("safeguards.yaml"):
        items, found = _list_of_safeguards(guards)
        faults += found
        for index, item in enumerate(items):
            faults += _validate(Safeguard, item, guards, ("safeguards", index), safeguards)
            number = item.get("number") if isinstance(item, dict) else index
            _place(places, faults, f"safeguard-{number}", guards, ("safeguards", index))
    head = documents["plan.yaml"]
    faults += [head.fault((name,), f"不写在这里，见 {file}") for name, file in ELSEWHERE.items() if name in head.data]
    phases = head.data.get("phases")
    for index, phase in enumerate(phases if isinstance(phases, list) else []):
        _place(
            places,
            faults,
            f"phase-{phase.get('number') if isinstance(phase, dict) else index}",
            head,
            ("phases", index),
        )
    plans: list[Plan] = []
    # a stand-in keeps "at least one task" from hiding the head's own faults when every task file is at fault
    known = tasks or [PlanTask.model_construct(number=1, title="", action=1, owners=())]
    merged = {**head.data, "tasks": sorted(known, key=lambda t: t.number), "safeguards": safeguards}
    faults += _validate(Plan, merged, head, (), plans)
    if faults:
        raise PlanInvalid(faults)
    return plans[0], places


def _list_of_safeguards(document: Document) -> tuple[list[Any], list[Fault]]:
    """What stands under the file's one field, and what stands there wrongly."""
    faults = [document.fault((name,), "没有这个字段") for name in document.data if name != "safeguards"]
    items = document.data.get("safeguards")
    if not isinstance(items, list):
        return [], [*faults, document.fault(("safeguards",), "须为列表")]
    return items, faults


def _validate(
    model: type[Any], data: object, document: Document, base: tuple[str | int, ...], into: list[Any]
) -> list[Fault]:
    try:
        into.append(model.model_validate(data))
    except ValidationError as error:
        return validation_faults(error, document, base)
    return []


def _place(
    places: dict[str, tuple[str, tuple[str | int, ...]]],
    faults: list[Fault],
    section: str,
    document: Document,
    base: tuple[str | int, ...],
) -> None:
    if section in places:
        faults.append(document.fault((*base, "number"), f"编号重复：{section}（已见于 {places[section][0]}）"))
    places.setdefault(section, (document.name, base))


def _fault(
    documents: dict[str, Document], places: dict[str, tuple[str, tuple[str | int, ...]]], finding: Finding
) -> Fault:
    name, base = places[finding.section] if finding.section else ("plan.yaml", ())
    return documents[name].fault((*base, *finding.path), finding.message)
