"""Which worker to kill: one whose call takes too long. Nothing else stops C code of Lua's."""

from collections.abc import Callable
from typing import Protocol

from dashboard.trading.sandbox.limits import Limits

LOOK_S = 0.025
"""How often one looks; a call is known to run from the first look on that sees it."""
BLINK_S = 8 * LOOK_S
"""Who has not looked for so long was held up with everyone else: then time begins anew."""


class Watched(Protocol):
    """What is known of a worker from outside."""

    @property
    def running(self) -> int:
        """Give a number that changes with each call."""
        ...

    @property
    def is_busy(self) -> bool:
        """Tell whether it has something to do."""
        ...

    def measure_cpu_s(self) -> float:
        """Give the CPU time that it has used."""
        ...

    def measure_waited_s(self) -> float:
        """Give how long it could have run, but had no core."""
        ...


class Watch:
    """One worker's; `monotonic` gives seconds.

    What a machine is too busy to give a worker is none of a strategy's doing: no time is counted
    in which the worker waits for a core.
    """

    def __init__(self, watched: Watched, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._watched = watched
        self._cpu_ms = limits.call_cpu_ms
        self._wall_ms = limits.call_wall_ms
        self._monotonic = monotonic
        self._running = -1
        self._looked_s = self._since_s = self._cpu_s = 0.0
        self._waited_s: float | None = None

    def look(self) -> str | None:
        """Give the reason to kill it, if there is one; to be called every `LOOK_S`."""
        now_s = self._monotonic()
        held_up = now_s - self._looked_s > BLINK_S
        self._looked_s = now_s
        if not self._watched.is_busy:
            self._running = -1
            return None
        running, cpu_s = self._watched.running, self._watched.measure_cpu_s()
        if running != self._running or held_up:
            self._running, self._since_s, self._cpu_s = running, now_s, cpu_s
            self._waited_s = None
            return None
        waited_s = self._watched.measure_waited_s()
        if self._waited_s is None:
            self._waited_s = waited_s
        if cpu_s - self._cpu_s > self._cpu_ms / 1_000:
            return f"a call took more than {self._cpu_ms} ms of CPU time"
        if now_s - self._since_s - (waited_s - self._waited_s) > self._wall_ms / 1_000:
            return f"a call took more than {self._wall_ms / 1_000:g} s"
        return None
