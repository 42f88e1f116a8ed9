"""The channels: what each does with a letter, and which are used."""

from __future__ import annotations

import io
import json
import sys

import pytest
from pydantic import ValidationError

from notifications.channels import CHANNELS, Letter
from notifications.settings import NoticeSettings
from policy_models.errors import DeliveryError

LETTER = Letter(7, "150200-mz", "民政局", "提醒", "民政局：\n请办理。\n")


def test_the_console_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    CHANNELS["console"].send(LETTER)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {
        "channel": "console",
        "message": 7,
        "recipient": "150200-mz",
        "recipient_name": "民政局",
        "subject": "提醒",
        "body": "民政局：\n请办理。\n",
    }


def test_a_closed_console_is_a_delivery_error(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    with pytest.raises(DeliveryError, match=r"^无法写到控制台：") as error:
        CHANNELS["console"].send(LETTER)
    assert error.value.permanent is False


def test_which_channels_may_be_tried_again_after_a_kill() -> None:
    found = {name: channel.idempotent for name, channel in CHANNELS.items()}
    assert found == {"inbox": True, "console": False, "email": False}


def test_nothing_leaves_the_product_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert NoticeSettings().channels == ("inbox",)
    monkeypatch.setenv("LUCHENG_CHANNELS", "inbox, console")
    assert NoticeSettings().channels == ("inbox", "console")
    monkeypatch.setenv("LUCHENG_CHANNELS", "pigeon")
    with pytest.raises(ValidationError, match="没有名为 pigeon 的渠道，可用：inbox、console"):
        NoticeSettings()
    monkeypatch.setenv("LUCHENG_CHANNELS", "email")  # it needs an address, and a reminder has none
    with pytest.raises(ValidationError, match="没有名为 email 的渠道，可用：inbox、console"):
        NoticeSettings()
