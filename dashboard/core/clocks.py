"""What may be believed of a time: of the wall clock, which is set, and of those of others.

The wall clock gives nanoseconds since the Unix epoch and stamps what happens. It
jumps when it is set, so intervals are measured by the monotonic clock, which only
runs forward and whose zero means nothing.
"""

from collections.abc import Callable

EARLIEST_NS = 0
"""A source's time before 1970 is impossible."""
LATEST_NS = 7_258_118_400 * 1_000_000_000
"""The beginning of the year 2200: no clock of ours is there, and columns of ns end in 2262."""
MAX_AHEAD_NS = 5 * 1_000_000_000
"""How far a source may be ahead of our wall clock."""
CLOCK_SET_NS = 500_000_000
"""A wall clock that has moved by more than this against the monotonic one was set."""


class WallTimes:
    """Give the wall clock's times for moments of the monotonic one.

    Two moments are as far apart by the wall clock as by the monotonic one, to the
    nanosecond, unless the wall clock was set between the calls.
    """

    def __init__(self, *, clock: Callable[[], int], monotonic: Callable[[], int]) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._offset_ns = clock() - monotonic()

    def of(self, moment_ns: int) -> int:
        """Give what the wall clock shows at a moment, as it is set now."""
        offset_ns = self._clock() - self._monotonic()
        if abs(offset_ns - self._offset_ns) > CLOCK_SET_NS:
            self._offset_ns = offset_ns
        return moment_ns + self._offset_ns


def never_set(*, clock: Callable[[], int], monotonic: Callable[[], int]) -> Callable[[], int]:
    """Make a clock that begins with the wall clock's time and runs on whenever that is set."""
    offset_ns = clock() - monotonic()
    return lambda: monotonic() + offset_ns
