"""What the feed makes of real traffic, against counts and books made in another way."""

import contextlib
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dashboard.core.model import Book, Event, Kind, MarketEvent, Price, Side, Trade
from dashboard.feeds.derived import Derived
from dashboard.feeds.recording import Recording
from dashboard.feeds.replay import Replay
from tests.recordings import BINANCE, COINBASE, needs_recordings
from tests.unit.fakes import Clock

pytestmark = needs_recordings

Sides = tuple[dict[str, str], dict[str, str]]


async def play(path: Path) -> tuple[Replay, list[Event]]:
    """Play one whole round and give its events."""
    replay = Replay(Recording(path), clock=Clock(), speed=0, loop=False)
    events: list[Event] = []
    await replay.run(events.append)
    return replay, events


def messages(path: Path) -> list[dict[str, Any]]:
    """Read the received messages the plain way."""
    with gzip.open(path, "rt") as file:
        return [json.loads(line.split(": ", 1)[1]) for line in file if line[0].isdigit()]


def rebuilt(path: Path) -> dict[str, Sides]:
    """Build the Coinbase books the plain way: dictionaries of the texts of the file."""
    books: dict[str, Sides] = {}
    for message in messages(path):
        if message["type"] == "snapshot":
            books[message["product_id"]] = (dict(message["bids"]), dict(message["asks"]))
        elif message["type"] == "l2update":
            for side, price, size in message["changes"]:
                levels = books[message["product_id"]][side == "sell"]
                levels[price] = size
                if float(size) == 0:
                    del levels[price]
    return books


def top(levels: dict[str, str], *, best_first: int, depth: int = 20) -> list[tuple[float, float]]:
    ordered = sorted(levels, key=lambda price: best_first * float(price))
    return [(float(price), float(levels[price])) for price in ordered[:depth]]


def last_books(events: list[Event]) -> dict[str, Book]:
    return {event.symbol: event for event in events if isinstance(event, Book)}


def never_crossed(events: list[Event]) -> bool:
    books = [event for event in events if isinstance(event, Book) and event.bids and event.asks]
    return all(book.bids[0][0] < book.asks[0][0] for book in books) and bool(books)


async def test_coinbase_shows_its_ten_products_and_every_message() -> None:
    replay, events = await play(COINBASE)
    assert Counter(event.kind for event in events) == {
        Kind.BOOK: 10 + 9719,
        Kind.PRICE: 107,
        Kind.TRADE: 97 + 10,
    }
    symbols = {event.symbol for event in events if isinstance(event, MarketEvent)}
    assert len(symbols) == 10
    assert symbols == {each.symbol for each in replay.instruments()}
    assert (replay.gaps, replay.skipped) == (0, 0)


@pytest.mark.parametrize(("path", "own", "trades"), [(COINBASE, 107, 97), (BINANCE, 613, 91)])
async def test_every_trade_makes_a_price_beside_those_that_the_venue_tells(
    path: Path, own: int, trades: int
) -> None:
    _, events = await play(path)
    published: list[Event] = []
    derived = Derived(published.append, lambda _topic: None)
    for event in events:
        derived.publish(event)
    prices = [event for event in published if isinstance(event, Price)]
    assert Counter(price.derived for price in prices) == {False: own, True: trades}
    for at, event in enumerate(published):
        if isinstance(event, Trade) and not event.historical:
            made = published[at + 1]
            assert isinstance(made, Price)
            assert (made.symbol, made.price, made.volume, made.ts_event) == (
                event.symbol,
                event.price,
                event.size,
                event.ts_event,
            )


async def test_coinbase_has_its_97_matches_a_round_and_marks_the_10_last_matches() -> None:
    loop = Replay(Recording(COINBASE), clock=Clock(), speed=0)
    events: list[Event] = []

    class Enough(Exception):  # noqa: N818 - it is no error
        pass

    def publish(event: Event) -> None:
        if loop.rounds == 3:
            raise Enough
        events.append(event)

    with contextlib.suppress(Enough):
        await loop.run(publish)
    trades = [event for event in events if isinstance(event, Trade)]
    assert Counter(trade.historical for trade in trades) == {False: 3 * 97, True: 3 * 10}
    wanted = [
        (m["product_id"], float(m["price"]), float(m["size"]), m["side"])
        for m in messages(COINBASE)
        if m["type"] == "match"
    ]
    maker = {Side.BUY: "sell", Side.SELL: "buy"}
    seen = [
        (t.symbol, t.price, t.size, maker[t.aggressor_side]) for t in trades if not t.historical
    ]
    assert seen == wanted * 3
    assert never_crossed(events)


async def test_coinbase_books_equal_those_rebuilt_from_the_file() -> None:
    _, events = await play(COINBASE)
    assert never_crossed(events)
    books = last_books(events)
    expected = rebuilt(COINBASE)
    assert books.keys() == expected.keys()
    for symbol, (bids, asks) in expected.items():
        assert list(books[symbol].bids) == top(bids, best_first=-1)
        assert list(books[symbol].asks) == top(asks, best_first=1)
        assert not books[symbol].partial


async def test_coinbase_ticks_are_those_of_its_prices() -> None:
    ticks = {each.symbol: each.tick_size for each in Recording(COINBASE).instruments}
    assert ticks["BAND-GBP"] == 0.0001
    assert ticks["SKL-BTC"] == 1e-8


async def test_a_seek_ends_in_the_same_books_as_playing(tmp_path: Path) -> None:
    replay, events = await play(COINBASE)
    replay.seek(replay.duration_s)
    sought: list[Event] = []
    await replay.run(sought.append)
    assert {symbol: (book.bids, book.asks) for symbol, book in last_books(sought).items()} == {
        symbol: (book.bids, book.asks) for symbol, book in last_books(events).items()
    }
    assert len(sought) == 20


async def test_binance_shows_four_symbols_every_message_and_no_gap() -> None:
    replay, events = await play(BINANCE)
    assert Counter(event.kind for event in events) == {
        Kind.BOOK: 764,
        Kind.PRICE: 613,
        Kind.TRADE: 91,
    }
    ticks = {each.symbol: each.tick_size for each in replay.instruments()}
    assert ticks == {"SUSHIUSDT": 0.001, "AKROUSDT": 1e-5, "KEEPUSDT": 0.0001, "CTKUSDT": 0.001}
    assert (replay.gaps, replay.skipped) == (0, 0)
    assert never_crossed(events)


async def test_binance_books_are_partial_until_both_sides_have_five_levels() -> None:
    _, events = await play(BINANCE)
    whole: set[str] = set()
    for book in events:
        if isinstance(book, Book):
            if min(len(book.bids), len(book.asks)) >= 5:
                whole.add(book.symbol)
            assert book.partial == (book.symbol not in whole)
    assert len(whole) == 4


async def test_damaged_lines_are_counted_and_the_rest_is_played(tmp_path: Path) -> None:
    with gzip.open(COINBASE, "rt") as file:
        lines = file.read().splitlines()
    updates = [number for number, line in enumerate(lines) if '"l2update"' in line]
    damaged = [updates[place] for place in (100, 2000, 9000)]
    for number in damaged:
        lines[number] = lines[number][: len(lines[number]) // 2]
    path = tmp_path / "damaged.wslog"
    path.write_text("\n".join(lines))
    replay, events = await play(path)
    assert replay.skipped == 3
    assert len(events) == 9729 + 107 + 107 - 3
    assert never_crossed(events)
