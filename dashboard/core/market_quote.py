"""The full quote of one instrument, folded from its events: pure, one event at a time."""

from collections.abc import Sequence

from dashboard.core.model import Book, Event, OpenInterest, Price, PriceLevel, Quote, Trade

DAY_NS = 86_400 * 1_000_000_000


class MarketQuote:
    """What is known of an instrument now; None where nothing is known yet.

    The day is UTC's. `close` is the last price of the day before, and the day's
    open while none was seen. Volume, turnover and the last quantity are of the trades where
    there are any, else of what came with the prices. The open interest is 0 for what is no
    derivative; `previous_open_interest` is the source's, for the day before. `ts_event` is ns UTC.
    """

    def __init__(self, *, exchange: str, symbol: str) -> None:
        self.exchange = exchange
        self.symbol = symbol
        self.ltp: float | None = None
        self.open: float | None = None
        self.high: float | None = None
        self.low: float | None = None
        self.close: float | None = None
        self.volume = 0.0
        self.turnover = 0.0
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
        self._day: int | None = None
        self._traded = False

    @property
    def average_price(self) -> float | None:
        """Give the day's volume-weighted price; None while there is no volume."""
        return self.turnover / self.volume if self.volume else None

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

    def apply(self, event: Event) -> bool:
        """Take an event of this instrument; tell whether it said anything new."""
        match event:
            case Price():
                return self._apply_last(event)
            case Trade(historical=True):
                if self.ltp is not None:
                    return False
                self.ltp = event.price
            case Trade():
                self._apply_price(event.price, event.ts_event)
                if not self._traded:
                    self._traded = True
                    self.volume = self.turnover = 0.0
                self._count(event.price, event.size)
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

    def _apply_last(self, event: Price) -> bool:
        if self._traded and (event.price, event.ts_event) == (self.ltp, self.ts_event):
            return False  # it is that of the trade before it, which some feeds send beside it
        self._apply_price(event.price, event.ts_event)
        if not self._traded:
            self._count(event.price, event.volume)
        self.ts_event = event.ts_event
        return True

    def _apply_price(self, price: float, ts_event: int) -> None:
        day = ts_event // DAY_NS
        if day != self._day:
            self.close = price if self._day is None else self.ltp
            self._day = day
            self.open = self.high = self.low = None
            self.volume = self.turnover = 0.0
        self.ltp = price
        if self.open is None:
            self.open = price
        if self.high is None or price > self.high:
            self.high = price
        if self.low is None or price < self.low:
            self.low = price

    def _count(self, price: float, size: float) -> None:
        self.last_quantity = size
        self.volume += size
        self.turnover += price * size

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
