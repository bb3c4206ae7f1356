"""How a replay's time runs: which place of the recording is due when. Pure."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dashboard.config import SPEED_MAX, SPEED_MIN
from dashboard.core.clocks import WallTimes
from dashboard.core.reports import Stretch

KEPT_STRETCHES = 32
"""The newest that are told; a short recording that is played fast begins many a second."""


class _Run(NamedTuple):
    """A `Stretch` by the monotonic clock: from `began_ns` on, at `place_ns` of the recording."""

    began_ns: int
    place_ns: int
    pace: float | None
    jumped: bool


class ReplayClock:
    """Turn places of a recording, in ns since its first record, into moments and back.

    Moments are of the `monotonic` clock, which sets the pace; `clock` is the wall clock, by
    which events are stamped.
    """

    def __init__(
        self, *, clock: Callable[[], int], monotonic: Callable[[], int], speed: float
    ) -> None:
        self.paused = False
        self.speed = checked_speed(speed)
        self.now = monotonic
        self._wall = WallTimes(clock=clock, monotonic=monotonic)
        self._runs = deque([_Run(self.now(), 0, self._pace, jumped=True)], KEPT_STRETCHES)

    def place_ns(self) -> int | None:
        """Give the place that is due now; None where all are, as fast as it goes."""
        run = self._runs[-1]
        if run.pace is None:
            return None
        return run.place_ns + round((self.now() - run.began_ns) * run.pace)

    def due_ns(self, place_ns: int) -> int:
        """Give the moment at which a place is due, while it plays."""
        run = self._runs[-1]
        if not run.pace:
            return self.now()
        return run.began_ns + round((place_ns - run.place_ns) / run.pace)

    def stamp(self, moment_ns: int) -> int:
        """Give what the wall clock shows at a moment."""
        return self._wall.of(moment_ns)

    def go_on(self, place_ns: int) -> None:
        """Let a place that follows on what was played be due now."""
        self._run_on(self.now(), place_ns, jumped=False)

    def jump(self, place_ns: int, *, at_ns: int | None = None) -> None:
        """Let any place be due now, or at a moment."""
        self._run_on(self.now() if at_ns is None else at_ns, place_ns, jumped=True)

    def stretches(self, began_ns: int) -> Sequence[Stretch]:
        """Tell how it was played lately, oldest first, of a recording that began at this time."""
        return [
            Stretch(
                played_ns=self.stamp(run.began_ns),
                recorded_ns=began_ns + run.place_ns,
                pace=run.pace,
                jumped=run.jumped,
            )
            for run in self._runs
        ]

    @property
    def _pace(self) -> float | None:
        return 0.0 if self.paused else self.speed or None

    def _run_on(self, moment_ns: int, place_ns: int, *, jumped: bool) -> None:
        """Begin a stretch; one of no length before it is as if it had not been."""
        if moment_ns <= self._runs[-1].began_ns:
            jumped |= self._runs.pop().jumped
        self._runs.append(_Run(moment_ns, place_ns, self._pace, jumped))


def checked_speed(speed: float) -> float:
    """Give a speed back.

    Raises:
        ValueError: when it is neither 0 nor within `SPEED_MIN` and `SPEED_MAX`.
    """
    if speed and not SPEED_MIN <= speed <= SPEED_MAX:
        raise ValueError(f"speed={speed}; a speed is finite: 0, or {SPEED_MIN:g} to {SPEED_MAX:g}")
    return speed
