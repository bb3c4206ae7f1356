"""What the owner of the feeds tells about them: events of the hub, each with a latest value.

So whoever serves clients reads how feeds stand and what they have from its hub alone.
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from dashboard.core.directory import Catalogue
from dashboard.core.feed_state import FeedStatus
from dashboard.core.model import Event, Kind, Topic


class Playback(msgspec.Struct, frozen=True, kw_only=True):
    """Where a replay is, in seconds of the recording; `note` says what is wrong with that."""

    position_s: float
    duration_s: float
    speed: float
    paused: bool
    note: str = ""


class FeedReport(Event, frozen=True, kw_only=True, gc=False):
    """How a feed stands: told once a second, and at once when its state changes.

    `clock_skew` counts impossible times that were replaced, `shadowed` events of
    instruments that a feed before it serves; `playback` is None where nothing is played.
    """

    kind: ClassVar[Kind] = Kind.FEED_REPORT

    feed: str
    status: FeedStatus
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
