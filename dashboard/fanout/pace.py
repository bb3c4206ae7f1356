"""How often to write: frames that wait a few milliseconds leave in one write.

A write costs the same whatever is in it. So the more it costs to write to all clients once,
the longer the frames wait for the next time. Three rules say how long; each names the share
of the thread's time that is taken at most, and the longest wait that it may ask for. The one
that asks for the longest wait holds.
"""

SHARE, SHARE_WAIT_S = 0.035, 0.03
"""Writing takes this share of the time."""
LIMIT, LIMIT_WAIT_S = 0.4, 0.044
"""Where that wait is not enough, writing takes this share. A longer wait would save writes, but
none of the work that every frame costs."""
BUSY, BUSY_WAIT_S = 0.8, 0.065
"""Writing and all other work of the thread take this share together: bursts need the rest."""
LEAST_ROOM = 0.01
"""The share that is left to writing by the last rule, however much the other work takes."""
SPLIT_S = 0.003
"""When writing to all clients costs more than this, they are written to lane by lane."""
SMOOTHING = 0.1
"""The weight of a new measurement in a moving average."""
IDLE_S = 1.0
"""A longer silence is averaged as one of this length: in full, it would hide the work that comes
after it."""


class Pace:
    """Derive the interval between two flushes from what a flush and all other work cost.

    The first frame after a silence longer than the interval does not wait at all.

    When writing to all clients takes long, they are divided into `lanes`, which are flushed
    one after the other, evenly over the interval. A frame that comes while one lane is
    written to then waits for that lane alone. `share_wait_s` is the longest wait that the first
    rule asks for.
    """

    def __init__(self, *, lanes: int, share_wait_s: float = SHARE_WAIT_S) -> None:
        self._lanes = lanes
        self._share_wait_s = share_wait_s
        self._cost_s = 0.0
        self._work_s = 0.0
        self._passed_s = IDLE_S

    @property
    def interval_s(self) -> float:
        """Give the shortest time from one flush of a lane to the next one of it."""
        room = max(BUSY - self._work_s / self._passed_s, LEAST_ROOM)
        return max(
            min(self._cost_s / SHARE, self._share_wait_s),
            min(self._cost_s / LIMIT, LIMIT_WAIT_S),
            min(self._cost_s / room, BUSY_WAIT_S),
        )

    @property
    def step_s(self) -> float:
        """Give the time from one flush, of whatever lanes, to the next."""
        return self.interval_s / self._lanes if self._cost_s > SPLIT_S else self.interval_s

    def lanes_after(self, waited_s: float) -> int:
        """Tell how many lanes are due when the last flush is so long ago."""
        if self._cost_s <= SPLIT_S or waited_s >= self.interval_s:
            return self._lanes
        return max(1, round(waited_s / self.step_s))

    def spent(self, cpu_s: float, *, lanes: int) -> None:
        """Take in what a flush of so many lanes has cost, in seconds of CPU."""
        self._cost_s += SMOOTHING * (cpu_s * self._lanes / lanes - self._cost_s)

    def worked(self, cpu_s: float, *, passed_s: float) -> None:
        """Take in what all other work has cost since the last flush, in seconds of CPU.

        `passed_s` is how long ago that flush began.
        """
        passed_s = min(passed_s, IDLE_S)
        self._work_s += SMOOTHING * (min(cpu_s, passed_s) - self._work_s)
        self._passed_s += SMOOTHING * (passed_s - self._passed_s)
