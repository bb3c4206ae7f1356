"""`/api/instruments…` of the real product, fed through a real Redis."""

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.integration import exchange
from tests.integration.exchange import Exchange
from tests.integration.sse_client import number, stream
from tests.live_server import LiveServer
from tests.redis_server import RedisServer

ORIGIN = "https://example.org"


@pytest.fixture(scope="module")
def redis(redis: RedisServer) -> RedisServer:
    with redis.client() as client:
        client.set("theo:AAPL_STOCK", "174.5")
        client.set("last_trade:GOOGL", "99.25")
    return redis


@pytest.fixture(scope="module")
def server(redis: RedisServer) -> Iterator[LiveServer]:
    with LiveServer(
        page=False,
        feed="redis,simulator",
        redis_url=redis.url,
        allowed_origins=ORIGIN,
        require_key="never",
    ) as running:
        yield running


@pytest.fixture
def api(server: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}/api") as client:
        yield client


def test_instruments_of_every_feed_are_listed(api: httpx.Client) -> None:
    listed = api.get("/instruments").json()
    assert listed[:3] == [
        {"name": "AAPL", "underlying": "AAPL_STOCK", "exchange": "REDIS"},
        {"name": "AAPL/DEC", "underlying": "AAPL_STOCK", "exchange": "REDIS"},
        {"name": "GOOGL", "underlying": "GOOGL_STOCK", "exchange": "REDIS"},
    ]
    assert {"name": "BTC/USD", "underlying": None, "exchange": "CRYPTO"} in listed
    assert {"name": "AAPL", "underlying": None, "exchange": "NASDAQ"} in listed


@pytest.mark.parametrize("name", ["AAPL/DEC", "AAPL%2FDEC", "REDIS:AAPL/DEC", "REDIS%3AAAPL%2FDEC"])
def test_one_instrument_has_its_limits(api: httpx.Client, name: str) -> None:
    assert api.get(f"/instruments/{name}").json() == {
        "name": "AAPL/DEC",
        "underlying": "AAPL_STOCK",
        "exchange": "REDIS",
        "tick_size": 0.05,
        "absolute_limit": 50,
        "delta_limit": 20,
        "kind": None,
        "sends": ["trades", "quotes", "book", "volume"],
    }


def test_unknown_limits_are_null_and_ids_tell_namesakes_apart(api: httpx.Client) -> None:
    details = api.get("/instruments/NASDAQ:AAPL").json()
    assert details["exchange"] == "NASDAQ"
    assert details["absolute_limit"] is details["delta_limit"] is None
    assert api.get("/instruments/AAPL").json()["exchange"] == "REDIS"


async def test_the_stream_goes_on_from_a_snapshot(
    server: LiveServer, redis: RedisServer, api: httpx.Client
) -> None:
    market = Exchange(redis.url)
    async with stream(server.port, "/sse/REDIS:AAPL") as listening:
        while not await heard(market, listening.next()):
            pass
    taken_us = time.time_ns() // 1000
    snapshot = await asyncio.to_thread(lambda: api.get("/instruments/AAPL/snapshot").json())
    assert snapshot["instrument"] == "AAPL"
    assert snapshot["bbo"] == {
        "best_bid": 175.0,
        "best_bid_qty": 10,
        "best_ask": None,
        "best_ask_qty": 0,
    }
    assert snapshot["book"] == {
        "bids": [[175.0, 3], [174.9, 3]],
        "asks": [[176.0, 3], [177.0, 3]],
    }
    assert snapshot["last_trade"] == 175.25
    assert snapshot["theo"] == 174.5
    assert abs(snapshot["ts"] - taken_us) < 60_000_000
    async with stream(server.port, f"/sse/AAPL?since={snapshot['id']}") as listening:
        await market.publish(exchange.trade(5), exchange.trade(6))
        assert [number(await listening.next()) for _ in range(2)] == [5, 6]
    await market.close()


async def heard(market: Exchange, event: "asyncio.Future[object] | object") -> bool:
    await market.publish(exchange.book(), exchange.quote(ask=None), exchange.trade(1))
    try:
        await asyncio.wait_for(event, 0.5)  # pyright: ignore[reportArgumentType] - a coroutine
    except TimeoutError:
        return False
    return True


def test_what_has_not_come_is_null(api: httpx.Client) -> None:
    snapshot = api.get("/instruments/GOOGL/snapshot").json()
    assert snapshot["bbo"] is snapshot["theo"] is None
    assert snapshot["book"] == {"bids": [], "asks": []}
    assert snapshot["last_trade"] == 99.25


def test_bars_are_made_of_trades(api: httpx.Client) -> None:
    deadline = time.monotonic() + 20
    while len(bars := api.get("/instruments/BTC/USD/bars?interval=1s").json()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert set(bars[0]) == {"timestamp", "open", "high", "low", "close", "volume"}
    assert all(bar["timestamp"] % 1000 == 0 and bar["volume"] > 0 for bar in bars)
    assert all(bar["low"] <= min(bar["open"], bar["close"]) for bar in bars)
    assert abs(bars[-1]["timestamp"] / 1000 - time.time_ns() / 1e9) < 60
    assert len(api.get("/instruments/BTC%2FUSD/bars?interval=1s&count=2").json()) == 2
    minutes = api.get("/instruments/CRYPTO:BTC/USD/bars").json()
    assert minutes[0]["timestamp"] % 60_000 == 0
    assert api.get("/instruments/NASDAQ:AAPL/bars").json() == []


@pytest.mark.parametrize(
    ("path", "status", "error", "allowed"),
    [
        ("NO/SUCH", 404, "Instrument 'NO/SUCH' not found", "from /api/instruments"),
        ("NOPE/snapshot", 404, "Instrument 'NOPE' not found", "from /api/instruments"),
        ("NOPE/bars", 404, "Instrument 'NOPE' not found", "from /api/instruments"),
        ("AAPL/bars?interval=2s", 422, "interval='2s'", "'1s', '1m' or '5m'"),
        ("AAPL/bars?count=0", 422, "count='0'", "greater than or equal to 1"),
        ("AAPL/bars?count=9999", 422, "count='9999'", "less than or equal to 2016"),
        ("AAPL/bars?count=many", 422, "count='many'", "integer"),
    ],
)
def test_an_error_says_what_was_wrong_and_what_is_allowed(
    api: httpx.Client, path: str, status: int, error: str, allowed: str
) -> None:
    answer = api.get(f"/instruments/{path}")
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert allowed in answer.json()["allowed"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/instruments", 405)]
)
def test_what_is_not_served_is_said_in_the_same_form(
    api: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = api.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"].startswith(f"{method} /api{path}")
    assert answer.json()["allowed"] == "what /api/openapi.json describes"


def test_the_description_is_complete(api: httpx.Client) -> None:
    description = api.get("/openapi.json").json()
    assert description["servers"] == [{"url": "/api"}]
    paths = description["paths"]
    of_instruments = {
        "/instruments",
        "/instruments/{name}",
        "/instruments/{name}/bars",
        "/instruments/{name}/snapshot",
    }
    assert {each for each in paths if each.startswith("/instruments")} == of_instruments
    assert {"/health", "/runners", "/symbols", "/strategies"} < set(paths)
    for path in (paths[each] for each in of_instruments):
        answers = path["get"]["responses"]
        assert answers["200"]["content"]["application/json"]["schema"]
        for status in answers.keys() - {"200"}:
            schema = answers[status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}


@pytest.mark.parametrize("path", ["/instruments", "/instruments/NOPE", "/health"])
def test_an_allowed_page_of_elsewhere_may_read(api: httpx.Client, path: str) -> None:
    answer = api.get(path, headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "Origin" in answer.headers["vary"]
    preflight = api.options(
        path, headers={"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert api.get(path, headers={"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/api/instruments",
        "/api/instruments/NOPE",
        "/api/openapi.json",
        "/api/health",
        "/api/export/instruments.csv",
        "/api/export/NOPE.csv",
        "/metrics",
    ],
)
def test_no_answer_is_stored_and_no_foreign_page_embeds_one(server: LiveServer, path: str) -> None:
    url = f"http://127.0.0.1:{server.port}{path}"
    answer = httpx.get(url)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    for site, status in (
        ("cross-site", 403),
        ("same-site", 403),
        ("same-origin", answer.status_code),
    ):
        embedded = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
        assert httpx.get(url, headers=embedded).status_code == status
