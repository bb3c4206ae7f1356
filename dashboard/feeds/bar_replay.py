"""A file of bars as a feed: each of them whole, when it is over, and its close as a price."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

import structlog

from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import ClosedBar, Price
from dashboard.feeds.bar_file import BarFile
from dashboard.feeds.base import KeptUp, Publish
from dashboard.feeds.played import PlayedFeed
from dashboard.feeds.recording import FEED

log = structlog.get_logger(__name__)

NS_PER_MS = 1_000_000
MAX_LOGGED = 100
"""Bad lines that are logged one by one; the rest is only counted."""


class BarReplay(PlayedFeed):
    """Publish a `BarFile`, a bar when the next one would begin.

    A bar has the file's own time, while `ts_event` is that time shifted to now, by the wall
    clock. The first one after a jump, to another round or place, is marked. At speed 0 it goes
    on when those have kept up whom it is to `wait_for`.
    """

    name = FEED

    def __init__(
        self,
        file: BarFile,
        *,
        clock: Callable[[], int],
        speed: float = 1.0,
        loop: bool = True,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        monotonic: Callable[[], int] | None = None,
    ) -> None:
        first, last = file.times[0], file.times[-1]
        super().__init__(
            [file.instrument],
            began_ns=(first + file.interval_ms) * NS_PER_MS,
            duration_ns=(last - first) * NS_PER_MS,
            clock=clock,
            speed=speed,
            loop=loop,
            sleep=sleep,
            monotonic=monotonic,
        )
        self._file = file
        self._at = 0
        self._anew = True
        self._kept_up: KeptUp | None = None
        self._log_bad()

    @property
    def skipped(self) -> int:
        """Count the lines that were left out."""
        return len(self._file.bad)

    @property
    def note(self) -> str:
        """Say what is wrong with the file; empty where nothing is."""
        return self._file.note

    def wait_for(self, kept_up: KeptUp) -> None:
        """Go on only when they have kept up, at speed 0."""
        self._kept_up = kept_up

    @property
    def _place_ns(self) -> int:
        return self._place_of(max(self._at - 1, 0))

    @property
    def _next_place_ns(self) -> int | None:
        return self._place_of(self._at) if self._at < len(self._file.times) else None

    def _place_of(self, number: int) -> int:
        return (self._file.times[number] - self._file.times[0]) * NS_PER_MS

    def _rewind(self) -> None:
        self._at = 0
        self._anew = True

    def _play(self, ts_event: int, publish: Publish, *, silent: bool) -> None:
        number = self._at
        self._at += 1
        if silent or not self._wanted:
            return
        file, about = self._file, self._file.instrument
        publish(
            ClosedBar(
                symbol=about.symbol,
                exchange=about.exchange,
                start_ms=file.times[number],
                interval_ms=file.interval_ms,
                open=file.opens[number],
                high=file.highs[number],
                low=file.lows[number],
                close=file.closes[number],
                volume=file.volumes[number],
                anew=self._anew,
                ts_event=ts_event,
            )
        )
        self._anew = False
        publish(self._price(number, ts_event))

    def _publish_latest(
        self, publish: Publish, keys: Collection[InstrumentKey], ts_event: int
    ) -> None:
        if keys and self._at:
            publish(self._price(self._at - 1, ts_event))

    def _price(self, number: int, ts_event: int) -> Price:
        about = self._file.instrument
        return Price(
            symbol=about.symbol,
            exchange=about.exchange,
            price=self._file.closes[number],
            volume=self._file.volumes[number],
            ts_event=ts_event,
        )

    async def run(self, publish: Publish) -> None:
        """Publish the bars, again and again where it loops."""
        await self._wait()
        await super().run(publish)

    async def _give_way(self) -> None:
        await self._wait()
        await super()._give_way()

    async def _wait(self) -> None:
        if self._kept_up is not None and self.speed == 0:
            await self._kept_up()

    def _log_bad(self) -> None:
        for each in self._file.bad[:MAX_LOGGED]:
            log.warning(
                "a line of the file of bars skipped",
                feed=self.name,
                file=str(self._file.path),
                line=each.line,
                reason=each.reason,
            )
        if self.skipped > MAX_LOGGED:
            log.warning("further skipped lines are only counted", feed=self.name)
