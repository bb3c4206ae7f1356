"""Publishing into the hub with 1, 100 and 1,000 subscribers, beside plain queues.

The peer is what one writes first: an `asyncio.Queue` for each subscriber and the
event encoded for each of them. Both deliver every event to every subscriber,
encoded; the ratio is the peer's time over the hub's.
"""

import asyncio
import time
from collections.abc import Callable

import msgspec

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.model import Price
from dashboard.hub.hub import Hub
from dashboard.protocols import live
from tests.benchmarks.report import Table

DELIVERIES = 400_000
ROUNDS = 3


def price(number: int) -> Price:
    return Price(
        symbol=f"S{number % 50}", exchange="X", price=number / 7, volume=1, ts_event=number
    )


def through_the_hub(subscribers: int, events: int) -> float:
    """Publish and take by everyone; give the seconds it took."""
    hub = Hub(
        epoch="e",
        clock=time.time_ns,
        resume_events=100_000,
        encoders={live.DIALECT: live.encoder},
    )
    readers = [
        hub.subscribe(
            name="bench",
            wants=lambda _topic: True,
            capacity=events,
            policy=OverflowPolicy.CONFLATE,
        )
        for _ in range(subscribers)
    ]
    began = time.perf_counter()
    for number in range(events):
        hub.publish(price(number))
    delivered = sum(
        len([hub.frame(entry, live.DIALECT) for entry in reader.take()]) for reader in readers
    )
    elapsed = time.perf_counter() - began
    assert delivered == subscribers * events
    return elapsed


def through_queues(subscribers: int, events: int) -> float:
    """The same with a queue and an encoding per subscriber."""
    queues: list[asyncio.Queue[bytes]] = [asyncio.Queue(events) for _ in range(subscribers)]
    encode = msgspec.json.Encoder().encode
    began = time.perf_counter()
    for number in range(events):
        event = price(number)
        for queue in queues:
            queue.put_nowait(encode(event))
    delivered = sum(1 for queue in queues for _ in range(queue.qsize()) if queue.get_nowait())
    elapsed = time.perf_counter() - began
    assert delivered == subscribers * events
    return elapsed


def best(measure: Callable[[int, int], float], subscribers: int, events: int) -> float:
    """Give the shortest of some rounds."""
    return min(measure(subscribers, events) for _ in range(ROUNDS))


def main() -> None:
    """Measure each number of subscribers."""
    table = Table("hub")
    for subscribers in (1, 100, 1000):
        events = DELIVERIES // max(subscribers, 10)
        hub = best(through_the_hub, subscribers, events)
        queues = best(through_queues, subscribers, events)
        table.add(
            {
                "subscribers": subscribers,
                "events/s": round(events / hub),
                "deliveries/s": round(events * subscribers / hub),
                "µs/event": round(hub / events * 1e6, 2),
                "µs/delivery": round(hub / events / subscribers * 1e6, 3),
                "queues / hub": round(queues / hub, 2),
            }
        )
    table.save()


if __name__ == "__main__":
    main()
