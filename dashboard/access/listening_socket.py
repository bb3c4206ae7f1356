"""A listening socket that takes a bounded number of connections.

A server takes whatever waits, in one turn of the loop. Once the process's last file is
taken it can neither take a connection nor stop trying, and the database, the feeds and the
pages get no file either.
"""

import contextlib
import socket
from collections.abc import Callable, Collection
from typing import Any

from dashboard.access.places import Places

BACKLOG = 2048
"""Places that wait to be taken; the system may allow fewer."""
EVICTED = 32
"""Places that make room at once: finding them costs a look at all."""
ENDING = 128
"""Those that have made room, and are not closed yet."""


class ListeningSocket(socket.socket):
    """At most `limit` of its connections are open, and `ENDING` more that were just ended.

    When all are taken, the oldest that are no clients make room for new ones: they have not
    finished their handshake, or are being closed. So those who connect and say nothing keep
    nobody out. Where all are clients, a new one is cut off. `places` counts both as refused;
    `clients` gives the file numbers of those that are clients.
    """

    def __init__(
        self,
        family: socket.AddressFamily,
        places: Places,
        *,
        limit: int,
        clients: Callable[[], Collection[int]],
    ) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._places = places
        self._limit = limit
        self._clients = clients
        self._taken: dict[int, _Accepted] = {}
        self._ending: set[int] = set()

    def listen(self, _taken_in_a_turn: int = 0, /) -> None:
        """Listen; a server asks for as many to wait as it takes in a turn, which are fewer."""
        super().listen(BACKLOG)

    def accept(self) -> tuple[socket.socket, Any]:
        """Take a connection.

        Raises:
            BlockingIOError: when none waits.
        """
        connection, address = super().accept()
        while not self._has_room():
            self._places.refused += 1
            connection.close()
            connection, address = super().accept()
        accepted = _Accepted(connection, forget=self._forget)
        self._taken[accepted.fileno()] = accepted
        return accepted, address

    def _has_room(self) -> bool:
        if len(self._taken) >= self._limit and len(self._ending) < ENDING:
            self._make_room()
        return len(self._taken) < self._limit

    def _make_room(self) -> None:
        clients = self._clients()
        others = [number for number in self._taken if number not in clients]
        for number in others[:EVICTED]:
            accepted = self._taken.pop(number)
            self._ending.add(number)
            self._places.refused += 1
            with contextlib.suppress(OSError):  # the other side has ended it before
                accepted.shutdown(socket.SHUT_RDWR)  # its owner reads the end, and closes it

    def _forget(self, number: int) -> None:
        self._taken.pop(number, None)
        self._ending.discard(number)


class _Accepted(socket.socket):
    """A connection that tells when it is closed."""

    def __init__(self, connection: socket.socket, *, forget: Callable[[int], None]) -> None:
        family, kind, protocol = connection.family, connection.type, connection.proto
        super().__init__(family, kind, protocol, fileno=connection.detach())
        self._forget = forget

    def close(self) -> None:
        self._forget(self.fileno())
        super().close()
