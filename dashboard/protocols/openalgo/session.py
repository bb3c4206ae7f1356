"""One client's session: its requests in, its answers out.

`receive` answers at once, or gives back what must be found out first: `CheckKey`
is followed by `identify`, `Listen` by `accept`. The caller hands in the next
request only after that, so that answers come in the order of the requests.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from dashboard.core.errors import StreamError
from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.principal import Principal
from dashboard.protocols.openalgo import replies
from dashboard.protocols.openalgo.index import Holding
from dashboard.protocols.openalgo.modes import Form, Mode
from dashboard.protocols.openalgo.requests import (
    MAX_KEYLESS_SIZE,
    Authenticate,
    Code,
    GetBrokerInfo,
    GetSupportedBrokers,
    Ping,
    Subscribe,
    Unsubscribe,
    UnsubscribeAll,
    parse_message,
    parse_request,
)

Client = TypeVar("Client", bound=Hashable)
Subscriber = TypeVar("Subscriber", bound=Hashable, contravariant=True)


class BrokeredInstrument(NamedTuple):
    """An instrument, and the broker that delivers it."""

    instrument: Instrument
    broker: str


class BrokeredMarket(Protocol):
    """What a session asks of the market behind it."""

    @property
    def brokers(self) -> Sequence[str]:
        """Name the brokers, the default one first; never empty."""
        ...

    def find(self, key: InstrumentKey) -> BrokeredInstrument | None:
        """Find an instrument."""
        ...

    def status(self, broker: str) -> str:
        """Tell how a broker's adapter stands."""
        ...


class Register(Protocol[Subscriber]):
    """Where sessions write down what their clients hold; such as an `Index`."""

    def put(self, key: InstrumentKey, client: Subscriber, holding: Holding) -> None:
        """Set what a client holds on an instrument; no modes end it."""
        ...


class Reply(NamedTuple):
    """An answer to send."""

    payload: bytes


class LastValue(NamedTuple):
    """The last known value of an instrument is to be sent, if there is one."""

    key: InstrumentKey
    form: Form


class Ended(NamedTuple):
    """A subscription has ended; its data must not follow the answer that says so."""

    key: InstrumentKey
    mode: Mode


class CheckKey(msgspec.Struct, frozen=True):
    """Find out whose key this is, then call `identify`."""

    api_key: str

    def __repr__(self) -> str:
        return "CheckKey(api_key=***)"


class Listen(NamedTuple):
    """Have these delivered, with so many levels a side of the book, then call `accept`."""

    listings: tuple[BrokeredInstrument, ...]
    levels: int


Output = Reply | LastValue | Ended


class Session(Generic[Client]):
    """The state of one client: who it is and what it holds.

    `client` stands for it in `index`, which the sessions share. `clock` gives
    milliseconds since the Unix epoch.
    """

    def __init__(
        self,
        client: Client,
        *,
        index: Register[Client],
        market: BrokeredMarket,
        clock: Callable[[], int],
    ) -> None:
        self.principal: Principal | None = None
        self._client = client
        self._index = index
        self._market = market
        self._clock = clock
        self._held: dict[InstrumentKey, Holding] = {}
        self._pending: Authenticate | Subscribe | None = None

    @property
    def authenticated(self) -> bool:
        """Tell whether the client has shown a valid key."""
        return self.principal is not None

    @property
    def held(self) -> Mapping[InstrumentKey, Holding]:
        """Give what the client is subscribed to."""
        return self._held

    def receive(self, raw: bytes | str) -> list[Output] | CheckKey | Listen:
        """Take a request. It never raises for what a client sends.

        Raises:
            RuntimeError: while `identify` or `accept` is due.
        """
        if self._pending is not None:
            raise RuntimeError("the request before this one has not been answered yet")
        try:
            return self._answer(raw)
        except StreamError as error:
            return [Reply(replies.encode_error(error))]

    def identify(self, principal: Principal | None) -> list[Output]:
        """Say whose key it is; None for nobody's, which leaves the client who it was."""
        asked = self._take(Authenticate)
        if principal is None:
            return [Reply(replies.encode_refused(document=asked.document))]
        self.principal = principal
        reply = replies.encode_authenticated(
            broker=self._broker, user=principal.user_id, document=asked.document
        )
        return [Reply(reply)]

    def accept(self, refused: Mapping[InstrumentKey, str]) -> list[Output]:
        """Say which instruments the brokers refused, and why; the others are delivered."""
        asked = self._take(Subscribe)
        form = Form(asked.mode, asked.depth if asked.mode is Mode.DEPTH else 0)
        items: list[replies.Item] = []
        snapshots: list[Output] = []
        for key in asked.keys:
            listing = self._market.find(key)
            problem = refused.get(key)
            if listing is None:
                problem = f"Symbol {key[1]} not found on {key[0]}"
            broker = self._broker if listing is None else listing.broker
            if problem is not None:
                items.append(replies.not_subscribed(key, problem, broker))
                continue
            self._hold(key, asked)
            items.append(replies.subscribed(key, asked.mode, asked.depth, broker))
            snapshots.append(LastValue(key, form))
        reply = replies.encode_subscribed(items, broker=self._broker, request_id=asked.request_id)
        return [Reply(reply), *snapshots]

    def fail(self) -> list[Output]:
        """Answer the pending request though what it needed could not be found out."""
        self._pending = None
        error = StreamError(code=Code.SERVER_ERROR, problem="The server could not do this")
        return [Reply(replies.encode_error(error))]

    @property
    def _broker(self) -> str:
        return self._market.brokers[0]

    def _answer(self, raw: bytes | str) -> list[Output] | CheckKey | Listen:
        if len(raw) > MAX_KEYLESS_SIZE and not self.authenticated:
            raise _not_authenticated()  # not decoded: that would cost what nobody has paid for
        verb, message = parse_message(raw)
        if not (verb.public or self.authenticated):
            raise _not_authenticated()
        request = parse_request(verb, message)
        match request:
            case Authenticate():
                self._pending = request
                return CheckKey(request.api_key)
            case Subscribe():
                self._pending = request
                found = [self._market.find(key) for key in request.keys]
                levels = request.depth if request.mode is Mode.DEPTH else 0
                return Listen(tuple(each for each in found if each is not None), levels)
            case Unsubscribe():
                return self._unsubscribe(request)
            case UnsubscribeAll():
                every = tuple((key, None) for key in self._held)
                return self._unsubscribe(Unsubscribe(every))
            case GetBrokerInfo():
                status = self._market.status(self._broker)
                user = "" if self.principal is None else self.principal.user_id
                return [
                    Reply(replies.encode_broker_info(broker=self._broker, status=status, user=user))
                ]
            case GetSupportedBrokers():
                return [Reply(replies.encode_supported_brokers(self._market.brokers))]
            case Ping():
                return [
                    Reply(
                        replies.encode_pong(
                            now_ms=self._clock(),
                            timestamp=request.timestamp,
                            ping_id=request.ping_id,
                        )
                    )
                ]

    def _unsubscribe(self, request: Unsubscribe) -> list[Output]:
        successful: list[replies.Item] = []
        failed: list[replies.Item] = []
        ended: list[Output] = []
        for key, mode in request.targets:
            holding = self._held.get(key, Holding())
            modes = holding.modes if mode is None else holding.modes & {mode}
            listing = self._market.find(key)
            broker = self._broker if listing is None else listing.broker
            if not modes:
                failed.append(replies.not_unsubscribed(key, broker))
            self._put(key, holding._replace(modes=holding.modes - modes))
            for each in sorted(modes):
                successful.append(replies.unsubscribed(key, each, broker))
                ended.append(Ended(key, each))
        reply = replies.encode_unsubscribed(
            successful, failed, broker=self._broker, request_id=request.request_id
        )
        return [*ended, Reply(reply)]

    def _hold(self, key: InstrumentKey, asked: Subscribe) -> None:
        before = self._held.get(key, Holding(depth=asked.depth))
        depth = asked.depth if asked.mode is Mode.DEPTH else before.depth
        self._put(key, Holding(before.modes | {asked.mode}, depth))

    def _put(self, key: InstrumentKey, holding: Holding) -> None:
        if holding.modes:
            self._held[key] = holding
        else:
            self._held.pop(key, None)
        self._index.put(key, self._client, holding)

    def _take(self, kind: type["Asked"]) -> "Asked":
        asked, self._pending = self._pending, None
        if not isinstance(asked, kind):
            raise RuntimeError(f"no {kind.__name__} is pending")
        return asked


def _not_authenticated() -> StreamError:
    return StreamError(code=Code.NOT_AUTHENTICATED, problem="Authenticate before anything else")


Asked = TypeVar("Asked", Authenticate, Subscribe)
