"""盲评: names of units and places are masked in what reviewers read, so that nobody sees whose exemplar it is.

Masked is what is known: the units of the list, under the names that people use for them. Words that give a unit away
without naming it stay, and so do signs in pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

PLACE, OFFICE = "某地", "某单位"
SHORTEST_STEM = 3  # 昆都仑 is a name without 区; 青山 without 区 may be any green mountain
COUNTY_ENDINGS = ("自治旗", "联合旗", "矿区", "区", "旗", "县", "市")
BLANKS = "[ \t\u3000]*"
COMMITTEES = ("居民委员会", "村民委员会", "居委会", "村委会")


def county_names(name: str) -> set[str]:
    """``昆都仑区`` → itself, 昆都仑, 昆区."""
    ending = next((one for one in COUNTY_ENDINGS if name.endswith(one)), "")
    stem = name.removesuffix(ending)
    return {name, *([stem] if len(stem) >= SHORTEST_STEM else []), *([stem[0] + ending[-1]] if ending and stem else [])}


def place_names(name: str) -> set[str]:
    """``果园社区居委会`` → itself, 果园社区; ``新营村委会`` → itself, 新营村; ``沼潭街道`` → itself, 沼潭街道办事处."""
    found = {name, f"{name}办事处"} if name.endswith("街道") else {name}
    for committee in COMMITTEES:
        if name.endswith(committee):
            stem = name.removesuffix(committee)
            found |= {stem, f"{stem}村", stem.removesuffix("村")} if committee.startswith("村") else {stem}
    return {one for one in found if one == name or len(one) >= SHORTEST_STEM}


def office_names(name: str, city: str) -> set[str]:
    """``市教育局`` of 包头市 → itself, 教育局, 包头市教育局; ``昆都仑区民政局`` → itself, 包头市昆都仑区民政局."""
    own = name.removeprefix(city).removeprefix("市")
    return {name, own, f"市{own}", f"{city}{own}", f"{city}{name}"}


def masked(text: str, words: Mapping[str, str]) -> str:
    """The text with each of the names replaced by its mask, longer names before shorter ones. Blanks inside a name hide
    nothing; a name of one character is left alone, for it would mask half of the text."""
    names = sorted((name for name in words if len(name) > 1), key=lambda name: (-len(name), name))
    if not names:
        return text
    pattern = "|".join(BLANKS.join(map(re.escape, name)) for name in names)
    return re.sub(pattern, lambda found: words[re.sub(BLANKS, "", found.group())], text)


def words_to_mask(offices: Iterable[str], places: Iterable[str]) -> dict[str, str]:
    """What ``masked`` takes. A name that is both is an office."""
    return dict.fromkeys(places, PLACE) | dict.fromkeys(offices, OFFICE)
