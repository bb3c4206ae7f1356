import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from dashboard.access.keyed_connections import KeyedConnections
from dashboard.bootstrap import Services
from dashboard.config import load_settings
from dashboard.core.errors import StorageError
from dashboard.core.principal import Principal
from dashboard.logs import configure_logging
from dashboard.streaming.openalgo import OpenAlgoStreams
from tests.unit.streaming.receivers import FakeReceiver

KEY = "lt_" + "k" * 43
GUESSED = "any-string"


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logging("debug")
    yield written
    structlog.reset_defaults()
    logging.setLogRecordFactory(logging.LogRecord)


@pytest.mark.parametrize("key", [KEY, GUESSED])
@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (StorageError(database="test", problem="gone"), 0),  # whose line is the keys' own
        (RuntimeError(f"no way to check {KEY}"), 1),
    ],
)
async def test_a_check_that_fails_is_answered_and_shows_no_key(
    tmp_path: Path, logged: io.StringIO, key: str, error: Exception, lines: int
) -> None:
    async def authenticate(api_key: str, _address: str) -> Principal | None:
        shown = {"api_key": api_key}
        raise error from LookupError(len(shown))

    services = Services(load_settings().model_copy(update={"data_dir": tmp_path}))
    streams = OpenAlgoStreams(services, authenticate=authenticate, keyed=KeyedConnections())
    client = FakeReceiver()
    await streams.open(client, {})
    asked = json.dumps({"action": "authenticate", "api_key": key}).encode()
    await streams.answer(client, asked, address="127.0.0.1")
    (answer,) = client.got
    assert json.loads(answer)["code"] == "SERVER_ERROR"
    said = logged.getvalue()
    assert said.count("an OpenAlgo request failed") == lines
    assert ("Traceback" in said) == bool(lines)
    assert key not in said
