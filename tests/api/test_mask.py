"""遮盖: boxes over a picture; others see the copy, boxes only add, and who may draw."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from ledger import drafts
from ledger.acts import standing
from ledger.files import StoredFile, stored_file
from tests.api.evidence import BUREAU_ITEM, VILLAGE, browser, document, form, form_type, photo
from tests.api.site import Site, tiny_site
from tests.factories import BUREAU

pytestmark = pytest.mark.thorough

ROW = {"left": "25", "top": "25%", "width": "５０", "height": "50.0"}
BLACK, TOLERANCE = (0, 0, 0), 8


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack") as found:
        yield found


@pytest.fixture
def unit(site: Site, tmp_path: Path) -> TestClient:
    return browser(site.database, tmp_path)


def sent(unit: TestClient, site: Site, name: str, data: bytes) -> int:
    unit.post(f"/units/{BUREAU}/files/{BUREAU_ITEM}", content=form((name, data)), headers=form_type())
    with site.database.read() as session:
        piece = drafts.pieces(session, standing(session, BUREAU_ITEM).id)[-1]
    assert piece.file
    return piece.file.id


def row(site: Site, file_id: int) -> StoredFile:
    with site.database.read() as session:
        return stored_file(session, file_id)


def at(unit: TestClient, address: str, x: float, y: float) -> tuple[int, ...]:
    picture = Image.open(io.BytesIO(unit.get(address).content)).convert("RGB")
    return tuple(picture.getpixel((int(x * picture.width), int(y * picture.height))))  # type: ignore[arg-type]


def is_black(pixel: tuple[int, ...]) -> bool:
    return max(pixel) <= TOLERANCE


def test_others_see_the_copy_and_the_unit_the_whole(unit: TestClient, site: Site) -> None:
    id = sent(unit, site, "照片.jpg", photo(60, side=400))
    page = f"/units/{BUREAU}/files/{id}/mask?key={BUREAU_ITEM}"
    assert f"/units/{BUREAU}/submit/{BUREAU_ITEM}" in unit.get(page).text
    answer = unit.post(page, data={**ROW, "seen": row(site, id).shown})
    assert answer.status_code == 303
    assert "done=1" in answer.headers["location"]
    assert is_black(at(unit, f"/files/{id}/x.jpg", 0.5, 0.5))
    assert not is_black(at(unit, f"/files/{id}/x.jpg", 0.1, 0.1))
    assert not is_black(at(unit, f"/units/{BUREAU}/files/{id}", 0.5, 0.5))
    assert is_black(at(unit, f"/files/{id}/thumbnail", 0.5, 0.5))
    assert f"/units/{BUREAU}/files/{id}?name=" in unit.get(f"/units/{BUREAU}/submit/{BUREAU_ITEM}").text


def test_boxes_add_to_each_other_and_are_taken_back_together(unit: TestClient, site: Site) -> None:
    id = sent(unit, site, "照片.jpg", photo(60, side=400))
    page = f"/units/{BUREAU}/files/{id}/mask"
    unit.post(page, data=ROW)
    unit.post(page, data={"left": "0", "top": "0", "width": "10", "height": "10"})
    for place in (0.05, 0.5):
        assert is_black(at(unit, f"/files/{id}/x.jpg", place, place))
    assert unit.post(f"/units/{BUREAU}/files/{id}/unmask").status_code == 303
    assert not is_black(at(unit, f"/files/{id}/x.jpg", 0.5, 0.5))


def test_several_boxes_at_once_and_empty_rows(unit: TestClient, site: Site) -> None:
    id = sent(unit, site, "照片.png", png())
    rows = {"left": ["0", "", "90"], "top": ["0", "", "90"], "width": ["5", "", "10"], "height": ["5", "", "10"]}
    assert unit.post(f"/units/{BUREAU}/files/{id}/mask", data=rows).status_code == 303
    seen = [is_black(at(unit, f"/files/{id}/x.png", place, place)) for place in (0.02, 0.5, 0.95)]
    assert seen == [True, False, True]


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 200), (250, 200, 100)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "请先在图片上框选"),
        ({**ROW, "left": "左边"}, "第 1 处：请填写数字"),
        ({**ROW, "left": "-1"}, "第 1 处：不能是负数"),
        ({**ROW, "width": "0"}, "不在图片之内"),
        ({**ROW, "left": "200"}, "不在图片之内"),
        ({side: ["1"] * 41 for side in ROW}, "一次最多遮盖 40 处"),
    ],
)
def test_boxes_that_make_no_sense(unit: TestClient, site: Site, data: dict[str, str], told: str) -> None:
    id = sent(unit, site, "照片.jpg", photo(60, side=400))
    answer = unit.post(f"/units/{BUREAU}/files/{id}/mask", data=data)
    assert answer.status_code == 422
    assert told in answer.text
    assert row(site, id).redacted is None


def test_a_mask_drawn_on_what_is_no_longer_shown(unit: TestClient, site: Site) -> None:
    id = sent(unit, site, "照片.jpg", photo(60, side=400))
    page, seen = f"/units/{BUREAU}/files/{id}/mask", row(site, id).shown
    assert unit.post(page, data={**ROW, "seen": seen}).status_code == 303
    first = row(site, id).shown
    assert unit.post(page, data={**ROW, "left": "0", "seen": seen}).status_code == 409
    assert row(site, id).shown == first


def test_who_may_draw_and_on_what(unit: TestClient, site: Site) -> None:
    id, paper = sent(unit, site, "照片.jpg", photo(60)), sent(unit, site, "总结.pdf", document())
    for method in ("GET", "POST"):
        assert unit.request(method, f"/units/{VILLAGE}/files/{id}/mask").status_code == 403
        assert unit.request(method, f"/units/{BUREAU}/files/{paper}/mask").status_code == 404
        assert unit.request(method, f"/units/{BUREAU}/files/999/mask").status_code == 404
    assert unit.post(f"/units/{VILLAGE}/files/{id}/unmask").status_code == 403
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert unit.post(f"/units/{BUREAU}/files/{id}/mask", data=ROW, headers=cross).status_code == 403
    assert row(site, id).redacted is None


def test_after_handing_in_a_mask_is_not_taken_back(unit: TestClient, site: Site) -> None:
    ids = [sent(unit, site, f"{n}.jpg", photo(n, side=400)) for n in (1, 2)]
    unit.post(f"/units/{BUREAU}/files/{ids[0]}/mask", data=ROW)
    data = {"action": "submit", "value-done": "1", "of-done": "1"}
    assert unit.post(f"/units/{BUREAU}/submit/{BUREAU_ITEM}", data=data).status_code == 303
    assert unit.post(f"/units/{BUREAU}/files/{ids[0]}/unmask").status_code == 409
    assert "他人见脱敏副本" in unit.get(f"/items/{BUREAU_ITEM}").text
