from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.instruments import InstrumentKey
from dashboard.fanout.fanout import Fanout
from dashboard.protocols.openalgo.index import Holding
from dashboard.protocols.openalgo.modes import Form, Mode
from dashboard.streaming.openalgo_groups import NOTHING, Groups
from tests.unit.streaming.receivers import FakeReceiver

KEYS: list[InstrumentKey] = [("NSE", "TCS"), ("BSE", "TCS"), ("NSE", "INFY")]
HOLDINGS = st.builds(Holding, st.frozensets(st.sampled_from(Mode)), st.sampled_from([5, 20]))
CHANGES = st.lists(st.tuples(st.sampled_from(KEYS), HOLDINGS), max_size=3)
STEPS = st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), CHANGES)), max_size=40)


def hold(groups: Groups, client: FakeReceiver, *keys: InstrumentKey) -> None:
    for key in keys:
        groups.put(key, client, Holding(frozenset({Mode.QUOTE})))
    groups.regroup(client)


def test_who_holds_the_same_is_one_cohort_whatever_the_order() -> None:
    fanout = Fanout(lanes=1)
    groups = Groups(fanout)
    ann, bob = FakeReceiver(), FakeReceiver()
    for client, keys in ((ann, KEYS), (bob, reversed(KEYS))):
        groups.enter(client)
        for key in keys:
            hold(groups, client, key)
    assert fanout.cohort_of(ann) is fanout.cohort_of(bob)
    assert fanout.groups == 1
    groups.put(KEYS[0], bob, NOTHING)
    groups.regroup(bob)
    assert fanout.cohort_of(ann) is not fanout.cohort_of(bob)


def test_what_was_due_before_a_change_still_comes() -> None:
    fanout = Fanout()
    groups = Groups(fanout)
    ann, bob = FakeReceiver(), FakeReceiver()
    for client in (ann, bob):
        groups.enter(client)
        hold(groups, client, KEYS[0])
    groups.routes(KEYS[0], Mode.QUOTE)[Form(Mode.QUOTE)].put("slot", b"1")
    groups.put(KEYS[0], ann, NOTHING)
    groups.regroup(ann)
    fanout.release(ann)
    groups.routes(KEYS[0], Mode.QUOTE)[Form(Mode.QUOTE)].put("slot", b"2")
    fanout.flush()
    assert (ann.got, bob.got) == ([b"1"], [b"12"])


class World:
    """Some clients, and a plain record of what each holds."""

    def __init__(self) -> None:
        self.fanout = Fanout(lanes=2)
        self.groups = Groups(self.fanout)
        self.clients: dict[int, FakeReceiver] = {}
        self.held: dict[int, dict[InstrumentKey, Holding]] = {}

    def change(self, number: int, changes: list[tuple[InstrumentKey, Holding]]) -> None:
        if number not in self.clients:
            self.clients[number], self.held[number] = FakeReceiver(), {}
            self.groups.enter(self.clients[number])
        for key, holding in changes:
            self.groups.put(key, self.clients[number], holding)
            self.held[number][key] = holding
        self.groups.regroup(self.clients[number])
        self.fanout.release(self.clients[number])

    def leave(self, number: int) -> None:
        if number in self.clients:
            self.groups.leave(self.clients.pop(number))
            del self.held[number]

    def check(self, key: InstrumentKey, tick: Mode) -> None:
        """Let a tick come; each client gets it in the one form that it is owed."""
        for client in self.clients.values():
            client.got.clear()
        for form, route in self.groups.routes(key, tick).items():
            route.put(form, text_of(form))
        self.fanout.flush()
        for number, client in self.clients.items():
            form = self.held[number].get(key, NOTHING).form(tick)
            assert client.got == ([] if form is None else [text_of(form)])


def text_of(form: Form) -> bytes:
    return f"{form.mode} {form.levels};".encode()


@given(STEPS)
def test_each_client_gets_what_it_holds_and_no_one_else_does(
    steps: list[tuple[int, list[tuple[InstrumentKey, Holding]] | None]],
) -> None:
    world = World()
    for number, changes in steps:
        if changes is None:
            world.leave(number)
        else:
            world.change(number, changes)
        assert world.fanout.clients == len(world.clients)
        for key in KEYS:
            for tick in Mode:
                world.check(key, tick)
