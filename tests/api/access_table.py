"""Who may open and do what, written down by hand: the other side of api/rights.py, which it is held against.

A group is a pattern of "METHOD path" and the roles that may; the first that fits counts. Nothing is computed from the
rules of the application, so that a slip there shows here.
"""

from __future__ import annotations

import re

from policy_models.access import Role

ADMINISTRATOR, COORDINATOR, REVIEWER, LIAISON, AUDITOR = (
    Role.ADMINISTRATOR,
    Role.COORDINATOR,
    Role.REVIEWER,
    Role.LIAISON,
    Role.AUDITOR,
)
EVERYBODY = frozenset(Role)
REPORTS = frozenset({LIAISON})
REVIEWS = frozenset({COORDINATOR, REVIEWER})
COORDINATES = frozenset({COORDINATOR})
HAS_PEOPLE = frozenset({ADMINISTRATOR, COORDINATOR, LIAISON})
ADMINISTERS = frozenset({ADMINISTRATOR})
AUDITS = frozenset({ADMINISTRATOR, AUDITOR})

# What is open without an account, and why that shows nothing of the plan.
ANYONE = {
    "GET /healthz": "whether the service runs, for the machine that watches it",
    "GET /login": "the door itself",
    "POST /login": "the door itself",
    "POST /login/demo": "the door of a demonstration, where everything is invented; elsewhere it is shut",
    "GET /login/code": "the second step of the door",
    "POST /login/code": "the second step of the door",
    "GET /oidc/start": "the door by the city's single sign-on",
    "GET /oidc/callback": "the door by the city's single sign-on",
    "GET /invitations/{token}": "an invitation is its own secret",
    "POST /invitations/{token}": "an invitation is its own secret",
    "GET /help": "how to use it: nothing of the plan",
    "GET /help/{chapter_name}": "how to use it: nothing of the plan",
    "GET /scoring/{token}": "a reviewer from outside has no account; the address is the secret",
    "GET /scoring/{token}/{exemplar_id}": "as above: only what is to be scored, without names",
    "POST /scoring/{token}/{exemplar_id}": "as above",
    "GET /scoring/{token}/{exemplar_id}/pictures/{picture_id}": "as above",
}
U = r"/units/\{code\}"
GROUPS: tuple[tuple[str, frozenset[Role]], ...] = (
    # of oneself
    (r"(GET|POST) /account(/.*)?", EVERYBODY),
    (r"POST /logout", EVERYBODY),
    (r"GET /start", EVERYBODY),
    (r"GET /api/docs", EVERYBODY),
    (r"GET /api/v1/(openapi\.json|plans)", EVERYBODY),
    (r"POST /register/views.*", EVERYBODY),
    # looking
    (r"GET /(tasks|phases|safeguards)/\{number\}", EVERYBODY),
    (r"GET /(|tasks|timeline|calendar|units|items|register|reminders|circulars|exemplars|rounds|desk)", EVERYBODY),
    (r"GET /(register|reminders|changes)\.(csv|xlsx)", EVERYBODY),
    (r"GET /changes(/items)?", EVERYBODY),
    (r"GET /charts(/.*)?", EVERYBODY),
    (r"GET /circulars/.*", EVERYBODY),
    (r"GET /exemplars/\{exemplar_id\}", EVERYBODY),
    (r"GET /rounds/\{round_code\}", EVERYBODY),
    (r"GET /report-template(/built-in)?\.docx", EVERYBODY),
    (r"GET /people/unreachable", EVERYBODY),
    (r"GET /items/\{key:path\}", EVERYBODY),
    (r"GET /files/\{file_id\}/(thumbnail|\{name\})", EVERYBODY),
    (rf"GET {U}(/calendar|/desk|/bulletin|/extensions|/people|/subscribe)?", EVERYBODY),
    (rf"POST {U}/feeds(/\{{token_id\}}/(rotate|revoke))?", EVERYBODY),
    (r"GET /api/v1/(board|units|items|rounds|circulars|exemplars|reminders|register|tasks/\{number\})", EVERYBODY),
    (r"GET /api/v1/(charts/.*|exemplars/\{exemplar_id\})", EVERYBODY),
    (r"GET /api/v1/(rounds/\{round_code\}|circulars/\{kind\}/\{period\}|items/\{key\})", EVERYBODY),
    (rf"GET /api/v1{U}(/extensions|/people|/feeds)?", EVERYBODY),
    (rf"POST /api/v1{U}/feeds(/\{{id\}}/(rotate|revoke))?", EVERYBODY),
    # handing in
    (rf"(GET|POST) {U}/(submit|withdraw|extend)/\{{key:path\}}", REPORTS),
    (rf"POST {U}/files/\{{key:path\}}(/missing)?", REPORTS),
    (rf"(GET|POST) {U}/files/\{{file_id\}}(/mask|/unmask)?", REPORTS),
    (rf"(GET|POST) {U}/(sheets|sheet/\{{requirement\}}/\{{period\}})", REPORTS),
    (rf"(GET|POST) {U}/workbook(\.xlsx|/\{{digest\}}\.xlsx)?", REPORTS),
    (rf"POST {U}/extensions/\{{id\}}/withdraw", REPORTS),
    (rf"GET (/api/v1)?{U}/reports/\{{round_code\}}", REPORTS),
    (rf"(POST|PUT) (/api/v1)?{U}/reports/\{{round_code\}}/(sections/\{{section\}}|submit|withdraw)", REPORTS),
    (rf"GET {U}/exemplars/\{{exemplar_id\}}", EVERYBODY),  # who writes it, and who reads what was sent
    (rf"(GET|POST) {U}/exemplars(/.*)?", REPORTS),
    (rf"POST {U}/bulletin(/year|/\{{item_id\}})?", REPORTS),
    (rf"GET /api/v1{U}/items/\{{key\}}/draft", REPORTS),
    (rf"POST /api/v1{U}/items/\{{key\}}/(files|submit|withdraw|extensions)", REPORTS),
    (rf"POST /api/v1{U}/extensions/\{{id\}}/withdraw", REPORTS),
    # reviewing and chasing
    (rf"(GET|POST) {U}/review(/\{{key:path\}})?", REVIEWS),
    (rf"POST {U}/extensions/\{{id\}}/(grant|refuse)", REVIEWS),
    (rf"(GET|POST) {U}/samples(/\{{id\}}(/check|/rest)?)?", REVIEWS),
    (rf"(GET|POST) (/api/v1)?{U}/reports/\{{round_code\}}/\{{unit\}}(/review)?", REVIEWS),
    (rf"(GET|POST) {U}/chase(/preview|/\{{batch\}})?", REVIEWS),
    (rf"(GET|POST) /api/v1{U}/review", REVIEWS),
    (rf"POST /api/v1{U}/items/\{{key\}}/(accept|send-back)", REVIEWS),
    (rf"POST /api/v1{U}/extensions/\{{id\}}/(grant|refuse)", REVIEWS),
    (rf"(GET|POST) /api/v1{U}/chase(/preview|/\{{batch\}})?", REVIEWS),
    # coordinating
    (rf"POST {U}/rounds/\{{round_code\}}/\{{act\}}", COORDINATES),
    (rf"POST /api/v1{U}/rounds/\{{round_code\}}/(open|close|reopen)", COORDINATES),
    (r"GET /rounds/\{round_code\}/compilations(/.*)?", COORDINATES),
    (rf"POST {U}/compilations/.*", COORDINATES),
    (rf"(GET|POST) {U}/(shortlist|panelists|panel|mail|exceptions|messages)(/.*)?", COORDINATES),
    (rf"POST {U}/bulletin/\{{item_id\}}/review", COORDINATES),
    (r"GET /messages", COORDINATES),
    # people
    (rf"(GET|POST|PUT) (/api/v1)?{U}/people(/.*|\.csv)?", HAS_PEOPLE),
    # administering
    (r"GET (/admin(/audit(\.csv)?)?|/api/v1/trail)", AUDITS),
    (r"(GET|POST) /admin/.*", ADMINISTERS),
    (r"(GET|POST) /accounts(/.*)?", ADMINISTERS),
    (rf"(GET|POST) {U}/channels(/.*)?", ADMINISTERS),
)
# What concerns the whole city: a role held at a part of it does not do.
WHOLE = (
    r"GET /rounds/\{round_code\}/compilations.*",
    r"GET /messages",
    r"(GET|POST) /admin/(calendars|channels|machines|system)(/.*)?",
)
OF_ANY_ACCOUNT = (
    r"(GET|POST) /account(/.*)?",
    r"POST /logout",
    r"GET /start",
    r"GET /api/(docs|v1/openapi\.json|v1/plans)",
)


def is_of_any_account(route: str) -> bool:
    """Whether it needs no role at all."""
    return any(re.fullmatch(pattern, route) for pattern in OF_ANY_ACCOUNT)


def allowed(route: str) -> frozenset[Role]:
    """The roles that may: raises LookupError for a route that nobody has put into a group."""
    for pattern, roles in GROUPS:
        if re.fullmatch(pattern, route):
            return roles
    raise LookupError(f"{route} is in no group of tests/api/access_table.py")


def place(route: str) -> str:
    """Where the right must be held: ``unit``, ``item`` or ``file`` (at what the address names), ``whole``, or ``listed``
    (anywhere: the page shows what lies there)."""
    if any(re.fullmatch(pattern, route) for pattern in WHOLE):
        return "whole"
    if "/units/{code}" in route:
        return "unit"
    if re.search(r" (/api/v1)?/items/\{key", route):
        return "item"
    return "file" if " /files/{file_id}" in route else "listed"
