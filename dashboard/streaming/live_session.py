"""One client of the live stream, whichever server it is connected to: its filter and answers."""

from collections.abc import Iterable, Mapping, Sequence

from dashboard.bootstrap import Services
from dashboard.core.conflation import conflate
from dashboard.core.errors import ResumeError
from dashboard.core.instruments import Instrument
from dashboard.core.model import Published
from dashboard.core.principal import CONTROL, Principal, require
from dashboard.hub.subscription import Wants
from dashboard.protocols import live

Found = Mapping[str, Sequence[Instrument]]
"""The instruments of each name that a client asked for; none for an unknown one."""


class LiveSession:
    """What a client gets besides the events themselves; it is the caller who sends it."""

    def __init__(self, running: Services, principal: Principal) -> None:
        self._principal = principal
        self.filter = live.Filter(on_demand=running.on_demand)
        self._services = running
        self._hub = running.hub

    def first(self, since: str | None) -> list[str]:
        """Give what a client begins with: what it missed since an id, or the latest values."""
        if not since:
            return self.frames(self._latest(self.filter.wants))
        try:
            missed = self._hub.since(since, self.filter.wants, live.CHANNELS)
        except ResumeError as error:
            latest = self._latest(self.filter.wants)
            return [live.encode_reset(error.reason), *self.frames(latest)]
        return self.frames(conflate(missed))

    def set_frequency(self, asked: live.SetFrequency) -> None:
        """Change the update interval of all clients.

        Raises:
            ScopeError: when the client may not.
        """
        require(self._principal, CONTROL)
        self._services.set_frequency(asked.frequency_ms)

    async def deliver(self, asked: live.Subscribe) -> Found:
        """Find what a client names, and have it delivered."""
        found = {name: self._services.named(name) for name in asked.symbols or ()}
        for each in {each for instruments in found.values() for each in instruments}:
            await self._services.deliver(each)
        return found

    def change_filter(self, asked: live.Subscribe, found: Found) -> list[str]:
        """Set the filter to what was found; give the answer, and the latest values it adds."""
        named = {each.key for instruments in found.values() for each in instruments}
        before = self.filter
        self.filter = live.Filter(
            None if asked.symbols is None else frozenset(named), asked.streams, before.on_demand
        )
        wants = self.filter.wants
        added = self._latest(lambda topic: wants(topic) and not before.wants(topic))
        unknown = [name for name, instruments in found.items() if not instruments]
        return [live.encode_subscribed(asked, unknown=unknown), *self.frames(added)]

    def _latest(self, wants: Wants) -> list[Published]:
        return [each for each in self._hub.latest_of_kinds(live.KINDS) if wants(each.topic)]

    def frames(self, entries: Iterable[Published]) -> list[str]:
        """Write events as clients get them, without those that cannot be written."""
        carried = (entry for entry in entries if live.carries(entry.event))
        frames = (self._hub.frame(entry, live.DIALECT) for entry in carried)
        return [frame for frame in frames if frame]
