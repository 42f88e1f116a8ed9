"""需要关注: worst first, each with a way in, and silence where all is well."""

from api.attention import Concern, concerns
from api.board import board
from ledger.queries.reading import open_plan
from policy_models.timing import Light
from tests.api.site import BUREAU_ITEM, Site
from tests.factories import BUREAU, CODE, full_evidence, instant, office


def found(site: Site, day: str) -> tuple[Concern, ...]:
    with site.database.read() as session:
        reading = open_plan(session, CODE, as_of=None, now=instant(day))
        assert reading is not None
        return concerns(reading, board(session, reading))


def test_the_worst_section_comes_first_with_its_number(site: Site) -> None:
    lines = found(site, "2025-05-31")
    assert lines[0].light is Light.RED
    ranks = [line.light is not Light.RED for line in lines if "逾期" in line.sentence]
    assert ranks == sorted(ranks)
    browser = site.at("2025-05-31")
    for line in lines:
        if line.link and "逾期 " in line.sentence:
            number = line.sentence.split("逾期 ")[1].split(" ")[0]
            assert f"共 {number} 件" in browser.get(line.link).text


def test_what_waits_for_review_is_named(site: Site) -> None:
    from ledger import submissions

    with site.database.write() as session:
        submissions.submit(session, BUREAU_ITEM, by=office(BUREAU), evidence=full_evidence(), now=instant("2025-05-30"))
    assert [line.sentence for line in found(site, "2025-05-31") if "待审核" in line.sentence] == [
        "待审核 1 件，请审核单位及时审核"
    ]


def test_missing_calendars_are_named_while_the_plan_runs(site: Site) -> None:
    during = [line.sentence for line in found(site, "2025-05-31")]
    assert any(sentence.startswith("2024-2025学年校历尚未录入") for sentence in during)
    after = [line.sentence for line in found(site, "2026-11-30")]
    assert not any("校历" in sentence or "放假安排" in sentence for sentence in after)


def test_a_day_before_everything_is_quiet(site: Site) -> None:
    lines = [line for line in found(site, "2024-12-20") if line.link]
    assert lines == []
