from hypothesis import given
from hypothesis import strategies as st

from dashboard.protocols.openalgo.modes import Mode
from dashboard.protocols.openalgo.outbox import Outbox, Slot

SLOTS: list[Slot] = [(("NSE", symbol), mode) for symbol in "ABC" for mode in Mode]


def test_all_is_kept_in_order_up_to_the_capacity() -> None:
    outbox = Outbox(capacity=3)
    outbox.offer(SLOTS[0], b"1")
    outbox.reply(b"2")
    outbox.offer(SLOTS[0], b"3")
    assert len(outbox) == 3
    assert outbox.take() == [b"1", b"2", b"3"]
    assert outbox.take() == []
    assert outbox.conflated == 0


def test_a_client_that_lags_gets_replies_and_the_newest_of_each_slot() -> None:
    outbox = Outbox(capacity=3)
    outbox.offer(SLOTS[0], b"1")
    outbox.reply(b"2")
    outbox.offer(SLOTS[1], b"3")
    outbox.offer(SLOTS[0], b"4")
    outbox.reply(b"5")
    outbox.offer(SLOTS[0], b"6")
    assert outbox.take() == [b"2", b"5", b"3", b"6"]
    assert outbox.conflated == 2
    outbox.offer(SLOTS[0], b"7")
    outbox.offer(SLOTS[0], b"8")
    assert outbox.take() == [b"7", b"8"]


def test_lagging_data_of_an_ended_subscription_are_forgotten() -> None:
    outbox = Outbox(capacity=1)
    outbox.offer(SLOTS[0], b"1")
    outbox.offer(SLOTS[1], b"2")
    outbox.forget(SLOTS[0])
    outbox.forget(SLOTS[2])
    assert outbox.take() == [b"2"]


@given(st.lists(st.tuples(st.sampled_from(SLOTS), st.booleans())), st.integers(1, 10))
def test_it_is_bounded_and_the_newest_of_each_slot_survives(
    offers: list[tuple[Slot, bool]], capacity: int
) -> None:
    outbox = Outbox(capacity=capacity)
    newest: dict[Slot, bytes] = {}
    taken: list[bytes] = []
    for number, (slot, take) in enumerate(offers):
        newest[slot] = f"{number}".encode()
        outbox.offer(slot, newest[slot])
        assert len(outbox) <= max(capacity, len(SLOTS))
        if take:
            taken += outbox.take()
    taken += outbox.take()
    assert set(newest.values()) <= set(taken)
    assert len(taken) + outbox.conflated == len(offers)
