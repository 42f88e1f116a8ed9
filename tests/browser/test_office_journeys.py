"""Journeys of a half-year and of a year: the round from opening to its document, and what an administrator looks after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from docx import Document
from playwright.sync_api import Browser, Page, expect

from ledger import channels, feed_tokens
from ledger.database import Database
from policy_models.access import Role
from tests.api.round_play import ROUND, section_names
from tests.api.site import tiny_site
from tests.browser.conftest import PASSWORD, account
from tests.browser.running import clean, person, serving, sign_in
from tests.factories import BUREAU, SCHOOLS, instant, query, village
from tests.receiver import running_receiver
from tests.reporting import with_reports

pytestmark = pytest.mark.slow

TOWN, REPORT = "900101", f"/units/{SCHOOLS}/reports/{ROUND}"
NOTICE = (Path(__file__).parents[1] / "policy_models" / "notices" / "2025.txt").read_text("utf-8")
EARLIER = NOTICE.replace("5月31日（周六）至6月2日（周一）", "5月30日（周五）至6月1日（周日）")


@pytest.fixture
def database(sqlite_url: str, tmp_path: Path) -> Iterator[Database]:
    with tiny_site(sqlite_url, tmp_path / "pack", with_reports) as site:
        account(site.database, "mz", "李统筹", Role.COORDINATOR, BUREAU)
        account(site.database, "jy", "孙联络", Role.LIAISON, SCHOOLS)
        account(site.database, "root", "周管理", Role.ADMINISTRATOR, "")
        yield site.database


def write_report(page: Page, base: str) -> int:
    """Every section as its page asks for it; how many."""
    page.goto(f"{base}{REPORT}")
    names = section_names(page.content())
    for name in names:
        page.goto(f"{base}{REPORT}?section={name}")
        for box in page.locator("textarea[name^=answer-]").all():
            box.fill("持续开展，覆盖全部学校。")
        page.locator("#text").fill(f"本节（{name}）：按照方案推进，走访12次。")
        page.get_by_role("button", name="保存", exact=True).click()
        expect(page.locator("[data-state]")).to_contain_text("已保存")
    return len(names)


def test_a_half_year_from_opening_to_the_document(database: Database, browser: Browser, tmp_path: Path) -> None:
    with ExitStack() as stack:
        opening = stack.enter_context(serving(database, instant("2025-05-20"), data_dir=tmp_path))
        chief = stack.enter_context(person(browser, opening.base))
        page = sign_in(chief, "mz", PASSWORD, f"/rounds/{ROUND}")
        page.get_by_label("报送要求").fill("只填数量，不写儿童姓名。")
        page.get_by_role("button", name="现在启动").click()
        expect(page.locator("table.round tbody tr")).to_have_count(4)
        expect(page.locator("main")).to_contain_text("只填数量，不写儿童姓名。")
        clean(chief)
    with ExitStack() as stack:
        writing = stack.enter_context(serving(database, instant("2025-07-03"), data_dir=tmp_path))
        unit = stack.enter_context(person(browser, writing.base))
        page = sign_in(unit, "jy", PASSWORD, "/desk")
        page.get_by_role("link", name=re.compile("^报送 ?：事项1.8")).click()
        sections = write_report(page, writing.base)
        page.goto(f"{writing.base}{REPORT}?section=check")
        expect(page.locator("main")).to_contain_text("各节均已完成")
        page.get_by_role("button", name="报送", exact=True).click()
        expect(page.locator("main")).to_contain_text("报告已报送，等待审核。")
        clean(unit)
        chief = stack.enter_context(person(browser, writing.base))
        page = sign_in(chief, "mz", PASSWORD, f"/rounds/{ROUND}")
        page.locator("tr").filter(has_text="市教育局").get_by_role("link", name="审核", exact=True).click()
        expect(page.locator(".report-body section[id]").first).to_contain_text("按照方案推进，走访12次。")
        page.get_by_role("button", name="整份通过").click()
        expect(page.locator(".head .light")).to_contain_text("已通过")
        page.goto(f"{writing.base}/rounds/{ROUND}")
        page.get_by_role("link", name="汇编", exact=True).click()
        expect(page.locator("main")).to_contain_text("已审核通过 1 个")
        page.get_by_role("button", name="生成汇编").click()
        with page.expect_download() as waiting:
            page.locator("ul.made").get_by_role("link", name=".docx").click()
        clean(chief)
        paper = Document(waiting.value.path())
    text = "\n".join(one.text for one in paper.paragraphs)
    assert "按照方案推进，走访12次。" in text
    assert waiting.value.suggested_filename.endswith(".docx")
    with database.read() as session:
        accepted = query(session, "SELECT unit_code, period FROM work_item WHERE state = 'accepted'")
        assert accepted == [(SCHOOLS, ROUND)]
        assert query(session, "SELECT count(*) FROM report_section") == [(sections,)]
        assert query(session, "SELECT count(*) FROM compilation") == [(1,)]
        named = query(session, "SELECT account, act FROM audit WHERE act NOT IN ('登录', '编写报告') ORDER BY id")
        assert named == [("mz", "更改报送期次"), ("jy", "报送报告"), ("mz", "审核报告"), ("mz", "汇编")]


def test_an_administrators_year(
    database: Database, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holiday notice looked at and entered, a channel tested and confirmed, a subscription stopped."""
    day = instant("2025-02-20")
    with database.write() as session:
        token = feed_tokens.create(session, village(1, 1), "旧手机", day)
    with ExitStack() as stack:
        receiver = stack.enter_context(running_receiver())
        monkeypatch.setenv("LUCHENG_CHANNELS_FILE", str(receiver.channels_file(tmp_path)))
        served = stack.enter_context(serving(database, day, data_dir=tmp_path))
        someone = stack.enter_context(person(browser, served.base))
        page = sign_in(someone, "root", PASSWORD, "/admin/calendars")
        page.get_by_label("通知全文").fill(EARLIER)
        page.get_by_role("button", name="预览").click()
        expect(page.locator(".day-changes")).to_contain_text("5月30日（周五） 工作日 → 端午节")
        row = page.locator("tr").filter(has_text="2025年5月").filter(has_text="1.2")
        expect(row).to_contain_text("请于5月30日前报送")
        expect(row).to_contain_text("请于5月29日前报送")
        with database.read() as session:
            assert query(session, "SELECT count(*) FROM calendar_entry") == [(0,)]
        page.get_by_role("button", name="确认，更新日历并调整时限").click()
        expect(page.locator("#entries + .scroll, section[aria-labelledby=entries]").first).to_contain_text("周管理")

        page = someone.open("/admin/channels")
        page.get_by_role("link", name="测试、确认、停用").click()
        page.get_by_role("button", name="发送测试消息").click()
        expect(page.locator("#mz-group")).to_contain_text("待确认")
        number = re.findall(r"确认码：(\d{6})\n", receiver.log[-1].body["data"]["body"])[0]
        page.get_by_label("确认码").fill(number)
        page.get_by_role("button", name="确认", exact=True).click()
        expect(page.locator("#mz-group")).to_contain_text("已确认")

        assert "订阅已停用" not in httpx.get(f"{served.base}/feeds/{token}.ics").text
        page = someone.open("/admin/tokens")
        row = page.locator("tr").filter(has_text="旧手机")
        row.locator("summary").click()
        row.get_by_role("button", name="停用“旧手机”").click()
        expect(page.locator("main")).not_to_contain_text("停用“旧手机”")
        stopped = httpx.get(f"{served.base}/feeds/{token}.ics")
        assert (stopped.status_code, "订阅已停用" in stopped.text) == (200, True)
        clean(someone)
    with database.read() as session:
        assert channels.confirmed(session) == {"mz-group"}
        assert query(session, "SELECT count(*) FROM feed_token WHERE revoked_at IS NOT NULL") == [(1,)]
        assert query(session, "SELECT name, by_name FROM calendar_entry") == [("holidays/2025.yaml", "周管理")]
        acts = query(session, "SELECT act FROM audit WHERE account = 'root' AND act <> '登录' ORDER BY id")
        assert acts == [("录入放假安排",), ("测试渠道",), ("启用渠道",), ("停用日历订阅",)]
