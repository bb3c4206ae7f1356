"""`/sse` of the real product, fed through a real Redis."""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from tests.event_stream import Event
from tests.integration import exchange
from tests.integration.exchange import Exchange
from tests.integration.sse_client import Stream, number, stream
from tests.live_server import LiveServer
from tests.redis_server import RedisServer

CUTS = 100
RATE = 2000
CLIENTS = 500
FIRST = 1_000_000
LOST = 'livetape_subscription_lost_total{subscriber="sse"}'


@pytest.fixture(scope="module")
def server(redis: RedisServer) -> Iterator[LiveServer]:
    with LiveServer(
        page=False,
        feed="redis",
        redis_url=redis.url,
        allowed_origins="https://example.org",
        require_key="never",
    ) as running:
        yield running


@pytest.fixture
async def market(redis: RedisServer, server: LiveServer) -> AsyncGenerator[Exchange]:
    """Give an exchange to which the product is listening."""
    made = Exchange(redis.url)
    async with stream(server.port, "/sse/GOOGL") as probe:
        published = asyncio.create_task(_publish_until_heard(made))
        await probe.until(lambda event: '"GOOGL"' in event.data)
        published.cancel()
    yield made
    await made.close()


async def _publish_until_heard(market: Exchange) -> None:
    while True:
        await market.publish(exchange.quote(instrument="GOOGL", bid=random.uniform(1, 2)))
        await asyncio.sleep(0.05)


@asynccontextmanager
async def steady(market: Exchange, rate: int) -> AsyncGenerator[Callable[[], int]]:
    """Publish numbered trades of AAPL at a rate; the count so far can be asked for."""
    published = 0

    async def publish() -> None:
        nonlocal published
        began = time.perf_counter()
        while True:
            due = int((time.perf_counter() - began) * rate)
            await market.publish(*(exchange.trade(n) for n in range(published + 1, due + 1)))
            published = max(published, due)
            await asyncio.sleep(0.01)

    publishing = asyncio.create_task(publish())
    try:
        yield lambda: published
    finally:
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)


async def test_each_message_comes_through_byte_for_byte(
    server: LiveServer, market: Exchange
) -> None:
    messages = [
        exchange.book(instrument="AAPL", orders=3),
        exchange.quote(bid=None),
        exchange.quote(bid=1.50, ask=2e3),
        exchange.trade(1),
        exchange.trade(2).replace('"ann"', '"änn 😀 \\u00e4"').replace("175.25", "175.250"),
    ]
    async with stream(server.port, "/sse/AAPL") as listening:
        await settle(listening, market)
        await market.publish(*messages)
        seen = [await listening.next() for _ in messages]
    assert [event.data for event in seen] == messages
    assert {event.type for event in seen} == {"message"}
    assert rises(seen)


async def settle(listening: Stream, market: Exchange) -> None:
    """Read past the snapshot: up to a trade that is published now."""
    await market.publish(exchange.trade(-1))
    await listening.until(lambda event: '"buyer_order_id":-1' in event.data)


async def test_white_space_between_tokens_is_left_out(server: LiveServer, market: Exchange) -> None:
    message = exchange.trade(1).replace('"ann"', '"a n, n"')
    async with stream(server.port, "/sse/AAPL") as listening:
        await settle(listening, market)
        await market.publish(json.dumps(json.loads(message), indent=1))
        assert (await listening.next()).data == message


@pytest.mark.parametrize("name", ["AAPL/DEC", "AAPL%2FDEC", "REDIS:AAPL/DEC", "REDIS%3AAAPL%2fDEC"])
async def test_a_name_may_have_a_slash_and_only_its_events_come(
    server: LiveServer, market: Exchange, name: str
) -> None:
    async with stream(server.port, f"/sse/{name}") as listening:
        await market.publish(exchange.trade(1), exchange.trade(2, instrument="AAPL/DEC"))
        event = (await listening.until(lambda event: '"trade"' in event.data))[-1]
    assert event.content["instrument"] == "AAPL/DEC"


async def test_a_new_client_gets_the_latest_of_each_kind_first(
    server: LiveServer, market: Exchange
) -> None:
    latest = [exchange.book(orders=1), exchange.quote(), exchange.trade(77)]
    async with stream(server.port, "/sse/AAPL") as witness:
        await settle(witness, market)
        await market.publish(*latest)
        witnessed = await witness.until(lambda event: event.data == latest[-1])
        async with stream(server.port, "/sse/AAPL") as listening:
            assert [await listening.next() for _ in latest] == witnessed[-3:]


async def test_positions_and_pnl_of_all_clients(server: LiveServer, market: Exchange) -> None:
    messages = [
        exchange.positions("ann", AAPL=100, GOOGL=-50),
        exchange.pnl("ann", 1234.5),
        exchange.pnl("bob", -1),
    ]
    async with stream(server.port, "/sse/pnl") as listening:
        await market.publish(exchange.trade(1), *messages)
        assert [(await listening.next()).data for _ in messages] == messages
    async with stream(server.port, "/sse/pnl") as later:
        assert [(await later.next()).data for _ in messages] == messages


async def test_100_cuts_under_2000_events_a_second_lose_and_double_nothing(
    server: LiveServer, market: Exchange
) -> None:
    rng = random.Random(11)
    seen: list[Event] = []
    async with steady(market, RATE):
        async with stream(server.port, "/sse/AAPL") as first:
            await settle(first, market)
            seen.append((await first.until(lambda event: number(event) > 0))[-1])
        for cut in range(CUTS):
            query = f"?since={seen[-1].id}" if cut % 2 else ""
            headers = {} if cut % 2 else {"Last-Event-ID": seen[-1].id}
            async with stream(server.port, f"/sse/AAPL{query}", headers) as listening:
                events = rng.choice((1, 2, 10, 50, 500))
                seen += [await listening.next() for _ in range(events)]
            await asyncio.sleep(rng.choice((0, 0, 0.01, 0.1)))
    assert {event.type for event in seen} == {"message"}
    numbers = [number(event) for event in seen]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert rises(seen)
    assert len(numbers) > CUTS * 10


@pytest.mark.parametrize("since", ["garbage", "0:1", "{epoch}:999999999"])
async def test_an_id_of_no_use_gets_a_reset_and_the_snapshot(
    server: LiveServer, market: Exchange, since: str
) -> None:
    async with stream(server.port, "/sse/AAPL") as listening:
        await settle(listening, market)
        await market.publish(exchange.trade(5))
        event = await listening.next()
    since = since.format(epoch=event.id.partition(":")[0])
    async with stream(server.port, "/sse/AAPL", {"Last-Event-ID": since}) as listening:
        reset = await listening.next()
        snapshot = await listening.until(lambda each: each.id == event.id)
    assert (reset.type, reset.id) == ("reset", "")
    assert reset.content["reason"]
    assert snapshot[-1] == event


async def test_a_client_that_does_not_read_is_not_felt_and_is_told(
    server: LiveServer, market: Exchange
) -> None:
    enough = metric(server, LOST) + 50
    async with (
        stream(server.port, "/sse/AAPL", small=True) as stalled,
        stream(server.port, "/sse/AAPL") as other,
    ):
        await settle(other, market)
        big = exchange.book(orders=200)
        published = FIRST
        while metric(server, LOST) < enough:
            for _ in range(20):
                published += 1
                await market.publish(big, exchange.trade(published))
                seen = [await other.next(), await other.next()]
                assert (seen[0].data, number(seen[1])) == (big, published)
            assert published < FIRST + 20_000
        await market.publish(exchange.trade(0))
        read = await stalled.until(lambda event: '"buyer_order_id":0' in event.data)
        events = [event for event in read if event.type == "message"]
        begin = [number(event) for event in events].index(FIRST + 1)  # before it: the snapshot
        truth = [event async for event in everything_since(server, events[begin])]
    warns = [event.content["lagged"] for event in read if event.type == "warn"]
    assert sum(warns) >= 50
    assert rises(events)
    assert len(events[begin + 1 :]) + sum(warns) == len(truth)
    assert set(events[begin + 1 :]) < set(truth)


async def everything_since(server: LiveServer, first: Event) -> AsyncIterator[Event]:
    """Give what came after an event, up to the trade with number 0."""
    async with stream(server.port, f"/sse/AAPL?since={first.id}") as listening:
        while True:
            event = await listening.next()
            yield event
            if '"buyer_order_id":0' in event.data:
                return


async def test_500_clients_get_everything_and_memory_stays_flat(
    server: LiveServer, market: Exchange
) -> None:
    async def follow(listening: Stream, until: int) -> list[int]:
        seen = await listening.until(lambda event: number(event) >= until)
        return [number(event) for event in seen]

    worker = server.worker()
    async with AsyncExitStack() as opened, asyncio.timeout(250), steady(market, 20):
        clients = [
            await opened.enter_async_context(stream(server.port, "/sse/AAPL"))
            for _ in range(CLIENTS)
        ]
        await asyncio.gather(*(settle(each, market) for each in clients[:1]))
        begin = number((await clients[0].until(lambda event: number(event) > 0))[-1]) + 40
        await asyncio.gather(*(follow(each, begin) for each in clients))
        before = worker.memory_info().rss
        seen = await asyncio.gather(*(follow(each, begin + 200) for each in clients))
        grown = worker.memory_info().rss - before
    assert all(each == list(range(begin + 1, begin + 201)) for each in seen)
    assert grown < 8 * 2**20


async def test_an_unknown_instrument_is_named(server: LiveServer) -> None:
    async with stream(server.port, "/sse/NO%2FSUCH") as refused:
        assert refused.status == 404
        assert refused.headers["content-type"].startswith("text/plain")
        assert await refused.body() == "Instrument 'NO/SUCH' not found"


async def test_headers_and_a_foreign_page(server: LiveServer) -> None:
    async with stream(server.port, "/sse/AAPL", {"Origin": "https://example.org"}) as allowed:
        assert allowed.headers["content-type"] == "text/event-stream"
        assert allowed.headers["cache-control"] == "no-cache"
        assert allowed.headers["x-accel-buffering"] == "no"
        assert allowed.headers["access-control-allow-origin"] == "https://example.org"
        assert "origin" in allowed.headers["vary"]
    async with stream(server.port, "/sse/AAPL", {"Origin": "https://evil.example"}) as refused:
        assert refused.status == 403


async def test_a_client_that_leaves_a_quiet_stream_gives_its_place_back(
    server: LiveServer,
) -> None:
    before = metric(server, "livetape_connections")
    async with stream(server.port, "/sse/pnl") as listening:
        assert listening.status == 200
        assert metric(server, "livetape_connections") == before + 1
    for _ in range(400):
        if metric(server, "livetape_connections") == before:
            break
        await asyncio.sleep(0.05)
    assert metric(server, "livetape_connections") == before


async def test_no_more_clients_than_allowed_and_an_orderly_end() -> None:
    with LiveServer(page=False, max_clients=1) as small:
        async with stream(small.port, "/sse/BTC/USD") as listening:
            async with stream(small.port, "/sse/AAPL") as refused:
                assert refused.status == 503
                assert await refused.body() == "All 1 places are taken\n"
            first = await listening.next()
            assert first.content["instrument"] == "BTC/USD"
            stopping = asyncio.create_task(asyncio.to_thread(small.stop))
            with pytest.raises(EOFError):
                await listening.until(lambda _event: False)
            await stopping


def metric(server: LiveServer, name: str) -> float:
    text = httpx.get(f"http://127.0.0.1:{server.port}/metrics").text
    values = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(name + " ")]
    return sum(map(float, values))


def rises(events: list[Event]) -> bool:
    offsets = [event.offset for event in events]
    return offsets == sorted(set(offsets))
