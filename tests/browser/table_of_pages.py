"""Every page there is, once: whom it is shown to and by which address; and what a GET answers that is no page."""

from __future__ import annotations

from dataclasses import dataclass

from tests.browser.dressing import BUREAU, COUNTY, OPEN_ROUND, ROUND, SCHOOLS, TOWN, Facts

COORDINATOR, REVIEWER, LIAISON = "统筹员（市民政局）", "旗县区审核员", "苏木乡镇街道联络员"
DEPARTMENT, ADMINISTRATOR, AUDITOR = "联络员（市教育局）", "管理员", "监督员（只读）"
NOBODY, EVERYBODY = "", "*"  # without an account; an account that may do everything everywhere


@dataclass(frozen=True)
class Shown:
    """``name``: of its picture; ``who``: a persona's name; ``rule``: its row in the table of rights."""

    name: str
    who: str
    rule: str
    path: str


U = "/units/{code}"


def pages(facts: Facts) -> list[Shown]:
    """In the order of the table of rights; some pages more than once, as other people see them."""
    kind, period = facts.circular
    rows = [
        ("login", NOBODY, "/login", "/login"),
        ("help", NOBODY, "/help", "/help"),
        ("help-chapter", NOBODY, "/help/{chapter_name}", "/help/desk"),
        ("invitation", NOBODY, "/invitations/{token}", facts.invitation),
        ("scoring", NOBODY, "/scoring/{token}", facts.scoring),
        ("scoring-one", NOBODY, "/scoring/{token}/{exemplar_id}", f"{facts.scoring}/{facts.exemplar}"),
        ("account", LIAISON, "/account", "/account"),
        ("totp", LIAISON, "/account/totp", "/account/totp"),
        ("board", COORDINATOR, "/", "/"),
        ("board-past", COORDINATOR, "/", "/?as_of=2026-07-20"),
        ("board-county", REVIEWER, "/", "/"),
        ("board-township", LIAISON, "/", "/"),
        ("tasks", COORDINATOR, "/tasks", "/tasks"),
        ("task", COORDINATOR, "/tasks/{number}", "/tasks/8"),
        ("task-township", LIAISON, "/tasks/{number}", "/tasks/8"),
        ("phase", COORDINATOR, "/phases/{number}", "/phases/3"),
        ("safeguard", COORDINATOR, "/safeguards/{number}", "/safeguards/3"),
        ("timeline", COORDINATOR, "/timeline", "/timeline"),
        ("calendar", COORDINATOR, "/calendar", "/calendar"),
        ("calendar-unit", LIAISON, U + "/calendar", f"/units/{TOWN}/calendar"),
        ("changes", COORDINATOR, "/changes", "/changes"),
        ("changes-items", COORDINATOR, "/changes/items", "/changes/items?change=done"),
        ("units", COORDINATOR, "/units", "/units"),
        ("unit", COORDINATOR, U, f"/units/{COUNTY}"),
        ("unit-township", LIAISON, U, f"/units/{TOWN}"),
        ("items", COORDINATOR, "/items", "/items?timing=overdue"),
        ("item", COORDINATOR, "/items/{key:path}", f"/items/{facts.accepted}"),
        ("item-open", LIAISON, "/items/{key:path}", f"/items/{facts.item}"),
        ("charts", COORDINATOR, "/charts", "/charts"),
        ("chart-heat", COORDINATOR, "/charts/heat", "/charts/heat"),
        ("chart-burn-up", COORDINATOR, "/charts/burn-up", "/charts/burn-up"),
        ("chart-timeliness", COORDINATOR, "/charts/timeliness", "/charts/timeliness"),
        ("chart-burden", COORDINATOR, "/charts/burden", "/charts/burden"),
        ("register", COORDINATOR, "/register", "/register?light=orange&light=red"),
        ("reminders", COORDINATOR, "/reminders", "/reminders"),
        ("circulars", COORDINATOR, "/circulars", "/circulars"),
        ("circular", COORDINATOR, "/circulars/{kind}/{period}", f"/circulars/{kind}/{period}"),
        ("exemplars", COORDINATOR, "/exemplars", "/exemplars"),
        ("exemplar", LIAISON, "/exemplars/{exemplar_id}", f"/exemplars/{facts.published}"),
        ("rounds", COORDINATOR, "/rounds", "/rounds"),
        ("round", COORDINATOR, "/rounds/{round_code}", f"/rounds/{OPEN_ROUND}"),
        ("round-last", COORDINATOR, "/rounds/{round_code}", f"/rounds/{ROUND}"),
        ("desk", COORDINATOR, U + "/desk", f"/units/{BUREAU}/desk"),
        ("desk-township", LIAISON, U + "/desk", f"/units/{TOWN}/desk"),
        ("desk-village", LIAISON, U + "/desk", f"/units/{facts.village}/desk"),
        ("submit", LIAISON, U + "/submit/{key:path}", f"/units/{facts.village}/submit/{facts.item}"),
        (
            "mask",
            LIAISON,
            U + "/files/{file_id}/mask",
            f"/units/{facts.village}/files/{facts.file}/mask?key={facts.item}",
        ),
        ("sheets", LIAISON, U + "/sheets", f"/units/{TOWN}/sheets"),
        ("sheet", LIAISON, U + "/sheet/{requirement}/{period}", facts.sheet),
        ("workbook", LIAISON, U + "/workbook", f"/units/{TOWN}/workbook"),
        ("extend", LIAISON, U + "/extend/{key:path}", facts.extend),
        ("report", DEPARTMENT, U + "/reports/{round_code}", f"/units/{SCHOOLS}/reports/{OPEN_ROUND}"),
        (
            "report-check",
            DEPARTMENT,
            U + "/reports/{round_code}",
            f"/units/{SCHOOLS}/reports/{OPEN_ROUND}?section=check",
        ),
        ("unit-exemplars", EVERYBODY, U + "/exemplars", f"/units/{COUNTY}/exemplars"),
        ("unit-exemplar", EVERYBODY, U + "/exemplars/{exemplar_id}", f"/units/{COUNTY}/exemplars/{facts.exemplar}"),
        ("bulletin", COORDINATOR, U + "/bulletin", f"/units/{COUNTY}/bulletin"),
        ("review", REVIEWER, U + "/review", f"/units/{COUNTY}/review"),
        ("review-township", COORDINATOR, U + "/review", f"/units/{facts.reviewing}/review"),
        ("review-one", COORDINATOR, U + "/review/{key:path}", f"/units/{facts.reviewing}/review/{facts.submitted}"),
        ("extensions", COORDINATOR, U + "/extensions", f"/units/{TOWN}/extensions"),
        ("sample", COORDINATOR, U + "/samples/{id}", facts.sample),
        (
            "report-review",
            COORDINATOR,
            U + "/reports/{round_code}/{unit}",
            f"/units/{BUREAU}/reports/{ROUND}/{SCHOOLS}",
        ),
        ("chase", COORDINATOR, U + "/chase", f"/units/{BUREAU}/chase?late=on"),
        ("chased", COORDINATOR, U + "/chase/{batch}", facts.chase),
        ("compilations", COORDINATOR, "/rounds/{round_code}/compilations", f"/rounds/{ROUND}/compilations"),
        ("shortlist", COORDINATOR, U + "/shortlist", f"/units/{BUREAU}/shortlist?round={OPEN_ROUND}"),
        ("exceptions", COORDINATOR, U + "/exceptions", f"/units/{BUREAU}/exceptions"),
        ("mail", COORDINATOR, U + "/mail", f"/units/{BUREAU}/mail"),
        ("letter", COORDINATOR, U + "/mail/{letter_id}", f"/units/{BUREAU}/mail/{facts.letter}"),
        ("messages", COORDINATOR, "/messages", "/messages"),
        ("unreachable", COORDINATOR, "/people/unreachable", "/people/unreachable"),
        ("people", COORDINATOR, U + "/people", f"/units/{COUNTY}/people"),
        ("people-import", COORDINATOR, U + "/people/import", f"/units/{BUREAU}/people/import"),
        ("person", COORDINATOR, U + "/people/{id}", f"/units/{COUNTY}/people/{facts.person}"),
        ("subscribe", LIAISON, U + "/subscribe", f"/units/{TOWN}/subscribe"),
        ("accounts", ADMINISTRATOR, "/accounts", "/accounts"),
        ("account-unit", ADMINISTRATOR, "/accounts/new", "/accounts/new?q=民政"),
        ("account-new", ADMINISTRATOR, "/accounts/new", f"/accounts/new?unit={COUNTY}"),
        ("account-one", ADMINISTRATOR, "/accounts/{id}", f"/accounts/{facts.account}"),
        ("channels", ADMINISTRATOR, U + "/channels", f"/units/{BUREAU}/channels"),
        ("admin", ADMINISTRATOR, "/admin", "/admin"),
        ("admin-auditor", AUDITOR, "/admin", "/admin"),
        ("audit", AUDITOR, "/admin/audit", "/admin/audit"),
        ("admin-units", ADMINISTRATOR, "/admin/units", "/admin/units"),
        ("admin-units-import", ADMINISTRATOR, "/admin/units/import", "/admin/units/import"),
        ("admin-unit", ADMINISTRATOR, "/admin/units/{code}", f"/admin/units/{TOWN}"),
        ("admin-people", ADMINISTRATOR, "/admin/people", "/admin/people"),
        ("tokens", ADMINISTRATOR, "/admin/tokens", "/admin/tokens"),
        ("machines", ADMINISTRATOR, "/admin/machines", "/admin/machines"),
        ("calendars", ADMINISTRATOR, "/admin/calendars", "/admin/calendars"),
        ("calendars-school", ADMINISTRATOR, "/admin/calendars/school", "/admin/calendars/school"),
        (
            "calendars-restore",
            ADMINISTRATOR,
            "/admin/calendars/{entry_id}/restore",
            f"/admin/calendars/{facts.entry}/restore",
        ),
        ("admin-channels", ADMINISTRATOR, "/admin/channels", "/admin/channels"),
        ("system", ADMINISTRATOR, "/admin/system", "/admin/system"),
        ("api-docs", COORDINATOR, "/api/docs", "/api/docs"),
    ]
    return [Shown(*row) for row in rows]


# A GET that answers with a file, with data, or by sending on to a page of the table.
NO_PAGES = {
    "/healthz",
    "/login/code",
    "/oidc/start",
    "/oidc/callback",
    "/start",
    "/desk",
    "/changes.csv",
    "/charts/heat.csv",
    "/charts/heat.xlsx",
    "/charts/burn-up.csv",
    "/charts/burn-up.xlsx",
    "/charts/timeliness.csv",
    "/charts/timeliness.xlsx",
    "/charts/burden.csv",
    "/charts/burden.xlsx",
    "/register.xlsx",
    "/register.csv",
    "/reminders.csv",
    "/circulars/{id}",
    "/circulars/{kind}/{period}.docx",
    "/report-template.docx",
    "/report-template/built-in.docx",
    U + "/files/{file_id}",
    "/files/{file_id}/thumbnail",
    "/files/{file_id}/{name}",
    U + "/workbook.xlsx",
    U + "/workbook/{digest}.xlsx",
    "/rounds/{round_code}/compilations/{id}/check",
    "/rounds/{round_code}/compilations/{id}.docx",
    "/rounds/{round_code}/compilations/{id}.xlsx",
    "/rounds/{round_code}/compilations/{id}.pdf",
    U + "/people/people.csv",
    "/scoring/{token}/{exemplar_id}/pictures/{picture_id}",
    "/admin/audit.csv",
    "/admin/units.csv",
}
