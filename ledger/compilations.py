"""汇编 recorded: of which moment, with which template, and the bytes it gave; and the bureau's own template.

The bytes lie in the file store. Both tables only grow: the newest template is the one used, and a compilation made is
never changed, so that it can be made again and held against what it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select

from ledger.acts import Actor
from ledger.civil import civil_date, end_of_day
from ledger.database import Session
from ledger.plans import plan_summary
from ledger.queries.compilation import compilation
from ledger.screenings import require_clean
from ledger.tables import compilation as compilation_table
from ledger.tables import plan, template
from policy_models.compilation import Compilation
from policy_models.errors import ChangedMeanwhile, NotFound, NotResponsible

HALF_YEAR = "half_year"  # the one kind of document that has a template
ONLY_COORDINATOR = "半年报告由统筹单位汇编"
NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Template:
    """The bureau's own template: ``kept`` is the SHA-256 of its bytes in the file store."""

    kept: str
    name: str
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compilation that was made. ``as_of``: the UTC instant before which everything in it happened; ``template``,
    ``docx``, ``xlsx``: SHA-256 of bytes in the file store."""

    id: int
    plan_id: int
    plan_code: str
    round_code: str
    as_of: datetime
    template: str
    docx: str
    xlsx: str
    compiled_at: datetime
    compiled_by: str

    @property
    def day(self) -> date:
        """The civil date (Asia/Shanghai) that the report is of."""
        return civil_date(self.as_of - timedelta(microseconds=1))

    @property
    def whole_day(self) -> bool:
        """Whether everything of that day counts: it was over."""
        return self.as_of == end_of_day(self.day)


def coordinated(session: Session, plan_code: str, by: Actor) -> int:
    """The plan's id, where this actor may compile its reports: its coordinator alone.

    Raises NotFound, NotResponsible, PrivacyBlocked.
    """
    summary = plan_summary(session, plan_code)
    if by.unit != summary.coordinator:
        raise NotResponsible(ONLY_COORDINATOR)
    require_clean([("经办人", by.name)])
    return summary.id


def record(
    session: Session, facts: Compilation, *, template: str, docx: str, xlsx: str, by: Actor, now: datetime
) -> int:
    """Note a compilation that was made from these facts; its id. The same facts, template and bytes again are the same.

    Raises NotResponsible, PrivacyBlocked, and ChangedMeanwhile where the ledger, asked again for the same moment, says
    something else: an act that had begun before it was written while the documents were made.
    """
    plan_id = coordinated(session, facts.plan_code, by)
    if compilation(session, facts.plan_code, facts.round_code, until=facts.as_of) != facts:
        raise ChangedMeanwhile("汇编期间又有报送或审核完成，请重新汇编")
    values = {
        "plan_id": plan_id,
        "round_code": facts.round_code,
        "as_of": facts.as_of,
        "template": template,
        "docx": docx,
        "xlsx": xlsx,
    }
    same = [compilation_table.c[name] == value for name, value in values.items()]
    known = session.execute(select(compilation_table.c.id).where(*same)).scalar()
    if known is not None:
        return int(known)
    made = insert(compilation_table).values(**values, compiled_at=now, compiled_by=by.name)
    return int(session.execute(made.returning(compilation_table.c.id)).scalar_one())


def compilations(session: Session, plan_id: int, round_code: str) -> tuple[Compiled, ...]:
    """What was compiled of a round, the newest first. One statement."""
    mine = (compilation_table.c.plan_id == plan_id, compilation_table.c.round_code == round_code)
    rows = session.execute(_chosen().where(*mine).order_by(compilation_table.c.id.desc()))
    return tuple(map(_compiled, rows))


def compilation_made(session: Session, plan_id: int, round_code: str, id: int) -> Compiled:
    """One of them. Raises NotFound."""
    mine = (compilation_table.c.plan_id == plan_id, compilation_table.c.round_code == round_code)
    row = session.execute(_chosen().where(*mine, compilation_table.c.id == id)).first()
    if row is None:
        raise NotFound("没有这份汇编，地址可能不完整或已失效")
    return _compiled(row)


def _chosen() -> Any:
    joined = compilation_table.join(plan, plan.c.id == compilation_table.c.plan_id)
    return select(compilation_table, plan.c.code.label("plan_code")).select_from(joined)


def _compiled(row: Any) -> Compiled:
    return Compiled(**{name: getattr(row, name) for name in Compiled.__dataclass_fields__})


def template_used(session: Session) -> Template | None:
    """The bureau's own template as it is used now; None for the built-in one."""
    newest = select(func.max(template.c.id)).where(template.c.kind == HALF_YEAR).scalar_subquery()
    row = session.execute(select(template).where(template.c.id == newest)).first()
    if row is None or row.kept == "":
        return None
    return Template(row.kept, row.name, row.added_by, row.added_at)


def use_template(session: Session, plan_code: str, kept: str, name: str, *, by: Actor, now: datetime) -> None:
    """From now on this template is used; its bytes lie in the file store and have been checked. Twice is once.

    Raises NotResponsible, PrivacyBlocked.
    """
    coordinated(session, plan_code, by)
    require_clean([("模板文件名", name)])
    known = template_used(session)
    if (known.kept if known else "") != kept:
        values = {"kept": kept, "name": name[:NAME_LENGTH], "added_by": by.name, "added_at": now}
        session.execute(insert(template).values(kind=HALF_YEAR, **values))


def use_built_in(session: Session, plan_code: str, *, by: Actor, now: datetime) -> None:
    """Back to the built-in template. Twice is once. Raises NotResponsible."""
    use_template(session, plan_code, "", "内置模板", by=by, now=now)
