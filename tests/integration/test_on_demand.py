"""Instruments on demand: found by whoever names them, kept from all who do not."""

import asyncio
import time
from collections.abc import Callable

import httpx
import pytest

from tests.integration.sse_client import stream
from tests.integration.ws_client import ask, during, live, until
from tests.live_server import LiveServer

STANDING = {"BTC/USD", "ETH/USD", "SOL/USD", "AAPL", "TSLA"}
ON_DEMAND = [
    "NSE:RELIANCE",
    "NSE:TCS",
    "NSE:INFY",
    "NSE_INDEX:NIFTY_50",
    "NSE_INDEX:NIFTY_BANK",
    "NFO:NIFTY28DEC2425000CE",
]
WITHIN_S = 10


@pytest.fixture
def api(server: LiveServer) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{server.port}/api")


def comes(found: Callable[[], object]) -> bool:
    """Look again and again until something has come."""
    deadline = time.monotonic() + WITHIN_S
    while not found():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_they_are_listed_last(api: httpx.Client) -> None:
    with api:
        listed = api.get("/instruments").json()
        exported = api.get("/export/instruments.csv").text.splitlines()
    assert [f"{each['exchange']}:{each['name']}" for each in listed][5:] == ON_DEMAND
    assert [",".join(line.split(",")[:2]) for line in exported[6:]] == [
        id_.replace(":", ",") for id_ in ON_DEMAND
    ]


def test_rest_and_exports_make_what_they_are_asked_for_begin(api: httpx.Client) -> None:
    with api:
        assert api.get("/instruments/NSE:RELIANCE").json()["tick_size"] == 0.01
        assert comes(lambda: api.get("/instruments/RELIANCE/snapshot").json()["bbo"])
        book = api.get("/instruments/RELIANCE/snapshot").json()["book"]
        assert len(book["bids"]) == len(book["asks"]) == 30
        assert comes(lambda: api.get("/instruments/NSE:RELIANCE/bars?interval=1s").json())
        trades = "/export/trades/NFO:NIFTY28DEC2425000CE.csv"
        assert comes(lambda: len(api.get(trades).text.splitlines()) > 1)


async def test_an_event_stream_makes_its_instrument_begin(server: LiveServer) -> None:
    async with stream(server.port, "/sse/NSE:TCS") as listening:
        assert listening.status == 200
        assert "TCS" in (await listening.next()).data


async def test_ws_brings_them_to_the_client_that_names_them_alone(server: LiveServer) -> None:
    async with live(server.ws_url) as everyone, live(server.ws_url) as one:
        names = ["NIFTY_50", "NSE:INFY", "NSE:NOPE", "CRYPTO:BTC/USD"]
        await ask(one, {"type": "subscribe", "symbols": names, "streams": ["market"]})
        told = (await until(one, lambda message: message["type"] == "subscribed"))[-1]
        assert told["symbols"] == ["CRYPTO:BTC/USD", "NIFTY_50", "NSE:INFY"]
        assert told["unknown"] == ["NSE:NOPE"]
        seen, before = await asyncio.gather(during(one, 1.5), during(everyone, 1.5))
    assert {each["symbol"] for each in seen} == {"NIFTY_50", "INFY", "BTC/USD"}
    of_index = [each for each in seen if each["symbol"] == "NIFTY_50"]
    assert {(each["type"], each["volume"]) for each in of_index} == {("price", 0)}
    async with live(f"{server.ws_url}?since={before[0]['id']}") as again:
        resumed = await during(again, 0.5)
    async with live(server.ws_url) as late:
        afterwards = await during(late, 0.5)
    for messages in (before, resumed, afterwards):
        assert {each["symbol"] for each in messages if "symbol" in each} == STANDING
