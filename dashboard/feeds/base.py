"""What the supervisor and the hub need of a feed."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from dashboard.core.model import Event, Instrument

Publish = Callable[[Event], object]


class FeedState(StrEnum):
    """How a feed stands, as the page and `/api/health` show it."""

    LIVE = "live"
    STALE = "stale"
    REPLAYED = "replayed"
    ENDED = "ended"
    FAILED = "failed"


class Feed(Protocol):
    """One source of market data.

    `skipped` counts input that was damaged and left out, `gaps` the holes that
    the source's own sequence numbers show. Both only rise. `flowing_state` is
    LIVE, or REPLAYED for one whose silences are those of a recording: that one
    does not go stale.
    """

    name: str
    flowing_state: FeedState
    gaps: int
    skipped: int

    def instruments(self) -> Sequence[Instrument]:
        """List what the feed can deliver, in the order to show it."""
        ...

    async def run(self, publish: Publish) -> None:
        """Publish events until cancelled; returning means that the feed has ended for good.

        Any exception is a failure after which the supervisor calls `run` again;
        a FeedError with `terminal` set is not tried again.
        """
        ...

    async def subscribe(self, instrument: Instrument) -> None:
        """Begin to deliver an instrument; one that is delivered already is no error.

        Raises:
            FeedError: when the feed does not have it, or its source refuses it.
        """
        ...

    async def unsubscribe(self, instrument: Instrument) -> None:
        """Stop delivering an instrument; one that is not delivered is no error."""
        ...


@runtime_checkable
class PacedFeed(Protocol):
    """A feed whose event rate is ours to set."""

    def set_interval(self, interval_ms: int) -> None:
        """Change the interval of its streams at once."""
        ...
