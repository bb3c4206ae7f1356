"""The market of the demonstration exchange: pure, repeatable by seed, time passed in."""

import math
import random
from collections.abc import Iterable, Sequence
from itertools import accumulate

import msgspec

from dashboard.exchange.accounts import ClientAccounts
from dashboard.exchange.clients import Cancel, Client, Request, Situation, make_clients
from dashboard.exchange.listings import LISTINGS, UNDERLYINGS, TradedListing, Underlying
from dashboard.exchange.matching import LimitOrderBook, OrderSide
from dashboard.exchange.messages import (
    account_message,
    encode_book,
    encode_quote,
    encode_trade,
    format_timestamp,
    market_message,
)

NS_PER_S = 1_000_000_000
WALK_NS = 100_000_000
"""How often the theoretical prices move."""
LONGEST_STEP_S = 1.0
"""After a longer pause the prices move as if it had been this long."""
REVALUATION_NS = NS_PER_S
REVALUATION_TURNS = 100
"""Accounts are published after this time and this many turns, so that they are never the bulk."""


class Step(msgspec.Struct, frozen=True):
    """What has happened: the messages in their order, and the new texts of Redis keys."""

    messages: list[bytes]
    keys: dict[str, bytes]
    trades: int


class Walk:
    """The theoretical price of an underlying: a random walk whose volatility comes and goes."""

    CALMING = 0.02
    """Share of the volatility's excess that is gone after a second."""
    NERVES = 0.08
    """Standard deviation of the relative change of the volatility over one second."""

    def __init__(self, underlying: Underlying) -> None:
        self.underlying = underlying
        self.price = underlying.start
        self._nerves = 0.0

    def step(self, rng: random.Random, elapsed_s: float) -> None:
        """Move on by a time."""
        root = math.sqrt(elapsed_s)
        self._nerves += rng.gauss(0.0, self.NERVES) * root - self.CALMING * elapsed_s * self._nerves
        volatility = self.underlying.volatility * math.exp(self._nerves)
        self.price *= math.exp(rng.gauss(0.0, volatility) * root)

    @property
    def text(self) -> bytes:
        """Give the price as its Redis key holds it."""
        return f"{self.price:.7g}".encode()


class ExchangeMarket:
    """All books, clients and accounts.

    With the same seed and the same sequence of times, the steps are the same.
    """

    def __init__(self, *, seed: int | None, now: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - a market that can be repeated, no secret
        self._walks = {each.name: Walk(each) for each in UNDERLYINGS}
        self._books = {each.name: LimitOrderBook(each.name, each.tick_size) for each in LISTINGS}
        self._clients = make_clients()
        self._turns = list(accumulate(client.weight for client in self._clients))
        self._marks = {each.name: round(self._fair(each)) for each in LISTINGS}
        self._accounts = ClientAccounts(
            [client.name for client in self._clients],
            {each.name: each.tick_size for each in LISTINGS},
        )
        self._last_order_id = 0
        self._walked = self._revalued = now
        self._turns_since = 0
        for listing in LISTINGS:
            for client in self._clients:
                self._turn(client, listing, now)

    def state(self, now: int) -> dict[str, bytes]:
        """Give the texts of all keys that hold the market as it stands."""
        timestamp = format_timestamp(now)
        keys = {f"theo:{name}": walk.text for name, walk in self._walks.items()}
        for name, book in self._books.items():
            keys[f"orderbook:{name}"] = encode_book(book, timestamp)
            keys[f"bbo:{name}"] = encode_quote(book, timestamp)
            keys[f"last_trade:{name}"] = str(book.price(self._marks[name])).encode()
        return keys

    def account_messages(self, now: int) -> list[bytes]:
        """Give the positions and the PnL of all clients as they stand."""
        timestamp = format_timestamp(now)
        clients = self._accounts.clients
        return [*self._positions(clients, timestamp), *self._pnl(timestamp)]

    def advance(self, now: int) -> Step:
        """Let one client have its turn at one instrument; there may be nothing it wants."""
        keys: dict[str, bytes] = {}
        if not 0 <= now - self._walked < WALK_NS:
            elapsed_s = min(max(0, now - self._walked) / NS_PER_S, LONGEST_STEP_S)
            self._walked = now
            for name, walk in self._walks.items():
                walk.step(self._rng, elapsed_s)
                keys[f"theo:{name}"] = walk.text
        client = self._rng.choices(self._clients, cum_weights=self._turns)[0]
        step = self._turn(client, self._rng.choice(LISTINGS), now)
        self._turns_since += 1
        late = not 0 <= now - self._revalued < REVALUATION_NS
        if late and self._turns_since >= REVALUATION_TURNS:
            self._revalued, self._turns_since = now, 0
            step.messages.extend(self.account_messages(now))
        return Step(step.messages, keys | step.keys, step.trades)

    def _fair(self, listing: TradedListing) -> float:
        """Give the fair price of an instrument in ticks."""
        return self._walks[listing.underlying.name].price * listing.basis / listing.tick_size

    def _turn(self, client: Client, listing: TradedListing, now: int) -> Step:
        situation = Situation(
            listing=listing,
            book=self._books[listing.name],
            fair=self._fair(listing),
            position=self._accounts.position(client.name, listing.name),
            now_s=now / NS_PER_S,
        )
        requests = client.decide(situation, self._rng)
        return (
            self._apply(client.name, listing.name, requests, now) if requests else Step([], {}, 0)
        )

    def _apply(self, client: str, name: str, requests: Sequence[Request], now: int) -> Step:
        """Do what a client wants, and tell of it: trades, book, quote, then positions."""
        book = self._books[name]
        timestamp = format_timestamp(now)
        quote = _quote(book)
        messages: list[bytes] = []
        keys: dict[str, bytes] = {}
        traders: dict[str, None] = {}
        for request in requests:
            if isinstance(request, Cancel):
                book.cancel(client, request.order_id)
                continue
            self._last_order_id += 1
            for fill in book.submit(
                self._last_order_id,
                client,
                request.side,
                request.ticks,
                request.volume,
                timestamp=timestamp,
                rests=request.rests,
            ):
                self._accounts.apply_fill(name, fill)
                self._marks[name] = fill.ticks
                traders |= {fill.buyer: None, fill.seller: None}
                data = encode_trade(book, fill, timestamp)
                messages.append(market_message("trade", data, timestamp, name))
                keys[f"last_trade:{name}"] = str(book.price(fill.ticks)).encode()
        trades = len(messages)
        keys[f"orderbook:{name}"] = data = encode_book(book, timestamp)
        messages.append(market_message("orderbook_update", data, timestamp, name))
        if _quote(book) != quote:
            keys[f"bbo:{name}"] = data = encode_quote(book, timestamp)
            messages.append(market_message("bbo_update", data, timestamp, name))
        messages += self._positions(traders, timestamp)
        return Step(messages, keys, trades)

    def _positions(self, clients: Iterable[str], timestamp: str) -> list[bytes]:
        return [
            account_message("position_update", self._accounts.positions(client), timestamp, client)
            for client in clients
        ]

    def _pnl(self, timestamp: str) -> list[bytes]:
        """Value all clients at once, at the last trades, so that the figures add up."""
        return [
            account_message(
                "pnl_update",
                {"pnl": round(self._accounts.pnl(client, self._marks), 2)},
                timestamp,
                client,
            )
            for client in self._accounts.clients
        ]


def _quote(book: LimitOrderBook) -> tuple[int | None, int, int | None, int]:
    """Give what a quote tells: the best price of each side, and the volume there."""
    buy, sell = OrderSide.BUY, OrderSide.SELL
    return book.best(buy), book.best_volume(buy), book.best(sell), book.best_volume(sell)
