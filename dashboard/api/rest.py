"""The API, put together, and `/api/instruments…`: what can be traded, how it stands and went.

The description of all of it is served at `/api/openapi.json`. An error is
`{"error","allowed"}`, but that of the trading engine has a form of its own.
"""

import time
from collections.abc import Mapping
from typing import Annotated, Any, cast
from urllib.parse import unquote

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from dashboard import __version__
from dashboard.access.turns import Turns
from dashboard.api import health, runners, strategies
from dashboard.api.engine_answers import by_path, not_allowed, not_done, not_served, with_methods
from dashboard.api.engine_gate import EngineGate, Rates
from dashboard.api.rest_models import (
    BarEntry,
    BestBidOffer,
    InstrumentDetails,
    InstrumentEntry,
    OrderBook,
    Problem,
    Snapshot,
)
from dashboard.api.running import Running
from dashboard.core.bars import MAX_BARS, Interval
from dashboard.core.errors import CommandError, LivetapeError, RequestError
from dashboard.core.instruments import Instrument
from dashboard.core.leases import WHOLE_BOOK
from dashboard.core.model import Book, Event, Kind, Price, PriceBasis, Quote, Theo, Topic, Trade
from dashboard.hub.hub import Hub

DEFAULT_BARS = 500


class NotFoundError(RequestError):
    """A name that no feed has."""


def create_rest(running: Running, turns: Turns, rates: Rates) -> FastAPI:
    """Build the application; it is mounted at `/api`. What is long takes one of the `turns`.

    `rates` limit how often the trading engine may be asked.
    """
    rest = FastAPI(
        title="Livetape",
        version=__version__,
        docs_url=None,  # these pages would load their scripts from elsewhere
        redoc_url=None,
        servers=[{"url": "/api"}],
        generate_unique_id_function=lambda route: route.name,
    )
    rest.state.running = running
    rest.state.turns = turns
    rest.state.routers = (router, health.router, runners.router, strategies.router)
    for each in rest.state.routers:
        rest.include_router(each)
    rest.add_exception_handler(NotFoundError, _not_found)
    rest.add_exception_handler(LivetapeError, by_path(not_done, others=_refused))
    rest.add_exception_handler(RequestValidationError, by_path(not_allowed, others=_not_allowed))
    rest.add_exception_handler(HTTPException, by_path(not_served, others=_not_served))
    rest.add_middleware(EngineGate, rates=rates, failures=running.hub.failures)
    return rest


async def _running(request: Request) -> Running:
    return request.app.state.running


async def _turns(request: Request) -> Turns:
    return request.app.state.turns


Product = Annotated[Running, Depends(_running)]
InTurn = Annotated[Turns, Depends(_turns)]


async def _named(
    running: Product,
    name: Annotated[
        str,
        Path(
            description="symbol or full id, `EXCHANGE:SYMBOL`; a slash stands raw or as `%2F`",
            examples=["AAPL", "CRYPTO:BTC/USD"],
        ),
    ],
) -> Instrument:
    instrument = running.directory.find(name)
    if instrument is None:
        raise NotFoundError(
            problem=f"Instrument '{name}' not found",
            allowed="a name or EXCHANGE:NAME from /api/instruments",
        )
    return instrument


class InstrumentRoute(APIRoute):
    """A route of something about an instrument, such as `{name}/bars`.

    A name may end like that itself. Then it is the instrument where there is no
    other; where there is, `%2F` in place of the last slash names it.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Leave a request to the next route where its path names an instrument."""
        match, child_scope = super().matches(scope)
        of = self.path.rpartition("}/")[2]
        name: str = child_scope.get("path_params", {}).get("name", "")
        if match is Match.NONE or not name or not of.isalpha():
            return match, child_scope
        running: Running = scope["app"].state.running
        find = running.directory.find
        if find(f"{name}/{of}") is None or (_is_raw(scope, of) and find(name) is not None):
            return match, child_scope
        return Match.NONE, {}


def _is_raw(scope: Scope, segment: str) -> bool:
    """Tell whether a path ends with this segment after a slash that is none of a name's."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return unquote(raw.rpartition(b"/")[2].decode("latin-1")) == segment


Named = Annotated[Instrument, Depends(_named)]
router = APIRouter(route_class=InstrumentRoute)
PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such instrument."},
    422: {"model": Problem, "description": "A parameter is not allowed."},
}
LENT: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    503: {"model": Problem, "description": "Its feed does not deliver the instrument."},
}


@router.get("/instruments", response_model=list[InstrumentEntry])
async def list_instruments(running: Product, turns: InTurn) -> Response:
    """List every instrument of every feed, in the order of the feeds.

    Last come those that are delivered once somebody has asked for them by name.
    """
    async with turns.one():
        entries = [
            InstrumentEntry(name=each.symbol, underlying=each.underlying, exchange=each.exchange)
            for each in running.directory.listings
        ]
        return _answer(entries)


@router.get("/instruments/{name:path}/snapshot", response_model=Snapshot, responses=LENT)
async def get_snapshot(running: Product, instrument: Named, turns: InTurn) -> Response:
    """Give the newest book, quote and prices of one instrument.

    One on demand is delivered from here on for 60 s; each call renews them. The first
    call waits up to 2 s for a first value.
    """
    await running.leases.lend(instrument, depth=WHOLE_BOOK)
    async with turns.one():
        return _answer(_snapshot(running.hub, instrument))


@router.get("/instruments/{name:path}/bars", response_model=list[BarEntry], responses=LENT)
async def list_bars(
    running: Product,
    instrument: Named,
    turns: InTurn,
    interval: Annotated[Interval, Query(description="the length of a bar")] = Interval.M1,
    count: Annotated[int, Query(ge=1, le=MAX_BARS, description="at most")] = DEFAULT_BARS,
) -> Response:
    """List the newest bars of one instrument, oldest first; the last one is still growing.

    They are made of the trades since the server started. An interval without a
    trade has no bar. Kept are 600 of 1s, 1440 of 1m and 2016 of 5m. One on demand is
    delivered from here on for 60 s; each call renews them.
    """
    await running.leases.lend(instrument)
    await running.bars.load(instrument)
    async with turns.one():
        entries = [
            BarEntry(
                timestamp=bar.start // 1_000_000,
                open=bar.open,
                high=bar.high,
                low=bar.low,
                close=bar.close,
                volume=bar.volume,
            )
            for bar in running.bars.of(instrument, interval, count)
        ]
        return _answer(entries)


@router.get("/instruments/{name:path}", response_model=InstrumentDetails, responses=PROBLEMS)
async def get_instrument(instrument: Named) -> Response:
    """Give one instrument: its limits, what it is, and what its feed may send of it."""
    details = InstrumentDetails(
        name=instrument.symbol,
        underlying=instrument.underlying,
        exchange=instrument.exchange,
        tick_size=instrument.tick_size,
        absolute_limit=instrument.absolute_limit,
        delta_limit=instrument.delta_limit,
        kind=instrument.kind,
        sends=instrument.sends,
    )
    return _answer(details)


def _answer(content: object) -> Response:
    """Encode an answer at once: there may be ten thousand entries, which no model need check."""
    return Response(msgspec.json.encode(content), media_type="application/json")


def _snapshot(hub: Hub, instrument: Instrument) -> Snapshot:
    def latest(kind: Kind, symbol: str) -> Event | None:
        published = hub.latest_of(Topic(kind, instrument.exchange, symbol))
        return None if published is None else published.event

    book = latest(Kind.BOOK, instrument.symbol)
    quote = latest(Kind.QUOTE, instrument.symbol)
    last = latest(Kind.TRADE, instrument.symbol) or latest(Kind.PRICE, instrument.symbol)
    if isinstance(last, Price) and last.basis is PriceBasis.MID:
        last = None
    theo = instrument.underlying and latest(Kind.THEO, instrument.underlying)
    return Snapshot(
        id=hub.newest_id,
        instrument=instrument.symbol,
        bbo=_best(quote) if isinstance(quote, Quote) else None,
        book=_levels(book) if isinstance(book, Book) else OrderBook(bids=[], asks=[]),
        last_trade=last.price if isinstance(last, Trade | Price) else None,
        theo=theo.price if isinstance(theo, Theo) else None,
        ts=time.time_ns() // 1000,
    )


def _best(quote: Quote) -> BestBidOffer:
    return BestBidOffer(
        best_bid=quote.bid_price,
        best_bid_qty=quote.bid_size,
        best_ask=quote.ask_price,
        best_ask_qty=quote.ask_size,
    )


def _levels(book: Book) -> OrderBook:
    return OrderBook(bids=book.bids, asks=book.asks)


async def _not_found(_request: Request, error: Exception) -> JSONResponse:
    missing = cast("NotFoundError", error)
    return _problem(404, missing.problem, missing.allowed)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, CommandError):
        raise error
    return _problem(
        503,
        f"its feed does not deliver it: {error.problem}",
        "an instrument that its feed delivers",
    )


async def _not_allowed(_request: Request, error: Exception) -> JSONResponse:
    first = cast("RequestValidationError", error).errors()[0]
    return _problem(422, f"{first['loc'][-1]}={str(first['input'])[:100]!r}", str(first["msg"]))


async def _not_served(request: Request, error: Exception) -> JSONResponse:
    problem = cast("HTTPException", error)
    what = f"{request.method} {request.url.path[:200]}: {problem.detail}"
    allowed = "what /api/openapi.json describes"
    headers = with_methods(request, problem)
    return _problem(problem.status_code, what, allowed, headers=headers)


def _problem(
    status: int, error: str, allowed: str, *, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    content = {"error": error, "allowed": allowed}
    return JSONResponse(content, status_code=status, headers=headers)
