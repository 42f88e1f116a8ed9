"""From asking to a printed document on the real plan: the round played by HTTP alone, compiled, opened and rendered."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from PIL import Image

from documents.pdf import to_pdf
from ledger import reviews, submissions
from policy_models.evidence import Evidence
from policy_models.plan import EvidenceType
from policy_models.units import Units
from tests.api.round_play import PLAN, ROUND, RoundSite, form, get, play_round, real_plan, send
from tests.factories import instant, office, opened, query

pytestmark = pytest.mark.slow
DAY = "2025-07-20"
COUNTIES = ("150202", "150222")  # 东河区, 固阳县: their villages report a quarter
SUMS = """
    SELECT u.county, SUM(e.value), SUM(e."of") FROM evidence e
    JOIN work_item i ON i.id = e.item_id JOIN unit u ON u.code = i.unit_code
    JOIN requirement r ON r.id = i.requirement_id
    WHERE r.code = '5.5' AND i.state = 'accepted' AND e.name = 'visited'
      AND i.deadline BETWEEN '2025-01-01' AND '2025-06-30' GROUP BY u.county ORDER BY u.county"""
DONE = """
    SELECT COUNT(*), SUM(CASE WHEN state = 'accepted' THEN 1 ELSE 0 END) FROM work_item i
    JOIN requirement r ON r.id = i.requirement_id
    WHERE r.task = 5 AND i.deadline BETWEEN '2025-01-01' AND '2025-06-30' AND i.state NOT IN ('waived', 'cancelled')"""
TEXTS = """
    SELECT s.section, s.text FROM report_section s JOIN report r ON r.id = s.report_id
    JOIN work_item i ON i.id = r.item_id
    WHERE i.state = 'accepted' AND s.revision = (SELECT MAX(x.revision) FROM report_section x WHERE x.report_id = r.id)"""


def villages_of(units: Units, county: str) -> list[str]:
    return [code for code in sorted(units) if len(code) == 12 and units.county_of(code) == county]


def report_visits(site: RoundSite) -> None:
    """The villages of two counties hand in the first quarter's visits, each township accepts them."""
    for county in COUNTIES:
        for number, code in enumerate(villages_of(site.pack.units, county), 1):
            key, town = f"{PLAN}:5.5:{code}:2025Q1", site.pack.units[code].parent
            pieces = [
                Evidence(EvidenceType.MEASURE, "visited", Decimal(number % 7), Decimal(number % 7 + 1)),
                Evidence(EvidenceType.PHOTO, text="走访照片"),
            ]
            with site.database.write() as session:
                submissions.submit(session, key, by=office(code), evidence=pieces, now=instant("2025-03-28", 10))
                reviews.accept(session, key, by=office(str(town)), now=instant("2025-03-28", 11))


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[RoundSite]:
    with opened(sqlite_url) as database:
        yield real_plan(database, data_dir=tmp_path)


def compile_by_http(site: RoundSite, today: str) -> tuple[bytes, bytes]:
    """The .docx and .xlsx of the end of DAY, as the coordinator makes and downloads them on a later day. The same
    facts with the same bytes are one compilation; other bytes would be a second one."""
    browser = site.at(today)
    page = get(browser, f"/rounds/{ROUND}/compilations")
    assert "26 个单位应报</a>，已全部审核通过。" in page
    send(browser, form(page, f"/compilations/{ROUND}"), as_of=DAY)
    files = [browser.get(f"/rounds/{ROUND}/compilations/1.{kind}") for kind in ("docx", "xlsx")]
    assert [answer.status_code for answer in files] == [200, 200]
    return files[0].content, files[1].content


def much_later(site: RoundSite) -> None:
    """One village's quarter is exempted, another's is taken in after all."""
    late, exempt = villages_of(site.pack.units, "150203")[:2]
    pieces = [
        Evidence(EvidenceType.MEASURE, "visited", Decimal(3), Decimal(3)),
        Evidence(EvidenceType.PHOTO, text="走访照片"),
    ]
    with site.database.write() as session:
        now = instant("2025-08-01", 10)
        submissions.submit(session, f"{PLAN}:5.5:{late}:2025Q1", by=office(late), evidence=pieces, now=now)
        reviews.accept(session, f"{PLAN}:5.5:{late}:2025Q1", by=office(str(site.pack.units[late].parent)), now=now)
        reviews.waive(session, f"{PLAN}:5.5:{exempt}:2025Q1", by=office(site.coordinator), now=now, reason="整村搬迁")


def test_from_asking_to_a_printed_document(site: RoundSite, tmp_path: Path) -> None:
    report_visits(site)
    written = play_round(site)
    assert len(written) == 26
    data, sheets = compile_by_http(site, "2025-07-21")
    report = docx.Document(io.BytesIO(data))
    _has_the_official_format(report)
    whole = "\n".join(paragraph.text for paragraph in report.paragraphs)
    _holds_every_accepted_section(site, whole)
    _totals_are_the_ledgers(site, report)
    much_later(site)
    assert compile_by_http(site, "2025-08-02") == (data, sheets)
    later = site.at("2025-08-02")
    assert later.get(f"/rounds/{ROUND}/compilations/2.docx").status_code == 404
    assert "再次生成的文件与原件逐字节一致" in get(later, f"/rounds/{ROUND}/compilations/1/check")
    pages = _rendered(data, tmp_path)
    print(f"26 reports, {sum(map(len, written.values()))} sections, {len(pages)} pages")
    assert len(pages) > 20
    assert all(0.5 < _white(page) < 0.999 for page in pages[:5])


def _has_the_official_format(report: Any) -> None:
    section = report.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    edges = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round(edge.mm) for edge in edges] == [37, 35, 28, 26]
    grid = section._sectPr.find(qn("w:docGrid"))
    assert grid.get(qn("w:type")) == "linesAndChars"
    assert int((297 - 37 - 35) / 25.4 * 72 // (int(grid.get(qn("w:linePitch"))) / 20)) == 22
    fonts = {
        run._element.rPr.rFonts.get(qn("w:eastAsia"))
        for paragraph in report.paragraphs
        for run in paragraph.runs
        if run._element.rPr is not None and run._element.rPr.rFonts is not None
    }
    assert {"仿宋_GB2312", "方正小标宋简体", "黑体", "楷体_GB2312"} <= fonts


def _holds_every_accepted_section(site: RoundSite, whole: str) -> None:
    with site.database.read() as session:
        sections = query(session, TEXTS)
    assert len(sections) > 26 * 5
    assert [name for name, text in sections if text and text not in whole] == []


def _totals_are_the_ledgers(site: RoundSite, report: Any) -> None:
    """The counties' sums and the city's, and the task's items, against plain SQL."""
    with site.database.read() as session:
        sums = {county: (int(value), int(of)) for county, value, of in query(session, SUMS)}
        due, done = map(int, query(session, DONE)[0])
    assert set(sums) == set(COUNTIES)
    rows = [[cell.text for cell in row.cells] for table in report.tables for row in table.rows]
    [value_row] = [row for row in rows if row[0].startswith("5.5 已随访")]
    of_row = rows[rows.index(value_row) + 1]
    names = next(row for row in rows if row[0] == "指标")
    for place, row in ((0, value_row), (1, of_row)):
        assert row[1] == str(sum(pair[place] for pair in sums.values()))
        for county in COUNTIES:
            assert row[names.index(site.pack.units[county].name)] == str(sums[county][place])
    [task] = [row for row in rows if row[0].startswith("任务5 ")]
    assert [task[1], task[2]] == [str(due), str(done)]
    print(f"5.5: {sums}, task 5: {done}/{due}")


def _rendered(data: bytes, folder: Path) -> list[Path]:
    """The pages as pictures, by way of LibreOffice."""
    source = folder / "report.pdf"
    source.write_bytes(to_pdf(data))
    subprocess.run(["pdftoppm", "-r", "30", "-gray", "-png", str(source), str(folder / "page")], check=True)
    return sorted(folder.glob("page-*.png"))


def _white(page: Path) -> float:
    """The share of a page that is white: neither empty nor a blot."""
    with Image.open(page) as picture:
        histogram = picture.convert("L").histogram()
    return sum(histogram[240:]) / sum(histogram)
