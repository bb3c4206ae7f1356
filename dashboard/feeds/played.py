"""What plays something recorded, in its own time or another: the pace and the controls."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection, Sequence

from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.reports import Stretch
from dashboard.feeds.base import Feed, Publish, Refusals, SeekableFeed
from dashboard.feeds.replay_clock import ReplayClock, checked_speed

NAP_S = 0.1
"""Longest sleep, so that a control is felt at once."""
YIELD_EVERY = 64
"""Records after which others get their turn, however far behind the replay is."""
MAX_LAG_NS = 1_000_000_000
"""A replay that is later than this goes on from where it is, instead of catching up."""
ROUND_GAP_NS = 1_000_000
"""Pause between two rounds: a recording without any length does not spin."""


class PlayedFeed(Feed):
    """Play a recording with its gaps, divided by `speed`; 0 is as fast as it goes.

    What it publishes is stamped by the wall clock; `monotonic` sets the pace: without it,
    `clock` must be one that is never set. Each round begins where the round before it ended.

    The controls act within `NAP_S` and may be called before and during `run`,
    on the event loop's thread; after `run` has returned they do nothing.

    What is played is the subclass's: it gives its records one by one, at places in ns since
    the first one.
    """

    flowing_state = FeedState.REPLAYED

    def __init__(
        self,
        instruments: Sequence[Instrument],
        *,
        began_ns: int,
        duration_ns: int,
        clock: Callable[[], int],
        speed: float,
        loop: bool,
        sleep: Callable[[float], Awaitable[object]],
        monotonic: Callable[[], int] | None,
    ) -> None:
        self.rounds = 0
        self.began_ns = began_ns
        """When the recording begins, in ns since the Unix epoch."""
        self._instruments = instruments
        self._duration_ns = duration_ns
        self._clock = ReplayClock(clock=clock, monotonic=monotonic or clock, speed=speed)
        self._loop = loop
        self._sleep = sleep
        self._known = frozenset(each.key for each in instruments)
        self._wanted: set[InstrumentKey] = set(self._known)
        self._publish: Publish | None = None
        self._target_ns: int | None = None

    @property
    @abstractmethod
    def _place_ns(self) -> int:
        """Give the place of the record that was played last."""

    @property
    @abstractmethod
    def _next_place_ns(self) -> int | None:
        """Give the place of the next record; None at the end."""

    @abstractmethod
    def _rewind(self) -> None:
        """Begin another round."""

    @abstractmethod
    def _play(self, ts_event: int, publish: Publish, *, silent: bool) -> None:
        """Play the next record; a `silent` one only counts for what comes later."""

    @abstractmethod
    def _publish_latest(
        self, publish: Publish, keys: Collection[InstrumentKey], ts_event: int
    ) -> None:
        """Publish how some instruments stand."""

    def _close(self) -> None:
        """Let go of what is open, for `_rewind` to open it again."""

    async def _give_way(self) -> None:
        """Let others have their turn."""
        await self._sleep(0)

    def instruments(self) -> Sequence[Instrument]:
        """List the instruments of the recording, in the order of their first appearance."""
        return self._instruments

    async def load(self) -> None:
        """Do nothing: a recording is read through once."""

    async def subscribe(self, instruments: Sequence[Instrument], depth: int) -> Refusals:
        """Let instruments' events through, beginning with how they stand."""
        begun = {each.key for each in instruments if each.key in self._known} - self._wanted
        self._wanted |= begun
        if self._publish is not None and self._target_ns is None:
            self._tell_latest(self._publish, begun)
        return {
            each.key: f"no instrument {each.symbol!r}"
            for each in instruments
            if each.key not in self._known
        }

    async def unsubscribe(self, instruments: Sequence[Instrument]) -> None:
        """Hold instruments' events back."""
        self._wanted.difference_update(each.key for each in instruments)

    @property
    def playback(self) -> SeekableFeed:
        """Give its controls: its own."""
        return self

    @property
    def paused(self) -> bool:
        """Tell whether it stands still."""
        return self._clock.paused

    @property
    def speed(self) -> float:
        """Give the factor by which time runs; 0 is as fast as it goes."""
        return self._clock.speed

    @property
    def duration_s(self) -> float:
        """Give the length of the recording in seconds of its own time."""
        return self._duration_ns / 1e9

    @property
    def position_s(self) -> float:
        """Give how far the round has come, in seconds of the recording's time."""
        return self._find_place_ns() / 1e9

    @property
    def stretches(self) -> Sequence[Stretch]:
        """Tell how it was played lately, oldest first."""
        return self._clock.stretches(self.began_ns)

    def set_speed(self, speed: float) -> None:
        """Let time run at another speed from here on.

        Raises:
            ValueError: when it is neither 0 nor within `SPEED_MIN` and `SPEED_MAX`.
        """
        self._go_on(speed=checked_speed(speed), paused=self.paused)

    def pause(self) -> None:
        """Stop where it is."""
        self._go_on(speed=self.speed, paused=True)

    def resume(self) -> None:
        """Go on from where it was stopped."""
        self._go_on(speed=self.speed, paused=False)

    def seek(self, seconds: float) -> None:
        """Go to a place in the recording, clamped to its ends, paused or not.

        It is played from the beginning, without publishing; then it is published how each
        instrument stood there.

        Raises:
            ValueError: when it is no finite number.
        """
        if not 0 <= abs(seconds) < float("inf"):
            raise ValueError(f"seconds={seconds}; a place is a finite number")
        self._target_ns = min(max(round(seconds * 1e9), 0), self._duration_ns)
        self._close()
        self._rewind()

    async def run(self, publish: Publish) -> None:
        """Publish the recording, again and again where it loops.

        Raises:
            FeedError: terminal, when the file cannot be read any more.
        """
        self._begin_round(self._clock.now())
        self._publish = publish
        played = 0
        try:
            while True:
                place_ns = self._next_place_ns
                target_ns = self._target_ns
                if target_ns is not None and (place_ns is None or place_ns > target_ns):
                    self._arrive(publish, target_ns)
                    continue
                if place_ns is None:
                    self.rounds += 1
                    if not self._loop:
                        return
                    ended_ns = self._clock.due_ns(self._duration_ns)
                    self._begin_round(ended_ns + ROUND_GAP_NS)
                    await self._sleep(0)
                    continue
                wait_s = self._wait_s(place_ns)
                if wait_s > 0:
                    await self._sleep(min(wait_s, NAP_S))
                    continue
                ts_event = self._clock.stamp(self._clock.due_ns(place_ns))
                self._play(ts_event, publish, silent=target_ns is not None)
                played += 1
                if played % YIELD_EVERY == 0:
                    await self._give_way()
        finally:
            self._publish = None
            self._close()

    def _begin_round(self, began_ns: int) -> None:
        self._close()
        self._rewind()
        if self._target_ns is None:
            self._clock.jump(0, at_ns=began_ns)

    def _arrive(self, publish: Publish, target_ns: int) -> None:
        self._target_ns = None
        self._clock.jump(target_ns)
        self._tell_latest(publish, self._wanted)

    def _tell_latest(self, publish: Publish, keys: Collection[InstrumentKey]) -> None:
        self._publish_latest(publish, keys, self._clock.stamp(self._clock.now()))

    def _go_on(self, *, speed: float, paused: bool) -> None:
        """Play on from where it is, in another way."""
        place_ns = self._find_place_ns()
        self._clock.speed, self._clock.paused = speed, paused
        self._clock.go_on(place_ns)

    def _find_place_ns(self) -> int:
        if self._target_ns is not None:
            return self._target_ns
        due_ns = self._clock.place_ns()
        if due_ns is None:
            return self._place_ns
        ahead = self._next_place_ns
        end = self._duration_ns if ahead is None else ahead
        return min(max(due_ns, self._place_ns), end)

    def _wait_s(self, place_ns: int) -> float:
        if self._target_ns is not None:
            return 0.0
        if self.paused:
            return NAP_S
        wait_ns = self._clock.due_ns(place_ns) - self._clock.now()
        if wait_ns < -MAX_LAG_NS:
            self._clock.go_on(place_ns)
            return 0.0
        return wait_ns / 1e9
