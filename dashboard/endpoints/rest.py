"""`/api/instruments…`: what can be traded, how it stands and how it went, as JSON.

The description of all of it is served at `/api/openapi.json`. An error is
`{"error","allowed"}`.
"""

import time
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from dashboard import __version__
from dashboard.bootstrap import services
from dashboard.core.errors import RequestError
from dashboard.core.model import Book, Event, Instrument, Kind, Price, Quote, Theo, Topic, Trade
from dashboard.history.bars import MAX_BARS, Interval

DEFAULT_BARS = 500


class InstrumentEntry(BaseModel):
    """One instrument in the list; `name` is its symbol."""

    name: str
    underlying: str | None
    exchange: str


class InstrumentDetails(InstrumentEntry):
    """One instrument with its limits, null where unknown.

    `absolute_limit` bounds a client's position in it, either way, `delta_limit`
    the sum of the positions in all instruments of the underlying.
    """

    tick_size: float
    absolute_limit: float | None
    delta_limit: float | None


class BestBidOffer(BaseModel):
    """The best bid and offer; an empty side has price null and quantity 0."""

    best_bid: float | None
    best_bid_qty: float
    best_ask: float | None
    best_ask_qty: float


class OrderBook(BaseModel):
    """Both sides, best first; a level is price and size."""

    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class Snapshot(BaseModel):
    """How an instrument stands; null is what has not come yet.

    `/sse/{name}?since={id}` goes on from it without a gap. `last_trade` is the
    price of the last trade, or the feed's last price where it has told of no trade,
    `theo` the theoretical price of the underlying, and `ts` is in microseconds
    since the Unix epoch, UTC.
    """

    id: str
    instrument: str
    bbo: BestBidOffer | None
    book: OrderBook
    last_trade: float | None
    theo: float | None
    ts: int


class BarEntry(BaseModel):
    """What was traded in one interval; `timestamp` is its beginning in ms since the Unix epoch."""

    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Problem(BaseModel):
    """What was wrong with a request, and what is allowed."""

    error: str
    allowed: str


class NotFoundError(RequestError):
    """A name that no feed has."""


def create_rest() -> FastAPI:
    """Build the application; it is mounted at `/api`."""
    rest = FastAPI(
        title="Livetape",
        version=__version__,
        docs_url=None,  # these pages would load their scripts from elsewhere
        redoc_url=None,
        servers=[{"url": "/api"}],
        generate_unique_id_function=lambda route: route.name,
    )
    rest.include_router(router)
    rest.add_exception_handler(NotFoundError, _not_found)
    rest.add_exception_handler(RequestValidationError, _not_allowed)
    rest.add_exception_handler(HTTPException, _not_served)
    return rest


async def _named(
    name: Annotated[
        str,
        Path(
            description="symbol or full id, `EXCHANGE:SYMBOL`; a slash stands raw or as `%2F`",
            examples=["AAPL", "CRYPTO:BTC/USD"],
        ),
    ],
) -> Instrument:
    instrument = await services().open(name)
    if instrument is None:
        raise NotFoundError(
            problem=f"Instrument '{name}' not found",
            allowed="a name or EXCHANGE:NAME from /api/instruments",
        )
    return instrument


Named = Annotated[Instrument, Depends(_named)]
router = APIRouter()
PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such instrument."},
    422: {"model": Problem, "description": "A parameter is not allowed."},
}


@router.get("/instruments")
async def list_instruments() -> list[InstrumentEntry]:
    """List every instrument of every feed, in the order of the feeds.

    Last come those that are delivered once somebody has asked for them by name.
    """
    return [
        InstrumentEntry(name=each.symbol, underlying=each.underlying, exchange=each.exchange)
        for each in services().listings
    ]


@router.get("/instruments/{name:path}/snapshot", responses=PROBLEMS)
async def get_snapshot(instrument: Named) -> Snapshot:
    """Give the newest book, quote and prices of one instrument."""
    hub = services().hub

    def latest(kind: Kind, symbol: str) -> Event | None:
        published = hub.latest_of(Topic(kind, instrument.exchange, symbol))
        return None if published is None else published.event

    book = latest(Kind.BOOK, instrument.symbol)
    quote = latest(Kind.QUOTE, instrument.symbol)
    last = latest(Kind.TRADE, instrument.symbol) or latest(Kind.PRICE, instrument.symbol)
    theo = instrument.underlying and latest(Kind.THEO, instrument.underlying)
    return Snapshot(
        id=f"{hub.epoch}:{hub.published}",
        instrument=instrument.symbol,
        bbo=_best(quote) if isinstance(quote, Quote) else None,
        book=_levels(book) if isinstance(book, Book) else OrderBook(bids=[], asks=[]),
        last_trade=last.price if isinstance(last, Trade | Price) else None,
        theo=theo.price if isinstance(theo, Theo) else None,
        ts=time.time_ns() // 1000,
    )


@router.get("/instruments/{name:path}/bars", responses=PROBLEMS)
async def list_bars(
    instrument: Named,
    interval: Annotated[Interval, Query(description="the length of a bar")] = Interval.M1,
    count: Annotated[int, Query(ge=1, le=MAX_BARS, description="at most")] = DEFAULT_BARS,
) -> list[BarEntry]:
    """List the newest bars of one instrument, oldest first; the last one is still growing.

    They are made of the trades since the server started. An interval without a
    trade has no bar. Kept are 600 of 1s, 1440 of 1m and 2016 of 5m.
    """
    return [
        BarEntry(
            timestamp=bar.start // 1_000_000,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
        )
        for bar in services().bars.of(instrument, interval, count)
    ]


@router.get("/instruments/{name:path}", responses=PROBLEMS)
async def get_instrument(instrument: Named) -> InstrumentDetails:
    """Give one instrument and its limits."""
    return InstrumentDetails(
        name=instrument.symbol,
        underlying=instrument.underlying,
        exchange=instrument.exchange,
        tick_size=instrument.tick_size,
        absolute_limit=instrument.absolute_limit,
        delta_limit=instrument.delta_limit,
    )


def _best(quote: Quote) -> BestBidOffer:
    return BestBidOffer(
        best_bid=quote.bid_price,
        best_bid_qty=quote.bid_size,
        best_ask=quote.ask_price,
        best_ask_qty=quote.ask_size,
    )


def _levels(book: Book) -> OrderBook:
    return OrderBook(bids=list(book.bids), asks=list(book.asks))


async def _not_found(_request: Request, error: Exception) -> JSONResponse:
    missing = cast("NotFoundError", error)
    return _problem(404, missing.problem, missing.allowed)


async def _not_allowed(_request: Request, error: Exception) -> JSONResponse:
    first = cast("RequestValidationError", error).errors()[0]
    return _problem(422, f"{first['loc'][-1]}={str(first['input'])[:100]!r}", str(first["msg"]))


async def _not_served(request: Request, error: Exception) -> JSONResponse:
    problem = cast("HTTPException", error)
    what = f"{request.method} {request.url.path[:200]}: {problem.detail}"
    return _problem(problem.status_code, what, "what /api/openapi.json describes")


def _problem(status: int, error: str, allowed: str) -> JSONResponse:
    return JSONResponse({"error": error, "allowed": allowed}, status_code=status)
