"""The tokens of the look: text stands out from its ground (WCAG 2.2 AA), lights also from each other by shape and word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.tiles import SHAPES
from policy_models.timing import LIGHT_NAMES, Light

STATIC = Path(__file__).parents[2] / "api" / "static"
CSS = (STATIC / "lucheng.css").read_text("utf-8")
TOKENS = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", CSS))
TEXT, MARK = 4.5, 3.0  # least contrast of text, and of what is seen but not read


def luminance(colour: str) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the well-known grey that just fails


@pytest.mark.parametrize("ground", ["ground", "panel"])
@pytest.mark.parametrize("ink", ["text", "second", "accent", "green", "yellow", "orange", "red", "blue", "grey"])
def test_text_on_the_grounds(ink: str, ground: str) -> None:
    assert contrast(TOKENS[ink], TOKENS[ground]) >= TEXT


@pytest.mark.parametrize("name", ["green", "yellow", "orange", "red", "blue", "grey"])
def test_lights_on_their_tints(name: str) -> None:
    assert contrast(TOKENS[name], TOKENS[f"{name}-tint"]) >= TEXT


@pytest.mark.parametrize("ground", ["ground", "panel"])
def test_marks_and_the_focus_ring_are_seen(ground: str) -> None:
    for name in ("accent", "green-mark", "yellow-mark", "orange-mark", "red-mark", "blue-mark", "grey-mark"):
        assert contrast(TOKENS[name], TOKENS[ground]) >= MARK, name


def test_white_on_the_primary_button_and_the_chosen_entry() -> None:
    assert contrast("#ffffff", TOKENS["accent"]) >= TEXT
    for ink, ground in re.findall(r"background: (#[0-9a-f]{6}); color: (#[0-9a-f]{6})", CSS):
        assert contrast(ink, ground) >= TEXT, (ink, ground)


def test_a_light_is_told_by_shape_and_word_and_not_by_colour_alone() -> None:
    assert set(SHAPES) == set(LIGHT_NAMES) == set(Light)
    assert len({(SHAPES[one], LIGHT_NAMES[one]) for one in Light}) == len(Light)
    alike = [one for one in Light if list(SHAPES.values()).count(SHAPES[one]) > 1]
    assert set(alike) == {Light.ORANGE, Light.RED}  # both 逾期; their words differ


def test_nothing_moves_for_who_asked_for_stillness() -> None:
    moving = re.sub(r"@media \(prefers-reduced-motion: no-preference\) \{.*?\n\}", "", CSS, flags=re.DOTALL)
    for word in ("animation:", "transition:", "@keyframes", "scroll-behavior: smooth"):
        assert word not in moving


def test_no_foreign_address_in_the_look() -> None:
    for path in STATIC.iterdir():
        if path.suffix in (".css", ".js"):
            text = path.read_text("utf-8")
            assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text) == [], path.name
            assert "@import" not in text, path.name
