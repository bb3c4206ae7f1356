"""The dispatch of OpenAlgo's ticks, where one of them is beyond all numbers."""

import asyncio
import json
from typing import Any

import pytest

from dashboard.access.places import Places
from dashboard.core.directory import Catalogue
from dashboard.core.market_quote import MarketQuote
from dashboard.core.principal import LOCAL, Principal
from dashboard.protocols.openalgo.modes import Mode
from dashboard.streaming.openalgo import OpenAlgoStreams
from tests.unit.fake_feeds import instrument
from tests.unit.fakes import book, price, trade
from tests.unit.streaming.live_product import Product
from tests.unit.streaming.receivers import FakeReceiver, until

SYMBOLS = ("BTC/USD", "ETH/USD")
HUGE = 1e308


def running_product() -> Product:
    instruments = tuple(instrument(f"CRYPTO:{each}") for each in SYMBOLS)
    return Product(Catalogue(feed="feed", standing=instruments))


async def authenticate(_key: str, _address: str) -> Principal | None:
    return LOCAL


async def subscriber(streams: OpenAlgoStreams, mode: Mode) -> FakeReceiver:
    client = FakeReceiver()
    streams.open(client)
    symbols = [{"exchange": "CRYPTO", "symbol": each} for each in SYMBOLS]
    for asked in (
        {"action": "authenticate", "api_key": "any"},
        {"action": "subscribe", "symbols": symbols, "mode": int(mode)},
    ):
        await streams.answer(client, json.dumps(asked).encode(), address="127.0.0.1")
    client.got.clear()
    return client


def data(client: FakeReceiver, symbol: str) -> list[dict[str, Any]]:
    """Give what came of a symbol. The fake's frames have no header, so they stand in a row."""
    text, decoder, found = b"".join(client.got).decode(), json.JSONDecoder(), []
    while text:
        frame, end = decoder.raw_decode(text)
        text = text[end:]
        if frame["type"] == "market_data" and frame["symbol"] == symbol:
            found.append(frame["data"])
    return found


@pytest.mark.parametrize("mode", [Mode.QUOTE, Mode.DEPTH])
async def test_sizes_whose_sum_is_beyond_all_numbers_stop_nobody(mode: Mode) -> None:
    running = running_product()
    streams = OpenAlgoStreams(running, authenticate=authenticate, places=Places(limit=9))
    task = asyncio.create_task(streams.run())
    client = await subscriber(streams, mode)
    for _ in range(2):
        running.hub.publish(trade("BTC/USD", size=HUGE))
    running.hub.publish(book("BTC/USD", bids=((1.0, HUGE),), asks=((HUGE, HUGE),)))
    running.hub.publish(trade("ETH/USD", 10.0, size=1))
    running.hub.publish(book("ETH/USD"))
    await until(lambda: bool(data(client, "ETH/USD")))
    assert data(client, "BTC/USD")[-1]["volume"] == 0
    assert data(client, "BTC/USD")[-1]["average_price"] == 0
    assert data(client, "ETH/USD")[-1]["volume"] == 1
    late = await subscriber(streams, mode)
    assert running.hub.failures.by_place == {}
    running.hub.close()
    await task
    assert client.ended
    assert late.ended


async def test_a_tick_that_cannot_be_written_is_counted_and_the_others_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def encode(quote: MarketQuote, *_: object, broker: str) -> bytes:
        if quote.symbol == "BTC/USD":
            raise OverflowError(broker)
        return b'{"type":"market_data","symbol":"ETH/USD","data":{}}'

    running = running_product()
    streams = OpenAlgoStreams(running, authenticate=authenticate, places=Places(limit=9))
    task = asyncio.create_task(streams.run())
    client = await subscriber(streams, Mode.QUOTE)
    monkeypatch.setattr("dashboard.streaming.openalgo.encode_data", encode)
    for symbol in SYMBOLS:
        running.hub.publish(price(symbol))
    await until(lambda: data(client, "ETH/USD") == [{}])
    assert running.hub.failures.by_place == {"openalgo": 1}
    late = await subscriber(streams, Mode.QUOTE)  # its first values cannot be written either
    assert running.hub.failures.by_place == {"openalgo": 2}
    running.hub.close()
    await task
    assert late.ended
