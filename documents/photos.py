"""Photos: turned upright, made smaller, and without what they tell beside the picture: place, camera, remarks.

What is kept is decoded and encoded anew: nothing that hides in a file behind a picture survives.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import pi_heif
from PIL import Image, ImageCms, ImageDraw

from policy_models.errors import FileRefused
from policy_models.files import FileKind, Limits

DAMAGED = "照片已损坏或没有传完，无法打开，请重新上传"
TOO_MANY_PIXELS = "照片像素过多，不能接收，请缩小后再上传"
NO_AREA = "遮盖区域不在图片之内，请重新框选"
JPEG_QUALITY = 85
FEW_COLOURS = 256
SMALL_PNG = 400_000  # bytes; larger ones of many colours are photographs and become jpg
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
BLACK = (0, 0, 0)
Box = tuple[float, float, float, float]  # left, top, width, height, as fractions of the picture


def prepared(data: bytes, kind: FileKind, limits: Limits) -> tuple[FileKind, bytes]:
    """What is kept of a photo, and its kind: a png stays one where it is small or of few colours, all else is jpg.

    The same bytes give the same bytes. Raises FileRefused for what is damaged or unfolds to too many pixels.
    """
    try:
        with _opened(data, kind, limits.pixels) as picture:
            if kind is FileKind.JPEG:
                picture.draft("RGB", (limits.photo_side, limits.photo_side))
            plain = _plain(_upright(picture, kind))
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise FileRefused(DAMAGED) from error
    plain.thumbnail((limits.photo_side, limits.photo_side), Image.Resampling.LANCZOS)
    if kind is FileKind.PNG:
        png = _png(plain)
        if len(png) <= SMALL_PNG or plain.getcolors(FEW_COLOURS):
            return FileKind.PNG, png
    return FileKind.JPEG, _jpeg(plain)


def mask_picture(data: bytes, boxes: Sequence[Box]) -> bytes:
    """The picture (jpg or png, as kept) with these areas black: the pixels themselves are replaced, and what lies
    between a pixel and its neighbour goes with it. Raises FileRefused where no area lies inside the picture."""
    kind = FileKind.PNG if data.startswith(b"\x89PNG") else FileKind.JPEG
    try:
        with _opened(data, kind, Limits().pixels) as picture:
            plain = _plain(picture)
    except (OSError, ValueError, SyntaxError) as error:
        raise FileRefused(DAMAGED) from error
    draw = ImageDraw.Draw(plain)
    areas = [area for box in boxes if (area := _area(box, plain.width, plain.height))]
    if not areas:
        raise FileRefused(NO_AREA)
    for area in areas:
        draw.rectangle(area, fill=BLACK)
    return _png(plain) if kind is FileKind.PNG else _jpeg(plain)


def _area(box: Box, width: int, height: int) -> tuple[int, int, int, int] | None:
    """A box in pixels, widened to whole ones; None where it lies outside or has no extent."""
    if not all(math.isfinite(value) for value in box):
        return None
    left, top = max(0.0, box[0]), max(0.0, box[1])
    right, bottom = min(1.0, box[0] + box[2]), min(1.0, box[1] + box[3])
    if right <= left or bottom <= top:
        return None
    x, y = math.floor(left * width), math.floor(top * height)
    return min(x, width - 1), min(y, height - 1), math.ceil(right * width) - 1, math.ceil(bottom * height) - 1


def _opened(data: bytes, kind: FileKind, pixels: int) -> Image.Image:
    """Raises FileRefused before anything is decoded that has too many pixels."""
    if kind is FileKind.HEIC:
        heif = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
        _require_pixels(heif.size, pixels)
        found: Image.Image = heif.to_pillow()
        return found
    try:
        picture = Image.open(io.BytesIO(data), formats=("PNG",) if kind is FileKind.PNG else ("JPEG", "MPO"))
    except Image.DecompressionBombError as error:
        raise FileRefused(TOO_MANY_PIXELS) from error
    _require_pixels(picture.size, pixels)
    return picture


def _require_pixels(size: tuple[int, int], pixels: int) -> None:
    if size[0] * size[1] > pixels:
        raise FileRefused(TOO_MANY_PIXELS)


def _upright(picture: Image.Image, kind: FileKind) -> Image.Image:
    """Turned as the camera was held. A heic is turned by its decoder; its tag tells the same once more."""
    turn = None if kind is FileKind.HEIC else TURNS.get(picture.getexif().get(ORIENTATION, 1))
    return picture if turn is None else picture.transpose(turn)


def _plain(picture: Image.Image) -> Image.Image:
    """In sRGB on white, with nothing attached."""
    profile = picture.info.get("icc_profile")
    if "A" in picture.getbands() or "transparency" in picture.info:
        with_alpha = picture.convert("RGBA")
        flat = Image.new("RGBA", with_alpha.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(flat, with_alpha)
    picture = _in_srgb(picture if picture.mode in ("RGB", "CMYK") else picture.convert("RGB"), profile)
    plain = Image.new("RGB", picture.size)
    plain.paste(picture)
    return plain


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            found = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            return picture.convert("RGB")  # a profile that nobody can read is as good as none
        if found is not None:
            return found
    return picture.convert("RGB")


def _png(picture: Image.Image) -> bytes:
    target = io.BytesIO()
    few = picture.getcolors(FEW_COLOURS)
    (picture.quantize(FEW_COLOURS, dither=Image.Dither.NONE) if few else picture).save(target, "PNG", optimize=True)
    return target.getvalue()


def _jpeg(picture: Image.Image) -> bytes:
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return target.getvalue()
