"""The stream server, wired: OpenAlgo and the live stream on a port of their own, `/ws/openalgo`.

`python -m dashboard.streaming.server` serves the port without the page.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial

import structlog
from starlette.websockets import WebSocket

from dashboard.access.connection_limits import connection_limits
from dashboard.access.credentials import UNKNOWN
from dashboard.access.key_guard import KeyCheck, problem_with_key
from dashboard.access.keyed_connections import KeyedConnections
from dashboard.access.keyless import KeylessPlaces
from dashboard.access.origins import problem_with
from dashboard.access.places import Places
from dashboard.access.turn_budget import TurnBudget
from dashboard.bootstrap import (
    Services,
    check_feeds_or_exit,
    prepare_storage_or_exit,
    run_services,
)
from dashboard.config import Settings, settings_or_exit
from dashboard.core.errors import SettingError
from dashboard.core.principal import Principal
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.outbox import Outbox
from dashboard.fanout.pace import Pace
from dashboard.fanout.wire import Wire
from dashboard.hub.failures import kept_running
from dashboard.logs import configure_logging
from dashboard.protocols import live
from dashboard.streaming.connection import Timeouts
from dashboard.streaming.listener import Refusal, StreamListener
from dashboard.streaming.live_streams import LiveStreams
from dashboard.streaming.openalgo import Authenticate, OpenAlgoStreams
from dashboard.streaming.openalgo_socket import serve_openalgo
from dashboard.streaming.streams import Streams

log = structlog.get_logger(__name__)

GOING_AWAY = 1001
GC_THRESHOLD = 50_000
"""New objects between two collections: the default takes 8 % of the time at high rates."""
LIVE_PATH = "/ws"


class StreamSet:
    """The streams of a running product, and which of them a path of the port names.

    Unless told otherwise the product's keys say who may in. Who has shown one stands in `keyed`.
    """

    def __init__(
        self,
        running: Services,
        *,
        keyed: KeyedConnections,
        authenticate: Authenticate | None = None,
    ) -> None:
        check = KeyCheck(required=running.settings.key_rule, keys=lambda: running.keys)
        budget = TurnBudget()
        self.openalgo = OpenAlgoStreams(
            running,
            authenticate=authenticate or authenticate_by(running),
            keyed=keyed,
            budget=budget,
        )
        self.live = LiveStreams(running, admission=partial(problem_with_key, check), budget=budget)
        self._keyed = keyed
        self._failures = running.hub.failures

    @property
    def by_name(self) -> dict[str, OpenAlgoStreams | LiveStreams]:
        """Give the streams by the names that `/metrics` shows."""
        return {"openalgo": self.openalgo, "live": self.live}

    def choose(self, path: str, wire: Wire) -> tuple[Streams, Outbox]:
        """Give the live stream for its own path, and OpenAlgo's for all others."""
        if path == LIVE_PATH:

            def notice(count: int, lost: int) -> bytes:
                text = live.encode_conflated(count=count + lost, lost_trades=lost)
                return wire(text.encode())

            return self.live, Outbox(capacity=live.BUFFER_EVENTS, notice=notice)
        return self.openalgo, Outbox()

    async def run(self, listener: StreamListener | None) -> None:
        """Serve until the hub closes."""
        async with asyncio.TaskGroup() as group:
            for name, stream in self.by_name.items():
                group.create_task(
                    kept_running(name, stream.run, failures=self._failures), name=name
                )
            if listener is not None:
                served = listener.run(
                    self.choose, keyed=self._keyed, survival=self._failures.at("stream server")
                )
                group.create_task(served, name="stream server")


class StreamServer:
    """One per process. `refusal` checks Host and Origin on the stream server's port.

    `places` are those of DASHBOARD_STREAM_MAX_CLIENTS, of the port and `/ws/openalgo` together.
    Who has shown a key stands in `keyed`.
    """

    def __init__(self, settings: Settings, *, refusal: Refusal, keyed: KeyedConnections) -> None:
        self._limits = connection_limits(settings)
        self.places = Places(limit=self._limits.stream_clients)
        self._keyless = KeylessPlaces()
        self.streams: StreamSet | None = None
        self._keyed = keyed
        self._settings = settings
        self._refusal = refusal
        self._timeouts = Timeouts(
            ping_interval_s=settings.stream_ping_interval_s,
            ping_timeout_s=settings.stream_ping_timeout_s,
        )

    def figures(self) -> dict[str, tuple[Fanout, Pace]]:
        """Give what each stream's fan-out has done and how often it writes, by its name."""
        streams = {} if self.streams is None else self.streams.by_name
        return {name: (each.fanout, each.pump.pace) for name, each in streams.items()}

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
            connection_limit=self._limits.stream_connections,
            deflate=self._settings.stream_deflate,
        )
        listener.listen()
        return listener

    @asynccontextmanager
    async def running(self, services: Services) -> AsyncGenerator[None]:
        """Serve for as long as the block lasts; a taken port leaves `/ws/openalgo` alone."""
        listener = self._listen_or_tell() if self._settings.stream_port else None
        self.streams = StreamSet(services, keyed=self._keyed)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(self.streams.run(listener), name="streams")
            try:
                yield
            finally:
                self.streams = None
                serving.cancel()

    async def serve(self, socket: WebSocket) -> None:
        """Serve a client of `/ws/openalgo`."""
        if self.streams is None:
            await socket.close(GOING_AWAY, "the server is shutting down")
            return
        await serve_openalgo(
            socket, self.streams.openalgo, self.places, self._keyless, self._timeouts
        )

    def _listen_or_tell(self) -> StreamListener | None:
        try:
            return self.listen()
        except SettingError as error:
            log.error("no stream server", problem=str(error))
            return None


def authenticate_by(services: Services) -> Authenticate:
    """Let a running product's keys say who may in."""

    async def authenticate(api_key: str, address: str) -> Principal | None:
        return await services.keys.authenticate(api_key, address=address or UNKNOWN)

    return authenticate


async def serve_alone(settings: Settings) -> None:
    """Run the feeds and the port, without the page, until SIGINT or SIGTERM.

    Raises:
        SettingError: when the port is taken.
    """
    check = partial(problem_with, hosts=settings.allowed_hosts, origins=settings.allowed_origins)
    keyed = KeyedConnections()
    listener = StreamServer(settings, refusal=check, keyed=keyed).listen()
    async with (
        run_services(settings, history=False) as running,
        keyed.following(running.hub, running.keys.watch),
    ):
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, running.hub.close)
        await StreamSet(running, keyed=keyed).run(listener)


def main() -> None:
    """Serve; what stands in the way ends the process with one line."""
    settings = settings_or_exit()
    configure_logging(settings.log_level, secrets=settings.secrets)
    check_feeds_or_exit(settings)
    prepare_storage_or_exit(settings)
    try:
        with asyncio.Runner(loop_factory=_event_loop_factory()) as runner:
            runner.run(serve_alone(settings))
    except SettingError as error:
        sys.exit(f"livetape: {error}")


def _event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Give uvloop's where it is installed, which is not on Windows."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
