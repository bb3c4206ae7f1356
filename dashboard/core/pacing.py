"""When the next push to a page is due, and how its phase is moved to the page's frames.

A page paints once per display frame, so a message that arrives just after a
frame waits a whole frame period. The page measures that wait and asks for a
shift; the pacer moves its absolute deadlines until messages arrive just before
a frame.
"""

import math
from collections import deque

MIN_PERIOD_MS = 1000 / 240
MAX_PERIOD_MS = 1000 / 20
DEFAULT_PERIOD_MS = 1000 / 60
FULL_SHIFT_MS = 3.0
DEADBAND_MS = 1.0
AGED_PUSHES = 8
"""Pushes in a row whose newest event was old before the deadline moves towards the feed."""


class Pacer:
    """Absolute deadlines at a whole number of display frames. Times in seconds of one clock.

    `shifts` counts the phase changes made; a page's report names the count it
    saw, and a report about an earlier phase is ignored.
    """

    def __init__(self, *, interval_ms: float, now: float) -> None:
        self._asked_ms = interval_ms
        self._period_ms = DEFAULT_PERIOD_MS
        self._deadline = now
        self._ages_ms: deque[float] = deque(maxlen=AGED_PUSHES)
        self.shifts = 0

    @property
    def interval_ms(self) -> float:
        """Give the interval in force: the asked one, snapped to whole display frames."""
        frames = max(1, math.floor(self._asked_ms / self._period_ms + 0.5))
        return frames * self._period_ms

    @property
    def deadline(self) -> float:
        """Give the time at which the next push is due."""
        return self._deadline

    def set_interval(self, interval_ms: float) -> None:
        """Change the asked interval; it is in force from the next `advance` on."""
        self._asked_ms = interval_ms

    def advance(self, now: float) -> None:
        """Move to the next deadline, keeping the phase.

        Deadlines that have passed are skipped. One that is further ahead than
        any phase change makes it is left from a longer interval, and is brought
        forward.
        """
        step = self.interval_ms / 1000
        self._deadline += step
        if self._deadline < now:
            self._deadline += math.ceil((now - self._deadline) / step) * step
        elif self._deadline - now > 1.5 * step:
            self._deadline -= (math.ceil((self._deadline - now) / step) - 1) * step

    def pushed(self, age_ms: float) -> None:
        """Note the age of the newest event of a push; old ones bring the deadline forward.

        A feed of the same interval ticks a constant time before each push. When
        that is more than a frame, the deadline moves by whole frames to the
        first one after the tick. The phase within the frame stays, so this is
        no shift.
        """
        self._ages_ms.append(age_ms)
        youngest_ms = min(self._ages_ms)
        if len(self._ages_ms) == AGED_PUSHES and youngest_ms > self._period_ms:
            self._deadline -= math.floor(youngest_ms / self._period_ms) * self._period_ms / 1000
            self._ages_ms.clear()

    def report(self, *, shift_ms: float, period_ms: float, seen_shifts: int) -> bool:
        """Take a page's measurement; tell whether the phase was moved.

        `shift_ms` is how much later (positive) or earlier messages should
        arrive. It is taken whole over 3 ms, by half under 3 ms, and not at all
        under 1 ms: a smaller dead band makes the pair hunt.
        """
        if not (math.isfinite(shift_ms) and math.isfinite(period_ms)):
            return False
        if MIN_PERIOD_MS <= period_ms <= MAX_PERIOD_MS:
            self._period_ms = period_ms
        shift_ms = math.remainder(shift_ms, self._period_ms)
        if seen_shifts != self.shifts or abs(shift_ms) < DEADBAND_MS:
            return False
        self._deadline += (shift_ms if abs(shift_ms) > FULL_SHIFT_MS else shift_ms / 2) / 1000
        self.shifts += 1
        return True
