"""What clients of OpenAlgo lease, and what they are told of refusals."""

import json
from typing import Any

from dashboard.access.places import Places
from dashboard.streaming.openalgo import OpenAlgoStreams
from tests.unit.fake_feeds import FakeLeases, instrument
from tests.unit.streaming.receivers import FakeReceiver
from tests.unit.streaming.test_openalgo_keys import authenticate, running_product

BTC = instrument("CRYPTO:BTC/USD")


class Talk:
    """One client of OpenAlgo, and what it leases."""

    def __init__(self) -> None:
        running = running_product()
        self.leases: FakeLeases = running.leases
        self.streams = OpenAlgoStreams(running, authenticate=authenticate, places=Places(limit=1))
        self.client = FakeReceiver()

    async def begin(self) -> None:
        self.streams.open(self.client)
        await self.ask("authenticate", api_key="any")

    async def ask(self, action: str, **more: Any) -> None:
        request = json.dumps({"action": action, **more}).encode()
        await self.streams.answer(self.client, request, address="127.0.0.1")

    async def subscribe(self, symbol: str, mode: int, depth: int = 5) -> None:
        symbols = [{"exchange": "CRYPTO", "symbol": symbol}]
        await self.ask("subscribe", symbols=symbols, mode=mode, depth=depth)

    async def unsubscribe(self, symbol: str, mode: int) -> None:
        symbols = [{"exchange": "CRYPTO", "symbol": symbol, "mode": mode}]
        await self.ask("unsubscribe", symbols=symbols)


async def test_a_client_of_openalgo_leases_the_depth_that_it_asks_for() -> None:
    talk = Talk()
    await talk.begin()
    await talk.subscribe("BTC/USD", 1)
    await talk.subscribe("ETH/USD", 2, depth=30)
    assert talk.leases.depths == {"CRYPTO:BTC/USD": 0, "CRYPTO:ETH/USD": 0}
    for depth in (20, 30, 5):
        await talk.subscribe("BTC/USD", 3, depth=depth)
        assert talk.leases.depths["CRYPTO:BTC/USD"] == depth
    await talk.unsubscribe("ETH/USD", 1)
    await talk.unsubscribe("BTC/USD", 3)
    assert talk.leases.depths == {"CRYPTO:BTC/USD": 0, "CRYPTO:ETH/USD": 0}
    await talk.unsubscribe("ETH/USD", 2)
    assert talk.leases.depths == {"CRYPTO:BTC/USD": 0}
    await talk.ask("unsubscribe_all")
    assert talk.leases.depths == {}


async def test_a_client_of_openalgo_that_leaves_leases_nothing() -> None:
    talk = Talk()
    await talk.begin()
    await talk.subscribe("BTC/USD", 3)
    talk.streams.close(talk.client)
    talk.streams.close(talk.client)
    assert talk.leases.closed == 1


async def test_a_refusal_is_told_for_the_instrument() -> None:
    talk = Talk()
    await talk.begin()
    talk.leases.refusals[BTC.key] = "not in your plan"
    talk.client.got.clear()
    await talk.subscribe("BTC/USD", 3)
    answer = b"".join(talk.client.got)
    assert b"not in your plan" in answer
    assert talk.leases.depths == {}
