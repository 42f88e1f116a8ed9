"""催办 in a real browser: the boxes of the register, the count of characters, a double click that sends once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from api.app import create_app
from ledger.settings import Settings
from tests.api.site import EVERY_ROLE, Site, let_in, signed_in, tiny_site
from tests.browser.running import chromium
from tests.factories import instant, query

pytestmark = pytest.mark.slow


@pytest.fixture
def served(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Site, str]]:
    with tiny_site(sqlite_url, tmp_path / "pack") as site:
        app = create_app(site.database, Settings(base_url="http://127.0.0.1", clock=instant("2025-02-07")))
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            thread.join(0.05)
        yield site, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True
        thread.join()


def test_ticked_counted_and_sent_once(served: tuple[Site, str]) -> None:
    site, base = served
    with chromium() as browser:
        page = browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        let_in(page, base, signed_in(site.database, EVERY_ROLE, instant("2025-02-07")))
        page.goto(f"{base}/register?requirement=1.2&period=2025-01")
        page.get_by_label("全部符合条件的").check()
        page.get_by_label("全选本页").check()
        assert page.get_by_label("勾选的").is_checked()  # who ticks means what is ticked
        assert page.locator("[data-picked]").text_content() == "已选 4 件"
        page.emulate_media(media="print")
        assert page.locator("table.register tbody tr").first.is_visible()
        assert not page.locator("table.register input").first.is_visible()
        page.emulate_media(media="screen")
        page.get_by_role("button", name="催办", exact=True).click()
        assert "将向 4 个单位发送催办，涉及 4 项" in (page.locator(".sub").first.text_content() or "")
        page.get_by_label("催办说明（可不填，附在每个单位的消息中）").fill("请补报")
        assert page.locator('[data-count-of="words"]').text_content() == "3/200 字"
        page.get_by_role("button", name="更新预览").click()
        assert "催办说明：请补报" in (page.locator(".message-body").text_content() or "")
        page.get_by_role("button", name="发送", exact=True).dblclick()
        page.wait_for_url("**/chase/*")
        assert "已催办 4 个单位的 4 项，消息 4 条。" in (page.locator(".notice").first.text_content() or "")
        assert faults == []
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM outbox WHERE kind = 'chase'") == [(4,)]
        assert query(session, "SELECT DISTINCT note FROM reminder WHERE step IS NULL") == [("请补报",)]
