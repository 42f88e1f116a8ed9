"""汇编: facts from the ledger become documents, the documents go into the file store, and the ledger notes them.

Rendering takes seconds, so it happens between two transactions: read, render, then record what was rendered if the
ledger still says the same of that moment.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from documents.deterministic import same_content
from documents.report_docx import check_template, report_docx
from documents.report_xlsx import report_xlsx
from documents.template import built_in
from ledger import compilations
from ledger.acts import Actor
from ledger.compilations import Compiled
from ledger.database import Database
from ledger.file_store import FileStore
from ledger.queries.compilation import compilation
from policy_models.compilation import Compilation
from policy_models.trial_compilation import trial


class Sameness(StrEnum):
    """What became of a compilation that was made again: the same bytes; the same content, packed by another version
    of a program; or something else."""

    BYTES = "bytes"
    CONTENT = "content"
    DIFFERENT = "different"


SAMENESS_WORDS = {
    Sameness.BYTES: "再次生成的文件与原件逐字节一致",
    Sameness.CONTENT: "再次生成的文件与原件内容一致，仅压缩方式不同（系统升级所致）",
    Sameness.DIFFERENT: "再次生成的文件与原件不同：方案文本、单位名称在汇编后有变，或系统升级改变了格式；以原件为准",
}


def compile_round(
    database: Database, store: FileStore, plan_code: str, round_code: str, *, until: datetime, by: Actor, now: datetime
) -> int:
    """Make the documents of a round as of an instant and record them; the compilation's id.

    Raises NotFound, NotResponsible, ActNotAllowed, ChangedMeanwhile, FileRefused (the template).
    """
    with database.read() as session:
        compilations.coordinated(session, plan_code, by)
        facts = compilation(session, plan_code, round_code, until=until)
        own = compilations.template_used(session)
    template = store.get(own.kept) if own else built_in()
    docx, xlsx = documents_of(facts, template)
    kept = {"template": store.put(template), "docx": store.put(docx), "xlsx": store.put(xlsx)}
    with database.write() as session:
        return compilations.record(session, facts, **kept, by=by, now=now)


def documents_of(facts: Compilation, template: bytes) -> tuple[bytes, bytes]:
    """The .docx and the .xlsx. Raises FileRefused."""
    return report_docx(facts, template), report_xlsx(facts)


def made_again(database: Database, store: FileStore, made: Compiled) -> Sameness:
    """Make a compilation again from what the ledger says of its moment today, and hold it against the original.

    Raises NotFound and LedgerUnavailable where the file store has lost the original or its template.
    """
    with database.read() as session:
        facts = compilation(session, made.plan_code, made.round_code, until=made.as_of)
    docx, xlsx = documents_of(facts, store.get(made.template))
    pairs = ((store.get(made.docx), docx), (store.get(made.xlsx), xlsx))
    if all(before == after for before, after in pairs):
        return Sameness.BYTES
    return Sameness.CONTENT if all(same_content(*pair) for pair in pairs) else Sameness.DIFFERENT


def accept_template(
    database: Database, store: FileStore, plan_code: str, name: str, data: bytes, *, by: Actor, now: datetime
) -> tuple[str, ...]:
    """Use a template from now on, once a trial with it has worked; the tags that it leaves out.

    Raises FileRefused with a sentence that names what is wrong, NotResponsible, PrivacyBlocked.
    """
    with database.read() as session:
        compilations.coordinated(session, plan_code, by)
    left_out = check_template(data, trial())
    kept = store.put(data)
    with database.write() as session:
        compilations.use_template(session, plan_code, kept, name, by=by, now=now)
    return left_out
