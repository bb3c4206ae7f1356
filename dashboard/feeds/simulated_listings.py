"""What the simulated market lists: instruments, where they start, and what streams they have."""

from functools import cache

import msgspec

from dashboard.core.instruments import Instrument, InstrumentKind, Sent

BOOK_LEVELS = 5
DEEP_BOOK_LEVELS = 30


class SimulatedListing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An instrument with its starting price and the streams it has beside `price`.

    `levels` is the depth of its book; with a `lot` all its sizes are whole lots.
    `volume` says whether a price comes with a volume; else the trades have it all.
    `open_interest` is what was open the day before the start, in lots; 0 for what
    is no derivative. `load` marks a generated one, which ticks at a rate of its own.
    """

    instrument: Instrument
    start: float
    book: bool = False
    trades: bool = False
    volume: bool = True
    load: bool = False
    levels: int = BOOK_LEVELS
    lot: int | None = None
    open_interest: int = 0


def _listing(
    symbol: str,
    exchange: str,
    start: float,
    kind: InstrumentKind,
    *,
    book: bool = False,
    trades: bool = False,
    load: bool = False,
) -> SimulatedListing:
    instrument = _instrument(symbol, exchange, kind, book=book, trades=trades, volume=True)
    return SimulatedListing(instrument=instrument, start=start, book=book, trades=trades, load=load)


def _in_lots(
    symbol: str,
    exchange: str,
    start: float,
    kind: InstrumentKind = InstrumentKind.EQUITY,
    *,
    lot: int = 1,
    open_interest: int = 0,
) -> SimulatedListing:
    """List a stock or a derivative of India's exchanges."""
    return SimulatedListing(
        instrument=_instrument(symbol, exchange, kind, book=True, trades=True, volume=True),
        start=start,
        book=True,
        trades=True,
        volume=False,
        levels=DEEP_BOOK_LEVELS,
        lot=lot,
        open_interest=open_interest,
    )


def _index(symbol: str, start: float) -> SimulatedListing:
    """List an index: it is computed, not traded, so it has a price alone."""
    instrument = _instrument(symbol, "NSE_INDEX", InstrumentKind.INDEX)
    return SimulatedListing(instrument=instrument, start=start, volume=False)


def _instrument(
    symbol: str,
    exchange: str,
    kind: InstrumentKind,
    *,
    book: bool = False,
    trades: bool = False,
    volume: bool = False,
) -> Instrument:
    sends = _sends(book=book, trades=trades, volume=volume)
    return Instrument(symbol=symbol, exchange=exchange, tick_size=0.01, kind=kind, sends=sends)


@cache
def _sends(*, book: bool, trades: bool, volume: bool) -> tuple[Sent, ...]:
    sent = {Sent.TRADES: trades, Sent.QUOTES: book, Sent.BOOK: book, Sent.VOLUME: volume}
    return tuple(each for each, is_sent in sent.items() if is_sent)


LISTINGS = (
    _listing("BTC/USD", "CRYPTO", 45_000.0, InstrumentKind.CRYPTO, book=True, trades=True),
    _listing("ETH/USD", "CRYPTO", 2_500.0, InstrumentKind.CRYPTO, book=True, trades=True),
    _listing("SOL/USD", "CRYPTO", 120.0, InstrumentKind.CRYPTO, trades=True),
    _listing("AAPL", "NASDAQ", 175.0, InstrumentKind.EQUITY),
    _listing("TSLA", "NASDAQ", 250.0, InstrumentKind.EQUITY),
)
ON_DEMAND = (
    _in_lots("RELIANCE", "NSE", 2_850.0),
    _in_lots("TCS", "NSE", 4_150.0),
    _in_lots("INFY", "NSE", 1_850.0),
    _index("NIFTY_50", 24_800.0),
    _index("NIFTY_BANK", 53_500.0),
    _in_lots(
        "NIFTY28DEC2425000CE", "NFO", 180.0, InstrumentKind.OPTION, lot=25, open_interest=180_000
    ),
    _listing("BTCUSDT", "CRYPTO", 45_000.0, InstrumentKind.CRYPTO, book=True, trades=True),
)
"""What OpenAlgo's clients and runners ask for; they move once they are asked for."""


def generate_listings(count: int) -> list[SimulatedListing]:
    """Make up listings for load."""
    return [
        _listing(*_generated(number), InstrumentKind.EQUITY, load=True) for number in range(count)
    ]


def generate_on_demand(first: int, count: int) -> list[SimulatedListing]:
    """Make up listings that rest until they are asked for, numbered from `first` on."""
    return [
        _listing(*_generated(number), InstrumentKind.EQUITY, book=True, trades=True)
        for number in range(first, first + count)
    ]


def _generated(number: int) -> tuple[str, str, float]:
    return f"SIM{number:04d}", "SIM", 50.0 + number * 37 % 450
