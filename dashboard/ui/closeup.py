"""One instrument in detail: what a page about it is told beside the market's share."""

import time
from collections.abc import Sequence
from typing import Any

from dashboard.core.bars import KEPT, Bar, Interval
from dashboard.core.instruments import Instrument
from dashboard.core.model import Kind, Published, Topic
from dashboard.ui.batch import COUNTED, counts, detail_part, draws_prices, is_outdone, past_part
from dashboard.ui.columns import BarRow, BarsPart
from dashboard.ui.running import Streamed

SECOND_NS = 1_000_000_000
BARS = 400
"""So many bars a chart begins with."""
MAX_NEW_BARS = 10
"""More than that since the last push, and the chart begins anew."""
BARS_S = 0.25


class Closeup:
    """What one page has been told of its instrument so far."""

    def __init__(self, running: Streamed, instrument: Instrument, *, at: int) -> None:
        """`at` is the instrument's number in the batches."""
        self._running = running
        self._hub = running.hub
        self._instrument = instrument
        self._at = at
        self._interval = Interval.S1
        self._recalls = True
        self._bars_s = 0.0
        self._told: int | None = None
        self._begun = False
        """Whether the chart has the bars before the one that waits, and no others yet."""
        self._last_told = 0

    def recall(self) -> None:
        """Tell the last minute and the bars anew with the next push."""
        self._recalls = True
        self._show_all_bars()

    def show_bars(self, interval: Interval) -> None:
        """Tell bars of another length from the next push on."""
        self._interval = interval
        self._show_all_bars()

    @property
    def topics(self) -> set[Topic]:
        """Give the topics that it is to be told of."""
        return {*(Topic(kind, *self._instrument.key) for kind in COUNTED), *self.theo}

    @property
    def theo(self) -> list[Topic]:
        """Give the topic of the theoretical price of its underlying, where it has one."""
        about = self._instrument
        if about.underlying is None:
            return []
        return [Topic(Kind.THEO, about.exchange, about.underlying)]

    def part(
        self, entries: Sequence[Published], told: Sequence[Published], *, held: Published | None
    ) -> dict[str, Any]:
        """Give `q o z m w a` of a push: `entries` are new, `told` what it carries of them.

        The last minute ends with what is told, so with `w` there is none of `q o z`. Events
        from `held` on wait for the next book, see `ui.moment`: the bars, which have them, wait,
        too. Only a chart that has none gets those of before at once.
        """
        part = detail_part(told, self._instrument, self._hub.latest_of)
        if (counted := counts(entries, self._instrument.key)) is not None:
            part["m"] = counted
        if self._recalls:
            self._recalls = False
            for name in ("q", "o", "z"):
                part.pop(name, None)
            offset_ns = self._hub.clock_offset_ns
            past = self._past(held)
            part["w"] = past_part(past, at=self._at, offset_ns=offset_ns)
        bars = self._bars() if held is None else self._bars_before(held)
        if bars is not None:
            part["a"] = bars
        return part

    def _past(self, held: Published | None) -> list[Published]:
        """Give what is drawn of the last minute; of a kind without any event, its last one."""
        about = self._instrument
        drawn = (Kind.QUOTE, Kind.TRADE, *((Kind.PRICE,) if draws_prices(about) else ()))
        topics = [*(Topic(kind, *about.key) for kind in drawn), *self.theo]

        def is_shown(entry: Published) -> bool:
            return held is None or entry.offset < held.offset or entry.topic.kind is Kind.THEO

        past = self._hub.recent(set(topics))
        found = {entry.topic for entry in past}
        past = [*self._hub.latest(topic for topic in topics if topic not in found), *past]
        latest_of = self._hub.latest_of
        return [each for each in past if is_shown(each) and not is_outdone(each, latest_of)]

    def _show_all_bars(self) -> None:
        self._told = None
        self._begun = False
        self._bars_s = 0.0

    def _bars_before(self, held: Published) -> BarsPart | None:
        """Give a chart that has no bars yet, once, those that end before what waits."""
        if self._told is not None or self._begun:
            return None
        self._begun = True
        length_ns = KEPT[self._interval][0] * SECOND_NS
        newest = self._running.bars.of(self._instrument, self._interval, BARS)
        rows = [_row(bar) for bar in newest if bar.start + length_ns <= held.event.ts_event]
        return BarsPart(self._interval.value, rows, 1) if rows else None

    def _bars(self) -> BarsPart | None:
        """Give the bars that are new or have changed, a few times a second; None when none have.

        A late trade may have changed any of them. When bars are no longer among
        the newest, for the clock was set back, the chart begins anew.
        """
        now_s = time.monotonic()
        if now_s - self._bars_s < BARS_S:
            return None
        self._bars_s = now_s
        bars, about, told = self._running.bars, (self._instrument, self._interval), self._told
        self._told = bars.changes(*about)
        if self._told == told:
            return None
        newest = bars.of(*about, 1)
        last_told, self._last_told = self._last_told, newest[0].start if newest else 0
        if told is not None and self._last_told >= last_told:
            fresh = bars.changed(*about, told)
            if not fresh:
                return None
            if len(fresh) <= MAX_NEW_BARS:
                return BarsPart(self._interval.value, [_row(bar) for bar in fresh], 0)
        return BarsPart(self._interval.value, [_row(bar) for bar in bars.of(*about, BARS)], 1)


def _row(bar: Bar) -> BarRow:
    return BarRow(bar.start // SECOND_NS, bar.open, bar.high, bar.low, bar.close, bar.volume)
