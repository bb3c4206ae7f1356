"""Small statistics shared by panels and metrics."""

from collections import deque
from collections.abc import Sequence


def percentile(ordered: Sequence[float], p: float) -> float:
    """Give the value at index floor((n-1)*p) of values sorted in rising order.

    Raises:
        ValueError: when there are no values, or p is outside 0..1.
    """
    if not ordered:
        raise ValueError("a percentile needs at least one value")
    if not 0 <= p <= 1:
        raise ValueError(f"p={p} is outside 0..1")
    return ordered[int((len(ordered) - 1) * p)]


class RateMeter:
    """Count events and tell how many came per second over a short sliding window."""

    def __init__(self, *, window_ns: int = 1_000_000_000) -> None:
        self._window_ns = window_ns
        self._marks: deque[tuple[int, int]] = deque()

    def mark(self, total: int, now_ns: int) -> float:
        """Record the running total at `now_ns` and give the rate per second since the window began."""
        self._marks.append((now_ns, total))
        while len(self._marks) > 2 and self._marks[1][0] <= now_ns - self._window_ns:
            self._marks.popleft()
        first_ns, first_total = self._marks[0]
        elapsed_ns = now_ns - first_ns
        return (total - first_total) * 1e9 / elapsed_ns if elapsed_ns else 0.0
