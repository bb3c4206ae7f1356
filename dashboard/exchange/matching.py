"""A limit order book of single orders, matched by price, then time.

Prices are whole ticks inside; the orders that wait in the book are kept in the
form in which the exchange publishes them.
"""

from bisect import bisect_left, insort
from enum import StrEnum

import msgspec

from dashboard.core.instruments import decimals_of


class OrderSide(StrEnum):
    """The side of an order, as the exchange writes it."""

    BUY = "Buy"
    SELL = "Sell"

    @property
    def other(self) -> "OrderSide":
        """Give the side that this one trades with."""
        return OrderSide.SELL if self is OrderSide.BUY else OrderSide.BUY

    @property
    def sign(self) -> int:
        """Give 1 for a buyer and -1 for a seller."""
        return 1 if self is OrderSide.BUY else -1


class LimitOrder(msgspec.Struct, frozen=True, gc=False):
    """An order that waits in the book, in the published form.

    `leaves_qty` is what is left of it, `timestamp` when it was submitted.
    """

    client_name: str
    instrument: str
    leaves_qty: int
    price: float
    request_id: int
    side: OrderSide
    timestamp: str


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One execution, at the price of the order that waited."""

    ticks: int
    volume: int
    buyer: str
    buyer_order_id: int
    seller: str
    seller_order_id: int


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where an order waits."""

    order_id: int
    side: OrderSide
    ticks: int


class _Ladder:
    """One side: orders by level, levels by rank, which is lowest at the best price."""

    def __init__(self, side: OrderSide) -> None:
        self._sign = -side.sign
        self.ranks: list[int] = []
        self.levels: dict[int, dict[int, LimitOrder]] = {}

    def rank(self, ticks: int) -> int:
        """Give the rank of a price; the other way round it gives the price of a rank."""
        return ticks * self._sign

    def put(self, ticks: int, order: LimitOrder) -> None:
        rank = self.rank(ticks)
        if rank not in self.levels:
            self.levels[rank] = {}
            insort(self.ranks, rank)
        self.levels[rank][order.request_id] = order

    def remove(self, ticks: int, order_id: int) -> None:
        rank = self.rank(ticks)
        level = self.levels[rank]
        del level[order_id]
        if not level:
            del self.levels[rank]
            del self.ranks[bisect_left(self.ranks, rank)]

    def orders(self) -> list[LimitOrder]:
        return [order for rank in self.ranks for order in self.levels[rank].values()]


class LimitOrderBook:
    """The waiting orders of one instrument; it is never crossed."""

    def __init__(self, instrument: str, tick_size: float) -> None:
        self.instrument = instrument
        self.tick_size = tick_size
        self._decimals = decimals_of(tick_size)
        self._ladders = {side: _Ladder(side) for side in OrderSide}
        self._places: dict[str, dict[int, Place]] = {}

    def price(self, ticks: int) -> float:
        """Give the price of a number of ticks."""
        return round(ticks * self.tick_size, self._decimals)

    def best(self, side: OrderSide) -> int | None:
        """Give the best price of a side in ticks, or None where nobody waits."""
        ladder = self._ladders[side]
        return ladder.rank(ladder.ranks[0]) if ladder.ranks else None

    def best_volume(self, side: OrderSide) -> int:
        """Give the volume that waits at the best price of a side."""
        ladder = self._ladders[side]
        if not ladder.ranks:
            return 0
        return sum(order.leaves_qty for order in ladder.levels[ladder.ranks[0]].values())

    def orders(self, side: OrderSide) -> list[LimitOrder]:
        """List the waiting orders of a side: the next to trade first."""
        return self._ladders[side].orders()

    def open_orders(self, client: str) -> list[Place]:
        """List where the orders of a client wait, oldest first."""
        return list(self._places.get(client, {}).values())

    def submit(
        self,
        order_id: int,
        client: str,
        side: OrderSide,
        ticks: int,
        volume: int,
        *,
        timestamp: str,
        rests: bool = True,
    ) -> list[Fill]:
        """Match an order against the waiting ones; what is left waits, if it `rests`.

        `order_id` is new and `volume` positive. Nobody trades with himself: his
        own waiting order that is met is cancelled.
        """
        opposite = self._ladders[side.other]
        limit = opposite.rank(ticks)
        fills: list[Fill] = []
        while volume and opposite.ranks and opposite.ranks[0] <= limit:
            rank = opposite.ranks[0]
            waiting = next(iter(opposite.levels[rank].values()))
            if waiting.client_name == client:
                self.cancel(waiting.client_name, waiting.request_id)
                continue
            traded = min(volume, waiting.leaves_qty)
            volume -= traded
            ours, theirs = (client, order_id), (waiting.client_name, waiting.request_id)
            fills.append(
                Fill(
                    opposite.rank(rank),
                    traded,
                    *(ours + theirs if side is OrderSide.BUY else theirs + ours),
                )
            )
            if traded == waiting.leaves_qty:
                self.cancel(waiting.client_name, waiting.request_id)
            else:
                left = msgspec.structs.replace(waiting, leaves_qty=waiting.leaves_qty - traded)
                opposite.put(opposite.rank(rank), left)
        if volume and rests:
            price = self.price(ticks)
            order = LimitOrder(client, self.instrument, volume, price, order_id, side, timestamp)
            self._ladders[side].put(ticks, order)
            self._places.setdefault(client, {})[order_id] = Place(order_id, side, ticks)
        return fills

    def cancel(self, client: str, order_id: int) -> bool:
        """Take a client's waiting order out; tell whether it was there."""
        place = self._places.get(client, {}).pop(order_id, None)
        if place is None:
            return False
        self._ladders[place.side].remove(place.ticks, order_id)
        return True
