"""One client of the live stream, whichever server it is connected to: its filter and answers."""

from collections.abc import Iterable

from dashboard.bootstrap import Services
from dashboard.core.conflation import conflate
from dashboard.core.errors import ResumeError
from dashboard.core.model import Published
from dashboard.protocols import live


class LiveSession:
    """What a client gets besides the events themselves; it is the caller who sends it."""

    def __init__(self, running: Services) -> None:
        self.filter = live.Filter()
        self._services = running
        self._hub = running.hub

    def first(self, since: str | None) -> list[str]:
        """Give what a client begins with: what it missed since an id, or the latest values."""
        if not since:
            return self.frames(self._hub.latest(self.filter.wants))
        try:
            missed = self._hub.since(since, self.filter.wants)
        except ResumeError as error:
            latest = self._hub.latest(self.filter.wants)
            return [live.encode_reset(error.reason), *self.frames(latest)]
        return self.frames(conflate(missed))

    def change_filter(self, asked: live.Filter) -> list[str]:
        """Set the filter; give the answer, and the latest values of what it adds."""
        unknown = (asked.symbols or frozenset()) - self._services.instruments.keys()
        symbols = None if asked.symbols is None else asked.symbols - unknown
        before, self.filter = self.filter, live.Filter(symbols, asked.streams)
        wants = self.filter.wants
        added = self._hub.latest(lambda topic: wants(topic) and not before.wants(topic))
        return [live.encode_subscribed(self.filter, unknown=unknown), *self.frames(added)]

    def frames(self, entries: Iterable[Published]) -> list[str]:
        """Write events as clients get them."""
        return [
            self._hub.frame(entry, live.DIALECT) for entry in entries if live.carries(entry.event)
        ]
