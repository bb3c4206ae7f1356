"""All venues whose messages can be read, told apart by the messages themselves.

The types of message do not overlap, so one recording may hold several venues.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from dashboard.feeds.parsing import binance_futures, coinbase, livetape
from dashboard.feeds.parsing.changes import Change, Parse

PARSERS: tuple[Parse, ...] = (
    coinbase.parse_message,
    binance_futures.parse_message,
    livetape.parse_message,
)


class VenueParser:
    """Read messages of any known venue; the venue of the last message is tried first."""

    def __init__(self) -> None:
        self._parsers = list(PARSERS)

    def parse_message(self, text: str, ts_event: int) -> Sequence[Change] | None:
        """Read one message; None when no venue knows it.

        Raises:
            ParseError: for a message of a known type that is malformed, or no JSON.
        """
        for place, parse in enumerate(self._parsers):
            changes = parse(text, ts_event)
            if changes is not None:
                if place:
                    self._parsers.insert(0, self._parsers.pop(place))
                return changes
        return None


def exchange_of(url: str) -> str:
    """Tell whose messages come from an address; what is not a known venue's is taken for ours."""
    host = urlsplit(url).hostname or ""
    if host.endswith("coinbase.com"):
        return coinbase.EXCHANGE
    if host.endswith("binance.com"):
        return binance_futures.EXCHANGE
    return livetape.EXCHANGE
