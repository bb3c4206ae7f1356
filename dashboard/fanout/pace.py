"""How often to write: a few milliseconds of waiting join many frames into one write."""

SHARE, SHARE_WAIT_S = 0.035, 0.03
"""Writing takes this share of the time at most, unless frames would wait longer for that."""
LIMIT, LIMIT_WAIT_S = 0.4, 0.044
"""Beyond that wait this share, up to this wait: waiting saves writes, but no work per frame."""
BUSY, BUSY_WAIT_S = 0.8, 0.065
"""Likewise the share of writing and all other work of the thread: a burst needs the rest."""
LEAST_ROOM = 0.01
"""The share that is left to writing, however much the other work takes."""
SPLIT_S = 0.003
"""What writing to all costs at least where it is done lane by lane."""
SMOOTHING = 0.1
IDLE_S = 1.0
"""How much of a silence counts: more would hide the work that comes after it."""


class Pace:
    """Derive the interval between two flushes from what a flush and all other work cost.

    A write costs the same whatever is in it. So few clients are written to at
    once, and the more there are, the more frames wait for one write. They wait longer
    where there would be too little time left for anything but writing, and longest where
    the process has hardly any time left. After a longer silence nothing waits, whatever
    the interval.

    Where a flush takes long, its `lanes` are flushed one after the other, evenly over
    the interval: a frame that comes while others are written to need not wait for all.
    """

    def __init__(self, *, lanes: int) -> None:
        self._lanes = lanes
        self._cost_s = 0.0
        self._work_s = 0.0
        self._passed_s = IDLE_S

    @property
    def interval_s(self) -> float:
        """Give the shortest time from one flush of a lane to the next one of it."""
        room = max(BUSY - self._work_s / self._passed_s, LEAST_ROOM)
        return max(
            min(self._cost_s / SHARE, SHARE_WAIT_S),
            min(self._cost_s / LIMIT, LIMIT_WAIT_S),
            min(self._cost_s / room, BUSY_WAIT_S),
        )

    @property
    def step_s(self) -> float:
        """Give the time from one flush, of whatever lanes, to the next."""
        return self.interval_s / self._lanes if self._cost_s > SPLIT_S else self.interval_s

    def lanes_after(self, waited_s: float) -> int:
        """Tell how many lanes are due so long after the last flush."""
        if self._cost_s <= SPLIT_S or waited_s >= self.interval_s:
            return self._lanes
        return max(1, round(waited_s / self.step_s))

    def spent(self, cpu_s: float, *, lanes: int) -> None:
        """Tell what a flush of so many lanes has cost, in seconds of CPU."""
        self._cost_s += SMOOTHING * (cpu_s * self._lanes / lanes - self._cost_s)

    def worked(self, cpu_s: float, *, passed_s: float) -> None:
        """Tell what all else has cost since the last flush, in seconds of CPU.

        `passed_s` is the time from the beginning of that flush to now.
        """
        passed_s = min(passed_s, IDLE_S)
        self._work_s += SMOOTHING * (min(cpu_s, passed_s) - self._work_s)
        self._passed_s += SMOOTHING * (passed_s - self._passed_s)
