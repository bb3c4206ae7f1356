import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from dashboard.access.listening_socket import ENDING, EVICTED, ListeningSocket
from dashboard.access.places import Places

LIMIT = 40


class Port:
    """A listening socket, those who connected to it, and what a server took of it."""

    def __init__(self, open_sockets: ExitStack) -> None:
        self.places = Places(limit=LIMIT)
        self.clients: set[int] = set()
        self._open_sockets = open_sockets
        self._socket = open_sockets.enter_context(
            ListeningSocket(socket.AF_INET, self.places, limit=LIMIT, clients=lambda: self.clients)
        )
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(1)
        self._socket.setblocking(False)

    def connect(self) -> socket.socket:
        return self._open_sockets.enter_context(
            socket.create_connection(self._socket.getsockname(), timeout=5)
        )

    def take(self) -> list[socket.socket]:
        """Take what waits, as a server does in one turn."""
        taken: list[socket.socket] = []
        try:
            while True:
                accepted, _ = self._socket.accept()
                taken.append(self._open_sockets.enter_context(accepted))
        except BlockingIOError:
            return taken

    def fill(self) -> list[socket.socket]:
        for _ in range(LIMIT):
            self.connect()
        return self.take()


@pytest.fixture
def port() -> Iterator[Port]:
    with ExitStack() as open_sockets:
        yield Port(open_sockets)


def has_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_what_it_takes_works_as_any_connection(port: Port) -> None:
    ann = port.connect()
    (accepted,) = port.take()
    ann.sendall(b"hello")
    accepted.settimeout(5)
    assert accepted.recv(5) == b"hello"
    accepted.close()
    assert has_ended(ann)


def test_the_oldest_that_are_no_clients_make_room(port: Port) -> None:
    taken = port.fill()
    port.clients = {each.fileno() for each in taken[:5]}
    ann = port.connect()
    (accepted,) = port.take()
    for each in taken[5 : 5 + EVICTED]:
        each.settimeout(5)
        assert each.recv(1) == b""
    assert port.places.refused == EVICTED
    accepted.sendall(b"!")
    assert ann.recv(1) == b"!"


def test_where_all_are_clients_a_new_one_is_cut_off(port: Port) -> None:
    taken = port.fill()
    port.clients = {each.fileno() for each in taken}
    ann = port.connect()
    assert port.take() == []
    assert has_ended(ann)
    assert port.places.refused == 1
    port.clients.remove(taken[7].fileno())
    taken[7].close()
    port.connect()
    assert len(port.take()) == 1


def test_those_that_have_made_room_are_bounded_until_they_are_closed(port: Port) -> None:
    taken = port.fill()
    for _ in range(LIMIT + ENDING + 3 * EVICTED):
        port.connect()
        taken += port.take()
    open_files = [each for each in taken if each.fileno() >= 0]
    assert LIMIT <= len(open_files) <= LIMIT + ENDING + EVICTED
    for each in open_files:
        each.close()
    port.connect()
    assert len(port.take()) == 1
