"""Two servers of the same events: our event stream, and a plain one as it is usually written.

Each is an ASGI application for Granian. Both publish the same frames from the
same source, `SSE_BENCH_RATE` events/s; both hold at most 512 events for a client.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from dashboard.access.places import Places
from dashboard.core.instruments import Instrument
from dashboard.core.model import Side, Trade
from dashboard.hub.hub import Hub
from dashboard.protocols import sse
from dashboard.streaming.event_stream import EventStreams
from dashboard.streaming.selections import INSTRUMENT_EVENTS, instrument_selection
from tests.benchmarks.feeding import at_rate

INSTRUMENT = Instrument(symbol="AAPL", exchange="REDIS", tick_size=0.01)
EPOCH = "e1"


def envelope(number: int) -> str:
    """Make a trade as the exchange publishes it, with its number and the time in ns."""
    return (
        '{"type":"trade","data":{"buyer":"ann","buyer_order_id":17,"instrument":"AAPL",'
        '"price":175.25,"seller":"bob","seller_order_id":18,'
        '"timestamp":"2026-11-20T12:00:00.000001Z","volume":5},'
        '"timestamp":"2026-11-20T12:00:00.000001Z","instrument":"AAPL",'
        f'"n":{number},"ns":{time.time_ns()}}}'
    )


async def publish_steadily(publish: Callable[[int, str], object], rate: float) -> None:
    """Publish envelopes at a rate, each at its own time, for ever."""
    await at_rate(lambda number: publish(number, envelope(number)), rate)


def _served(path: str, endpoint: Callable[[Request], object], publish: object) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        rate = float(os.environ["SSE_BENCH_RATE"])
        source = asyncio.create_task(publish_steadily(publish, rate))  # pyright: ignore[reportArgumentType] - one of the two below
        yield
        source.cancel()

    return Starlette(routes=[Route(path, endpoint)], lifespan=lifespan)


def ours() -> ASGIApp:
    """Build the server from the product's own parts: hub, encoder, event stream."""
    encoders = {sse.DIALECT: sse.encoder}
    hub = Hub(epoch=EPOCH, clock=time.time_ns, resume_events=100_000, encoders=encoders)
    streams = EventStreams(Places(limit=10_000))
    selection = instrument_selection(INSTRUMENT)

    def publish(_number: int, text: str) -> None:
        hub.publish(
            Trade(
                symbol=INSTRUMENT.symbol,
                exchange=INSTRUMENT.exchange,
                price=175.25,
                size=5,
                aggressor_side=Side.BUY,
                envelope=text,
                ts_event=0,
            )
        )

    async def stream(_request: Request) -> ASGIApp:
        return partial(streams.serve, hub, selection, None, contextlib.nullcontext())

    return _served("/sse/AAPL", stream, publish)


def plain() -> ASGIApp:
    """Build the server as tutorials do: a queue per client, and a `yield` per event."""
    queues: set[asyncio.Queue[bytes]] = set()

    def publish(number: int, text: str) -> None:
        frame = f"id: {EPOCH}:{number}\ndata: {text}\n\n".encode()
        for queue in queues:
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(frame)

    async def events() -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes] = asyncio.Queue(INSTRUMENT_EVENTS)
        queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            queues.remove(queue)

    async def stream(_request: Request) -> StreamingResponse:
        return StreamingResponse(events(), media_type="text/event-stream")

    return _served("/sse/AAPL", stream, publish)
