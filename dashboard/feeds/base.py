"""What a feed is, and what each of them may have besides."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.model import Event
from dashboard.core.reports import Stretch

Publish = Callable[[Event], object]
KeptUp = Callable[[], Awaitable[object]]
"""Returns when all who are to keep up have dealt with what was published."""
Refusals = Mapping[InstrumentKey, str]
"""Why instruments are not delivered, by exchange and symbol."""


class Feed(ABC):
    """One source of market data.

    | member             | required | meaning                                              |
    |--------------------|----------|------------------------------------------------------|
    | `name`             | yes      | as `DASHBOARD_FEED` has it                           |
    | `instruments`      | yes      | what is delivered from the start, in order           |
    | `load`             | yes      | read what there is anew, once a day                  |
    | `run`              | yes      | publish until cancelled                              |
    | `subscribe`        | yes      | begin to deliver instruments                         |
    | `unsubscribe`      | yes      | stop delivering them                                 |
    | `on_demand`        | no       | what is delivered only while it is subscribed to     |
    | `flowing_state`    | no       | how it stands while events come                      |
    | `gaps`             | no       | holes that the source's own numbers show             |
    | `skipped`          | no       | input that was damaged and left out                  |
    | `skipped_by_cause` | no       | the same by cause                                    |
    | `monitored`        | no       | whether `last_sign_ns` tells of its source           |
    | `last_sign_ns`     | no       | when the source last gave a sign of life             |
    | `paced`            | no       | whether `set_interval` sets its event rate           |
    | `set_interval`     | no       | change the interval of its streams                   |
    | `note`             | no       | what is wrong with its source                        |
    | `playback`         | no       | how to control it, where it plays something recorded |
    | `wait_for`         | no       | let who listens keep up, where it plays at any pace  |

    What is not required says by its default that a feed does not have it.
    """

    name: str
    flowing_state: FeedState = FeedState.LIVE
    """REPLAYED for one whose silences are those of a recording: that one does not go stale."""
    gaps: int = 0
    """This only rises."""
    monitored: bool = False
    paced: bool = False

    @abstractmethod
    def instruments(self) -> Sequence[Instrument]:
        """List what it delivers without being asked, in the order to show it."""

    @abstractmethod
    async def load(self) -> None:
        """Read anew what instruments there are; a feed is built with those of the start.

        Raises:
            LivetapeError: when they cannot be read; those that it has stay.
        """

    @abstractmethod
    async def run(self, publish: Publish) -> None:
        """Publish events until cancelled; returning means that the feed has ended for good.

        Prices of trades and quotes of books need not be published, see `feeds.derived`; trades
        of a feed with prices of its own are marked as `priced`.

        Any exception is a failure after which the supervisor calls `run` again;
        a FeedError with `terminal` set is not tried again.
        """

    @abstractmethod
    async def subscribe(self, instruments: Sequence[Instrument], depth: int) -> Refusals:
        """Begin to deliver instruments; give those that are refused, with the reason.

        `depth` is how many levels of the book are wanted a side, at least; 0 wants no
        book. One that is delivered already gets this depth from now on. It may be
        called before and between runs: then they are delivered once it runs. While it
        runs, the first value of each is published before this returns, where the
        source has one.

        Raises:
            FeedError: when all are refused, with the reason.
        """

    @abstractmethod
    async def unsubscribe(self, instruments: Sequence[Instrument]) -> None:
        """Stop delivering instruments; one that is not delivered is no error.

        Raises:
            FeedError: when the source does not answer.
        """

    def on_demand(self) -> Sequence[Instrument]:
        """List what it delivers only once it was subscribed to."""
        return ()

    @property
    def skipped(self) -> int:
        """Count the damaged input; it only rises."""
        return 0

    @property
    def skipped_by_cause(self) -> Mapping[str, int]:
        """Count the damaged input by cause: one of a few fixed texts."""
        return {}

    @property
    def last_sign_ns(self) -> int | None:
        """Give when the source last gave a sign of life, however quiet the market is.

        It is in ns of the monotonic clock, and None while the source is known to be gone.
        """
        return None

    def set_interval(self, interval_ms: int) -> None:  # noqa: B027 - most have no pace to change
        """Change the interval of its streams at once."""

    def wait_for(self, kept_up: KeptUp) -> None:  # noqa: B027 - most have a pace of their own
        """Go on only when they have kept up, where it plays as fast as it goes."""

    @property
    def note(self) -> str:
        """Say on one line what is wrong with its source; empty where nothing is."""
        return ""

    @property
    def playback(self) -> "SeekableFeed | None":
        """Give its controls, where it plays something recorded."""
        return None


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

    @property
    def began_ns(self) -> int:
        """Give when the recording begins, in ns since the Unix epoch."""
        ...

    @property
    def stretches(self) -> Sequence[Stretch]:
        """Tell how it was played lately, oldest first; the last one lasts."""
        ...

    @property
    def note(self) -> str:
        """Say on one line what is wrong with the recording; empty where nothing is."""
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
