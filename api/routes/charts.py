"""图表: heat map, burn-up, timeliness and burden; each a page with its table, and the table as .csv and .xlsx."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BeforeValidator, StringConstraints

from api.board import heat
from api.burden import burden_table, burden_view
from api.burn_up import burn_up_table, burn_up_view
from api.chart_choices import Area, area_of, part_choices, part_name, part_of, step_of
from api.chart_files import as_csv, as_xlsx
from api.chart_table import ChartTable
from api.dependencies import CivilDay, MaybePlan, OpenPlan, Reads, empty_is_none, printable
from api.guard import Guarded
from api.heat import heat_table
from api.pages import page, plan_page
from api.timeliness import BY_NAMES, PARTS, bar_cell, bar_lines, timeliness_table
from ledger import plans
from ledger.queries.burden import burden
from ledger.queries.grounds import ground, places
from ledger.queries.progress import progress
from ledger.queries.reading import Reading
from ledger.queries.timeliness import By, timeliness
from ledger.queries.units import unit_names
from policy_models.periods import section_name
from policy_models.series import Step, mondays

router = APIRouter(route_class=Guarded, include_in_schema=False)
WEEKS, BACK = 26, timedelta(weeks=4)
Word = Annotated[
    Annotated[str, StringConstraints(max_length=40)] | None,
    BeforeValidator(empty_is_none),
    BeforeValidator(printable),
    Query(),
]
ByField = Annotated[By | None, BeforeValidator(empty_is_none), Query()]
StepField = Annotated[Step | None, BeforeValidator(empty_is_none), Query()]
NAMES = {
    "heat": ("任务进展", "哪个地方的哪项任务落后"),
    "burn-up": ("办结进度", "实际办结与序时进度逐日逐周对照"),
    "timeliness": ("按时情况", "每半年按期、逾期和未报送各有多少"),
    "burden": ("到期分布", "每周有多少事项到期，工作会不会扎堆"),
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart ready for its page: ``name`` as in the address, the table behind it, ``kept``: what its links hand on."""

    name: str
    table: ChartTable
    kept: Mapping[str, object]
    context: Mapping[str, Any]


@router.get("/charts")
def list_charts(session: Reads, reading: MaybePlan) -> Response:
    if reading is None:
        return page("empty.html", {})
    return plan_page("charts.html", reading, plans.plans(session), {"here": "charts", "charts": NAMES})


def heat_chart(session: Reads, reading: OpenPlan, under: Word = None) -> Chart:
    area = area_of(session, reading, under)
    found = heat(session, reading, area.code)
    table = heat_table(reading, found, _line(reading, area))
    return Chart("heat", table, {"under": area.code}, {"heat": found, "area": area})


def burn_up_chart(
    session: Reads, reading: OpenPlan, part: Word = None, under: Word = None, step: StepField = None
) -> Chart:
    area = area_of(session, reading, under)
    wanted = part_of(reading, part, area.code)
    pace = step_of(reading, wanted, step)
    series = progress(session, reading, wanted, pace)
    of = part_name(reading, part)
    table = burn_up_table(series, f"{reading.plan.title} 办结进度", _line(reading, area, of))
    facts = {"view": burn_up_view(series), "area": area, "part": part, "of": of, "step": pace}
    kept = {"part": part, "under": area.code, "step": step}
    return Chart("burn-up", table, kept, {**facts, "parts": part_choices(reading)})


def timeliness_chart(session: Reads, reading: OpenPlan, by: ByField = None) -> Chart:
    by = by or By.COUNTY
    found = timeliness(session, reading, by)
    names = _names(session, reading, by, frozenset(found.rows))
    lines = bar_lines(found, names, tuple(names))
    table = timeliness_table(
        found, lines, by, f"{reading.plan.title} 按时情况", _line(reading, None, f"按{BY_NAMES[by]}")
    )
    whole = tuple(map(bar_cell, found.whole))
    facts = {"found": found, "lines": lines, "whole": whole, "by": by, "by_names": BY_NAMES, "parts": PARTS}
    return Chart("timeliness", table, {"by": by}, facts)


def burden_chart(session: Reads, reading: OpenPlan, under: Word = None, start: CivilDay = None) -> Chart:
    area = area_of(session, reading, under)
    # near its end the whole window still lies in the plan
    usual = min(reading.as_of - BACK, max(reading.plan.ends_on - timedelta(weeks=WEEKS - 1), reading.plan.starts_on))
    weeks = mondays(start or usual, WEEKS)
    here = ground(session, reading, area.code)
    counts = burden(session, reading, here, weeks[0], weeks[-1] + timedelta(days=6))
    view = burden_view(counts, places(session, reading, here), weeks)
    table = burden_table(view, f"{reading.plan.title} 到期分布", _line(reading, area))
    step = timedelta(weeks=WEEKS)
    around = {"earlier": weeks[0] - step, "later": weeks[0] + step}
    facts = {"view": view, "area": area, "start": start, "around": around, "ground": here, "day": timedelta(days=6)}
    return Chart("burden", table, {"under": area.code, "start": start}, facts)


def _line(reading: Reading, area: Area | None, *more: str) -> str:
    """As of when and what of, for the head of an export."""
    place = [area.name] if area and area.name else []
    return "；".join([f"截至 {reading.as_of}", *place, *more])


def _names(session: Reads, reading: Reading, by: By, keys: frozenset[str]) -> dict[str, str]:
    """The names of the rows in their order."""
    if by is By.SECTION:
        return {name: f"{section_name(name)} {section.title}" for name, section in reading.plan.sections()}
    found = unit_names(session, keys)
    if by is By.COUNTY:
        return {"": "市级", **{code: found[code] for code in sorted(found)}}
    organs = [code for code in dict.fromkeys(reading.plan.organs.values()) if code in found]
    return {code: found[code] for code in [*organs, *sorted(set(found) - set(organs))]}


def _pages(name: str, make: Callable[..., Chart]) -> None:
    """The page of a chart and its two exports."""

    def show(session: Reads, reading: OpenPlan, chart: Chart = Depends(make)) -> Response:
        title, question = NAMES[name]
        facts = {"here": "charts", "chart": chart, "title": title, "question": question, "charts": NAMES}
        return plan_page(
            f"chart_{name.replace('-', '_')}.html", reading, plans.plans(session), {**facts, **chart.context}
        )

    def send_csv(reading: OpenPlan, chart: Chart = Depends(make)) -> Response:
        return as_csv(chart.table, _file_name(chart, reading.as_of))

    def send_xlsx(reading: OpenPlan, chart: Chart = Depends(make)) -> Response:
        return as_xlsx(chart.table, _file_name(chart, reading.as_of), reading.now)

    router.add_api_route(f"/charts/{name}", show, name=f"show_{name}")
    router.add_api_route(f"/charts/{name}.csv", send_csv, name=f"csv_{name}")
    router.add_api_route(f"/charts/{name}.xlsx", send_xlsx, name=f"xlsx_{name}")


def _file_name(chart: Chart, as_of: date) -> str:
    return f"{chart.table.name}{as_of:%Y%m%d}"


for _name, _make in (
    ("heat", heat_chart),
    ("burn-up", burn_up_chart),
    ("timeliness", timeliness_chart),
    ("burden", burden_chart),
):
    _pages(_name, _make)
