"""How much passes the hub, for who shows that and little of the events themselves."""

from collections.abc import Collection

from dashboard.core.model import Channel, Published
from dashboard.hub.hub import Hub


class Meter:
    """Count what has passed in some channels since it was last read; nothing is handed to it."""

    def __init__(self, hub: Hub, channels: Collection[Channel]) -> None:
        self._hub = hub
        self._channels = channels
        self._counted = self._count()
        self._newest = hub.newest_in(Channel.MARKET)

    def read(self) -> tuple[int, Published | None]:
        """Give how many events came since the last time, and the market's newest, if it is new."""
        before, self._counted = self._counted, self._count()
        passed, self._newest = self._newest, self._hub.newest_in(Channel.MARKET)
        return self._counted - before, None if self._newest is passed else self._newest

    def _count(self) -> int:
        return sum(map(self._hub.published_in, self._channels))
