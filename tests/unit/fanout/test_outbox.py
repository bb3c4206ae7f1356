from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.conflation import Kept
from dashboard.fanout.outbox import CAPACITY_BYTES, Outbox

SLOTS = "abc"


def test_all_is_kept_in_order_up_to_the_capacity() -> None:
    outbox = Outbox(capacity=3)
    outbox.offer([("a", b"1")])
    outbox.reply(b"2")
    outbox.offer([("a", b"3")])
    assert len(outbox) == 3
    assert outbox.take() == [b"1", b"2", b"3"]
    assert outbox.take() == []
    assert outbox.conflated == 0


def test_who_reads_is_not_conflated() -> None:
    outbox = Outbox(capacity=1)
    outbox.add([("a", b"1"), ("a", b"2")])
    assert outbox.take() == [b"1", b"2"]


def test_who_lags_gets_replies_and_the_newest_of_each_slot_in_order() -> None:
    outbox = Outbox(capacity=3)
    outbox.offer([("a", b"1")])
    outbox.reply(b"2")
    outbox.offer([("b", b"3"), ("a", b"4")])
    outbox.reply(b"5")
    outbox.offer([("a", b"6")])
    assert outbox.take() == [b"2", b"3", b"5", b"6"]
    assert outbox.conflated == 2
    outbox.offer([("a", b"7"), ("a", b"8")])
    assert outbox.take() == [b"7", b"8"]


def test_the_oldest_trades_are_lost_and_replies_never() -> None:
    outbox = Outbox(capacity=2)
    outbox.reply(b"r")
    outbox.offer([(Kept.TRADE, b"1"), (Kept.TRADE, b"2"), (Kept.TRADE, b"3")])
    assert outbox.lost == 1
    assert outbox.take() == [b"r", b"2", b"3"]


def test_what_runners_tell_pushes_out_no_trade_and_is_counted_apart() -> None:
    outbox = Outbox(capacity=2, notice=lambda *missed: b"%d,%d,%d" % missed)
    outbox.offer([(Kept.TRADE, b"1"), (Kept.TRADE, b"2")])
    outbox.offer([(Kept.EVENT, b"a"), (Kept.EVENT, b"b"), (Kept.EVENT, b"c")])
    assert outbox.lost == 1
    assert outbox.take() == [b"0,0,1", b"1", b"2", b"b", b"c"]


def test_a_notice_tells_once_what_was_not_delivered() -> None:
    outbox = Outbox(capacity=1, notice=lambda *missed: b"%d,%d,%d" % missed)
    outbox.offer([("a", b"1"), ("a", b"2"), (Kept.TRADE, b"3"), (Kept.TRADE, b"4")])
    assert outbox.take() == [b"1,1,0", b"2", b"4"]
    outbox.offer([("a", b"5")])
    assert outbox.take() == [b"5"]


def test_few_large_frames_are_conflated_too() -> None:
    outbox, large = Outbox(), bytes(CAPACITY_BYTES // 2)
    outbox.offer([("a", large), ("b", large)])
    assert outbox.conflated == 0
    outbox.offer([("a", b"1"), ("c", b"2")])
    assert outbox.take() == [large, b"1", b"2"]
    outbox.offer([("a", large), ("a", large)])
    assert outbox.take() == [large, large], "what was taken counts no more"


def test_lagging_data_of_an_ended_subscription_are_forgotten() -> None:
    outbox = Outbox(capacity=1)
    outbox.offer([("a", b"1"), ("b", b"2")])
    outbox.forget("a")
    outbox.forget("c")
    assert outbox.take() == [b"2"]


@given(st.lists(st.tuples(st.sampled_from(SLOTS), st.booleans())), st.integers(1, 10))
def test_it_is_bounded_and_the_newest_of_each_slot_survives(
    offers: list[tuple[str, bool]], capacity: int
) -> None:
    outbox = Outbox(capacity=capacity)
    newest: dict[str, bytes] = {}
    taken: list[bytes] = []
    for number, (slot, take) in enumerate(offers):
        newest[slot] = f"{number}".encode()
        outbox.offer([(slot, newest[slot])])
        assert len(outbox) <= max(capacity, len(SLOTS))
        if take:
            taken += outbox.take()
    taken += outbox.take()
    assert set(newest.values()) <= set(taken)
    assert [int(each) for each in taken] == sorted(int(each) for each in taken)
    assert len(taken) + outbox.conflated == len(offers)
