import pytest
from structlog.testing import capture_logs

from dashboard.access import connection_limits as module
from dashboard.access.connection_limits import (
    HANDSHAKES,
    LEAST_OTHERS,
    OTHER_FILES,
    PAGE_CONNECTIONS,
    ConnectionLimits,
    connection_limits,
)
from dashboard.access.listening_socket import ENDING
from dashboard.config import load_settings


def limits(
    monkeypatch: pytest.MonkeyPatch, *, files: int, clients: int = 1000, streams: int = 1000
) -> ConnectionLimits:
    monkeypatch.setattr(module, "allow_open_files", lambda wanted: min(wanted, files))
    module._limits.cache_clear()
    changed = {"max_clients": clients, "stream_max_clients": streams}
    found = connection_limits(load_settings().model_copy(update=changed))
    module._limits.cache_clear()
    opened = found.page_connections + found.stream_connections + ENDING + OTHER_FILES
    assert opened <= files
    return found


def test_with_files_for_all_each_port_takes_more_than_its_clients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert limits(monkeypatch, files=100_000, clients=3000, streams=500) == ConnectionLimits(
        clients=3000,
        stream_clients=500,
        page_connections=3500 + PAGE_CONNECTIONS,
        stream_connections=3500 + HANDSHAKES,
    )


def test_with_fewer_files_there_are_fewer_connections_beside_the_clients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with capture_logs() as logs:
        found = limits(monkeypatch, files=5120)
    assert (found.clients, found.stream_clients) == (1000, 1000)
    assert 2000 + LEAST_OTHERS <= found.page_connections < 2000 + PAGE_CONNECTIONS
    assert 2000 + LEAST_OTHERS <= found.stream_connections < 2000 + HANDSHAKES
    assert logs == []


@pytest.mark.parametrize("files", [300, 1024, 2048])
def test_with_too_few_everything_shrinks_and_is_said(
    monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    with capture_logs() as logs:
        found = limits(monkeypatch, files=files)
    assert found.clients == found.stream_clients < files / 4
    assert found.clients + found.stream_clients < found.page_connections
    assert found.clients + found.stream_clients < found.stream_connections
    assert [each["open_files"] for each in logs] == [files]
