import socket
import sys
from contextlib import suppress

import pytest

from dashboard.streaming.peers import DEAD_S, silent_s


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a peer acknowledged")
def test_who_lives_and_does_not_read_is_not_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        connection, _ = server.accept()
        with client, connection:
            connection.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    connection.send(bytes(65_536))
            assert 0 <= silent_s(connection) < DEAD_S / 10


def test_elsewhere_nobody_is_taken_for_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with socket.socket() as unconnected:
        assert silent_s(unconnected) == 0
