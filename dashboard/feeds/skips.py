"""Count what a feed leaves out by cause, and log it without flooding the log."""

from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

LOG_EVERY_NS = 10 * 1_000_000_000


class Skips:
    """The counts of one feed; of each cause the first is logged, then one every 10 s at most.

    `clock` is monotonic, in ns.
    """

    def __init__(self, *, feed: str, clock: Callable[[], int]) -> None:
        self.by_cause: dict[str, int] = {}
        self._feed = feed
        self._clock = clock
        self._logged: dict[str, tuple[int, int]] = {}

    @property
    def total(self) -> int:
        """Add up all causes."""
        return sum(self.by_cause.values())

    def add(self, cause: str, problem: str) -> None:
        """Count one; `cause` is one of a few fixed texts, `problem` tells about this one."""
        count = self.by_cause[cause] = self.by_cause.get(cause, 0) + 1
        now = self._clock()
        logged_ns, logged_count = self._logged.get(cause, (None, 0))
        if logged_ns is None or now - logged_ns >= LOG_EVERY_NS:
            self._logged[cause] = (now, count)
            log.warning(
                "message skipped",
                feed=self._feed,
                cause=cause,
                problem=problem,
                count=count - logged_count,
            )
