"""What a submission still lacks, in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policy_models.evidence import Evidence, missing
from policy_models.plan import EvidenceRule, EvidenceType

SHARE = EvidenceRule(type=EvidenceType.MEASURE, name="signed", label="已签订数", of="all", of_label="应签订数")
FIGURE = EvidenceRule(type=EvidenceType.MEASURE, name="visits", label="走访次数")
PHOTOS = EvidenceRule(type=EvidenceType.PHOTO, min=2)
REPORT = EvidenceRule(type=EvidenceType.DOCUMENT, label="工作小结")


def figure(name: str, value: str | None, of: str | None = None) -> Evidence:
    return Evidence(EvidenceType.MEASURE, name, None if value is None else Decimal(value), Decimal(of) if of else None)


def photos(*texts: str | None) -> list[Evidence]:
    return [Evidence(EvidenceType.PHOTO, text=text) for text in texts]


def test_nothing_is_wanted_and_nothing_given() -> None:
    assert missing([], []) == []
    assert missing([], photos("一")) == []


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], ["已签订数"]),
        ([figure("other", "1", "1")], ["已签订数"]),
        ([figure("signed", None, "3")], ["已签订数"]),
        ([figure("signed", "2")], ["应签订数"]),
        ([figure("signed", "0", "0")], []),
        ([figure("signed", "3", "3")], []),
        ([figure("signed", "4", "3")], ["已签订数（须在 0 与应签订数之间）"]),
        ([figure("signed", "-1", "3")], ["已签订数（须在 0 与应签订数之间）"]),
    ],
)
def test_a_measure_with_its_whole(given: list[Evidence], wanted: list[str]) -> None:
    assert missing([SHARE], given) == wanted


def test_a_plain_measure() -> None:
    assert missing([FIGURE], [figure("visits", "0")]) == []
    assert missing([FIGURE], [figure("visits", "-1")]) == ["走访次数（须在 0 与合理范围之间）"]


def test_pieces_are_counted_by_type() -> None:
    assert missing([PHOTOS, REPORT], photos("一")) == ["照片1份", "工作小结1份"]
    assert missing([PHOTOS], photos("一", None, "")) == ["照片1份"]
    assert missing([PHOTOS, REPORT], [*photos("一", "二", "三"), Evidence(EvidenceType.DOCUMENT, text="小结")]) == []


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_a_figure_that_is_no_number(value: str) -> None:
    assert missing([FIGURE], [figure("visits", value)]) == ["走访次数（须在 0 与合理范围之间）"]


def test_blanks_prove_nothing() -> None:
    assert missing([REPORT], [Evidence(EvidenceType.DOCUMENT, text=" 　")]) == ["工作小结1份"]
