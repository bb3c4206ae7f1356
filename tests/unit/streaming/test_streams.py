import asyncio
import time

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.model import Price
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.pace import Pace
from dashboard.fanout.route import Route
from dashboard.hub.hub import Hub
from dashboard.streaming.streams import BACKLOG_EVENTS, Pump
from tests.unit.streaming.receivers import FakeReceiver, until

BATCHES = 50
WORK_S = 0.003
PRICE = Price(symbol="AAPL", exchange="NASDAQ", price=1.5, volume=1, ts_event=0)


class Stream:
    """A pump from a hub to some clients; `dispatched` says how many events each dispatch took."""

    def __init__(self, *, clients: int) -> None:
        self.hub = Hub(epoch="e", clock=lambda: 0, resume_events=10)
        self.subscription = self.hub.subscribe(
            name="test", wants=lambda _: True, capacity=10_000, policy=OverflowPolicy.DISCONNECT
        )
        self.fanout = Fanout()
        self.pump = Pump(self.fanout, survival=self.hub.failures.at("test pump"))
        self.clients = [FakeReceiver() for _ in range(clients)]
        for client in self.clients:
            self.fanout.move(client, "all")
        self.dispatched: list[int] = []

    def dispatch(self) -> None:
        events = self.subscription.take()
        self.dispatched.append(len(events))
        for _ in events:
            Route(self.fanout.cohorts).put("slot", b".")

    def got(self) -> list[int]:
        return [len(b"".join(client.got)) for client in self.clients]


async def test_a_tick_leaves_at_once_for_all_clients() -> None:
    stream = Stream(clients=6)
    running = asyncio.create_task(stream.pump.run(stream.subscription, stream.dispatch))
    for count in (1, 2, 3):
        stream.hub.publish(PRICE)
        await until(lambda: stream.fanout.deliveries >= 6 * count)  # noqa: B023 - awaited in this round
        assert stream.got() == [count] * 6
        await asyncio.sleep(0.01)
    assert stream.fanout.writes == 18
    stream.hub.close()
    await running


class RecordingPace(Pace):
    """A pace that keeps what it was told of the work beside writing, in seconds of CPU."""

    def __init__(self, *, lanes: int) -> None:
        super().__init__(lanes=lanes)
        self.work_s: list[float] = []

    def worked(self, cpu_s: float, *, passed_s: float) -> None:
        self.work_s.append(cpu_s)
        super().worked(cpu_s, passed_s=passed_s)


async def test_the_pace_is_told_of_the_work_beside_writing() -> None:
    stream = Stream(clients=1)
    pace = stream.pump.pace = RecordingPace(lanes=stream.fanout.lanes)

    def dispatch() -> None:
        stream.dispatch()
        end_s = time.thread_time() + WORK_S
        while time.thread_time() < end_s:
            pass

    running = asyncio.create_task(stream.pump.run(stream.subscription, dispatch))
    for count in (1, 2):
        stream.hub.publish(PRICE)
        await until(lambda: stream.got() == [count])  # noqa: B023 - awaited in this round
    assert all(each >= WORK_S for each in pace.work_s)
    assert len(pace.work_s) >= 2
    stream.hub.close()
    await running


async def test_while_a_feed_catches_up_frames_are_joined() -> None:
    stream = Stream(clients=2)
    running = asyncio.create_task(stream.pump.run(stream.subscription, stream.dispatch))
    await asyncio.sleep(0)
    for _ in range(BATCHES):  # as a feed does that is behind, and lets others have a turn
        for _ in range(BACKLOG_EVENTS):
            stream.hub.publish(PRICE)
        await asyncio.sleep(0)
    await until(lambda: stream.got() == [BATCHES * BACKLOG_EVENTS] * 2)
    assert len(stream.dispatched) <= 4
    stream.hub.close()
    await running


async def test_a_dispatch_that_fails_is_counted_and_the_next_ones_go_on() -> None:
    stream = Stream(clients=2)
    dispatches = 0

    def dispatch() -> None:
        nonlocal dispatches
        dispatches += 1
        if dispatches == 1:
            raise ValueError("of this dispatch alone")
        stream.dispatch()

    running = asyncio.create_task(stream.pump.run(stream.subscription, dispatch))
    stream.hub.publish(PRICE)
    await until(lambda: stream.got() == [1, 1])
    assert stream.hub.failures.by_place == {"test pump": 1}
    stream.hub.close()
    await running


async def test_a_flush_that_fails_is_counted_and_the_next_ones_go_on() -> None:
    stream = Stream(clients=1)
    refused: list[bytes] = []

    def refuse(data: bytes) -> None:
        refused.append(data)
        raise OSError("of this write alone")

    client = stream.clients[0]
    client.write = refuse  # type: ignore[method-assign]
    stream.fanout.move(client, "others")
    running = asyncio.create_task(stream.pump.run(stream.subscription, stream.dispatch))
    for count in (1, 2):
        stream.hub.publish(PRICE)
        await until(lambda: len(refused) == count)  # noqa: B023 - awaited in this round
    assert stream.hub.failures.by_place == {"test pump": 2}
    stream.hub.close()
    await running
