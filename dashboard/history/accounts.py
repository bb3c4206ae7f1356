"""What is remembered of the clients: PnL over half an hour, and the latest positions."""

import asyncio
from collections.abc import Awaitable, Callable

from dashboard.core.accounts import Account
from dashboard.core.conflation import OverflowPolicy
from dashboard.core.model import Ended, Kind, Positions, Published, Topic
from dashboard.hub.hub import Hub

MAX_CLIENTS = 500
BUFFER_EVENTS = 10_000
DRAIN_S = 1.0
KINDS = frozenset({Kind.PNL, Kind.POSITIONS})


class Accounts:
    """The clients of all exchanges, in the order in which they were first heard of.

    Of more than `max_clients`, the one that was silent for the longest is
    forgotten, and counted in `forgotten`. One whose topics have all ended is forgotten, too.
    """

    def __init__(self, hub: Hub, *, max_clients: int = MAX_CLIENTS) -> None:
        self.forgotten = 0
        self._max_clients = max_clients
        self._accounts: dict[tuple[str, str], Account] = {}
        self._subscription = hub.subscribe(
            name="accounts",
            wants=lambda topic: topic.kind in KINDS,
            capacity=BUFFER_EVENTS,
            policy=OverflowPolicy.CONFLATE,
        )
        self._survival = hub.failures.at("accounts")
        self._hub = hub

    @property
    def updates(self) -> int:
        """Count every update of PnL and positions so far."""
        return self._subscription.offered

    def current(self) -> list[Account]:
        """Give every client, after taking in what has come."""
        self.drain()
        return list(self._accounts.values())

    def positions(self) -> list[Positions]:
        """Give the latest positions of every client that has sent any."""
        return [each.positions for each in self.current() if each.positions is not None]

    def drain(self) -> None:
        """Take in what has come since the last time."""
        for published in self._subscription.take():
            with self._survival:
                self._take(published)

    def close(self) -> None:
        """Take in no more."""
        self._subscription.close()

    async def run(self, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Drain every second until the hub closes, so that no buffer fills up."""
        while not self._subscription.closed:
            await self._subscription.ready()
            self.drain()
            await sleep(DRAIN_S)

    def _take(self, published: Published) -> None:
        topic = published.topic
        key = (topic.exchange, topic.subject)
        if isinstance(published.event, Ended):
            if not self._hub.latest(Topic(kind, *key) for kind in KINDS):
                self._accounts.pop(key, None)
            return
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = self._admit(*key)
        account.take(published)

    def _admit(self, exchange: str, client: str) -> Account:
        if len(self._accounts) >= self._max_clients:
            silent = min(self._accounts, key=lambda key: self._accounts[key].updated_ns)
            del self._accounts[silent]
            self.forgotten += 1
        return Account(exchange=exchange, client=client)
