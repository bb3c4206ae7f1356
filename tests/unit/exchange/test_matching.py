from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.exchange.matching import Fill, LimitOrder, LimitOrderBook, OrderSide

WHEN = "2026-01-02T03:04:05.000006Z"
BUY, SELL = OrderSide.BUY, OrderSide.SELL


class Ask(NamedTuple):
    """An order, or with volume 0 the cancellation of the one with the number `ticks`."""

    client: str
    side: OrderSide
    ticks: int
    volume: int
    rests: bool


class NaiveMarket:
    """The same rules as a search through a list of all waiting orders."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, Ask, int]] = []

    def submit(self, order_id: int, ask: Ask) -> list[Fill]:
        fills: list[Fill] = []
        left = ask.volume
        while left:
            met = [
                each
                for each in self.waiting
                if each[1].side is ask.side.other
                and (each[1].ticks - ask.ticks) * ask.side.sign <= 0
            ]
            if not met:
                break
            best = min(met, key=lambda each: (each[1].ticks * ask.side.sign, each[0]))
            place = self.waiting.index(best)
            their_id, theirs, volume = best
            if theirs.client == ask.client:
                del self.waiting[place]
                continue
            traded = min(left, volume)
            left -= traded
            names = {ask.side: (ask.client, order_id), theirs.side: (theirs.client, their_id)}
            fills.append(Fill(theirs.ticks, traded, *names[BUY], *names[SELL]))
            if traded == volume:
                del self.waiting[place]
            else:
                self.waiting[place] = their_id, theirs, volume - traded
        if left and ask.rests:
            self.waiting.append((order_id, ask, left))
        return fills

    def cancel(self, client: str, order_id: int) -> bool:
        kept = [each for each in self.waiting if (each[0], each[1].client) != (order_id, client)]
        found = len(kept) < len(self.waiting)
        self.waiting = kept
        return found

    def side(self, side: OrderSide) -> list[tuple[int, int]]:
        """List (number, volume) of a side, the next to trade first."""
        found = [each for each in self.waiting if each[1].side is side]
        found.sort(key=lambda each: (-each[1].ticks * side.sign, each[0]))
        return [(order_id, volume) for order_id, _, volume in found]


asks = st.lists(
    st.builds(
        Ask,
        client=st.sampled_from("abc"),
        side=st.sampled_from(OrderSide),
        ticks=st.integers(1, 9),
        volume=st.integers(0, 5),
        rests=st.booleans(),
    ),
    max_size=60,
)


def submit(book: LimitOrderBook, order_id: int, ask: Ask) -> list[Fill]:
    return book.submit(
        order_id, ask.client, ask.side, ask.ticks, ask.volume, timestamp=WHEN, rests=ask.rests
    )


def book_of(*waiting: Ask) -> LimitOrderBook:
    book = LimitOrderBook("AAPL", 0.01)
    for order_id, ask in enumerate(waiting, 1):
        assert submit(book, order_id, ask) == []
    return book


@given(asks)
def test_it_matches_as_a_naive_market_does_and_is_never_crossed(orders: list[Ask]) -> None:
    book, naive = LimitOrderBook("AAPL", 0.01), NaiveMarket()
    for order_id, ask in enumerate(orders, 1):
        if ask.volume:
            assert submit(book, order_id, ask) == naive.submit(order_id, ask)
        else:
            assert book.cancel(ask.client, ask.ticks) == naive.cancel(ask.client, ask.ticks)
        for side in OrderSide:
            found = [(order.request_id, order.leaves_qty) for order in book.orders(side)]
            assert found == naive.side(side)
        bid, offer = book.best(BUY), book.best(SELL)
        assert bid is None or offer is None or bid < offer


@given(asks)
def test_what_it_tells_of_itself_agrees(orders: list[Ask]) -> None:
    book = LimitOrderBook("AAPL", 0.01)
    for order_id, ask in enumerate(orders, 1):
        if ask.volume:
            submit(book, order_id, ask)
    for side in OrderSide:
        waiting = book.orders(side)
        best = [each for each in waiting if each.price == waiting[0].price]
        assert book.best_volume(side) == sum(each.leaves_qty for each in best)
        ticks = book.best(side)
        assert (ticks is None) == (not waiting)
        assert ticks is None or book.price(ticks) == waiting[0].price
    places = {place.order_id for client in "abc" for place in book.open_orders(client)}
    assert places == {each.request_id for side in OrderSide for each in book.orders(side)}


def test_the_better_price_trades_first_then_the_older_order() -> None:
    book = book_of(
        Ask("a", SELL, 102, 5, rests=True),
        Ask("b", SELL, 101, 5, rests=True),
        Ask("c", SELL, 101, 5, rests=True),
    )
    assert submit(book, 4, Ask("d", BUY, 102, 12, rests=True)) == [
        Fill(101, 5, "d", 4, "b", 2),
        Fill(101, 5, "d", 4, "c", 3),
        Fill(102, 2, "d", 4, "a", 1),
    ]


def test_a_partial_fill_keeps_the_place_in_the_queue() -> None:
    book = book_of(Ask("a", BUY, 99, 5, rests=True), Ask("b", BUY, 99, 5, rests=True))
    assert submit(book, 3, Ask("c", SELL, 99, 2, rests=True)) == [Fill(99, 2, "a", 1, "c", 3)]
    assert book.orders(BUY) == [
        LimitOrder("a", "AAPL", 3, 0.99, 1, BUY, WHEN),
        LimitOrder("b", "AAPL", 5, 0.99, 2, BUY, WHEN),
    ]


@pytest.mark.parametrize("rests", [True, False])
def test_what_is_left_waits_only_if_it_rests(rests: bool) -> None:
    book = book_of(Ask("a", SELL, 101, 5, rests=True))
    submit(book, 2, Ask("b", BUY, 101, 8, rests=rests))
    left = [LimitOrder("b", "AAPL", 3, 1.01, 2, BUY, WHEN)] if rests else []
    assert (book.orders(BUY), book.orders(SELL)) == (left, [])


def test_nobody_trades_with_himself() -> None:
    book = book_of(Ask("a", SELL, 101, 5, rests=True), Ask("b", SELL, 101, 5, rests=True))
    fills = submit(book, 3, Ask("a", BUY, 101, 5, rests=True))
    assert fills == [Fill(101, 5, "a", 3, "b", 2)]
    assert book.orders(SELL) == []


def test_only_the_owner_cancels() -> None:
    book = book_of(Ask("a", SELL, 101, 5, rests=True))
    assert not book.cancel("b", 1)
    assert book.cancel("a", 1)
    assert not book.cancel("a", 1)
