import io
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from dashboard.logs import configure_logging

KEY = "lt_" + "aB3-_x7" * 6 + "z"
KNOWN = "p4ss.w*rd"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Give what is logged to."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logging("info", secrets=[KNOWN])
    yield written
    structlog.reset_defaults()
    logging.setLogRecordFactory(logging.LogRecord)


def fail(key: str) -> None:
    """Fail in frames that hold secrets."""
    shown = {"api_key": key, "guess": "guessed"}
    url = f"postgresql://me:{KNOWN}@db/x"
    raise RuntimeError(f"{url}: no answer to {key}", len(shown))


def test_an_exception_is_shown_without_what_its_frames_hold(said: io.StringIO) -> None:
    log = structlog.get_logger("test")
    try:
        fail(KEY)
    except RuntimeError:
        log.exception("it failed", key=KEY)
    text = said.getvalue()
    assert "it failed" in text
    assert "RuntimeError" in text
    assert "test_logs.py" in text
    for secret in (KEY[11:], KNOWN, "guessed"):
        assert secret not in text


def test_lines_of_libraries_are_masked_too(said: io.StringIO) -> None:
    handler = logging.StreamHandler(said)
    library = logging.getLogger("some.library")
    library.addHandler(handler)
    try:
        try:
            fail(KEY)
        except RuntimeError:
            library.exception("GET %s by %s", f"/ws?api_key={KEY}", {"Authorization": KEY})
        library.error("a wrong format %d", KEY)
        library.error("by name %(key)s", {"key": KEY})
    finally:
        library.removeHandler(handler)
    text = said.getvalue()
    assert text.count("***") >= 4
    assert "RuntimeError" in text
    assert "a wrong format" in text
    for secret in (KEY[11:], KNOWN, "guessed"):
        assert secret not in text


def test_what_a_client_sent_is_on_one_line_and_not_endless(said: io.StringIO) -> None:
    log = structlog.get_logger("test")
    log.warning("refused", path="/a\n2026 [error] forged\r\x1b[31m\x9b2J", more="x" * 100_000)
    (line,) = said.getvalue().splitlines()
    assert "forged" in line
    assert line.isprintable()
    assert len(line) < 2000


def test_levels_below_are_not_shown(said: io.StringIO) -> None:
    structlog.get_logger("test").debug("quiet")
    assert said.getvalue() == ""
