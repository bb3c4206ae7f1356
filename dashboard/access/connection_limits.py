"""How many connections each port takes: what the settings allow, as far as there are files."""

from functools import cache

import msgspec
import structlog

from dashboard.access.listening_socket import ENDING
from dashboard.access.places import allow_open_files
from dashboard.config import Settings

log = structlog.get_logger(__name__)

PAGE_CONNECTIONS = 4096
"""Places of the page's port beside its streams: pages, requests, those that only begin."""
HANDSHAKES = 1024
"""Places of the stream server's port beside its clients: those that begin or end."""
LEAST_OTHERS = 256
"""So many of both there are at least, as long as there are places for all clients."""
OTHER_FILES = 128
"""Open files that are no connection to a port: the database, feeds, the page's files, the log."""


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What may be open at a time.

    `clients` are the places on `/ws` and `/sse`, `stream_clients` those of OpenAlgo: `/ws`
    and OpenAlgo on either port. Places of a port are more: whoever finds no place
    is told so, and for that needs a connection.
    """

    clients: int
    stream_clients: int
    page_connections: int
    stream_connections: int


def connection_limits(settings: Settings) -> ConnectionLimits:
    """Let this process open the files that the settings need; share what it gets.

    So no port takes the last files. Where the system allows too few, there are fewer
    connections beside the clients, and below that everything shrinks alike.
    """
    return _limits(settings.max_clients, settings.stream_max_clients)


@cache
def _limits(clients: int, stream_clients: int) -> ConnectionLimits:
    streams = 2 * (clients + stream_clients)  # one place serves either port
    files = ENDING + OTHER_FILES
    allowed = allow_open_files(streams + PAGE_CONNECTIONS + HANDSHAKES + files) - files
    handshakes = _within(LEAST_OTHERS, (allowed - streams) // 2, HANDSHAKES)
    others = _within(LEAST_OTHERS, allowed - streams - handshakes, PAGE_CONNECTIONS)
    share = min(1.0, allowed / (streams + handshakes + others))
    limits = ConnectionLimits(
        clients=_part(clients, share),
        stream_clients=_part(stream_clients, share),
        page_connections=_part(clients + stream_clients + others, share),
        stream_connections=_part(clients + stream_clients + handshakes, share),
    )
    if share < 1:
        log.warning(
            "fewer clients than set: the system allows too few open files (ulimit -n)",
            open_files=allowed + files,
            max_clients=limits.clients,
            stream_max_clients=limits.stream_clients,
        )
    return limits


def _within(least: int, count: int, most: int) -> int:
    return min(max(count, least), most)


def _part(count: int, share: float) -> int:
    return max(1, int(count * share))
