"""The demonstration with what it lacks: files, a draft, an extension asked for, a sample, exemplars, a panel, a letter, a
file that was stopped, a compilation, a chase, calendars entered. Made by the verbs that the pages call."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from docx import Document
from fastapi.testclient import TestClient
from httpx import Response

from documents.mail import parse
from documents.receiving import receive
from ledger import addresses, letters
from ledger.database import Database
from ledger.file_store import FileStore
from ledger.letters import Looked, Place
from ledger.settings import Settings
from lucheng.demo_accounts import personas
from policy_models.files import LETTER_KINDS, Limits
from policy_models.plan_file import BUNDLED, load_pack
from tests.api.evidence import form, form_type
from tests.api.site import open_browser
from tests.browser.pictures import scene
from tests.factories import query
from tests.letters import docx, letter, named, whole_identity, word

BUREAU, SCHOOLS, COUNTY, TOWN = "150200-mz", "150200-jy", "150202-mz", "150202001"
NOTICE = (Path(__file__).parents[1] / "policy_models" / "notices" / "2026.txt").read_text("utf-8")
NOTICE = NOTICE.replace("至7日（周三）放假调休，共7天", "至8日（周四）放假调休，共8天")
ROUND, OPEN_ROUND = "2026-H1", "2026-H2"
HALF_DONE = {
    "title": "一村一队伍，邻里共守护",
    "background": "辖区外出务工人员较多，留守儿童日常关爱力量不足。" * 12,
    "practice": "建立村级关爱队伍，定期走访，开展假期陪伴活动。" * 20,
    "effect": "走访覆盖率由八成提高到全覆盖。" * 14,
    "insight": "把力量放在村里，事情才能常态化。" * 8,
}


@dataclass(frozen=True)
class Facts:
    """Addresses of things that the pages are about."""

    item: str
    submitted: str
    reviewing: str
    accepted: str
    late: str
    sheet: str
    file: int
    extend: str
    sample: str
    exemplar: int
    published: int
    scoring: str
    invitation: str
    letter: int
    compilation: int
    chase: str
    person: int
    account: int
    entry: int
    circular: tuple[str, str]
    village: str


def one(database: Database, sql: str) -> tuple[object, ...]:
    with database.read() as session:
        return tuple(query(session, sql)[0])


def dress(database: Database, files: Path, now: datetime) -> Facts:
    """Everything at an instant; where it lies."""
    settings = Settings(base_url="http://testserver", clock=now, files_dir=files)
    assert [unit.unit for unit in personas(load_pack(BUNDLED))][:3] == [BUREAU, COUNTY, TOWN]
    return _Dresser(database, _loud(open_browser(database, settings)), now, FileStore(files)).all()


@dataclass
class _Dresser:
    database: Database
    browser: TestClient
    now: datetime
    store: FileStore

    def post(self, path: str, *, status: int = 303, **data: str) -> Response:
        answer = self.browser.post(path, data=data)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-1500:])
        return answer

    def all(self) -> Facts:
        item, village = self.item("open", "8.6")
        extend, _ = self.item("open", "8.5")
        submitted, _ = self.item("submitted", "5.5")
        accepted, _ = self.item("accepted", "5.5")
        late = str(one(self.database, "SELECT key FROM work_item WHERE state = 'open' AND deadline < '2026-09-01'")[0])
        return Facts(
            item=item,
            submitted=submitted,
            reviewing=submitted.split(":")[2][:9],
            accepted=accepted,
            late=late,
            sheet=self.sheet(),
            file=self.upload(item, village),
            extend=self.extension(extend),
            sample=self.sample(),
            exemplar=self.exemplar(),
            published=self.published(),
            scoring=self.scoring(),
            invitation=self.invitation(),
            letter=self.letter(),
            compilation=self.compilation(),
            chase=self.chase(),
            person=self.number(f"SELECT id FROM person WHERE unit_code = '{COUNTY}'"),
            account=self.number("SELECT id FROM account WHERE name = '演示-审核员'"),
            entry=self.entry(),
            circular=self.circular(),
            village=village,
        )

    def number(self, sql: str) -> int:
        return int(str(one(self.database, sql)[0]))

    def item(self, state: str, requirement: str) -> tuple[str, str]:
        """An item of a village of the township in a state: its key, and the village."""
        found = one(
            self.database,
            "SELECT w.key, w.unit_code FROM work_item w JOIN requirement r ON r.id = w.requirement_id "
            f"JOIN unit u ON u.code = w.unit_code WHERE u.county = '150202' AND w.state = '{state}' "
            f"AND r.code = '{requirement}' ORDER BY u.parent <> '{TOWN}', w.deadline DESC, w.key LIMIT 1",
        )
        return str(found[0]), str(found[1])

    def sheet(self) -> str:
        page = self.browser.get(f"/units/{TOWN}/sheets").text
        return re.findall(rf'href="(/units/{TOWN}/sheet/[^"?]+)', page)[0]

    def upload(self, key: str, unit: str) -> int:
        files = (("走访照片1.jpg", scene(1)), ("走访照片2.jpg", scene(2)))
        answer = self.browser.post(
            f"/units/{unit}/files/{key}", content=form(*files, fields=[("type", "photo")]), headers=form_type()
        )
        assert answer.json()["kept"] == 2, answer.text
        paper, out = Document(), io.BytesIO()
        paper.add_paragraph(f"走访名单 证号 {whole_identity()}")
        paper.save(out)
        stopped = form(("走访名单.docx", out.getvalue()), fields=[("type", "document")])
        refused = self.browser.post(f"/units/{unit}/files/{key}", content=stopped, headers=form_type())
        assert refused.json()["refused"] == 1, refused.text
        return self.number("SELECT max(id) FROM file WHERE kind = 'jpg'")

    def extension(self, key: str) -> str:
        unit = key.split(":")[2]
        path = f"/units/{unit}/extend/{key}"
        self.post(path, wanted="2026-10-20", reason="连续降雨道路中断，入户推迟")
        return path

    def sample(self) -> str:
        """Of the township that has the most to look at."""
        unit, requirement, period = one(
            self.database,
            "SELECT u.parent, r.code, w.period FROM work_item w JOIN requirement r ON r.id = w.requirement_id "
            "JOIN unit u ON u.code = w.unit_code WHERE w.state = 'submitted' AND u.level = 'village' AND r.code <> '8.5' "
            "GROUP BY u.parent, r.code, w.period ORDER BY count(*) DESC, u.parent, r.code LIMIT 1",
        )
        chosen = {"requirement": str(requirement), "period": str(period), "share": "50"}
        return self.post(f"/units/{unit}/samples", **chosen).headers["location"]

    def exemplar(self) -> int:
        """Handed in, not yet chosen."""
        return self.write_exemplar("暖心陪伴")

    def write_exemplar(self, title: str) -> int:
        answer = self.post(f"/units/{COUNTY}/exemplars", round=OPEN_ROUND, title=title)
        path = answer.headers["location"]
        self.post(path, **{**HALF_DONE, "title": title}, version="1", action="submit")
        return self.number("SELECT max(id) FROM exemplar")

    def published(self) -> int:
        made = self.write_exemplar(HALF_DONE["title"])
        for action in ("shortlist", "publish"):
            version = str(one(self.database, f"SELECT version FROM exemplar WHERE id = {made}")[0])
            self.post(f"/units/{BUREAU}/shortlist/{made}", version=version, action=action)
        return made

    def scoring(self) -> str:
        data = {"round": OPEN_ROUND, "name": "评委甲", "unit": ""}
        page = self.post(f"/units/{BUREAU}/panelists", status=200, **data).text
        return re.findall(r"http://testserver(/scoring/[\w-]{32})<", page)[0]

    def invitation(self) -> str:
        asked = {"unit": COUNTY, "name": "donghe", "display_name": "东河区联络员", "role": "liaison"}
        page = self.post("/accounts", status=200, **asked).text
        return re.findall(r"http://testserver(/invitations/[\w-]+)", page)[0]

    def letter(self) -> int:
        """One that says no unit's address: it waits for the coordinator."""
        with self.database.write() as session:
            addresses.save_addresses(session, {"office@donghe.example": COUNTY}, now=self.now)
        half = word("2026年下半年工作报告")
        found = parse(letter(1, "someone@elsewhere.example", half, named("工作报告.docx", docx())))
        looked = [
            Looked(one.name, one.size, receive(one.name, one.data, limits=Limits(), kinds=LETTER_KINDS))
            for one in found.attachments
            if one.data
        ]
        with self.database.write() as session:
            letters.begin(session, "bureau/INBOX", 1, since=None, now=self.now)
            place = Place("bureau/INBOX", 1, 1, self.now)
            taken = letters.take_in(session, self.store, found, looked, place=place, own=[], answer=False, now=self.now)
        assert taken is not None
        return taken.id

    def compilation(self) -> int:
        self.post(f"/units/{BUREAU}/compilations/{ROUND}")
        return self.number("SELECT max(id) FROM compilation")

    def chase(self) -> str:
        keys = one(
            self.database,
            "SELECT key FROM work_item WHERE state = 'open' AND deadline < '2026-09-01' AND unit_code LIKE '150206%' "
            "ORDER BY key LIMIT 1",
        )
        return self.post(f"/units/{BUREAU}/chase", keys=str(keys[0]), words="请尽快补报").headers["location"]

    def entry(self) -> int:
        """A holiday notice entered over the one of the plan."""
        page = self.post("/admin/calendars/notice", status=200, text=NOTICE).text
        seen = re.findall(r'name="seen" value="([0-9a-f]{64})"', page)[0]
        self.post("/admin/calendars/notice/confirm", text=NOTICE, seen=seen)
        return self.number("SELECT max(id) FROM calendar_entry")

    def circular(self) -> tuple[str, str]:
        kind, period = one(self.database, "SELECT kind, period FROM circular WHERE kind = 'monthly' ORDER BY id DESC")
        return str(kind), str(period)


def _loud(browser: TestClient) -> TestClient:
    """One whose server's own faults come through as they are."""
    browser._transport.raise_server_exceptions = True  # type: ignore[attr-defined]
    return browser
