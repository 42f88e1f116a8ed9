"""半年报告 as the ledger holds them: what was handed in, at any past instant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, select

from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.figures import figures_of
from ledger.replay import facts_of_items
from ledger.report_scope import ReportScope
from ledger.tables import entry, report, report_section, round_, section_review, unit
from policy_models.lifecycle import Act, State
from policy_models.reports import Figure, HandedIn, SectionText, Verdict
from policy_models.rounds import ReportStanding


def handed_in(session: Session, round_id: int, *, until: datetime) -> tuple[HandedIn, ...]:
    """Every report of a round just before an instant (UTC), in order of unit: its state, and the text last handed in.

    Those that owe nothing (exempt, cancelled, closed without having handed in) are there with ``owed`` False. Four
    statements.
    """
    plan_id = session.execute(select(round_.c.plan_id).where(round_.c.id == round_id)).scalar_one()
    items = facts_of_items(plan_id, until)
    last = _last_submission(round_id, until)
    rows = session.execute(
        select(report.c.id, items, unit.c.name, unit.c.closed_on, last.c.revision.label("handed_in"))
        .select_from(
            report.join(items, items.c.id == report.c.item_id)
            .join(unit, unit.c.code == report.c.unit_code)
            .outerjoin(last, last.c.report_id == report.c.id)
        )
        .where(report.c.round_id == round_id, report.c.created_at < until)
        .order_by(unit.c.code)
    ).all()
    texts = _texts(session, round_id, last)
    verdicts = _verdicts(session, round_id, last, until)
    day = civil_date(until - timedelta(microseconds=1))
    return tuple(_handed_in(row, texts, verdicts, day) for row in rows)


def _handed_in(
    row: Any, texts: dict[int, list[SectionText]], verdicts: dict[int, dict[str, Verdict]], day: Any
) -> HandedIn:
    standing = ReportStanding(State(row.state), row.deadline, row.first_submitted_on, row.closed_on)
    return HandedIn(
        unit=row.unit_code,
        unit_name=row.name,
        state=standing.state,
        deadline=row.deadline,
        first_submitted_on=row.first_submitted_on,
        owed=standing.is_owed(day),
        revision=row.handed_in,
        sections=tuple(texts.get(row[0], ())),
        verdicts=verdicts.get(row[0], {}),
    )


def _last_submission(round_id: int, until: datetime) -> Any:
    return (
        select(report.c.id.label("report_id"), func.max(entry.c.revision).label("revision"))
        .join(entry, entry.c.item_id == report.c.item_id)
        .where(report.c.round_id == round_id, entry.c.act == Act.SUBMIT.value, entry.c.at < until)
        .group_by(report.c.id)
        .subquery("last_submission")
    )


def _texts(session: Session, round_id: int, last: Any) -> dict[int, list[SectionText]]:
    same = and_(last.c.report_id == report_section.c.report_id, last.c.revision == report_section.c.revision)
    found: dict[int, list[SectionText]] = {}
    for row in session.execute(select(report_section).join(last, same).order_by(report_section.c.id)):
        found.setdefault(row.report_id, []).append(section_text(row))
    return found


def _verdicts(session: Session, round_id: int, last: Any, until: datetime) -> dict[int, dict[str, Verdict]]:
    same = and_(last.c.report_id == section_review.c.report_id, last.c.revision == section_review.c.revision)
    chosen = select(section_review).join(last, same).where(section_review.c.at < until)
    found: dict[int, dict[str, Verdict]] = {}
    for row in session.execute(chosen.order_by(section_review.c.id)):
        told = Verdict(row.verdict, row.reason, row.by_name, row.at)
        found.setdefault(row.report_id, {})[row.section] = told
    return found


def section_text(row: Any) -> SectionText:
    """A SectionText from a row of report_section."""
    figures = tuple(_figure(one) for one in json.loads(row.figures))
    return SectionText(row.section, row.text, json.loads(row.answers), figures)


def report_figures(
    session: Session, plan_id: int, scope: ReportScope, *, whole: Sequence[str] = ()
) -> dict[str, tuple[Figure, ...]]:
    """The figures of each section of a report as they stand now: a task's over all units it tells of, a phase's or
    safeguard's over its own unit. ``whole``: sections that get all of them together. Four statements."""
    span = {"first": scope.round.first, "last": scope.round.last}
    named = {name: section.requirements for name, section in scope.plan.sections() if name in scope.sections}
    found: dict[str, tuple[Figure, ...]] = {}
    for of_tasks, units in ((True, scope.covered), (False, frozenset({scope.unit.code}))):
        parts = {name: asked for name, asked in named.items() if name.startswith("task-") is of_tasks}
        asked = [one for part in parts.values() for one in part if one.collects is None]
        figures = figures_of(session, plan_id, asked, units, **span)
        found |= {name: tuple(f for one in part for f in figures.get(one.code, ())) for name, part in parts.items()}
    together = tuple(figure for name in scope.sections for figure in found.get(name, ()))
    return found | dict.fromkeys(whole, together)


def figures_json(figures: tuple[Figure, ...]) -> str:
    """Figures as they are kept: numbers as text, so that they stay exact."""
    kept = [{name: _plain(getattr(one, name)) for name in Figure.__dataclass_fields__} for one in figures]
    return json.dumps(kept, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _figure(kept: Mapping[str, Any]) -> Figure:
    of = kept["of"]
    return Figure(**{**kept, "value": Decimal(kept["value"]), "of": None if of is None else Decimal(of)})
