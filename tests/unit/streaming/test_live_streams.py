import asyncio
from types import SimpleNamespace
from typing import Any

from dashboard.core.model import Price, Published
from dashboard.hub.hub import Hub
from dashboard.protocols import live
from dashboard.streaming.live_streams import LiveStreams
from tests.unit.streaming.receivers import FakeReceiver, until

SCOPE = {"type": "websocket", "path": "/ws", "query_string": b"", "headers": []}
FREQUENCY_MS = 50


def price(value: float) -> Price:
    return Price(symbol="AAPL", exchange="NASDAQ", price=value, volume=1, ts_event=0)


async def admit(_scope: object) -> None:
    return None


async def test_what_another_client_s_arrival_dispatched_comes_though_the_market_is_quiet() -> None:
    hub = Hub(epoch="e", clock=lambda: 0, resume_events=10, encoders={live.DIALECT: live.encoder})
    running: Any = SimpleNamespace(
        hub=hub, conflates=True, frequency_ms=FREQUENCY_MS, on_demand=frozenset()
    )
    streams = LiveStreams(running, admission=admit)
    ann, bob = FakeReceiver(), FakeReceiver()
    async with asyncio.TaskGroup() as group:
        group.create_task(streams.run())
        assert await streams.open(ann, SCOPE) is None
        hub.publish(price(1.5))
        await until(lambda: bool(ann.got))
        hub.publish(price(2.5))  # the pump waits for its interval to end
        assert await streams.open(bob, SCOPE) is None
        await until(lambda: b'"price":2.5' in b"".join(ann.got))
        assert b"".join(bob.got).count(b'"price":2.5') == 1
        hub.close()
    assert ann.ended
    assert bob.ended


async def test_an_event_that_cannot_be_written_is_counted_and_the_others_come() -> None:
    write = live.encoder("e")

    def encode(published: Published) -> str:
        if published.event.topic.subject == "BAD":
            raise OverflowError("int too big to convert")
        return write(published)

    hub = Hub(
        epoch="e", clock=lambda: 0, resume_events=10, encoders={live.DIALECT: lambda _epoch: encode}
    )
    running: Any = SimpleNamespace(
        hub=hub, conflates=False, frequency_ms=FREQUENCY_MS, on_demand=frozenset()
    )
    streams = LiveStreams(running, admission=admit)
    ann, bob = FakeReceiver(), FakeReceiver()
    async with asyncio.TaskGroup() as group:
        group.create_task(streams.run())
        assert await streams.open(ann, SCOPE) is None
        hub.publish(Price(symbol="BAD", exchange="NASDAQ", price=1, volume=1, ts_event=0))
        hub.publish(price(1.5))
        await until(lambda: b'"price":1.5' in b"".join(ann.got))
        assert await streams.open(bob, SCOPE) is None  # whose first values hold it too
        await until(lambda: b'"price":1.5' in b"".join(bob.got))
        assert hub.failures.by_place == {"live frame": 1}
        hub.close()
    assert b"BAD" not in b"".join(ann.got + bob.got)
