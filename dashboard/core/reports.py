"""What the owner of the feeds tells about them: events of the hub, each with a latest value.

So whoever serves clients reads how feeds stand and what they have from its hub alone.
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from dashboard.core.directory import Catalogue
from dashboard.core.feed_state import FeedStatus
from dashboard.core.model import Event, Kind, Topic


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which a recording was played evenly, until the next such time began.

    At `played_ns`, by the wall clock as `ts_event` has it, it was where it had been at
    `recorded_ns`; from there on a second is `pace` seconds of the recording: 0 while it is
    paused, None where it runs as fast as it goes, and nobody knows which of its times an event
    is of. `jumped` marks one that does not follow on what was played before, which was another
    round or another place.
    """

    played_ns: int
    recorded_ns: int
    pace: float | None
    jumped: bool


class Playback(msgspec.Struct, frozen=True, kw_only=True):
    """Where a replay is, in seconds of the recording; `note` says what is wrong with that.

    The recording began at `began_ns`. `stretches` tell when what was played lately had been,
    oldest first.
    """

    position_s: float
    duration_s: float
    speed: float
    paused: bool
    began_ns: int
    stretches: tuple[Stretch, ...]
    note: str = ""


class FeedReport(Event, frozen=True, kw_only=True, gc=False):
    """How a feed stands: told once a second, and at once when its state or a stretch changes.

    `last_event_ns` is when its newest event came, by the wall clock; `silences` are the newest
    times after which nothing was known, as the source's own clock had them: what held then did
    not go on to hold. `clock_skew` counts impossible times that were replaced, `shadowed` events of
    instruments that a feed before it serves; `playback` is None where nothing is played.
    """

    kind: ClassVar[Kind] = Kind.FEED_REPORT

    feed: str
    status: FeedStatus
    last_event_ns: int | None = None
    silences: tuple[int, ...] = ()
    skipped_by_cause: Mapping[str, int] = {}
    clock_skew: int = 0
    shadowed: int = 0
    playback: Playback | None = None

    @property
    def topic(self) -> Topic:
        """Give the topic of this feed."""
        return Topic(self.kind, "", self.feed)


class FeedCatalogue(Event, frozen=True, kw_only=True, gc=False):
    """What a feed has: told at the start and when it changes.

    A `paced` feed has no rate of its own: the frequency is its rate.
    """

    kind: ClassVar[Kind] = Kind.FEED_CATALOGUE

    catalogue: Catalogue
    paced: bool = False

    @property
    def topic(self) -> Topic:
        """Give the topic of this feed."""
        return Topic(self.kind, "", self.catalogue.feed)
