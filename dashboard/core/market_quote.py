"""The full quote of one instrument, folded from its events: pure, one event at a time."""

from collections.abc import Sequence

import msgspec

from dashboard.core.clocks import LATEST_NS, MAX_AHEAD_NS
from dashboard.core.model import (
    Book,
    Event,
    OpenInterest,
    Price,
    PriceBasis,
    PriceLevel,
    Quote,
    Trade,
)

DAY_NS = 86_400 * 1_000_000_000
BEFORE_AND_TODAY = 2
KEPT_DAYS = BEFORE_AND_TODAY + 1
"""One more, for the clock may be set over midnight and back."""


class Day(msgspec.Struct, gc=False):
    """The statistics of one day: it opens with its earliest price and closes with its latest."""

    number: int
    open: float
    high: float
    low: float
    close: float
    opened_ns: int
    closed_ns: int
    volume: float = 0.0
    turnover: float = 0.0

    @property
    def average_price(self) -> float | None:
        """Give the volume-weighted price; None while there is no volume."""
        return self.turnover / self.volume if self.volume else None

    def apply_price(self, price: float, ts_event: int) -> None:
        """Take a price, in whatever order they come."""
        if ts_event >= self.closed_ns:
            self.close = price
            self.closed_ns = ts_event
        elif ts_event < self.opened_ns:
            self.open = price
            self.opened_ns = ts_event
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price

    def count(self, price: float, size: float) -> None:
        """Add what was traded, or came with a price."""
        self.volume += size
        self.turnover += price * size


class MarketQuote:
    """What is known of an instrument now; None where nothing is known yet.

    Its prices are those of trades; mids stand in for them until the first one comes.
    The day is UTC's. `close` is the last price of the day before, and the day's
    open while none was seen. What comes after its day has ended changes that day's statistics,
    not today's, and is not the last price. Volume, turnover and the last quantity are of the
    trades where there are any, else of what came with the prices. The open interest is 0 for
    what is no derivative; `previous_open_interest` is the source's, for the day before.
    `ts_event` is ns UTC.
    """

    def __init__(self, *, exchange: str, symbol: str) -> None:
        self.exchange = exchange
        self.symbol = symbol
        self.ltp: float | None = None
        self.today: Day | None = None
        self.close: float | None = None
        self.last_quantity = 0.0
        self.open_interest = 0.0
        self.previous_open_interest = 0.0
        self.bid_price: float | None = None
        self.bid_size: float = 0.0
        self.ask_price: float | None = None
        self.ask_size: float = 0.0
        self.bids: Sequence[PriceLevel] = ()
        self.asks: Sequence[PriceLevel] = ()
        self.ts_event = 0
        self._days: dict[int, Day] = {}
        self._before: Day | None = None
        self._traded = False
        self._by_mids = False

    @property
    def open(self) -> float | None:
        """Give the day's earliest price."""
        return None if self.today is None else self.today.open

    @property
    def high(self) -> float | None:
        """Give the day's highest price."""
        return None if self.today is None else self.today.high

    @property
    def low(self) -> float | None:
        """Give the day's lowest price."""
        return None if self.today is None else self.today.low

    @property
    def volume(self) -> float:
        """Give what was traded in the day."""
        return 0.0 if self.today is None else self.today.volume

    @property
    def average_price(self) -> float | None:
        """Give the day's volume-weighted price; None while there is no volume."""
        return None if self.today is None else self.today.average_price

    @property
    def change(self) -> float | None:
        """Give the distance of the last price from the close."""
        return None if self.ltp is None or self.close is None else self.ltp - self.close

    @property
    def change_percent(self) -> float | None:
        """Give the change as a percentage of the close; None where that is not above 0."""
        if self.change is None or self.close is None or self.close <= 0:
            return None
        return 100 * self.change / self.close

    def apply(self, event: Event, *, received_ns: int = LATEST_NS) -> bool:
        """Take an event of this instrument; tell whether it said anything new.

        `received_ns` is when it came, by the wall clock: days that are ahead of it,
        because the clock was set back, are not today.
        """
        match event:
            case Price(derived=True):
                return False  # the trade before it has said that
            case Price():
                return self._take_price(event, received_ns)
            case Trade():
                return self._take_trade(event, received_ns)
            case Quote():
                return self._apply_best(
                    (event.bid_price, event.bid_size, event.ask_price, event.ask_size),
                    event.ts_event,
                )
            case Book():
                self._apply_book(event)
            case OpenInterest():
                self.open_interest = event.quantity
                self.previous_open_interest = event.previous_quantity
            case _:
                return False
        self.ts_event = event.ts_event
        return True

    def _take_price(self, price: Price, received_ns: int) -> bool:
        if price.basis is PriceBasis.MID:
            if self.ltp is None:
                self._by_mids = True
            elif not self._by_mids:
                return False
        else:
            self._forget_mids()
        size = None if self._traded else price.volume
        return self._apply_price(price.price, size, price.ts_event, received_ns)

    def _take_trade(self, trade: Trade, received_ns: int) -> bool:
        self._forget_mids()
        if not trade.historical:
            if not self._traded:
                self._begin_trades()
            return self._apply_price(trade.price, trade.size, trade.ts_event, received_ns)
        if self.ltp is not None:
            return False
        self.ltp = trade.price
        self.ts_event = trade.ts_event
        return True

    def _forget_mids(self) -> None:
        """Begin anew with the price of the first trade, where mids stood in for it."""
        if self._by_mids:
            self._by_mids = False
            self._days.clear()
            self.today = self._before = self.close = self.ltp = None

    def _begin_trades(self) -> None:
        """Count trades from now on, not what comes with the prices."""
        self._traded = True
        for each in self._days.values():
            each.volume = each.turnover = 0.0

    def _apply_price(
        self, price: float, size: float | None, ts_event: int, received_ns: int
    ) -> bool:
        """Take a price, and the size that counts with it; tell whether it said anything new."""
        day = self.today
        if day is not None and day.number == ts_event // DAY_NS:
            day.apply_price(price, ts_event)
        else:
            day = self._turn_to(price, ts_event, received_ns)
        if size is not None:
            day.count(price, size)
        known = self.close
        if self._before is not None:
            self.close = self._before.close
        elif self.today is not None:
            self.close = self.today.open
        if day is not self.today:
            return self.close != known
        self.ltp = price
        if size is not None:
            self.last_quantity = size
        self.ts_event = ts_event
        return True

    def _turn_to(self, price: float, ts_event: int, received_ns: int) -> Day:
        """Take a price of another day than today; give that day, which may be today from now on."""
        days = self._days
        number = ts_event // DAY_NS
        day = days.get(number)
        if day is None:
            day = days[number] = Day(number, price, price, price, price, ts_event, ts_event)
        else:
            day.apply_price(price, ts_event)
        last = (received_ns + MAX_AHEAD_NS) // DAY_NS
        known = sorted(days)
        past = [each for each in known if each <= last] or known[:1]
        if len(days) > KEPT_DAYS:
            del days[past.pop(0) if len(past) > BEFORE_AND_TODAY else known[len(past)]]
        self.today = days[past[-1]]
        self._before = days[past[-2]] if len(past) > 1 else None
        return day

    def _apply_best(
        self, best: tuple[float | None, float, float | None, float], ts_event: int
    ) -> bool:
        if best == (self.bid_price, self.bid_size, self.ask_price, self.ask_size):
            return False
        self.bid_price, self.bid_size, self.ask_price, self.ask_size = best
        self.ts_event = ts_event
        return True

    def _apply_book(self, book: Book) -> None:
        self.bids, self.asks = book.bids, book.asks
        if not book.partial:
            bid_price, bid_size = book.bids[0] if book.bids else (None, 0.0)
            ask_price, ask_size = book.asks[0] if book.asks else (None, 0.0)
            self._apply_best((bid_price, bid_size, ask_price, ask_size), book.ts_event)
