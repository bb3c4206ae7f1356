"""The Redis feed against a real Redis that stops, starts, freezes and talks nonsense."""

import asyncio
import json
import signal
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from time import monotonic_ns, time_ns
from typing import Any

import pytest
import redis
from redis import asyncio as redis_asyncio
from structlog.testing import capture_logs

from dashboard.core.errors import FeedError, StaticDataError
from dashboard.core.feed_state import FeedState, FeedStatus
from dashboard.core.instruments import Instrument
from dashboard.core.model import Book, Event, Kind, Pnl, Price, Quote, Topic, Trade
from dashboard.feeds import redis_feed
from dashboard.feeds.client_ledger import ClientLedger
from dashboard.feeds.parsing.exchange_messages import MESSAGE_BYTES
from dashboard.feeds.redis_feed import CHANNEL, RedisFeed, read_static_data
from dashboard.feeds.supervisor import Supervisor
from tests.redis_server import INSTRUMENTS, RedisServer
from tests.unit.feeds.parsing.test_exchange import BOOK, EVERY_TYPE, QUOTE, TRADE, envelope, order

DEADLINE_S = 20
BOOK_TOPIC = Topic(Kind.BOOK, "REDIS", "AAPL")


class Fed:
    """A running feed, and what it published."""

    def __init__(self, server: RedisServer, *, stale_after_ms: int, max_bytes: int) -> None:
        self.server = server
        self.events: list[Event] = []
        self.feed = RedisFeed(
            server.url,
            read_static_data(server.url).instruments,
            clock=time_ns,
            monotonic=monotonic_ns,
            stale_after_ms=stale_after_ms,
            max_bytes=max_bytes,
        )
        self.supervisor = Supervisor(
            [self.feed],
            publish=self.events.append,
            clock=time_ns,
            monotonic=monotonic_ns,
            stale_after_ms=stale_after_ms,
        )

    @property
    def status(self) -> FeedStatus:
        return self.supervisor.status()["redis"]

    def latest(self, topic: Topic) -> Event | None:
        return next((each for each in reversed(self.events) if each.topic == topic), None)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():  # noqa: ASYNC110 - it looks at another process, too
                await asyncio.sleep(0.005)

    async def until_state(self, state: FeedState) -> None:
        await self.until(lambda: self.status.state is state)

    async def until_read_again(self, client: redis.Redis) -> None:
        """Wait until keys were read that were not yet being read."""
        enough = reads(client, "cmdstat_mget") + 2
        await self.until(lambda: reads(client, "cmdstat_mget") >= enough)

    def publish(self, message: object) -> None:
        with self.server.client() as client:
            raw = message if isinstance(message, bytes) else json.dumps(message)
            client.publish(CHANNEL, raw)


@asynccontextmanager
async def fed(
    server: RedisServer, *, stale_after_ms: int = 2000, max_bytes: int = MESSAGE_BYTES
) -> AsyncGenerator[Fed]:
    running = Fed(server, stale_after_ms=stale_after_ms, max_bytes=max_bytes)
    task = asyncio.create_task(running.supervisor.run())
    try:
        await running.until_state(FeedState.LIVE)
        yield running
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        running.fill()
        yield running


def book_at(price: float) -> dict[str, Any]:
    return BOOK | {"bids": [order(price, 1)], "asks": []}


async def test_every_type_of_message_arrives(server: RedisServer) -> None:
    async with fed(server) as running:
        for message in EVERY_TYPE.values():
            running.publish(message)
        await running.until(lambda: len(running.events) == 5)
        kinds = [each.kind for each in running.events]
        assert kinds == [Kind.BOOK, Kind.QUOTE, Kind.TRADE, Kind.POSITIONS, Kind.PNL]
        assert running.status.skipped == 0


async def test_messages_go_to_the_instrument_they_name(server: RedisServer) -> None:
    async with fed(server) as running:
        for name in ("GOOGL", "AAPL/DEC", "AAPL"):
            running.publish(envelope("bbo_update", QUOTE | {"instrument": name}, instrument=name))
        await running.until(lambda: len(running.events) == 3)
        assert [each.topic.subject for each in running.events] == ["GOOGL", "AAPL/DEC", "AAPL"]


async def test_an_instrument_that_is_unsubscribed_is_silent(server: RedisServer) -> None:
    async with fed(server) as running:
        aapl, _, googl = INSTRUMENTS
        await running.feed.unsubscribe([aapl])
        running.publish(EVERY_TYPE["trade"])
        running.publish(EVERY_TYPE["pnl_update"])
        await running.until(lambda: running.events)
        await running.feed.subscribe([aapl], 5)
        await running.feed.subscribe([googl], 5)
        running.publish(EVERY_TYPE["bbo_update"])
        await running.until(lambda: len(running.events) == 2)
        assert [type(each) for each in running.events] == [Pnl, Quote]
        unknown = Instrument(symbol="X", exchange="REDIS", tick_size=1)
        await running.feed.unsubscribe([unknown])
        assert await running.feed.subscribe([unknown], 0) == {unknown.key: "no instrument 'X'"}


async def test_what_is_subscribed_again_begins_with_what_the_keys_hold(
    server: RedisServer,
) -> None:
    async with fed(server) as running:
        aapl, *_ = INSTRUMENTS
        await running.feed.unsubscribe([aapl])
        running.publish(EVERY_TYPE["bbo_update"])
        running.publish(EVERY_TYPE["pnl_update"])
        await running.until(lambda: running.events)
        with server.client() as client:
            client.set("bbo:AAPL", json.dumps(QUOTE))
        assert await running.feed.subscribe([aapl], 5) == {}
        assert [type(each) for each in running.events] == [Pnl, Quote]
        await running.feed.subscribe([aapl], 20)
        assert len(running.events) == 2


async def test_the_static_data_are_read_anew(server: RedisServer) -> None:
    async with fed(server) as running:
        before = running.feed.instruments()
        await running.feed.load()
        assert running.feed.instruments() is before
        server.fill(INSTRUMENTS[:1])
        await running.feed.load()
        assert running.feed.instruments() == INSTRUMENTS[:1]
        running.publish(EVERY_TYPE["bbo_update"])
        await running.until(lambda: running.events)
        with server.client() as client:
            client.delete("static_data:instruments")
        with pytest.raises(StaticDataError):
            await running.feed.load()
        assert running.feed.instruments() == INSTRUMENTS[:1]


async def test_what_is_of_no_use_is_counted_by_cause_and_the_stream_goes_on(
    server: RedisServer,
) -> None:
    async with fed(server) as running:
        with capture_logs() as logs:
            for _ in range(100):
                running.publish(b"garbage \xff")
            running.publish(envelope("trade", TRADE, instrument="MSFT"))
            running.publish(envelope("trade", TRADE | {"instrument": None}))
            running.publish(envelope("rumour", {}))
            running.publish(envelope("trade", TRADE | {"price": "high"}))
            running.publish(EVERY_TYPE["trade"])
            await running.until(lambda: running.events)
        assert dict(running.feed.skipped_by_cause) == {
            "malformed JSON": 100,
            "unknown instrument": 1,
            "missing instrument": 1,
            "unknown type": 1,
            "bad data": 1,
        }
        assert running.status.skipped == 104
        assert running.status.state is FeedState.LIVE
        assert [each["log_level"] for each in logs] == ["warning"] * 5


async def test_messages_and_keys_that_are_too_large_are_refused_unread(server: RedisServer) -> None:
    deep = BOOK | {"bids": [order(price, 1) for price in range(1, 1000)]}
    with server.client() as client:
        client.set("orderbook:AAPL", json.dumps(deep))
        client.set("bbo:AAPL", json.dumps(QUOTE))
        client.set("theo:AAPL_STOCK", " " * 5000 + "7")
    async with fed(server, max_bytes=4096) as running:
        running.publish(envelope("orderbook_update", deep, instrument="AAPL"))
        running.publish(b"\xff" * 10_000_000)
        running.publish(EVERY_TYPE["trade"])
        await running.until(lambda: running.latest(Topic(Kind.TRADE, "REDIS", "AAPL")))
        await running.until(lambda: running.status.skipped == 4)
        assert running.feed.skipped_by_cause == {"too large": 4}
        assert running.latest(BOOK_TOPIC) is None
        assert running.latest(Topic(Kind.QUOTE, "REDIS", "AAPL"))


async def test_clients_beyond_what_is_kept_are_counted(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fed(server) as running:
        monkeypatch.setattr(running.feed, "_clients", ClientLedger(max_topics=2))
        for client in ("a", "b", "c", "a"):
            running.publish(envelope("pnl_update", {"pnl": 1}, client=client))
        await running.until(lambda: len(running.events) + running.status.skipped == 4)
        assert [each.topic.subject for each in running.events] == ["a", "b", "a"]
        assert running.feed.skipped_by_cause == {"too many clients": 1}


async def test_the_start_gives_what_the_keys_hold(server: RedisServer) -> None:
    with server.client() as client:
        client.set("orderbook:AAPL", json.dumps(BOOK))
        client.set("bbo:AAPL", json.dumps(QUOTE))
        client.set("last_trade:GOOGL", "120.25")
        client.set("bbo:GOOGL", "garbage")
        client.set("theo:AAPL_STOCK", "189.5")
        client.lpush("orderbook:GOOGL", "not a text")
    async with fed(server) as running:
        await running.until(lambda: len(running.events) == 4)
        assert [tuple(each.topic) for each in running.events] == [
            ("book", "REDIS", "AAPL"),
            ("quote", "REDIS", "AAPL"),
            ("price", "REDIS", "GOOGL"),
            ("theo", "REDIS", "AAPL_STOCK"),
        ]
        assert dict(running.feed.skipped_by_cause) == {"malformed JSON": 1}


async def test_a_theoretical_price_is_followed(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_feed, "THEO_EVERY_S", 0.01)
    async with fed(server) as running:
        with server.client() as client:
            for text in ("1.5", "1.5", "junk", "2", "2"):
                client.set("theo:AAPL_STOCK", text)
                await running.until_read_again(client)
        theos = [each.price for each in running.events]  # pyright: ignore[reportAttributeAccessIssue] - all
        assert theos == [1.5, 2]
        assert running.status.skipped == 1


async def test_a_quiet_market_is_not_stale(server: RedisServer) -> None:
    async with fed(server, stale_after_ms=200) as running:
        first = running.feed.last_sign_ns
        assert first is not None
        await running.until(lambda: (running.feed.last_sign_ns or 0) > first + 10**9)
        assert (running.status.state, running.events) == (FeedState.LIVE, [])


async def test_a_lost_connection_is_made_anew_and_the_books_are_read_again(
    server: RedisServer,
) -> None:
    with server.client() as client:
        client.set("orderbook:AAPL", json.dumps(book_at(10)))
        async with fed(server) as running:
            client.set("orderbook:AAPL", json.dumps(book_at(11)))  # unheard of on the channel
            with capture_logs() as logs:
                client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
                await running.until(lambda: len(running.events) == 2)
                await running.until_state(FeedState.LIVE)
            assert [each.bids for each in running.events if isinstance(each, Book)] == [
                ((10.0, 1.0),),
                ((11.0, 1.0),),
            ]
            assert [each["event"] for each in logs] == [
                "redis is lost, trying again",
                "redis is back",
            ]


async def test_killed_and_started_again_under_load(server: RedisServer) -> None:
    async with fed(server) as running, publishing(server) as load:
        await running.until(lambda: len(running.events) > 1000)
        server.stop(by=signal.SIGKILL)
        await running.until_state(FeedState.STALE)
        await running.until(lambda: load.failures > 10)
        heard = len(running.events)
        with capture_logs() as logs:
            server.start()
            with server.client() as client:
                client.set("orderbook:AAPL", json.dumps(book_at(11)))
                client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # it may be back already
            await running.until(lambda: running.latest(BOOK_TOPIC))
            await running.until_state(FeedState.LIVE)
            await running.until(lambda: len(running.events) > heard + 1000)
        assert "redis is back" in [each["event"] for each in logs]
        book = running.latest(BOOK_TOPIC)
        assert isinstance(book, Book)
        assert book.bids == ((11.0, 1.0),)
        prices = [each.price for each in running.events if isinstance(each, Trade)]
        assert prices == sorted(set(prices))
        assert running.status.skipped == 0


async def test_no_reconnection_goes_back_in_time(server: RedisServer) -> None:
    async with fed(server) as running:
        client = redis_asyncio.Redis.from_url(server.url)
        async with client:
            for number in range(1, 3001):
                data = json.dumps(book_at(number))
                traded = envelope("trade", TRADE | {"price": number})
                async with client.pipeline(transaction=True) as update:
                    update.set("orderbook:AAPL", data)
                    update.publish(
                        CHANNEL, json.dumps(envelope("orderbook_update", book_at(number)))
                    )
                    update.set("last_trade:AAPL", number)
                    update.publish(CHANNEL, json.dumps(traded))
                    if number % 300 == 0:
                        update.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
                    await update.execute()
        await running.until(lambda: book_price(running.latest(BOOK_TOPIC)) == 3000)
        seen = [book_price(each) for each in running.events if isinstance(each, Book)]
        assert seen == sorted(seen)
        prices = [each.price for each in running.events if isinstance(each, Trade | Price)]
        assert prices == sorted(prices)


async def test_a_frozen_redis_is_stale_and_recovers(server: RedisServer) -> None:
    async with fed(server, stale_after_ms=300) as running:
        with capture_logs() as logs:
            server.freeze()
            await running.until_state(FeedState.STALE)
            server.thaw()
            await running.until_state(FeedState.LIVE)
        running.publish(EVERY_TYPE["trade"])
        await running.until(lambda: running.events)
        assert logs == []


@pytest.mark.parametrize("theo_every_s", [10, 0.01], ids=["a ping", "a key"])
async def test_a_redis_that_stays_frozen_gets_a_new_connection(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch, theo_every_s: float
) -> None:
    monkeypatch.setattr(redis_feed, "THEO_EVERY_S", theo_every_s)
    monkeypatch.setattr(redis_feed, "ANSWER_WITHIN_S", 0.4)
    async with fed(server, stale_after_ms=300) as running:
        with capture_logs() as logs:
            server.freeze()
            await running.until(lambda: logs)
            assert running.status.state is FeedState.STALE
            server.thaw()
            await running.until_state(FeedState.LIVE)
        running.publish(EVERY_TYPE["trade"])
        await running.until(lambda: running.events)
        assert [each["event"] for each in logs] == ["redis is lost, trying again", "redis is back"]
        assert logs[0]["problem"] == "no answer for 0.4 s"


async def test_a_redis_that_answers_with_errors_is_lost_until_it_does_not(
    server: RedisServer,
) -> None:
    async with fed(server) as running:
        with server.client() as client:
            client.config_set("requirepass", "secret")
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes")
            await running.until_state(FeedState.STALE)
            await running.until(lambda: "errorstat_NOAUTH" in info(client, "errorstats"))
            client.config_set("requirepass", "")
            await running.until_state(FeedState.LIVE)


def test_static_data_are_read(server: RedisServer) -> None:
    assert read_static_data(server.url).instruments == INSTRUMENTS


def test_options_of_the_url_change_nothing_that_the_feed_rests_on(server: RedisServer) -> None:
    url = f"{server.url}?protocol=3&decode_responses=yes&health_check_interval=1"
    assert read_static_data(url).instruments == INSTRUMENTS


def test_a_missing_key_is_named(server: RedisServer) -> None:
    with server.client() as client:
        client.delete("static_data:GOOGL_absolute_limit")
    with pytest.raises(StaticDataError) as caught:
        read_static_data(server.url)
    assert caught.value.key == "static_data:GOOGL_absolute_limit"


def test_without_redis_there_is_no_static_data(server: RedisServer) -> None:
    server.stop()
    with pytest.raises(FeedError) as caught:
        read_static_data(server.url)
    assert caught.value.terminal
    assert "refused" in caught.value.problem


class Load:
    """Numbered trades at some 1,000/s, however Redis fares."""

    def __init__(self) -> None:
        self.number = 0
        self.failures = 0

    async def publish(self, url: str) -> None:
        async with redis_asyncio.Redis.from_url(url, retry=None) as client:
            while True:
                async with client.pipeline(transaction=False) as batch:
                    for _ in range(10):
                        self.number += 1
                        batch.publish(
                            CHANNEL, json.dumps(envelope("trade", TRADE | {"price": self.number}))
                        )
                    try:
                        await batch.execute()
                    except redis.RedisError:
                        self.failures += 1
                await asyncio.sleep(0.01)


@asynccontextmanager
async def publishing(server: RedisServer) -> AsyncGenerator[Load]:
    load = Load()
    task = asyncio.create_task(load.publish(server.url))
    try:
        yield load
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def info(client: redis.Redis, section: str) -> dict[str, Any]:
    return client.info(section)  # pyright: ignore[reportReturnType] - typed for both clients


def reads(client: redis.Redis, command: str) -> int:
    return info(client, "commandstats")[command]["calls"]


def book_price(event: Event | None) -> float:
    return event.bids[0][0] if isinstance(event, Book) else 0.0
