"""A recording of WebSocket traffic as a feed: the real frames again."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import cache
from pathlib import Path

import structlog

from dashboard.config import Settings, setting_error
from dashboard.core.errors import FeedError, ParseError
from dashboard.core.instruments import InstrumentKey
from dashboard.feeds.bar_file import BarFile, is_bar_file
from dashboard.feeds.bar_replay import BarReplay
from dashboard.feeds.base import Publish
from dashboard.feeds.parsing.wslog import Connected, Damage, Received, Sent
from dashboard.feeds.played import PlayedFeed
from dashboard.feeds.recording import FEED, Recording
from dashboard.feeds.registry import Declaration
from dashboard.feeds.replay_round import Round

log = structlog.get_logger(__name__)

MAX_LOGGED = 100
"""Damaged lines that are logged one by one; the rest is only counted."""


class Replay(PlayedFeed):
    """Publish a `Recording` of WebSocket traffic.

    `ts_event` is the recorded time shifted to now, by the wall clock. Each round begins with
    empty books, and books are kept up to date while their events are held back. A trade that is
    the first of its instrument after a jump, to another round or place, is marked. `gaps` and
    `skipped` count what was played, so a looping replay counts the same line once a round; it is
    logged once.
    """

    name = FEED

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
        super().__init__(
            recording.instruments,
            began_ns=recording.began_ns,
            duration_ns=recording.duration_ns,
            clock=clock,
            speed=speed,
            loop=loop,
            sleep=sleep,
            monotonic=monotonic,
        )
        self._recording = recording
        self._round = Round(recording)
        self._skipped = 0
        self._logged_line = 0
        self._logged = 0

    @property
    def skipped(self) -> int:
        """Count the damaged input that was played."""
        return self._skipped

    @property
    def note(self) -> str:
        """Say what is wrong with the recording; empty where nothing is."""
        return self._recording.note

    @property
    def _place_ns(self) -> int:
        return self._round.place_ns

    @property
    def _next_place_ns(self) -> int | None:
        return self._round.next_place_ns

    def _rewind(self) -> None:
        self._round = Round(self._recording)

    def _close(self) -> None:
        self._round.close()

    def _publish_latest(
        self, publish: Publish, keys: Collection[InstrumentKey], ts_event: int
    ) -> None:
        for event in self._round.markets.latest(ts_event, keys.__contains__):
            publish(event)

    def _play(self, ts_event: int, publish: Publish, *, silent: bool) -> None:
        record = self._round.take()
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


def check(settings: Settings) -> Recording | BarFile:
    """Read what is set through.

    Raises:
        SettingError: when it cannot be read or there is no market data in it.
    """
    return _read(settings.replay_file, settings.replay_symbol)


@cache
def _read(file: Path | None, symbol: str | None) -> Recording | BarFile:
    """Read a recording or a file of bars through, once per process."""
    path = file or Path()
    try:
        recording = BarFile(path, symbol=symbol) if is_bar_file(path) else Recording(path)
    except FeedError as error:
        allowed = f"a recording, or a file of bars, with market data ({error.problem})"
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


def build(
    settings: Settings, *, clock: Callable[[], int], monotonic: Callable[[], int]
) -> Replay | BarReplay:
    """Build it as it is set."""
    speed, loop = settings.replay_speed, settings.replay_loop
    recording = check(settings)
    if isinstance(recording, BarFile):
        return BarReplay(recording, clock=clock, monotonic=monotonic, speed=speed, loop=loop)
    return Replay(recording, clock=clock, monotonic=monotonic, speed=speed, loop=loop)


DECLARATION = Declaration(
    settings=("replay_file", "replay_symbol", "replay_speed", "replay_loop"),
    check=check,
    build=build,
)
