"""What the simulated market lists: instruments, where they start, and what streams they have."""

import msgspec

from dashboard.core.instruments import Instrument

BOOK_LEVELS = 5
DEEP_BOOK_LEVELS = 30


class Listing(msgspec.Struct, frozen=True, kw_only=True):
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
    *,
    book: bool = False,
    trades: bool = False,
    load: bool = False,
) -> Listing:
    instrument = Instrument(symbol=symbol, exchange=exchange, tick_size=0.01)
    return Listing(instrument=instrument, start=start, book=book, trades=trades, load=load)


def _in_lots(
    symbol: str, exchange: str, start: float, *, lot: int = 1, open_interest: int = 0
) -> Listing:
    """List a stock or a derivative of India's exchanges."""
    return Listing(
        instrument=Instrument(symbol=symbol, exchange=exchange, tick_size=0.01),
        start=start,
        book=True,
        trades=True,
        volume=False,
        levels=DEEP_BOOK_LEVELS,
        lot=lot,
        open_interest=open_interest,
    )


def _index(symbol: str, start: float) -> Listing:
    """List an index: it is computed, not traded, so it has a price alone."""
    instrument = Instrument(symbol=symbol, exchange="NSE_INDEX", tick_size=0.01)
    return Listing(instrument=instrument, start=start, volume=False)


LISTINGS = (
    _listing("BTC/USD", "CRYPTO", 45_000.0, book=True, trades=True),
    _listing("ETH/USD", "CRYPTO", 2_500.0, book=True, trades=True),
    _listing("SOL/USD", "CRYPTO", 120.0, trades=True),
    _listing("AAPL", "NASDAQ", 175.0),
    _listing("TSLA", "NASDAQ", 250.0),
)
ON_DEMAND = (
    _in_lots("RELIANCE", "NSE", 2_850.0),
    _in_lots("TCS", "NSE", 4_150.0),
    _in_lots("INFY", "NSE", 1_850.0),
    _index("NIFTY_50", 24_800.0),
    _index("NIFTY_BANK", 53_500.0),
    _in_lots("NIFTY28DEC2425000CE", "NFO", 180.0, lot=25, open_interest=180_000),
)
"""What OpenAlgo's clients ask for; they move once they are asked for."""


def generate_listings(count: int) -> list[Listing]:
    """Make up listings for load."""
    return [
        _listing(f"SIM{number:04d}", "SIM", 50.0 + number * 37 % 450, load=True)
        for number in range(count)
    ]
