"""The throttle of mode LTP: the first and the last tick of each window, per instrument."""

from dashboard.core.instruments import InstrumentKey
from dashboard.protocols.openalgo.modes import Mode


class Throttle:
    """Decide when an instrument's last price goes out. Times are ns of a monotonic clock.

    A tick outside a window goes out at once and opens one; those inside wait,
    and the newest is due at the window's end, which opens the next. Only that
    something waits is kept, not what: it is read when it is due.
    """

    def __init__(self, *, window_ns: int) -> None:
        self._window_ns = window_ns
        self._ends: dict[InstrumentKey, int] = {}  # rising, as all windows have one length
        self._waiting: dict[InstrumentKey, Mode] = {}

    @property
    def next_due(self) -> int | None:
        """Give when to call `due` next; None while nothing waits."""
        return next(iter(self._ends.values())) if self._waiting else None

    def passes(self, key: InstrumentKey, tick: Mode, now: int) -> bool:
        """Tell whether a tick goes out at once. Call `due` with this time first."""
        if not self._window_ns:
            return True
        if key not in self._ends:
            self._ends[key] = now + self._window_ns
            return True
        self._waiting[key] = min(self._waiting.get(key, tick), tick)
        return False

    def due(self, now: int) -> list[tuple[InstrumentKey, Mode]]:
        """Give the instruments whose waiting tick is to go out now, with its kind.

        Of several ticks it is the lowest kind, which serves the most clients of LTP.
        """
        found: list[tuple[InstrumentKey, Mode]] = []
        while self._ends and next(iter(self._ends.values())) <= now:
            key = next(iter(self._ends))
            del self._ends[key]
            if (tick := self._waiting.pop(key, None)) is not None:
                self._ends[key] = now + self._window_ns
                found.append((key, tick))
        return found
