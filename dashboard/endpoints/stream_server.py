"""OpenAlgo streaming, wired: the dispatcher, the port of its own and `/ws/openalgo`.

`python -m dashboard.endpoints.stream_server` serves the port without the page.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import structlog
from starlette.websockets import WebSocket

from dashboard.bootstrap import (
    Services,
    check_feeds_or_exit,
    prepare_storage_or_exit,
    run_services,
)
from dashboard.config import Settings, settings_or_exit
from dashboard.core.errors import SettingError
from dashboard.endpoints.connections import Connections
from dashboard.endpoints.openalgo import Identity, OpenAlgoStreams
from dashboard.endpoints.openalgo_socket import serve_openalgo
from dashboard.endpoints.security import problem_with
from dashboard.endpoints.stream_connection import Timeouts
from dashboard.endpoints.stream_listener import Refusal, StreamListener
from dashboard.logs import configure_logging

log = structlog.get_logger(__name__)

GOING_AWAY = 1001


class OpenAlgo:
    """One per process. `refusal` checks Host and Origin on the stream server's port.

    `places` are those of DASHBOARD_STREAM_MAX_CLIENTS, of both servers together.
    """

    def __init__(self, settings: Settings, *, refusal: Refusal) -> None:
        self.places = Connections(limit=settings.stream_max_clients)
        self._settings = settings
        self._refusal = refusal
        self._timeouts = Timeouts(
            ping_interval_s=settings.stream_ping_interval_s,
            ping_timeout_s=settings.stream_ping_timeout_s,
        )
        self._streams: OpenAlgoStreams | None = None

    def listen(self) -> StreamListener:
        """Take the port of the settings.

        Raises:
            SettingError: when it is taken, or the address is not ours.
        """
        listener = StreamListener(
            self.places,
            host=self._settings.stream_host,
            port=self._settings.stream_port,
            refusal=self._refusal,
            timeouts=self._timeouts,
        )
        listener.listen()
        return listener

    @asynccontextmanager
    async def running(self, services: Services) -> AsyncGenerator[None]:
        """Serve for as long as the block lasts; a taken port leaves `/ws/openalgo` alone."""
        streams = streams_of(services)
        listener = self._listen_or_tell() if self._settings.stream_port else None
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(streams.run(), name="openalgo")]
            if listener is not None:
                tasks.append(group.create_task(listener.run(streams), name="stream server"))
            self._streams = streams
            try:
                yield
            finally:
                self._streams = None
                for task in tasks:
                    task.cancel()

    async def serve(self, socket: WebSocket) -> None:
        """Serve a client of `/ws/openalgo`."""
        if self._streams is None:
            await socket.close(GOING_AWAY, "the server is shutting down")
            return
        await serve_openalgo(socket, self._streams, self.places, self._timeouts)

    def _listen_or_tell(self) -> StreamListener | None:
        try:
            return self.listen()
        except SettingError as error:
            log.error("no stream server", problem=str(error))
            return None


def streams_of(services: Services) -> OpenAlgoStreams:
    """Make the dispatcher of a running product; its keys say who may in."""

    async def authenticate(api_key: str, address: str) -> Identity | None:
        return await services.keys.authenticate(api_key, scope="stream", address=address)

    return OpenAlgoStreams(services, authenticate=authenticate)


async def serve_alone(settings: Settings) -> None:
    """Run the feeds and the port, without the page, until SIGINT or SIGTERM.

    Raises:
        SettingError: when the port is taken.
    """
    check = partial(problem_with, hosts=settings.allowed_hosts, origins=settings.allowed_origins)
    listener = OpenAlgo(settings, refusal=check).listen()
    async with run_services(settings) as running:
        streams = streams_of(running)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, running.hub.close)
        async with asyncio.TaskGroup() as group:
            group.create_task(streams.run(), name="openalgo")
            group.create_task(listener.run(streams), name="stream server")


def main() -> None:
    """Serve; what stands in the way ends the process with one line."""
    settings = settings_or_exit()
    configure_logging(settings.log_level)
    check_feeds_or_exit(settings)
    prepare_storage_or_exit(settings)
    try:
        asyncio.run(serve_alone(settings))
    except SettingError as error:
        sys.exit(f"livetape: {error}")


if __name__ == "__main__":
    main()
