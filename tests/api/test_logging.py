"""Log lines hold nothing personal: as written, percent-encoded, in tracebacks, and no line is lost or torn."""

from __future__ import annotations

import logging
import sys
from urllib.parse import quote, quote_plus, urlencode

import pytest

from api.logging import Redact, redact
from tests.corpus.lines import Line, clean_lines, found_lines

RESIDENT = "150203201001011232"


def logged(message: str, *args: object, error: BaseException | None = None) -> str:
    """The line as a handler with the filter writes it."""
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("api", logging.ERROR, "", 0, message, args, info)
    assert Redact().filter(record)
    return logging.Formatter("%(message)s").format(record)


@pytest.mark.parametrize("line", found_lines(), ids=lambda line: line.text[:24])
def test_no_value_of_the_corpus_is_logged(line: Line) -> None:
    for address in (
        f"/items?{urlencode({'unit': line.text, 'q': line.text})}",
        f"/items/{quote(line.text, safe='')}",
        f"/items?q={quote(line.text)}",
        f"/items?q={quote_plus(line.text)}&page=2",
    ):
        told = logged('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", address, "1.1", 200)
        assert line.value not in told
        assert quote(line.value) not in told
        assert quote_plus(line.value) not in told
        assert "\n" not in told
        assert told.startswith('127.0.0.1:1 - "GET /items')
        assert told.endswith('HTTP/1.1" 200')


@pytest.mark.parametrize("line", clean_lines(), ids=lambda line: line.text[:24])
def test_clean_addresses_are_logged_as_they_are(line: Line) -> None:
    address = f"/items?q={quote(line.text)}"
    assert redact(address) == address


def test_tracebacks_and_errors_as_arguments() -> None:
    try:
        raise ValueError(f"[parameters: ('身份证{RESIDENT}', '姓名：张小伟')]")
    except ValueError as error:
        told = logged("failed: %s, %d", error, 7, error=error)
    assert RESIDENT not in told
    assert "张小伟" not in told
    assert told.startswith("failed: [parameters: ('身份证████', '姓名：████')], 7\nTraceback")
    assert sys.exc_info() == (None, None, None)


def test_messages_without_anything_personal_stay() -> None:
    assert logged("Uvicorn running on http://%s:%d", "127.0.0.1", 8000) == "Uvicorn running on http://127.0.0.1:8000"
    assert (
        redact("/units/150202001001/items?period=2025-01&a=1%2B1") == "/units/150202001001/items?period=2025-01&a=1%2B1"
    )
