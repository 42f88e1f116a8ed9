"""The channels that stay on the machine, and what holds for all."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime

import pytest

from notifications.channel_config import ChannelConfig
from notifications.channels import SENDERS, Letter, deliver, messages
from policy_models.channels import ChannelKind
from policy_models.errors import DeliveryError

NOW = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
LETTER = Letter(7, "reminder:7", "reminder", "150200-mz", "民政局", "提醒", "民政局：\n请办理。\n")
CONSOLE = ChannelConfig(code="console", kind=ChannelKind.CONSOLE, name="控制台")


def test_the_console_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert deliver(CONSOLE, LETTER, now=NOW) == ""
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {
        "channel": "console",
        "message": 7,
        "key": "reminder:7",
        "kind": "reminder",
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
        deliver(CONSOLE, LETTER, now=NOW)
    assert error.value.permanent is False


def test_the_inbox_carries_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    inbox = ChannelConfig(code="inbox", kind=ChannelKind.INBOX)
    assert (deliver(inbox, LETTER, now=NOW), messages(inbox, LETTER)) == ("", 1)
    assert capsys.readouterr().out == ""


def test_every_kind_has_a_way_out() -> None:
    assert set(SENDERS) == set(ChannelKind)
