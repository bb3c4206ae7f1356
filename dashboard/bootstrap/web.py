"""The half that serves clients: it reads its hub, and asks the owner for all else."""

import time
from collections.abc import Awaitable, Callable, Collection

from dashboard import __version__
from dashboard.commands.door import Carrier, Commands
from dashboard.commands.leases import CommandedLeases
from dashboard.commands.requests import KeysRevoked, TellAccounts, TellBars
from dashboard.config import Settings
from dashboard.core.accounts import AccountsKept
from dashboard.core.bars import BarsKept
from dashboard.core.directory import Directory
from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import Control, Kind, Topic
from dashboard.core.principal import LOCAL
from dashboard.history.accounts import Accounts
from dashboard.history.bars import Bars
from dashboard.history.quotes import Quotes
from dashboard.hub.hub import Hub
from dashboard.hub.reports import FeedReports
from dashboard.storage.api_keys import ApiKeys
from dashboard.storage.repository import Repository

CONTROL_TOPIC = Topic(Kind.CONTROL, "", "")


class Web:
    """What pages, streams and the API take what they need of. `started_ns` is monotonic.

    `runs` are its tasks.

    `bars` and `accounts` are those of the owner where it is in this process; else they
    begin with what the owner tells of them.
    """

    def __init__(
        self,
        settings: Settings,
        hub: Hub,
        carrier: Carrier,
        repository: Repository,
        *,
        bars: Bars | None = None,
        accounts: Accounts | None = None,
    ) -> None:
        self.settings = settings
        self.version = __version__
        self.started_ns = time.monotonic_ns()
        self.hub = hub
        self.commands = Commands(carrier)
        self.leases = CommandedLeases(self.commands)
        self.feeds = FeedReports(hub, settings.feed, monotonic=time.monotonic_ns)
        self.keys = ApiKeys(
            repository,
            clock=time.time_ns,
            monotonic=time.monotonic_ns,
            revoked=self._tell_revoked,
        )
        self.bars = bars or Bars(hub, ask=self._ask_bars)
        self.accounts = accounts or Accounts(hub, ask=self._ask_accounts)
        self.quotes = Quotes(hub)
        self.runs: dict[str, Callable[[], Awaitable[None]]] = {"key watch": self.keys.watch.run}

    @property
    def directory(self) -> Directory:
        """Give all instruments of all feeds."""
        return self.feeds.directory

    @property
    def conflates(self) -> bool:
        """Tell whether the frequency is a conflation interval: a feed has a rate of its own."""
        return self.feeds.conflates

    @property
    def frequency_ms(self) -> int:
        """Give the one frequency of all clients."""
        told = self.hub.latest_of(CONTROL_TOPIC)
        if told is None or not isinstance(told.event, Control):
            return self.settings.frequency_ms
        return told.event.frequency_ms

    def _tell_revoked(self, key_ids: Collection[int]) -> None:
        self.commands.tell(KeysRevoked(key_ids=sorted(key_ids)))

    async def _ask_bars(self, key: InstrumentKey) -> BarsKept:
        return await self.commands.ask(TellBars(key=key), by=LOCAL)

    async def _ask_accounts(self) -> AccountsKept:
        return await self.commands.ask(TellAccounts(), by=LOCAL)
