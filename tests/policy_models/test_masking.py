"""盲评: what is masked, and what is left."""

import pytest

from policy_models.masking import county_names, masked, office_names, place_names, words_to_mask

OFFICES = office_names("昆都仑区民政局", "包头市") | office_names("市教育局", "包头市")
PLACES = (
    county_names("昆都仑区")
    | place_names("沼潭街道")
    | place_names("留柱窑村村委会")
    | place_names("果园社区居民委员会")
)
WORDS = words_to_mask(OFFICES, PLACES)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("昆都仑区民政局在沼潭街道试点", "某单位在某地试点"),
        ("包头市昆都仑区民政局联合妇联", "某单位联合妇联"),
        ("包头市教育局、市教育局和教育局", "某单位、某单位和某单位"),
        ("昆区民政部门，昆都仑儿童之家", "某地民政部门，某地儿童之家"),
        ("昆 都 仑\u3000区", "某地"),
        ("留柱窑村、留柱窑村村委会、留柱窑", "某地、某地、某地"),
        ("果园社区和果园里的孩子", "某地和果园里的孩子"),
        ("沼潭街道办事处", "某地"),
        ("青山区、石拐区不在其内", "青山区、石拐区不在其内"),
        ("<b>昆都仑区</b>", "<b>某地</b>"),
        ("", ""),
    ],
)
def test_masked(text: str, shown: str) -> None:
    assert masked(text, WORDS) == shown


def test_names_that_are_like_patterns_are_only_names() -> None:
    assert masked("(a+)+ a.c abc", {"(a+)+": "某地", "a.c": "某单位"}) == "某地 某单位 abc"
    assert masked("东风", {"东": "某地"}) == "东风"
    assert masked("东风", {}) == "东风"


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("青山区", {"青山区", "青区"}),
        ("土默特右旗", {"土默特右旗", "土默特右", "土旗"}),
        ("达尔罕茂明安联合旗", {"达尔罕茂明安联合旗", "达尔罕茂明安", "达旗"}),
        ("白云鄂博矿区", {"白云鄂博矿区", "白云鄂博", "白区"}),
    ],
)
def test_county_names(name: str, names: set[str]) -> None:
    assert county_names(name) == names


def test_short_stems_of_villages_are_no_names() -> None:
    assert place_names("新营村委会") == {"新营村委会", "新营村"}
    assert place_names("白音查干嘎查村") == {"白音查干嘎查村"}
