"""The plan as others read it: the stable JSON form of `plan show --json`."""

from __future__ import annotations

from typing import Any

from policy_models.plan import EvidenceRule, Phase, Plan, PlanTask, Requirement, Section
from policy_models.work_items import WorkItem


def show_plan(plan: Plan) -> dict[str, Any]:
    """The whole plan; dates as ISO text, cadences as once|monthly|…|on_event|none."""
    return {
        "plan": {
            "code": plan.code,
            "title": plan.title,
            "starts_on": plan.starts_on.isoformat(),
            "ends_on": plan.ends_on.isoformat(),
            "revision": plan.revision,
            "inferred": list(plan.inferred),
            "notes": list(plan.notes),
        },
        "phases": [_phase(phase) for phase in plan.phases],
        "actions": [{"number": a.number, "title": a.title, "tasks": list(a.tasks)} for a in plan.actions],
        "tasks": [_task(task) for task in plan.tasks],
        "safeguards": [_section(guard) for guard in plan.safeguards],
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "number": section.number,
        "title": section.title,
        "notes": list(section.notes),
        "requirements": [show_requirement(r) for r in section.requirements],
    }


def _phase(phase: Phase) -> dict[str, Any]:
    dates = {"starts_on": phase.starts_on.isoformat(), "ends_on": phase.ends_on.isoformat()}
    return {**_section(phase), **dates, "inferred": list(phase.inferred)}


def _task(task: PlanTask) -> dict[str, Any]:
    return {**_section(task), "action": task.action, "owners": list(task.owners)}


def show_requirement(requirement: Requirement) -> dict[str, Any]:
    """One requirement. ``assignee.function`` is one word, several joined by 、, or null."""
    owed_by = requirement.assignee
    return {
        "code": requirement.code,
        "title": requirement.title,
        "kind": requirement.kind.value,
        "recurrence": requirement.cadence,
        "deadline": requirement.deadline.isoformat() if requirement.deadline else None,
        "within": requirement.recurrence.within if requirement.recurrence else None,
        "on": list(requirement.recurrence.on) if requirement.recurrence else [],
        "assignee": {
            "level": owed_by.level.value if owed_by.level else None,
            "function": "、".join(owed_by.function) or None,
            "units": list(owed_by.units),
            "role": owed_by.role.value if owed_by.role else None,
        },
        "evidence": [_rule(rule) for rule in requirement.evidence],
        "measures": [{"name": m.name, "label": m.label, "of": m.of, "target": m.target} for m in requirement.measures],
        "review": requirement.review.value,
        "milestone": requirement.milestone,
        "source": [{"section": s.section, "phrase": s.phrase} for s in requirement.source],
        "inferred": list(requirement.inferred),
        "notes": list(requirement.notes),
    }


def _rule(rule: EvidenceRule) -> dict[str, Any]:
    return rule.model_dump(mode="json", exclude_none=True)


def show_item(item: WorkItem) -> dict[str, Any]:
    """One dated item, as `plan items --json` lists it."""
    return {
        "key": item.key,
        "requirement": item.requirement,
        "task": item.task,
        "unit": item.unit,
        "period": item.period,
        "opens_on": item.opens_on.isoformat(),
        "deadline": item.deadline.isoformat(),
        "remind_by": item.remind_by.isoformat(),
        "confidence": item.confidence.value,
        "why": item.why,
    }
