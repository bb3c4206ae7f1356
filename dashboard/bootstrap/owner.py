"""The half that owns what there is once: the feeds, their leases, what is remembered.

It publishes on its hub how all of that stands, and does what the other half asks for.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from dashboard.commands.door import Handlers
from dashboard.commands.requests import (
    ControlReplay,
    EndLeases,
    KeysRevoked,
    Lend,
    LowerLeases,
    SetFrequency,
    TakeLeases,
    TellAccounts,
    TellBars,
)
from dashboard.config import Settings
from dashboard.core.accounts import AccountsKept
from dashboard.core.bars import BarsKept
from dashboard.core.directory import Directory
from dashboard.core.errors import CommandError, FeedError
from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import RevokedKeys
from dashboard.feeds.base import Feed
from dashboard.feeds.catalogues import Catalogues
from dashboard.feeds.controls import Frequency, Replays
from dashboard.feeds.derived import Derived
from dashboard.feeds.leases import FeedLeases, LeaseHolder
from dashboard.feeds.reporting import Reporter
from dashboard.feeds.supervisor import Supervisor
from dashboard.feeds.system import publish_system
from dashboard.history.accounts import Accounts
from dashboard.history.bars import Bars
from dashboard.hub.hub import Hub
from dashboard.storage.trading import TradingRepository
from dashboard.trading.engine import Engine
from dashboard.trading.sandbox.host import SandboxHost
from dashboard.trading.sandbox.limits import MB, Limits

UNLISTED = "no feed has it any more"


class Owner:
    """One per installation; `runs` are its tasks, and it must be closed before they end.

    Without `history` nothing is remembered of the market. `trading` is what is kept of runners
    and strategies.
    """

    def __init__(
        self,
        settings: Settings,
        hub: Hub,
        feeds: Sequence[Feed],
        trading: TradingRepository,
        *,
        history: bool = True,
    ) -> None:
        self.handlers = Handlers()
        self.bars = Bars(hub)
        self.accounts = Accounts(hub)
        if not history:
            self.bars.close()
            self.accounts.close()
        self._hub = hub
        self._supervisor = Supervisor(
            feeds,
            publish=Derived(hub.publish, hub.latest_of).publish,
            clock=time.time_ns,
            monotonic=time.monotonic_ns,
            stale_after_ms=settings.stale_after_ms,
            restarted=self._renew,
        )
        self._catalogues = Catalogues(feeds, changed=self._follow)
        self._reporter = Reporter(
            self._supervisor, publish=hub.publish, clock=time.time_ns, monotonic=time.monotonic_ns
        )
        self._leases = FeedLeases(
            feeds,
            directory=lambda: self._catalogues.directory,
            hub=hub,
            clock=time.monotonic_ns,
        )
        limits = Limits(
            memory_bytes=settings.runner_memory_mb * MB,
            instructions=settings.runner_instructions,
            runners=settings.runners_per_worker,
        )
        host = SandboxHost(limits, failures=hub.failures)
        self._engine = Engine(
            hub=hub,
            host=host,
            repository=trading,
            folder=settings.data_dir / "runners",
            leases=self._leases,
            directory=lambda: self._catalogues.directory,
            feed_state=self._feed_state,
            clock=time.time_ns,
            monotonic=time.monotonic_ns,
            limit=settings.max_runners,
        )
        for each in feeds:
            each.wait_for(self._engine.registry.keep_up)
        self._holders: dict[str, LeaseHolder] = {}
        self._revoked_keys: set[int] = set()
        self._enter_handlers(feeds)
        self._supervisor.follow_directory(self._catalogues.directory)
        self._reporter.tell_catalogues(self._catalogues.catalogues)
        self.runs: dict[str, Callable[[], Awaitable[None]]] = {
            "supervisor": self._supervisor.run,
            "leases": self._leases.run,
            "catalogues": self._catalogues.run,
            "reports": self._reporter.run,
            "bars": self.bars.run,
            "accounts": self.accounts.run,
            "strategies": host.run,
            **self._engine.runs,
        }
        if settings.simulator_seed is None:
            self.runs["system"] = self._publish_system

    @property
    def leases_held(self) -> Mapping[str, int]:
        """Count the leases by the name of their holders."""
        return self._leases.held

    async def close(self) -> None:
        """Let runners end what they are at, and keep what they hold."""
        await self._engine.close()

    def _feed_state(self, key: InstrumentKey) -> FeedState:
        """Tell how the feed of an instrument stands; one that no feed has is stale."""
        feed = self._catalogues.directory.feed_of(key)
        return FeedState.STALE if feed is None else self._supervisor.status()[feed].state

    def _enter_handlers(self, feeds: Sequence[Feed]) -> None:
        frequency = Frequency(feeds, publish=self._hub.publish, clock=time.time_ns)
        replays = Replays(feeds, told=self._reporter.tell)
        self.handlers.does(SetFrequency, frequency.set)
        self.handlers.does(ControlReplay, replays.control)
        self.handlers.does(TakeLeases, self._take_leases)
        self.handlers.hears(LowerLeases, self._lower_leases)
        self.handlers.hears(EndLeases, self._end_leases)
        self.handlers.hears(KeysRevoked, self._keys_revoked)
        self.handlers.does(Lend, self._lend)
        self.handlers.does(TellBars, self._tell_bars)
        self.handlers.does(TellAccounts, self._tell_accounts)
        self._engine.enter(self.handlers)

    async def _follow(self, directory: Directory) -> None:
        """Let everything follow a directory that is another one."""
        self._supervisor.follow_directory(directory)
        self._reporter.tell_catalogues(self._catalogues.catalogues)
        await self._leases.follow_directory()

    async def _renew(self, feed: str) -> None:
        await self._leases.renew(feed)

    async def _take_leases(self, asked: TakeLeases) -> Mapping[InstrumentKey, str]:
        holder = self._holders.get(asked.holder)
        if holder is None:
            holder = self._holders[asked.holder] = self._leases.holder(asked.name)
        found = [(self._catalogues.directory.get(key), depth) for key, depth in asked.wanted]
        wanted = [(each, depth) for each, depth in found if each is not None]
        refused = await (holder.replace(wanted) if asked.replace else holder.add_each(wanted))
        listed = {each.key for each, _ in wanted}
        return {**refused, **{key: UNLISTED for key, _ in asked.wanted if key not in listed}}

    def _lower_leases(self, told: LowerLeases) -> None:
        holder = self._holders.get(told.holder)
        if holder is not None:
            holder.drop([key for key, depth in told.depths if depth is None])
            for key, depth in told.depths:
                if depth is not None:
                    holder.lower(key, depth)

    def _end_leases(self, told: EndLeases) -> None:
        holder = self._holders.pop(told.holder, None)
        if holder is not None:
            holder.close()

    def _keys_revoked(self, told: KeysRevoked) -> None:
        """Let everyone know, once, of all keys that were ever seen revoked."""
        revoked = self._revoked_keys | set(told.key_ids)
        if revoked != self._revoked_keys:
            self._revoked_keys = revoked
            key_ids = tuple(sorted(revoked))
            self._hub.publish(RevokedKeys(key_ids=key_ids, ts_event=time.time_ns()))

    async def _lend(self, asked: Lend) -> None:
        instrument = self._catalogues.directory.get(asked.key)
        if instrument is None:
            raise CommandError(problem=UNLISTED)
        try:
            await self._leases.lend(instrument, depth=asked.depth)
        except FeedError as error:
            raise CommandError(problem=error.problem) from error

    async def _tell_bars(self, asked: TellBars) -> BarsKept:
        return self.bars.keep(asked.key)

    async def _tell_accounts(self, _asked: TellAccounts) -> AccountsKept:
        return self.accounts.keep()

    async def _publish_system(self) -> None:
        await publish_system(
            self._hub.publish,
            published=lambda: self._hub.published,
            clock=time.time_ns,
            monotonic=time.monotonic_ns,
        )
