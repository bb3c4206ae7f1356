"""What the supervisor and the hub need of a feed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument
from dashboard.core.model import Event

Publish = Callable[[Event], object]


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

    @property
    def skipped(self) -> int:
        """Count the damaged input."""
        ...

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
class MonitoredFeed(Protocol):
    """A feed that knows whether its source is there, however quiet the market is."""

    @property
    def last_sign_ns(self) -> int | None:
        """Give when the source last gave a sign of life, in ns of the monotonic clock.

        None while it is known to be gone.
        """
        ...


@runtime_checkable
class ExplainingFeed(Protocol):
    """A feed that knows why it skipped what it skipped."""

    @property
    def skipped_by_cause(self) -> Mapping[str, int]:
        """Count the damaged input by cause: one of a few fixed texts."""
        ...


@runtime_checkable
class OnDemandFeed(Protocol):
    """A feed that has more instruments than it delivers and lists by itself."""

    def on_demand(self) -> Sequence[Instrument]:
        """List what it delivers only once it was subscribed to."""
        ...


@runtime_checkable
class PacedFeed(Protocol):
    """A feed whose event rate is ours to set."""

    def set_interval(self, interval_ms: int) -> None:
        """Change the interval of its streams at once."""
        ...


@runtime_checkable
class AnnotatedFeed(Protocol):
    """A feed that knows what is wrong with its source, for whoever looks at it to know."""

    @property
    def note(self) -> str:
        """Say it on one line; empty where nothing is."""
        ...


@runtime_checkable
class SeekableFeed(Protocol):
    """A feed that plays something recorded, and can be stopped, sped up and sent to a place.

    It is one replay for all clients. Positions are in seconds of the recording's time.
    """

    @property
    def paused(self) -> bool:
        """Tell whether it stands still."""
        ...

    @property
    def speed(self) -> float:
        """Give the factor by which time runs; 0 is as fast as it goes."""
        ...

    @property
    def position_s(self) -> float:
        """Give how far it has come."""
        ...

    @property
    def duration_s(self) -> float:
        """Give the length of the recording."""
        ...

    def pause(self) -> None:
        """Stop where it is."""
        ...

    def resume(self) -> None:
        """Go on from where it was stopped."""
        ...

    def set_speed(self, speed: float) -> None:
        """Let time run at another speed from here on.

        Raises:
            ValueError: when it is negative, not finite, or too far from 1 to be kept.
        """
        ...

    def seek(self, seconds: float) -> None:
        """Go to a place, clamped to the ends of the recording.

        Raises:
            ValueError: when it is no finite number.
        """
        ...
