"""The engine against a plain model, under whatever its clients do."""

from collections.abc import Hashable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from dashboard.core.conflation import Kept
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.outbox import Outbox
from dashboard.fanout.route import Route
from dashboard.fanout.wire import Wire, bare

KEYS = st.sampled_from(["a", "b", "c"])


def other(payload: bytes) -> bytes:
    return b"other" + payload


class Client:
    """A socket that takes a few writes and is then full, until it is drained."""

    def __init__(self, fanout: Fanout, wire: Wire, capacity: int = 10_000) -> None:
        self.fanout = fanout
        self.wire = wire
        self.outbox = Outbox(capacity=capacity)
        self.writable = True
        self.full_after = 1_000_000
        self.got: list[bytes] = []
        self.owed: list[bytes] = []

    def write(self, data: bytes) -> None:
        assert self.writable
        self.got += data.replace(b"other", b"").split(b";")[:-1]
        self.full_after -= 1
        if self.full_after <= 0:
            self.writable = False
            self.fanout.pause(self)

    def flush(self) -> int:
        if not self.writable or not self.outbox:
            return 0
        frames = self.outbox.take()
        self.write(b"".join(frames))
        return len(frames)

    def drain(self) -> None:
        self.writable, self.full_after = True, 1_000_000
        self.fanout.release(self)


class FanoutModel(RuleBasedStateMachine):
    """Each client is owed, in order, what was put for its key while it held it, and its replies."""

    clients = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.fanout = Fanout()
        self.open: dict[Client, Hashable] = {}
        self.number = 0

    def payload(self) -> bytes:
        self.number += 1
        return b"%d;" % self.number

    @rule(target=clients, key=KEYS, wire=st.sampled_from([bare, other]))
    def enter(self, key: str, wire: Wire) -> Client:
        client = Client(self.fanout, wire)
        self.open[client] = key
        self.fanout.move(client, key)
        return client

    @rule(client=clients, key=KEYS)
    def change(self, client: Client, key: str) -> None:
        self.open[client] = key
        self.fanout.move(client, key)
        self.fanout.release(client)

    @rule(client=consumes(clients))
    def leave(self, client: Client) -> None:
        self.fanout.leave(client)
        del self.open[client]
        assert client.got == client.owed[: len(client.got)]

    @rule(key=KEYS, times=st.integers(1, 5))
    def tick(self, key: str, times: int) -> None:
        for _ in range(times):
            payload = self.payload()
            cohorts = [each for each in self.fanout.cohorts if each.key == key]
            Route(cohorts).put(Kept.TRADE, payload)
            for client, held in self.open.items():
                if held == key:
                    client.owed.append(payload[:-1])

    @rule(client=clients)
    def reply(self, client: Client) -> None:
        if not client.writable:
            return  # as the connection does, which takes no request then
        payload = self.payload()
        self.fanout.settle(client)
        client.outbox.reply(client.wire(payload))
        self.fanout.release(client)
        client.owed.append(payload[:-1])
        assert client.got == client.owed

    @rule(client=clients, writes=st.integers(1, 2))
    def fill(self, client: Client, writes: int) -> None:
        client.full_after = writes

    @rule(client=clients)
    def stall(self, client: Client) -> None:
        client.writable = False
        self.fanout.pause(client)

    @rule(client=clients)
    def drain(self, client: Client) -> None:
        client.drain()

    @rule(lanes=st.integers(1, 3))
    def flush_some(self, lanes: int) -> None:
        self.fanout.flush(lanes)

    @rule()
    def flush(self) -> None:
        self.fanout.flush()
        for client in self.open:
            if client.writable:
                assert client.got == client.owed

    @invariant()
    def nothing_is_out_of_order_or_twice(self) -> None:
        for client in self.open:
            assert client.got == client.owed[: len(client.got)]

    def teardown(self) -> None:
        self.fanout.flush()
        for client in self.open:
            client.drain()
            assert client.got == client.owed
        delivered = sum(len(client.got) for client in self.open)
        assert self.fanout.deliveries >= delivered
        assert {len(each) > 0 for each in self.fanout.cohorts} <= {True}


FanoutModel.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestFanout = FanoutModel.TestCase


def test_a_frame_is_made_once_per_wire() -> None:
    fanout, made = Fanout(lanes=2), list[bytes]()

    def wire(payload: bytes) -> bytes:
        made.append(payload)
        return payload

    clients = [Client(fanout, wire) for _ in range(3)]
    for client, key in zip(clients, "aab", strict=True):
        fanout.move(client, key)
    Route(fanout.cohorts).put("slot", b"1;")
    fanout.flush()
    assert made == [b"1;"]
    assert [client.got for client in clients] == [[b"1"]] * 3
    assert (fanout.deliveries, fanout.writes) == (3, 3)


def test_who_lags_is_conflated_and_the_others_are_not() -> None:
    fanout = Fanout()
    lagging, healthy = (Client(fanout, bare, capacity=2) for _ in range(2))
    for client in (lagging, healthy):
        fanout.move(client, "a")
    lagging.writable = False
    fanout.pause(lagging)
    for number in range(10):
        Route(fanout.cohorts).put(number % 2, b"%d;" % number)
        fanout.flush()
    assert healthy.got == [b"%d" % number for number in range(10)]
    assert (lagging.got, fanout.waiting, fanout.lagging) == ([], 2, 1)
    lagging.drain()
    assert lagging.got == [b"8", b"9"]
    assert fanout.conflated == 8
    fanout.leave(lagging)
    assert fanout.conflated == 8


def test_lanes_are_equally_full_and_flushed_in_turn() -> None:
    fanout = Fanout(lanes=3)
    clients = [Client(fanout, bare) for _ in range(9)]
    for client in clients:
        fanout.move(client, "a")
    for client in clients[:6:2]:
        fanout.leave(client)
    comers = [Client(fanout, bare) for _ in range(3)]
    for client in comers:
        fanout.move(client, "b")
    present = [*clients[1:6:2], *clients[6:], *comers]
    assert fanout.groups == 2
    Route(fanout.cohorts).put("slot", b"1;")
    for flushed in (3, 6, 9):
        fanout.flush(1)
        assert sum(len(each.got) for each in present) == flushed
    fanout.flush(2)
    Route(fanout.cohorts).put("slot", b"2;")
    fanout.flush(3)
    assert [each.got for each in present] == [[b"1", b"2"]] * 9
