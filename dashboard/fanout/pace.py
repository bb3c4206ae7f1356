"""How often to write: a few milliseconds of waiting join many frames into one write."""

SHARE = 0.035
"""Writing may take this share of the time, unless frames would wait too long."""
LONGEST_S = 0.03
"""How long frames may wait for the sake of that share."""
LIMIT = 0.4
"""Writing may take this share of the time at most, even where frames wait longer for it."""
MOST_S = 0.044
"""How long they may wait for that: what each frame costs no waiting makes less."""
SPLIT_S = 0.003
"""What writing to all costs at least where it is done lane by lane."""
SMOOTHING = 0.1


class Pace:
    """Derive the interval between two flushes from what a flush costs.

    A write costs the same whatever is in it. So few clients are written to at
    once, and the more there are, the more frames wait for one write: up to
    `longest_s`, beyond which the delay would be worse than the cost; and up to `MOST_S`
    where there would be too little time left for anything but writing. After a longer
    silence nothing waits, whatever the interval.

    Where a flush takes long, its `lanes` are flushed one after the other, evenly over
    the interval: a frame that comes while others are written to need not wait for all.
    """

    def __init__(self, *, lanes: int, share: float = SHARE, longest_s: float = LONGEST_S) -> None:
        self._lanes = lanes
        self._share = share
        self._longest_s = longest_s
        self._cost_s = 0.0

    @property
    def interval_s(self) -> float:
        """Give the shortest time from one flush of a lane to the next one of it."""
        return max(
            min(self._cost_s / self._share, self._longest_s), min(self._cost_s / LIMIT, MOST_S)
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
