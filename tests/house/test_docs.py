"""The operating guide names every setting there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.settings import Settings
from notifications.servers import ImapSettings, SmtpSettings
from notifications.settings import NoticeSettings

GUIDE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")


SETTINGS = [Settings, NoticeSettings, ImapSettings, SmtpSettings]


@pytest.mark.parametrize("name", sorted({name for one in SETTINGS for name in one.model_fields}))
def test_every_setting_is_documented(name: str) -> None:
    assert f"`LUCHENG_{name.upper()}`" in GUIDE
