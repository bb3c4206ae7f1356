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
from dashboard.access.turns import Turns
from dashboard.bootstrap.checks import check_feeds_or_exit, prepare_storage_or_exit
from dashboard.bootstrap.product import Product
from dashboard.config import Settings, settings_or_exit
from dashboard.core.errors import SettingError
from dashboard.core.principal import Principal
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.pace import Pace
from dashboard.hub.failures import kept_running
from dashboard.logs import configure_logging
from dashboard.streaming.asgi_socket import serve_stream
from dashboard.streaming.closing import Timeouts
from dashboard.streaming.listener import RefuseHeaders, StreamListener
from dashboard.streaming.live_offers import RUNNER_EVENTS
from dashboard.streaming.live_streams import LiveStreams
from dashboard.streaming.openalgo import AuthenticateKey, OpenAlgoStreams
from dashboard.streaming.product import ServedProduct
from dashboard.streaming.streams import GOING_AWAY, Streams

log = structlog.get_logger(__name__)

GC_THRESHOLD = 50_000
"""New objects between two collections: the default takes 8 % of the time at high rates."""


class StreamSet:
    """The streams of a running product, and which of them a path of the port names.

    `clients` are the places of the live streams, which they share with all else that streams
    beside the page, and `stream_clients` those of OpenAlgo. Who has shown a key stands
    in `keyed`. Unless told otherwise the product's keys say who may in.
    """

    def __init__(
        self,
        running: ServedProduct,
        *,
        clients: Places,
        stream_clients: Places,
        keyed: KeyedConnections | None = None,
        authenticate: AuthenticateKey | None = None,
    ) -> None:
        turns = Turns()
        self._keyed = KeyedConnections() if keyed is None else keyed  # an empty one is false
        self.openalgo = OpenAlgoStreams(
            running,
            authenticate=authenticate or authenticate_by(running),
            keyed=self._keyed,
            places=stream_clients,
            turns=turns,
        )
        self.live = LiveStreams(running, places=clients, turns=turns)
        self.events = LiveStreams(running, places=clients, turns=turns, offer=RUNNER_EVENTS)
        check = KeyCheck(required=running.settings.key_rule, keys=lambda: running.keys)
        self._admission = partial(problem_with_key, check)
        self._failures = running.hub.failures

    @property
    def by_name(self) -> dict[str, OpenAlgoStreams | LiveStreams]:
        """Give the streams by the names that `/metrics` shows."""
        return {"openalgo": self.openalgo, "live": self.live, "events": self.events}

    def choose(self, path: str) -> Streams:
        """Give a live stream for its own path, and OpenAlgo's for all others."""
        return {"/ws": self.live, "/ws/events": self.events}.get(path, self.openalgo)

    async def run(self, listener: StreamListener | None) -> None:
        """Serve until the hub closes."""
        async with asyncio.TaskGroup() as group:
            for name, stream in self.by_name.items():
                group.create_task(
                    kept_running(name, stream.run, failures=self._failures), name=name
                )
            if listener is not None:
                served = listener.run(
                    self.choose,
                    admission=self._admission,
                    keyed=self._keyed,
                    survival=self._failures.at("stream server"),
                )
                group.create_task(served, name="stream server")


class StreamServer:
    """One per process. `refusal` checks Host and Origin on the stream server's port.

    `clients` are the places of DASHBOARD_MAX_CLIENTS, which `/ws` on both ports takes among
    others. `places` are those of DASHBOARD_STREAM_MAX_CLIENTS, of OpenAlgo on both ports. Who
    has shown a key stands in `keyed`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clients: Places,
        keyed: KeyedConnections,
        refusal: RefuseHeaders,
    ) -> None:
        self._keyed = keyed
        self._limits = connection_limits(settings)
        self._clients = clients
        self.places = Places(limit=self._limits.stream_clients)
        self._keyless = KeylessPlaces()
        self.streams: StreamSet | None = None
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
    async def running(self, product: ServedProduct) -> AsyncGenerator[None]:
        """Serve for as long as the block lasts; a taken port leaves `/ws/openalgo` alone."""
        listener = self._listen_or_tell() if self._settings.stream_port else None
        self.streams = self.streams_of(product)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(self.streams.run(listener), name="streams")
            try:
                yield
            finally:
                self.streams = None
                serving.cancel()

    def streams_of(self, product: ServedProduct) -> StreamSet:
        """Make the streams of a running product."""
        return StreamSet(
            product, clients=self._clients, stream_clients=self.places, keyed=self._keyed
        )

    async def serve_live(self, socket: WebSocket) -> None:
        """Serve a client of `/ws`, whose key was looked at before."""
        await self._serve(socket, lambda streams: streams.live)

    async def serve_events(self, socket: WebSocket) -> None:
        """Serve a client of `/ws/events`, whose key was looked at before."""
        await self._serve(socket, lambda streams: streams.events)

    async def serve_openalgo(self, socket: WebSocket) -> None:
        """Serve a client of `/ws/openalgo`."""
        await self._serve(socket, lambda streams: streams.openalgo)

    async def _serve(self, socket: WebSocket, choose: Callable[[StreamSet], Streams]) -> None:
        if self.streams is None:
            await socket.close(*GOING_AWAY)
            return
        await serve_stream(socket, choose(self.streams), self._keyless, self._timeouts)

    def _listen_or_tell(self) -> StreamListener | None:
        try:
            return self.listen()
        except SettingError as error:
            log.error("no stream server", problem=str(error))
            return None


def authenticate_by(product: ServedProduct) -> AuthenticateKey:
    """Let a running product's keys say who may in."""

    async def authenticate(api_key: str, address: str) -> Principal | None:
        return await product.keys.authenticate(api_key, address=address or UNKNOWN)

    return authenticate


async def serve_alone(settings: Settings) -> None:
    """Run the feeds and the port, without the page, until SIGINT or SIGTERM.

    Raises:
        SettingError: when the port is taken.
    """
    check = partial(problem_with, hosts=settings.allowed_hosts, origins=settings.allowed_origins)
    clients = Places(limit=connection_limits(settings).clients)
    keyed = KeyedConnections()
    server = StreamServer(settings, clients=clients, keyed=keyed, refusal=check)
    listener = server.listen()
    whole = Product(settings, history=False)
    async with whole.running(), keyed.following(whole.hub, whole.web.keys.watch):
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, whole.hub.close)
        await server.streams_of(whole.web).run(listener)


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
