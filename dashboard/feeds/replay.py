"""A recording as a feed: the real frames again, in their own time or another."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import cache
from pathlib import Path

import structlog

from dashboard.config import Settings, setting_error
from dashboard.core.errors import FeedError, ParseError
from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.reports import Stretch
from dashboard.feeds.base import Feed, Publish, Refusals, SeekableFeed
from dashboard.feeds.parsing.wslog import Connected, Damage, Received, Record, Sent
from dashboard.feeds.recording import FEED, Recording
from dashboard.feeds.registry import Declaration
from dashboard.feeds.replay_clock import ReplayClock, checked_speed
from dashboard.feeds.replay_round import Round

log = structlog.get_logger(__name__)

NAP_S = 0.1
"""Longest sleep, so that a control is felt at once."""
YIELD_EVERY = 64
"""Records after which others get their turn, however far behind the replay is."""
MAX_LAG_NS = 1_000_000_000
"""A replay that is later than this goes on from where it is, instead of catching up."""
ROUND_GAP_NS = 1_000_000
"""Pause between two rounds: a recording without any length does not spin."""
MAX_LOGGED = 100
"""Damaged lines that are logged one by one; the rest is only counted."""


class Replay(Feed):
    """Publish a `Recording` with its gaps, divided by `speed`; 0 is as fast as it goes.

    `ts_event` is the recorded time shifted to now, by the wall clock; `monotonic`
    sets the pace: without it, `clock` must be one that is never set. Each round begins with empty
    books and where the round before it ended. A trade that is the first of its instrument
    after a jump, to another round or place, is marked. `gaps` and `skipped` count what
    was played, so a looping replay counts the same line once a round; it is
    logged once.

    The controls act within `NAP_S` and may be called before and during `run`,
    on the event loop's thread; after `run` has returned they do nothing.
    """

    name = FEED
    flowing_state = FeedState.REPLAYED

    def __init__(
        self,
        recording: Recording,
        *,
        clock: Callable[[], int],
        speed: float = 1.0,
        loop: bool = True,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        monotonic: Callable[[], int] | None = None,
    ) -> None:
        self.rounds = 0
        self._recording = recording
        self._clock = ReplayClock(clock=clock, monotonic=monotonic or clock, speed=speed)
        self._loop = loop
        self._sleep = sleep
        self._known = frozenset(each.key for each in recording.instruments)
        self._wanted: set[InstrumentKey] = set(self._known)
        self._publish: Publish | None = None
        self._round = Round(recording)
        self._target_ns: int | None = None
        self._skipped = 0
        self._logged_line = 0
        self._logged = 0

    @property
    def skipped(self) -> int:
        """Count the damaged input that was played."""
        return self._skipped

    def instruments(self) -> Sequence[Instrument]:
        """List the instruments of the recording, in the order of their first appearance."""
        return self._recording.instruments

    async def load(self) -> None:
        """Do nothing: a recording is read through once."""

    async def subscribe(self, instruments: Sequence[Instrument], depth: int) -> Refusals:
        """Let instruments' events through, beginning with the latest price and book."""
        begun = {each.key for each in instruments if each.key in self._known} - self._wanted
        self._wanted |= begun
        if self._publish is not None and self._target_ns is None:
            self._publish_latest(self._publish, begun)
        return {
            each.key: f"no instrument {each.symbol!r}"
            for each in instruments
            if each.key not in self._known
        }

    async def unsubscribe(self, instruments: Sequence[Instrument]) -> None:
        """Hold instruments' events back; their books are kept up to date."""
        self._wanted.difference_update(each.key for each in instruments)

    @property
    def playback(self) -> SeekableFeed:
        """Give its controls: its own."""
        return self

    @property
    def note(self) -> str:
        """Say what is wrong with the recording; empty where nothing is."""
        return self._recording.note

    @property
    def paused(self) -> bool:
        """Tell whether it stands still."""
        return self._clock.paused

    @property
    def speed(self) -> float:
        """Give the factor by which time runs; 0 is as fast as it goes."""
        return self._clock.speed

    @property
    def began_ns(self) -> int:
        """Give when the recording begins, in ns since the Unix epoch."""
        return self._recording.began_ns

    @property
    def duration_s(self) -> float:
        """Give the length of the recording in seconds of its own time."""
        return self._recording.duration_ns / 1e9

    @property
    def position_s(self) -> float:
        """Give how far the round has come, in seconds of the recording's time."""
        return self._place_ns() / 1e9

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

        The books are rebuilt from the beginning, without publishing; then the
        price and the book of each instrument are published as they were there.

        Raises:
            ValueError: when it is no finite number.
        """
        if not 0 <= abs(seconds) < float("inf"):
            raise ValueError(f"seconds={seconds}; a place is a finite number")
        self._target_ns = min(max(round(seconds * 1e9), 0), self._recording.duration_ns)
        self._round.close()
        self._round = Round(self._recording)

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
                place_ns = self._round.next_place_ns
                target_ns = self._target_ns
                if target_ns is not None and (place_ns is None or place_ns > target_ns):
                    self._arrive(publish, target_ns)
                    continue
                if place_ns is None:
                    self.rounds += 1
                    if not self._loop:
                        return
                    ended_ns = self._clock.due_ns(self._recording.duration_ns)
                    self._begin_round(ended_ns + ROUND_GAP_NS)
                    await self._sleep(0)
                    continue
                wait_s = self._wait_s(place_ns)
                if wait_s > 0:
                    await self._sleep(min(wait_s, NAP_S))
                    continue
                ts_event = self._clock.stamp(self._clock.due_ns(place_ns))
                self._play(self._round.take(), ts_event, publish)
                played += 1
                if played % YIELD_EVERY == 0:
                    await self._sleep(0)
        finally:
            self._publish = None
            self._round.close()

    def _begin_round(self, began_ns: int) -> None:
        self._round.close()
        self._round = Round(self._recording)
        if self._target_ns is None:
            self._clock.jump(0, at_ns=began_ns)

    def _arrive(self, publish: Publish, target_ns: int) -> None:
        self._target_ns = None
        self._clock.jump(target_ns)
        self._publish_latest(publish, self._wanted)

    def _publish_latest(self, publish: Publish, keys: Collection[InstrumentKey]) -> None:
        now = self._clock.stamp(self._clock.now())
        for event in self._round.markets.latest(now, keys.__contains__):
            publish(event)

    def _go_on(self, *, speed: float, paused: bool) -> None:
        """Play on from where it is, in another way."""
        place_ns = self._place_ns()
        self._clock.speed, self._clock.paused = speed, paused
        self._clock.go_on(place_ns)

    def _place_ns(self) -> int:
        if self._target_ns is not None:
            return self._target_ns
        due_ns = self._clock.place_ns()
        if due_ns is None:
            return self._round.place_ns
        ahead = self._round.next_place_ns
        end = self._recording.duration_ns if ahead is None else ahead
        return min(max(due_ns, self._round.place_ns), end)

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

    def _play(self, record: Record, ts_event: int, publish: Publish) -> None:
        silent = self._target_ns is not None
        match record:
            case Received():
                self._play_message(record, ts_event, publish, silent=silent)
            case Damage():
                self._skip(record.line, record.reason, silent=silent)
            case Connected():
                self._round.connections.connect(record.url)
            case Sent():
                self._round.connections.send(record.url, record.text)

    def _play_message(
        self, message: Received, ts_event: int, publish: Publish, *, silent: bool
    ) -> None:
        try:
            changes = self._round.parser.parse_message(message.text, ts_event)
        except ParseError as error:
            self._skip(message.line, str(error), silent=silent)
            return
        if changes is None:
            self._skip(message.line, "no known venue has this type of message", silent=silent)
            return
        markets = self._round.markets
        gaps, crossed = markets.gaps, markets.crossed
        for change in changes:
            key = (change.exchange, change.symbol)
            if key not in self._known:
                self._skip(message.line, "what it is about has no name", silent=silent)
                continue
            wanted = not silent and key in self._wanted
            event = markets.apply(change, wanted=wanted, now=self._round.place_ns)
            if event is not None:
                publish(self._round.mark(event))
        if markets.crossed != crossed:
            self._skip(message.line, "levels that newer ones cross were dropped", silent=silent)
        if not silent:
            self.gaps += markets.gaps - gaps

    def _skip(self, line: int, reason: str, *, silent: bool) -> None:
        """Count what is left out, and log it the first time its line is played."""
        if silent:
            return
        self._skipped += 1
        if line <= self._logged_line or self._logged == MAX_LOGGED:
            return
        self._logged_line = line
        self._logged += 1
        log.warning(
            "part of the recording skipped",
            feed=self.name,
            file=str(self._recording.path),
            line=line,
            reason=reason,
        )
        if self._logged == MAX_LOGGED:
            log.warning("further skipped lines are only counted", feed=self.name)


def check(settings: Settings) -> Recording:
    """Read the recording that is set through.

    Raises:
        SettingError: when it cannot be read or there is no market data in it.
    """
    return _recording(settings.replay_file)


@cache
def _recording(file: Path | None) -> Recording:
    """Read a recording through, once per process."""
    try:
        recording = Recording(file or Path())
    except FeedError as error:
        allowed = f"a recording with market data ({error.problem})"
        raise setting_error("replay_file", file, allowed=allowed) from error
    if (end := recording.broken_off) is not None:
        log.warning(
            "only a part of the recording can be played",
            feed=FEED,
            file=str(file),
            line=end.line,
            reason=end.reason,
        )
    return recording


def build(settings: Settings, *, clock: Callable[[], int], monotonic: Callable[[], int]) -> Replay:
    """Build it as it is set."""
    return Replay(
        check(settings),
        clock=clock,
        monotonic=monotonic,
        speed=settings.replay_speed,
        loop=settings.replay_loop,
    )


DECLARATION = Declaration(
    settings=("replay_file", "replay_speed", "replay_loop"), check=check, build=build
)
