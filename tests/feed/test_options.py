"""The options of a feed's address: what people write, and what nobody should."""

from __future__ import annotations

import pytest

from api.feed_options import FeedOptions, read_options
from policy_models.feeds import Choice, Component
from policy_models.plan import Level

USUAL = FeedOptions(0, Choice())


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", USUAL),
        ("alarm=on", USUAL),
        ("alarm=0", USUAL),
        ("alarm=off", FeedOptions(None, Choice())),
        ("alarm=OFF", FeedOptions(None, Choice())),
        ("alarm=3", FeedOptions(3, Choice())),
        ("alarm=%EF%BC%97", FeedOptions(7, Choice())),  # a full-width 7
        ("alarm=1&alarm=2", FeedOptions(2, Choice())),
        ("kind=todo", FeedOptions(0, Choice(component=Component.TODO))),
        ("open=1&holidays=on", FeedOptions(0, Choice(open_only=True, holidays=True))),
        ("tasks=6,5,5", FeedOptions(0, Choice(tasks=(5, 6)))),
        ("tasks=5,x,,100,-1", FeedOptions(0, Choice(tasks=(5,)))),
        ("levels=village,county", FeedOptions(0, Choice(levels=(Level.COUNTY, Level.VILLAGE)))),
        ("levels=%E6%97%97%E5%8E%BF%E5%8C%BA", FeedOptions(0, Choice(levels=(Level.COUNTY,)))),
    ],
)
def test_what_people_write(query: str, options: FeedOptions) -> None:
    assert read_options(query.encode()) == options


@pytest.mark.parametrize(
    "query",
    [
        b"alarm=31",
        b"alarm=-3",
        b"alarm=1.5",
        b"alarm=\xc2\xb2",  # a superscript two is no number
        b"alarm=99999999999999999999",
        b"kind=journal",
        b"open=2",
        b"open",
        b"tasks=",
        b"tasks=0",
        b"levels=moon",
        b"unknown=1",
        b"%",
        b"\xff\xfe=\xff",
        b"%00=%00&alarm=%00",
        b"&&&===;;;",
        b"open=1" + b"&x=1" * 200,  # too long to be read at all
        b"alarm=" + "每天".encode("gb18030"),
    ],
)
def test_what_cannot_be_read_is_as_if_it_were_not_there(query: bytes) -> None:
    assert read_options(query) == USUAL
