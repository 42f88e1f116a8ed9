"""Photos as they are kept, and pictures with areas masked."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from documents.photos import mask_picture, prepared
from documents.picture_facts import facts, has_place, without_facts
from policy_models.errors import FileRefused
from policy_models.files import FileKind, Limits
from tests.corpus import builders as make

LIMITS = Limits(photo_side=400)
JPEG, PNG, HEIC = FileKind.JPEG, FileKind.PNG, FileKind.HEIC
RED = (200, 20, 20)
PLACED = (make.CORPUS / "gps.heic").read_bytes()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def near(colour: object, wanted: tuple[int, int, int]) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(a - b) < 40 for a, b in zip(colour, wanted, strict=True))


# where the red corner lies once a camera's turn is undone, as fractions of the picture
@pytest.mark.parametrize(
    ("turned", "corner"),
    [(1, (0, 0)), (2, (1, 0)), (3, (1, 1)), (4, (0, 1)), (5, (0, 0)), (6, (1, 0)), (7, (1, 1)), (8, (0, 1))],
)
def test_photos_are_turned_upright(turned: int, corner: tuple[int, int]) -> None:
    kind, data = prepared(make.photo(size=(320, 200), exif=make.exif(turned=turned)), JPEG, LIMITS)
    picture = opened(data)
    assert kind is JPEG
    assert picture.size == ((200, 320) if turned >= 5 else (320, 200))
    x, y = (int(part * (side - 21)) + 10 for part, side in zip(corner, picture.size, strict=True))
    assert near(picture.getpixel((x, y)), RED)


def test_photos_are_shrunk_never_stretched() -> None:
    assert opened(prepared(make.photo(size=(1600, 900)), JPEG, LIMITS)[1]).size == (400, 225)
    assert opened(prepared(make.photo(size=(120, 90)), JPEG, LIMITS)[1]).size == (120, 90)


def test_nothing_is_told_beside_the_picture() -> None:
    exif = make.exif(place=True, words="说明", comment="备注", turned=3)
    data = make.with_segment(make.photo(exif=exif), 0xFE, b"remark") + b"PK\x03\x04 something behind the picture"
    assert has_place(data)
    kept = prepared(data, JPEG, LIMITS)[1]
    assert dict(opened(kept).getexif()) == {}
    assert not {"exif", "xmp", "comment", "photoshop"} & set(opened(kept).info)
    assert facts(kept).strip() == ""
    assert b"PK" not in kept
    assert not any(marker in kept for marker in (b"Exif", b"http://ns.adobe.com", b"remark"))


@pytest.mark.parametrize("kind", [JPEG, PNG, HEIC])
def test_the_same_photo_gives_the_same_bytes(kind: FileKind) -> None:
    data = {JPEG: make.photo(), PNG: make.png(), HEIC: PLACED}[kind]
    assert prepared(data, kind, LIMITS) == prepared(data, kind, LIMITS)


def test_heic_becomes_jpg_without_its_place() -> None:
    assert "2024:05:06" in facts(PLACED)
    kind, data = prepared(PLACED, HEIC, LIMITS)
    assert (kind, opened(data).size, facts(data).strip()) == (JPEG, (96, 64), "")
    assert near(opened(data).getpixel((10, 10)), (180, 40, 40))


def test_png_stays_where_it_is_flat_or_small_and_is_a_photograph_else() -> None:
    flat = Image.new("RGB", (3000, 2000), (240, 240, 240))
    flat.paste((10, 60, 120), (100, 100, 900, 300))
    assert prepared(make.saved(lambda target: flat.save(target, "PNG")), PNG, LIMITS)[0] is PNG
    assert prepared(make.png(), PNG, LIMITS)[0] is PNG
    noise = Image.effect_noise((600, 600), 90).convert("RGB")
    noise = ImageChops.add(noise, make.scene((600, 600)))
    kind, data = prepared(make.saved(lambda target: noise.save(target, "PNG")), PNG, Limits())
    assert (kind, opened(data).format) == (JPEG, "JPEG")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "L", "I;16", "CMYK"])
def test_pictures_of_every_mode(mode: str) -> None:
    picture = make.scene((80, 60)).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        picture = Image.new("I;16", (80, 60), 40_000)
    form, kind = ("JPEG", JPEG) if mode == "CMYK" else ("PNG", PNG)
    data = prepared(make.saved(lambda target: picture.save(target, form)), kind, LIMITS)[1]
    assert opened(data).size == (80, 60)


def test_what_shines_through_is_white() -> None:
    clear = make.saved(lambda target: Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(target, "PNG"))
    assert opened(prepared(clear, PNG, LIMITS)[1]).convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_masked_pixels_are_replaced() -> None:
    data = prepared(make.photo(size=(400, 300)), JPEG, LIMITS)[1]
    masked = mask_picture(data, [(0.0, 0.0, 0.25, 0.25)])
    before, after = opened(data), opened(masked)
    assert near(before.getpixel((20, 20)), RED)
    inside = after.crop((0, 0, 100, 75))
    assert max(high for _, high in inside.getextrema()) < 40
    rest = (110, 90, 400, 300)
    difference = ImageChops.difference(before.crop(rest), after.crop(rest))
    assert max(high for _, high in difference.getextrema()) < 40
    assert mask_picture(data, [(0.0, 0.0, 0.25, 0.25)]) == masked


def test_masks_on_png_reach_the_edge_of_every_pixel() -> None:
    data = prepared(make.png(), PNG, LIMITS)[1]
    after = opened(mask_picture(data, [(0.101, 0.101, 0.1, 0.1), (0.9, 0.9, 5.0, 5.0)])).convert("RGB")
    before = opened(data).convert("RGB")
    changed = {(x, y) for x in range(200) for y in range(100) if before.getpixel((x, y)) != after.getpixel((x, y))}
    assert changed <= {(x, y) for x in range(20, 41) for y in range(10, 21)} | {
        (x, y) for x in range(180, 200) for y in range(90, 100)
    }
    assert {after.getpixel((20, 10)), after.getpixel((40, 20)), after.getpixel((199, 99))} == {(0, 0, 0)}


@pytest.mark.parametrize(
    "boxes", [[], [(1.0, 0.0, 0.5, 0.5)], [(0.1, 0.1, 0.0, 0.2)], [(-1, -1, 0.5, 0.5)], [(float("nan"), 0, 1, 1)]]
)
def test_a_mask_that_covers_nothing_is_refused(boxes: list[tuple[float, float, float, float]]) -> None:
    with pytest.raises(FileRefused, match="不在图片之内"):
        mask_picture(make.photo(), boxes)


def test_metadata_goes_without_touching_the_picture() -> None:
    told = make.photo(exif=make.exif(place=True, words="说明"))
    silent = without_facts(told)
    assert facts(silent).strip() == ""
    assert opened(silent).tobytes() == opened(told).tobytes()
    png = make.png({"Title": "说明"}, packed=True)
    assert opened(without_facts(png)).tobytes() == opened(png).tobytes()
    assert b"Title" not in without_facts(png)
    for other in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0", b"GIF89a", told[:40]):
        assert isinstance(without_facts(other), bytes)
        assert isinstance(facts(other), str)


def test_the_fixtures_are_our_own_small_pictures() -> None:
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:8] for path in Path(make.CORPUS).glob("*.heic")
    }
    assert set(digests) == {"gps.heic", "described.heic"}
