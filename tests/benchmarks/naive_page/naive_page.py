"""The peer of the market page: the same market, written as Reflex's tutorials would.

Every list lives in state and goes to the page whole with each push: cards with a
sparkline as SVG points, the trades, the book. Feeds, hub and settings are the
product's, so that only the way to the page differs.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import reflex as rx
from starlette.types import ASGIApp

from dashboard.access.key_guard import KeyGuard
from dashboard.access.keyed_connections import KeyedConnections
from dashboard.access.places import Places
from dashboard.bootstrap.product import Product
from dashboard.config import settings_or_exit
from dashboard.core.conflation import OverflowPolicy
from dashboard.core.model import Book, Price, Trade
from dashboard.routes import create_api
from dashboard.streaming.server import StreamServer

settings = settings_or_exit()
product = Product(settings)
CARDS = 8
SAMPLES = 200
TRADES = 50
WIDTH, HEIGHT = 200, 40


class NaiveState(rx.State):
    """Everything that the page shows."""

    number: int = 0
    cards: list[dict[str, str]] = []
    trades: list[dict[str, str]] = []
    bids: list[list[float]] = []
    asks: list[list[float]] = []

    @rx.event(background=True)
    async def stream(self) -> None:
        """Push all of it at the frequency, until the tab closes."""
        running = product.web
        symbols = [each.symbol for each in running.directory.standing[:CARDS]]
        prices = {symbol: deque[float](maxlen=SAMPLES) for symbol in symbols}
        trades = deque[dict[str, str]](maxlen=TRADES)
        subscription = running.hub.subscribe(
            name="naive page",
            wants=lambda _topic: True,
            capacity=20_000,
            policy=OverflowPolicy.CONFLATE,
        )
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not subscription.closed:
            due = max(due + running.frequency_ms / 1000, loop.time())
            await asyncio.sleep(due - loop.time())
            book: Book | None = None
            for entry in subscription.take():
                match entry.event:
                    case Price(symbol=symbol, price=price) if symbol in prices:
                        prices[symbol].append(price)
                    case Trade(symbol=symbol) as trade if symbol in prices:
                        trades.appendleft(_trade(trade))
                    case Book(symbol=symbol) as book if symbol == symbols[0]:
                        pass
                    case _:
                        pass
            async with self:
                self.number += 1
                self.cards = [_card(symbol, prices[symbol]) for symbol in symbols]
                self.trades = list(trades)
                if book is not None:
                    self.bids = [list(level) for level in book.bids]
                    self.asks = [list(level) for level in book.asks]


def _trade(trade: Trade) -> dict[str, str]:
    return {
        "symbol": trade.symbol,
        "price": f"{trade.price:.2f}",
        "size": f"{trade.size:g}",
        "side": str(trade.aggressor_side),
    }


def _card(symbol: str, prices: deque[float]) -> dict[str, str]:
    if not prices:
        return {"symbol": symbol, "price": "", "points": ""}
    low, high = min(prices), max(prices)
    scale = HEIGHT / (high - low or 1)
    step = WIDTH / SAMPLES
    points = " ".join(
        f"{at * step:.1f},{HEIGHT - (price - low) * scale:.1f}" for at, price in enumerate(prices)
    )
    return {"symbol": symbol, "price": f"{prices[-1]:.2f}", "points": points}


def index() -> rx.Component:
    """Show cards, trades and book."""
    return rx.el.main(
        rx.el.p(NaiveState.number, id="number"),
        rx.foreach(
            NaiveState.cards,
            lambda card: rx.el.section(
                rx.el.h2(card["symbol"]),
                rx.el.p(card["price"]),
                rx.el.svg(
                    rx.el.svg.polyline(points=card["points"], fill="none", stroke="teal"),
                    width=f"{WIDTH}",
                    height=f"{HEIGHT}",
                ),
            ),
        ),
        rx.el.table(
            rx.foreach(
                NaiveState.trades,
                lambda trade: rx.el.tr(
                    rx.el.td(trade["symbol"]),
                    rx.el.td(trade["side"]),
                    rx.el.td(trade["price"]),
                    rx.el.td(trade["size"]),
                ),
            )
        ),
        _levels(NaiveState.bids),
        _levels(NaiveState.asks),
    )


def _levels(levels: list[list[float]]) -> rx.Component:
    return rx.el.table(
        rx.foreach(levels, lambda level: rx.el.tr(rx.el.td(level[0]), rx.el.td(level[1])))
    )


@asynccontextmanager
async def lifespan() -> AsyncGenerator[None]:
    """Run the product's feeds, hub and streams."""
    async with product.running(), openalgo.running(product.web):
        yield


places = Places(limit=settings.max_clients)
keyed = KeyedConnections()
openalgo = StreamServer(settings, clients=places, keyed=keyed, refusal=lambda _headers: None)


def guarded(inner: ASGIApp) -> ASGIApp:
    """Say who asks: only who may change the frequency can measure at another one."""
    return KeyGuard(inner, required="auto", keys=lambda: product.web.keys, connections=keyed)


app = rx.App(api_transformer=[create_api(product, places, openalgo), guarded])
app.register_lifespan_task(lifespan)
app.add_page(index, on_load=NaiveState.stream)
