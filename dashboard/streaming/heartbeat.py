"""When a silent client is pinged, and when it is given up."""

from enum import Enum


class Beat(Enum):
    """What a silence asks for."""

    PING = "ping"
    GIVE_UP = "give up"


class Heartbeat:
    """Follow one client's silence. Times are of one monotonic clock, in seconds.

    It is pinged after `interval_s` of silence, and given up when nothing comes for `timeout_s`
    after that; either may be the longer one. Both are as exact as `look` is frequent.
    """

    def __init__(self, *, interval_s: float, timeout_s: float, now_s: float) -> None:
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._since_s = now_s
        self._pinged = False
        self._overdue = False

    def look(self, now_s: float, *, heard: bool) -> Beat | None:
        """Tell what is to be done now; `heard` says whether anything came since the last look."""
        if heard:
            self._since_s, self._pinged, self._overdue = now_s, False, False
        elif not self._pinged:
            if now_s - self._since_s >= self._interval_s:
                self._since_s, self._pinged = now_s, True
                return Beat.PING
        elif now_s - self._since_s >= self._timeout_s:
            if self._overdue:
                return Beat.GIVE_UP
            self._overdue = True  # it may have answered while we did something else: look again
        return None
