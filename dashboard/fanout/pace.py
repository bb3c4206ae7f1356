"""How often to write: a few milliseconds of waiting join many frames into one write."""

SHARE = 0.05
"""Writing may take this share of the time, unless frames would wait too long."""
LONGEST_S = 0.024
"""How long frames may wait for the sake of that share."""
LIMIT = 1 / 3
"""Writing may take this share of the time at most, however long frames wait for it."""
SMOOTHING = 0.2


class Pace:
    """Derive the interval between two flushes from what a flush costs.

    A write costs the same whatever is in it. So few clients are written to at
    once, and the more there are, the more frames wait for one write: up to
    `longest_s`, beyond which the delay would be worse than the cost; unless there
    would be too little time left for anything but writing. After a longer silence
    nothing waits, whatever the interval.
    """

    def __init__(self, *, share: float = SHARE, longest_s: float = LONGEST_S) -> None:
        self._share = share
        self._longest_s = longest_s
        self._cost_s = 0.0

    @property
    def interval_s(self) -> float:
        """Give the shortest time from the beginning of one flush to that of the next."""
        return max(min(self._cost_s / self._share, self._longest_s), self._cost_s / LIMIT)

    def spent(self, cpu_s: float) -> None:
        """Tell what a flush has cost, in seconds of CPU."""
        self._cost_s += SMOOTHING * (cpu_s - self._cost_s)
