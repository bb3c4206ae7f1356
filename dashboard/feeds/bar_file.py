"""A file of bars, plain or gzip."""

import gzip
import zlib
from array import array
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import pairwise
from pathlib import Path

from dashboard.core.errors import FeedError, ParseError
from dashboard.core.instruments import Instrument, Sent, decimals_of
from dashboard.feeds.parsing.ohlcv import BadLine, OhlcvBar, OhlcvText
from dashboard.feeds.parsing.wslog import GZIP_MAGIC, BreakOff
from dashboard.feeds.recording import FEED

EXCHANGE = "CSV"
SUFFIXES = (".csv", ".csv.gz")
MS_PER_S = 1000


def is_bar_file(path: Path) -> bool:
    """Tell by its name whether a file is one of bars."""
    return path.name.lower().endswith(SUFFIXES)


class BarFile:
    """The bars of one instrument, read at once, oldest first, in columns that take little room.

    `times` are their opens in ms since the Unix epoch, UTC, and `interval_ms` is how far most of
    them are apart. `bad` are the lines that were left out: those that are no bars, and those
    that begin within the bar before. `broken_off` is the end of a file that breaks off. Without
    a `symbol` it is the file's name before its first dot.

    Raises:
        FeedError: terminal, when the file cannot be read, or its bars have no length.
    """

    def __init__(self, path: Path, *, symbol: str | None = None) -> None:
        self.path = path
        self.broken_off: BreakOff | None = None
        self.bad: list[BadLine] = []
        self.times = array("q")
        self.opens = array("d")
        self.highs = array("d")
        self.lows = array("d")
        self.closes = array("d")
        self.volumes = array("d")
        bars, has_volume = self._read()
        self.interval_ms = self._find_interval(bars)
        self._keep(bars)
        self.instrument = Instrument(
            symbol=symbol or path.name.partition(".")[0],
            exchange=EXCHANGE,
            tick_size=float(f"1e-{max(map(decimals_of, {*self.closes}))}"),
            sends=(Sent.VOLUME,) if has_volume else (),
            bar_ms=self.interval_ms,
        )

    @property
    def note(self) -> str:
        """Say on one line, with the file's name, what is wrong with it; empty where nothing is."""
        end = self.broken_off
        return "" if end is None else f"{self.path.name}, line {end.line}: {end.reason}"

    def _read(self) -> tuple[list[OhlcvBar], bool]:
        """Read what there is, up to where the file breaks off."""
        bars: list[OhlcvBar] = []
        line = 0
        try:
            with _opened(self.path) as file:
                text = OhlcvText(file)
                for each in text:
                    line = each.line
                    if isinstance(each, BadLine):
                        self.bad.append(each)
                    else:
                        bars.append(each)
                return bars, text.has_volume
        except ParseError as error:
            raise self._error(error.problem) from error
        except (OSError, EOFError, zlib.error) as error:
            if not bars:
                raise self._error(f"it cannot be read: {error}") from error
            self.broken_off = BreakOff(line + 1, f"the file breaks off: {error}")
            return bars, True

    def _find_interval(self, bars: list[OhlcvBar]) -> int:
        apart = Counter(later.timestamp - bar.timestamp for bar, later in pairwise(bars))
        if not apart:
            raise self._error(f"it has {len(bars)} bars; allowed: 2 or more")
        interval_ms, _ = apart.most_common(1)[0]
        if interval_ms % MS_PER_S:
            problem = f"its bars are {interval_ms} ms apart; allowed: a whole number of seconds"
            raise self._error(problem)
        return interval_ms

    def _keep(self, bars: list[OhlcvBar]) -> None:
        over_ms = 0
        for bar in bars:
            if bar.timestamp < over_ms:
                self.bad.append(BadLine(bar.line, "the bar begins within the one before"))
                continue
            over_ms = bar.timestamp + self.interval_ms
            self.times.append(bar.timestamp)
            self.opens.append(bar.open)
            self.highs.append(bar.high)
            self.lows.append(bar.low)
            self.closes.append(bar.close)
            self.volumes.append(bar.volume)
        self.bad.sort(key=lambda each: each.line)

    def _error(self, problem: str) -> FeedError:
        """Make the error of this file; the first bad line may tell why there is nothing else."""
        if self.bad:
            problem += f"; line {self.bad[0].line}: {self.bad[0].reason}"
        return FeedError(feed=FEED, problem=f"{self.path}: {problem}", terminal=True)


@contextmanager
def _opened(path: Path) -> Generator[Iterator[str]]:
    """Open a file of text; what is not UTF-8 in it is none of our numbers."""
    with path.open("rb") as file:
        zipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        unpacked = gzip.GzipFile(fileobj=file) if zipped else file
        with TextIOWrapper(unpacked, encoding="utf-8-sig", errors="replace", newline="") as text:
            yield text
