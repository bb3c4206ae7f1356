"""OpenAlgo streaming: from the hub's ticks to the clients of both of its servers.

One dispatcher serves the stream server and `/ws/openalgo`. A tick is encoded once
per form, not per client, and made due to cohorts; no client is ever awaited here.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

import structlog

from dashboard.access.keyed_connections import KeyedConnections
from dashboard.access.places import Places
from dashboard.access.turns import Turns
from dashboard.core.errors import StorageError
from dashboard.core.instruments import InstrumentKey
from dashboard.core.leases import Holder
from dashboard.core.market_quote import MarketQuote
from dashboard.core.model import Book
from dashboard.core.principal import Principal
from dashboard.fanout.cohort import Receiver
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.outbox import Outbox
from dashboard.fanout.route import Route
from dashboard.fanout.wire import Wire
from dashboard.protocols.openalgo.modes import Form, Mode
from dashboard.protocols.openalgo.quotes import encode_data, serves
from dashboard.protocols.openalgo.requests import MAX_REQUEST_BYTES
from dashboard.protocols.openalgo.session import (
    BrokeredInstrument,
    CheckKey,
    Ended,
    LastValue,
    Listen,
    Output,
    Reply,
    Session,
)
from dashboard.protocols.openalgo.throttle import Throttle
from dashboard.streaming.closing import KEY_REVOKED
from dashboard.streaming.openalgo_groups import Groups
from dashboard.streaming.product import OpenAlgoProduct
from dashboard.streaming.streams import NS_PER_S, Pump, StreamClient

log = structlog.get_logger(__name__)

NS_PER_MS = 1_000_000


AuthenticateKey = Callable[[str, str], Awaitable[Principal | None]]
"""Find out whose key this is, given the client's address too; None for nobody's."""


class FeedMarket:
    """The feeds as a session's market; each feed is a broker."""

    def __init__(self, running: OpenAlgoProduct) -> None:
        self._running = running

    @property
    def brokers(self) -> Sequence[str]:
        """Name the feeds."""
        return list(self._running.feeds.status())

    def find(self, key: InstrumentKey) -> BrokeredInstrument | None:
        """Find an instrument; of two feeds that have it, the first one's."""
        instrument = self._running.directory.get(key)
        return None if instrument is None else BrokeredInstrument(instrument, self.broker_of(key))

    def broker_of(self, key: InstrumentKey) -> str:
        """Name the feed that serves an instrument; empty where none does."""
        return self._running.directory.feed_of(key) or ""

    def status(self, broker: str) -> str:
        """Tell the state of a feed."""
        return self._running.feeds.status()[broker].state.value


class OpenAlgoStreams:
    """What all OpenAlgo clients of this process share. The clock is monotonic, in ns."""

    max_request_bytes = MAX_REQUEST_BYTES
    asks_for_key = True
    evicts = True

    def __init__(
        self,
        running: OpenAlgoProduct,
        *,
        authenticate: AuthenticateKey,
        places: Places,
        keyed: KeyedConnections | None = None,
        turns: Turns | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.fanout = Fanout()
        self.turns = turns or Turns()
        self.places = places
        self._failures = running.hub.failures
        self.pump = Pump(self.fanout, survival=running.hub.failures.at("openalgo pump"))
        self._authenticate = authenticate
        self._keyed = KeyedConnections() if keyed is None else keyed  # an empty one is false
        self._clock = clock
        self._market = FeedMarket(running)
        self._quotes = running.quotes
        self._groups = Groups(self.fanout)
        self._throttle = Throttle(window_ns=running.settings.ltp_throttle_ms * NS_PER_MS)
        self._new_holder = partial(running.leases.holder, "openalgo")
        self._sessions: dict[StreamClient, Session[Receiver]] = {}
        self._holders: dict[StreamClient, Holder] = {}

    @property
    def closed(self) -> bool:
        """Tell whether the hub has closed, so that no client can be served any more."""
        return self._quotes.subscription.closed

    def outbox(self, _wire: Wire, /) -> Outbox:
        """Make an outbox."""
        return Outbox()

    def open(self, client: StreamClient) -> None:
        """Begin a session; whose it is, the client tells by its first request."""
        self._groups.enter(client)
        self._holders[client] = self._new_holder()
        self._sessions[client] = Session(
            client, index=self._groups, market=self._market, clock=_now_ms
        )

    async def begin(self, client: StreamClient) -> None:
        """Say nothing: a client speaks first."""

    def close(self, client: StreamClient) -> None:
        """End a client's session and all its subscriptions."""
        if self._sessions.pop(client, None) is not None:
            self._keyed.leave(client)
            self._groups.leave(client)
            self._holders.pop(client).close()

    def authenticated(self, client: StreamClient) -> bool:
        """Tell whether a client has shown a valid key."""
        return self._sessions[client].authenticated

    async def answer(self, client: StreamClient, raw: bytes | str, *, address: str) -> None:
        """Answer one request: what there is to send follows what is due to the client already.

        Do not hand in the next one before this has returned.
        """
        session = self._sessions[client]
        outputs = session.receive(raw)
        if not isinstance(outputs, list):
            outputs = await self._find_out(client, outputs, address)
        if client not in self._sessions:
            return  # it left meanwhile
        self._lower_leases(client, {each.key for each in outputs if not isinstance(each, Reply)})
        self.fanout.settle(client)
        self._groups.regroup(client)
        for output in outputs:
            self._put(client, output)
        self.fanout.release(client)

    async def run(self) -> None:
        """Dispatch until the hub closes; then every client is told."""
        await self.pump.run(
            self._quotes.subscription, self.dispatch, next_due_s=self._throttle_due_s
        )
        for client in list(self._sessions):
            with self._failures.at("openalgo"):
                client.end()

    def dispatch(self) -> None:
        """Make every tick that has come, and every price that is due, due to its clients."""
        now = self._clock()
        for key, tick in self._throttle.due(now):
            quote = self._quotes.of(*key)
            route = self._groups.routes(key, tick).get(Form(Mode.LTP))
            if quote is not None and route is not None:
                self._send(quote, Form(Mode.LTP), route)
        for quote, event in self._quotes.ticks():
            tick = Mode.DEPTH if isinstance(event, Book) else Mode.QUOTE
            key = (quote.exchange, quote.symbol)
            for form, route in self._groups.routes(key, tick).items():
                if form.mode is not Mode.LTP or self._throttle.passes(key, tick, now):
                    self._send(quote, form, route)

    def _throttle_due_s(self) -> float | None:
        due = self._throttle.next_due
        return None if due is None else max(0, due - self._clock()) / NS_PER_S

    async def _find_out(
        self, client: StreamClient, asked: CheckKey | Listen, address: str
    ) -> list[Output]:
        session = self._sessions[client]
        try:
            if isinstance(asked, Listen):
                instruments = [each.instrument for each in asked.listings]
                refused = await self._holders[client].add(instruments, depth=asked.levels)
                return session.accept(refused)
            principal = await self._authenticate(asked.api_key, address)
            if principal is not None and client in self._sessions:
                self._keyed.enter(client, principal, partial(client.end, KEY_REVOKED))
            return session.identify(principal)
        except StorageError:  # which is in the log already, once for all who ask meanwhile
            return session.fail()
        except Exception:
            log.exception("an OpenAlgo request failed")
            return session.fail()

    def _lower_leases(self, client: StreamClient, keys: Iterable[InstrumentKey]) -> None:
        """Lease no more of instruments than the client still holds on them."""
        session, holder = self._sessions[client], self._holders[client]
        for key in keys:
            if (holding := session.held.get(key)) is None:
                holder.drop([key])
            else:
                holder.lower(key, holding.levels)

    def _put(self, client: StreamClient, output: Output) -> None:
        match output:
            case Reply():
                client.outbox.reply(client.wire(output.payload))
            case Ended():
                client.outbox.forget((output.key, output.mode))
            case LastValue():
                quote = self._quotes.of(*output.key)
                if quote is not None and (payload := self._encode(quote, output.form)):
                    slot = (output.key, output.form.mode)
                    client.outbox.add([(slot, client.wire(payload))])

    def _send(self, quote: MarketQuote, form: Form, route: Route) -> None:
        if payload := self._encode(quote, form):
            route.put(((quote.exchange, quote.symbol), form.mode), payload)

    def _encode(self, quote: MarketQuote, form: Form) -> bytes:
        """Write a quote; nothing where it does not serve the mode, or cannot be written."""
        if not serves(quote, form.mode):
            return b""
        try:
            broker = self._market.broker_of((quote.exchange, quote.symbol))
            return encode_data(quote, form, broker=broker)
        except Exception as error:  # noqa: BLE001 - one event must not cost others theirs
            self._failures.add("openalgo", error)
            return b""


def _now_ms() -> int:
    return time.time_ns() // NS_PER_MS
