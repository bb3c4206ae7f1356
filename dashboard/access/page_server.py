"""The server of the page's port: limits that Reflex does not set.

Reflex runs the application on Granian and leaves it at that server's defaults: it takes
1024 connections and then no more, so a thousand silent ones hang the page. `rxconfig.py`
loads this module, so every `reflex run` has the limits below.
"""

from typing import Any

from granian import server
from granian.constants import HTTPModes
from granian.http import HTTP1Settings

from dashboard.access.connection_limits import connection_limits
from dashboard.config import settings_or_exit

BACKLOG = 2048
"""Connections that wait to be taken; the system may allow fewer."""
HEADERS_MS = 10_000
"""Time for the headers of a request to come, and for the next request of an open connection."""
HEADERS_BYTES = 64 * 1024
"""Headers of one request, cookies of everything on this host included."""


_granian: Any = server  # it has one class of server or another, depending on the Python
_Server: Any = _granian.Server


class PageServer(_Server):
    """Granian's server with limits of our own, where it is given no others."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **(limited_options() | options))  # pyright: ignore[reportUnknownMemberType] - the base's


def limited_options() -> dict[str, Any]:
    """Give the options in which the page's server differs from Granian's defaults.

    More connections than there are places for clients, so that whoever finds none is told
    so. HTTP/1.1 alone: no browser speaks HTTP/2 without TLS, its headers may be 16 MiB, and
    nothing limits how long they take.
    """
    return {
        "backlog": BACKLOG,
        "backpressure": connection_limits(settings_or_exit()).page_connections,
        "http": HTTPModes.http1,
        "http1_settings": HTTP1Settings(
            header_read_timeout=HEADERS_MS, max_buffer_size=HEADERS_BYTES
        ),
    }


def limit_page_server() -> None:
    """Let Reflex make a `PageServer` where it makes Granian's server, which it looks up by name."""
    _granian.Server = PageServer
