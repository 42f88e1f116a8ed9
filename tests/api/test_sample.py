"""抽查 in a browser: drawn, looked at one by one, the rest accepted, and the draw for anybody to repeat."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ledger import submissions
from ledger.acts import standing
from policy_models.lifecycle import State
from tests.api.site import Site, tiny_site
from tests.factories import BUREAU, Files, instant, item, office, query, requirement_of, village

pytestmark = pytest.mark.thorough

TOWN, DAY = "900101", "2025-02-12"
KEYS = [item("1.2", village(1, number), "2025-01") for number in range(1, 7)]
DRAW = {"requirement": "1.2", "period": "2025-01", "share": "30"}


def by_sample(files: Files) -> None:
    requirement_of(files, "2.2")["review"] = "sampled"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack", by_sample, villages=6) as found:
        with found.database.write() as session:
            given = [(key, (), None) for key in [*KEYS, item("2.2", village(1, 1), "2025-winter")]]
            submissions.submit_all(session, given, by=office(TOWN), now=instant("2025-02-05"))
        yield found


def drawn(browser: TestClient, by: str = TOWN, **fields: str) -> str:
    answer = browser.post(f"/units/{by}/samples", data={**DRAW, **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def to_check(html: str) -> list[str]:
    return re.findall(r'name="key" value="([^"]+)"', html)


def test_drawn_with_a_seed_that_nobody_chose(site: Site) -> None:
    browser = site.at(DAY)
    html = browser.get(drawn(browser)).text
    seed = re.search(r'<dt>种子</dt><dd class="key">([0-9a-f]{16})</dd>', html)
    assert seed
    ranked = sorted(KEYS, key=lambda key: hashlib.sha256(f"{seed[1]}:{key}".encode()).hexdigest())
    assert to_check(html) == ranked[:3]
    assert "第 1 次抽查：抽查中" in html
    assert "6 件中抽 3 件" in html
    assert "刚刚按记录的种子重新抽取，结果与当时相同" in html
    assert all(key in html for key in KEYS)
    queue = browser.get(f"/units/{TOWN}/review").text
    assert "抽取</button>" not in queue  # all of them lie in the sample
    assert queue.count("抽查，逐件审核") == 6
    assert "第 1 次抽查：6 件中抽 3 件" in queue


def test_passed_and_the_rest_accepted(site: Site) -> None:
    browser = site.at(DAY)
    place = drawn(browser)
    for key in to_check(browser.get(place).text):
        assert browser.post(f"{place}/check", data={"key": key, "result": "passed"}).status_code == 303
    html = browser.get(place).text
    assert "第 1 次抽查：抽查合格" in html
    assert "其余 3 件一并通过" in html
    answer = browser.post(f"{place}/rest", data={"by_name": "王主任"})
    assert answer.headers["location"] == f"{place}?rest=3"
    assert "其余 3 件已一并通过" in browser.get(answer.headers["location"]).text
    with site.database.read() as session:
        assert {standing(session, key).state for key in KEYS} == {State.ACCEPTED}
        assert query(session, "SELECT count(*) FROM entry WHERE by_name = '王主任'") == [(3,)]
    assert browser.post(f"{place}/rest").status_code == 409


def test_failed_and_the_rest_one_by_one(site: Site) -> None:
    browser = site.at(DAY)
    place = drawn(browser)
    first = to_check(browser.get(place).text)[0]
    for note, sentence in (("", "不合格须写明问题"), ("150203201501011239", "疑似公民身份号码")):
        answer = browser.post(f"{place}/check", data={"key": first, "result": "failed", "note": note})
        assert (answer.status_code, sentence in answer.text) == (422, True)
    answer = browser.post(f"{place}/check", data={"key": first, "result": "failed", "note": "照片不符"})
    assert answer.status_code == 303
    html = browser.get(place).text
    assert "第 1 次抽查：抽查不合格" in html
    assert "第1次抽查不合格：照片不符" in html
    assert f'href="/units/{TOWN}/review?requirement=1.2&amp;period=2025-01&amp;plan=tiny-2025">逐件审核' in html
    assert browser.post(f"{place}/rest").status_code == 409
    rest = [key for key in KEYS if key not in to_check(html) and key != first]
    answer = browser.post(f"/units/{TOWN}/review", data={"verdict": "accept", "pick": [f"{key}@2" for key in rest]})
    assert (answer.status_code, "抽查尚未完成或不合格，须逐件审核" in answer.text) == (409, True)
    answer = browser.post(f"{place}/check", data={"key": first, "result": "passed"})
    assert (answer.status_code, "在抽查之后已有变化" in answer.text) == (409, True)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"share": "0"}, 422),
        ({"share": "101"}, 422),
        ({"share": "十"}, 422),
        ({"requirement": "9.9"}, 409),
        ({"period": "2025-02"}, 409),
        ({"period": "x" * 41}, 422),
        ({"requirement": "1.2\x00"}, 422),
    ],
)
def test_bad_draws(site: Site, fields: dict[str, str], status: int) -> None:
    assert site.at(DAY).post(f"/units/{TOWN}/samples", data={**DRAW, **fields}).status_code == status


def test_others_samples(site: Site) -> None:
    browser = site.at(DAY)
    place = drawn(browser)
    key = to_check(browser.get(place).text)[0]
    elsewhere = place.replace(TOWN, BUREAU)
    assert browser.get(elsewhere).status_code == 404
    assert browser.post(f"{elsewhere}/check", data={"key": key, "result": "passed"}).status_code == 403
    assert browser.post(f"{elsewhere}/rest").status_code == 403
    assert browser.get(f"/units/{TOWN}/samples/999").status_code == 404
    assert browser.get(f"/units/{TOWN}/samples/{2**70}").status_code == 422
    assert browser.post(f"{place}/check", data={"key": "nobody", "result": "passed"}).status_code == 404
    assert browser.post(f"{place}/check", data={"key": key, "result": "maybe"}).status_code == 422


def test_what_is_reviewed_by_sample_has_no_bulk_acceptance(site: Site) -> None:
    html = site.at(DAY).get(f"/units/{BUREAU}/review").text
    assert "本事项由统筹单位抽查审核" in html
    assert "通过选中的" not in html
    assert "退回选中的" in html
    pick = f"{item('2.2', village(1, 1), '2025-winter')}@2"
    answer = site.at(DAY).post(f"/units/{BUREAU}/review", data={"verdict": "accept", "pick": pick})
    assert (answer.status_code, "请先抽查" in answer.text) == (409, True)
