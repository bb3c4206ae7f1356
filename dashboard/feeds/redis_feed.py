"""The exchange's Redis as a feed: its channel, its keys, and the way back after a loss."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import structlog
from redis import ConnectionPool as BlockingPool
from redis import Redis as BlockingRedis
from redis import RedisError
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection

from dashboard.config import Settings, mask_password, setting_error
from dashboard.core.errors import FeedError, ParseError
from dashboard.core.instruments import Instrument
from dashboard.core.model import AccountEvent, Event, Kind, MarketEvent, Topic
from dashboard.feeds.base import Feed, Publish, Refusals
from dashboard.feeds.client_ledger import ClientLedger
from dashboard.feeds.parsing.exchange import ExchangeParser, parse_theo
from dashboard.feeds.parsing.exchange_messages import MESSAGE_BYTES, Cause
from dashboard.feeds.parsing.static_data import StaticData, parse_static_data, shorten
from dashboard.feeds.registry import Declaration
from dashboard.feeds.skips import Skips
from dashboard.feeds.supervisor import backoff_s

log = structlog.get_logger(__name__)

FEED = "redis"
CHANNEL = "market_data"
STORED = {Kind.BOOK: "orderbook", Kind.QUOTE: "bbo", Kind.PRICE: "last_trade"}
"""The keys `{name}:{instrument}` that hold the last of what the channel carries."""

PING_EVERY_S = 0.5
PINGS_PER_STALE = 4
"""At least so many pings within the time after which the feed counts as stale."""
ANSWER_WITHIN_S = 5.0
"""A connection that does not answer for so long is dropped."""
THEO_EVERY_S = 1.0
RECONNECT_CAP_S = 2.0
OPTIONS: Mapping[str, object] = {
    "protocol": 2,  # its subscribed connections answer in the order in which things happened
    "decode_responses": False,
    "socket_timeout": None,  # none on every single message: the pings see to that
    "socket_connect_timeout": ANSWER_WITHIN_S,
    "health_check_interval": 0,
}
"""Of a connection, whatever the URL says."""
YIELD_EVERY = 64
"""Messages after which others get their turn, however many more are waiting."""


class RedisFeed(Feed):
    """Publish what an exchange publishes on Redis; a loss of Redis is mended in here.

    On every connection it subscribes first and reads the keys then, so that
    nothing falls between; what the channel has said since then is newer than a
    key and stands. For the clocks see `SupervisedFeed`. Messages and keys of more
    than `max_bytes` are refused, and so is what would make the clients too many.
    """

    name = FEED
    monitored = True

    def __init__(
        self,
        url: str,
        instruments: Sequence[Instrument],
        *,
        clock: Callable[[], int],
        stale_after_ms: int,
        max_bytes: int = MESSAGE_BYTES,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        monotonic: Callable[[], int] | None = None,
    ) -> None:
        self._skips = Skips(feed=FEED, clock=monotonic or clock)
        self._url = url
        self._max_bytes = max_bytes
        self._take_list(instruments)
        self._wanted = {each.symbol for each in instruments}
        self._clients = ClientLedger()
        self._clock = clock
        self._monotonic = monotonic or clock
        self._ping_every_s = min(PING_EVERY_S, stale_after_ms / 1000 / PINGS_PER_STALE)
        self._sleep = sleep
        self._jitter = jitter
        self._reader: tuple[Redis, Publish] | None = None
        """While connected: where keys are read, and who takes what they hold."""
        self._said: set[Topic] | None = None
        """What the channel has said while keys are being read."""
        self._sign_ns: int | None = None
        self._connected = False
        self._unanswered = 0
        self._lost = False

    @property
    def skipped(self) -> int:
        """Count the messages that were of no use."""
        return self._skips.total

    @property
    def skipped_by_cause(self) -> Mapping[str, int]:
        """Count them by cause."""
        return self._skips.by_cause

    @property
    def last_sign_ns(self) -> int | None:
        """Give when Redis last answered or said something; None without a connection."""
        return self._sign_ns if self._connected else None

    def instruments(self) -> Sequence[Instrument]:
        """List the instruments of the static data, in its order."""
        return self._instruments

    async def load(self) -> None:
        """Read the static data anew.

        Raises:
            StaticDataError: names the key that is missing or wrong.
            FeedError: when Redis does not answer as it should.
        """
        data = await asyncio.to_thread(read_static_data, self._url)
        if data.instruments != self._instruments:
            self._take_list(data.instruments)

    async def subscribe(self, instruments: Sequence[Instrument], depth: int) -> Refusals:
        """Let instruments' events through, beginning with what the keys hold of them."""
        known = [each for each in instruments if each.key in self._known]
        begun = [each for each in known if each.symbol not in self._wanted]
        self._wanted.update(each.symbol for each in begun)
        if begun and self._reader is not None:
            client, publish = self._reader
            said = self._said = set[Topic]()
            with suppress(RedisError, OSError):  # the next connection reads them then
                stored = await self._read_stored(client, begun)
                self._publish_stored(stored, publish, said=said)
            self._said = None
        return {
            each.key: f"no instrument {each.symbol!r}"
            for each in instruments
            if each.key not in self._known
        }

    async def unsubscribe(self, instruments: Sequence[Instrument]) -> None:
        """Hold instruments' events back."""
        self._wanted.difference_update(each.symbol for each in instruments)

    async def run(self, publish: Publish) -> None:
        """Publish until cancelled; when Redis is lost, try again until it is back."""
        # No retry of a call, as a library has it: a connection that lasted begins the waits anew.
        failures = 0
        while True:
            problem = ""
            try:
                await self._serve(publish)
            except* (RedisError, OSError) as errors:
                problem = _describe(errors)
            failures = failures + 1 if self._lost else 1
            if not self._lost:
                self._lost = True
                url = mask_password(self._url)
                log.warning("redis is lost, trying again", feed=FEED, url=url, problem=problem)
            await self._sleep(backoff_s(failures, self._jitter(), cap_s=RECONNECT_CAP_S))

    async def _serve(self, publish: Publish) -> None:
        """Serve one connection; it ends by being lost.

        Raises:
            RedisError: alone or in a group, when it is.
            OSError: likewise; a TimeoutError where no answer came.
        """
        self._parser = ExchangeParser(self._instruments, max_bytes=self._max_bytes)
        pool: Any = ConnectionPool.from_url(self._url)  # pyright: ignore[reportUnknownMemberType] - its keywords
        pool.connection_kwargs.update(OPTIONS)
        async with Redis.from_pool(pool) as client:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                connection = await pool.get_connection()
                await self._catch_up(connection, client, publish)
            if self._lost:
                self._lost = False
                log.info("redis is back", feed=FEED)
            self._connected = True
            self._reader = client, publish
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._ping(connection), name="redis ping")
                    group.create_task(self._follow_theos(client, publish), name="redis theos")
                    # Not a task of the group: in Python 3.11.2, one that fails while the group's
                    # body has nothing left to do leaves a cancellation behind in this task.
                    await self._receive(connection, publish)
            finally:
                self._connected = False
                self._reader = None

    async def _catch_up(
        self, connection: AbstractConnection, client: Redis, publish: Publish
    ) -> None:
        """Subscribe, then publish from the keys what the channel has not said since.

        The answer to a ping that is sent after the keys were read comes behind
        all that was published before they were.
        """
        said: set[Topic] = set()

        def publish_and_note(event: Event) -> None:
            said.add(event.topic)
            publish(event)

        await connection.send_command("SUBSCRIBE", CHANNEL)
        await self._receive(connection, publish_and_note, until=b"subscribe")
        stored = await self._read_stored(client, self._instruments)
        await connection.send_command("PING")
        await self._receive(connection, publish_and_note, until=b"pong")
        self._publish_stored(stored, publish, said=said)

    async def _read_stored(
        self, client: Redis, instruments: Sequence[Instrument]
    ) -> Mapping[Topic, bytes | None]:
        """Read the keys of instruments."""
        topics = [Topic(kind, *each.key) for each in instruments for kind in STORED]
        texts = await _read(client, [f"{STORED[kind]}:{symbol}" for kind, _, symbol in topics])
        return dict(zip(topics, texts, strict=True))

    def _publish_stored(
        self, stored: Mapping[Topic, bytes | None], publish: Publish, *, said: Container[Topic]
    ) -> None:
        """Publish what keys hold, but for what the channel has said something newer of."""
        parse = self._parser.parse_stored
        for topic, text in stored.items():
            # a trade makes the price, so it is newer than the one of the key
            price_is_said = topic.kind is Kind.PRICE and topic._replace(kind=Kind.TRADE) in said
            if text is not None and topic not in said and not price_is_said:
                self._offer(publish, parse, topic.kind, topic.subject, text, self._clock())

    async def _receive(
        self, connection: AbstractConnection, publish: Publish, *, until: bytes | None = None
    ) -> None:
        """Publish what the channel says, up to an answer of the kind `until`, or for ever."""
        read: Any = connection.read_response  # its types are incomplete
        received = 0
        while True:
            reply = await read(disconnect_on_error=False)
            self._sign_ns = self._monotonic()
            self._unanswered = 0
            if reply[0] == b"message":
                self._offer(publish, self._parser.parse_message, reply[2])
                received += 1
                if received % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
            elif reply[0] == until:
                return

    async def _ping(self, connection: AbstractConnection) -> None:
        while self._unanswered * self._ping_every_s < ANSWER_WITHIN_S:
            self._unanswered += 1
            await connection.send_command("PING")
            await self._sleep(self._ping_every_s)
        raise TimeoutError

    async def _follow_theos(self, client: Redis, publish: Publish) -> None:
        """Read the theoretical prices again and again; publish those that changed."""
        published: dict[tuple[str, str | None], bytes] = {}
        while True:
            names = self._underlyings
            texts = await _read(client, [f"theo:{underlying}" for _, underlying in names])
            for name, text in zip(names, texts, strict=True):
                if text is not None and text != published.get(name):
                    published[name] = text
                    self._offer(publish, parse_theo, *name, text, self._clock())
            await self._sleep(THEO_EVERY_S)

    def _take_list(self, instruments: Sequence[Instrument]) -> None:
        self._instruments = tuple(instruments)
        self._known = frozenset(each.key for each in instruments)
        self._underlyings = tuple(
            dict.fromkeys(
                (each.exchange, each.underlying) for each in instruments if each.underlying
            )
        )
        self._parser = ExchangeParser(instruments, max_bytes=self._max_bytes)

    def _offer(
        self, publish: Publish, parse: Callable[..., Sequence[Event]], *arguments: object
    ) -> None:
        try:
            events = parse(*arguments)
        except ParseError as error:
            self._skips.add(error.cause, error.problem)
            return
        for event in events:
            if isinstance(event, MarketEvent):
                if event.symbol in self._wanted:
                    if self._said is not None:
                        self._said.add(event.topic)
                    publish(event)
            elif not isinstance(event, AccountEvent) or self._clients.admit(event):
                publish(event)
            else:
                self._skips.add(Cause.CLIENTS, f"about {shorten(event.client.encode())}")


def read_static_data(url: str) -> StaticData:
    """Read and check the static data, waiting for the answers; for the start.

    Raises:
        StaticDataError: names the key that is missing or wrong.
        FeedError: terminal, when Redis does not answer as it should.
    """
    pool: Any = BlockingPool.from_url(url)  # pyright: ignore[reportUnknownMemberType] - its keywords
    pool.connection_kwargs.update(OPTIONS, socket_timeout=ANSWER_WITHIN_S)
    try:
        with BlockingRedis.from_pool(pool) as client:
            reading: Any = client  # it is typed for both kinds of client at once
            return parse_static_data(reading.mget)
    except (RedisError, OSError) as error:
        raise FeedError(feed=FEED, problem=_line(error), terminal=True) from error


async def _read(client: Redis, keys: Sequence[str]) -> Sequence[bytes | None]:
    if not keys:
        return ()
    async with asyncio.timeout(ANSWER_WITHIN_S):
        return await client.mget(keys)


def _describe(errors: BaseExceptionGroup[Exception]) -> str:
    """Give the first of them on one line."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return _line(error)


def _line(error: BaseException) -> str:
    if isinstance(error, TimeoutError) and not error.args:
        return f"no answer for {ANSWER_WITHIN_S:g} s"
    return " ".join(str(error).split()) or type(error).__name__


def check(settings: Settings) -> StaticData:
    """Read the exchange's static data from the Redis that is set.

    Raises:
        SettingError: when Redis does not answer.
        StaticDataError: when a key is missing or wrong.
    """
    return _static_data(settings.redis_url)


@cache
def _static_data(url: str) -> StaticData:
    """Read the exchange's static data, once per process."""
    try:
        data = read_static_data(url)
    except FeedError as error:
        allowed = f"the address of a Redis that answers ({error.problem})"
        raise setting_error("redis_url", url, allowed=allowed) from error
    for warning in data.warnings:
        log.warning("static data contradict each other", feed=FEED, problem=warning)
    return data


def build(
    settings: Settings, *, clock: Callable[[], int], monotonic: Callable[[], int]
) -> RedisFeed:
    """Build it as it is set."""
    return RedisFeed(
        settings.redis_url,
        check(settings).instruments,
        clock=clock,
        monotonic=monotonic,
        stale_after_ms=settings.stale_after_ms,
        max_bytes=settings.redis_max_message_kb * 1024,
    )


DECLARATION = Declaration(
    settings=("redis_url", "redis_max_message_kb", "stale_after_ms"), check=check, build=build
)
