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
    "CRYPTO:BTCUSDT",
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


def leases(api: httpx.Client) -> list[str]:
    """Give how many leases are held, as the metrics tell it."""
    lines = api.get(str(api.base_url.join("/metrics"))).text.splitlines()
    return [line for line in lines if line.startswith("livetape_leases")]


def test_they_are_listed_last(api: httpx.Client) -> None:
    with api:
        listed = api.get("/instruments").json()
        exported = api.get("/export/instruments.csv").text.splitlines()
    assert [f"{each['exchange']}:{each['name']}" for each in listed][5:] == ON_DEMAND
    assert [",".join(line.split(",")[:2]) for line in exported[6:]] == [
        id_.replace(":", ",") for id_ in ON_DEMAND
    ]


def test_a_snapshot_makes_what_it_is_asked_for_begin_and_has_its_first_values(
    api: httpx.Client,
) -> None:
    with api:
        snapshot = api.get("/instruments/RELIANCE/snapshot").json()
        assert snapshot["bbo"]
        assert len(snapshot["book"]["bids"]) == len(snapshot["book"]["asks"]) == 30
        assert comes(lambda: api.get("/instruments/NSE:RELIANCE/bars?interval=1s").json())


def test_details_and_exports_make_nothing_begin(api: httpx.Client) -> None:
    with api:
        before = leases(api)
        assert 'livetape_leases{holder="standing"} 5.0' in before
        details = api.get("/instruments/NFO:NIFTY28DEC2425000CE").json()
        assert (details["kind"], details["sends"]) == (
            "option",
            ["trades", "quotes", "book", "volume"],
        )
        assert api.get("/export/trades/NFO:NIFTY28DEC2425000CE.csv").status_code == 200
        assert set(leases(api)) <= set(before)


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
