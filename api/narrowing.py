"""办理状态 as a list is narrowed by it: one timing, several, or a group that has a name of its own."""

from __future__ import annotations

from policy_models.rollup import Cell
from policy_models.timing import DONE, LATE, NOT_EXPECTED, TIMING_NAMES, Timing

ENDED = DONE | NOT_EXPECTED
EVERY = tuple(Timing)
# In an address a group stands for its timings: timing=unfinished.
GROUPS: dict[str, tuple[Timing, ...]] = {
    "unfinished": tuple(one for one in Timing if one not in ENDED),
    "all": EVERY,
    "late": tuple(one for one in Timing if one in LATE),
    "unreported": tuple(one for one in Timing if one not in ENDED | {Timing.UNDER_REVIEW, Timing.BACKFILL}),
    "expected": tuple(one for one in Timing if one not in NOT_EXPECTED),
    "done": tuple(one for one in Timing if one in DONE),
}
GROUP_NAMES = {
    "unfinished": "未办结",
    "all": "全部",
    "late": "逾期（含严重逾期）",
    "unreported": "待报送（含逾期）",
    "expected": "应办（含已办结）",
    "done": "已办结",
}


def expanded(words: object) -> list[object]:
    """The timings that words of an address stand for, each once, in their order; an unknown word stays as it is."""
    given = [word for word in words if word] if isinstance(words, (list, tuple)) else []
    found = [member for word in given for member in GROUPS.get(str(word), (word,))]
    return list(dict.fromkeys(found))


def narrowed(timings: tuple[Timing, ...]) -> str | tuple[Timing, ...]:
    """The group's word where these timings are one, else the timings."""
    return next((word for word, members in GROUPS.items() if set(members) == set(timings)), timings)


def narrowed_name(timings: tuple[Timing, ...]) -> str:
    """``未办结``, ``逾期、待审核``."""
    word = narrowed(timings)
    return GROUP_NAMES[word] if isinstance(word, str) else "、".join(TIMING_NAMES[one] for one in timings)


def rest(cell: Cell | None) -> str:
    """Where 办结 n/m leads: to what is not done; where all is done, to that; where nothing is expected, to all."""
    if cell is None or not cell.expected:
        return "all"
    return "unfinished" if cell.done < cell.expected else "done"
