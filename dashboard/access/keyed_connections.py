"""Who was let in by which API key: with the key's end they are asked to leave."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import asynccontextmanager
from functools import partial

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.model import Kind, RevokedKeys, Topic
from dashboard.core.principal import Principal
from dashboard.hub.failures import kept_running
from dashboard.hub.hub import Hub
from dashboard.storage.key_watch import KeyWatch

NOT_AUTHENTICATED = 4401
"""The close code of who shows no key, or one that holds no longer."""
REVOKED = "its API key was revoked"
PLACE = "keys"
"""The name of the subscription and of the task, in the metrics and in the log."""


class KeyedConnections:
    """The open connections of each key, whichever door they came by.

    Which keys were revoked it is told by the hub; while anybody is in, the keys are watched.
    """

    def __init__(self) -> None:
        self._ends: dict[int, dict[Hashable, Callable[[], object]]] = {}
        self._keys: dict[Hashable, int] = {}
        self._sessions: dict[Hashable, str] = {}
        self._revoked: frozenset[int] = frozenset()
        self._watch: KeyWatch | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def enter(self, client: Hashable, principal: Principal, end: Callable[[], object]) -> None:
        """Count a client in; `end` is called once, when its key is revoked, or at once if it was.

        Who has shown no key is not counted. Who enters again has another key now.
        """
        self.leave(client)
        key_id = principal.key_id
        if key_id is None:
            return
        if key_id in self._revoked:
            end()
            return
        self._keys[client] = key_id
        self._ends.setdefault(key_id, {})[client] = end
        if principal.session is not None:
            self._sessions[client] = principal.session
        if self._watch is not None:
            self._watch.begin()

    def leave(self, client: Hashable) -> None:
        """Count a client out. Safe to call twice, and for one that is not in."""
        key_id = self._keys.pop(client, None)
        if key_id is None:
            return
        self._sessions.pop(client, None)
        of_key = self._ends[key_id]
        del of_key[client]
        if not of_key:
            del self._ends[key_id]
        if not self._keys and self._watch is not None:
            self._watch.end()

    def end_session(self, session: str) -> None:
        """Ask all who came by a page session that has ended to leave."""
        for client in [each for each, name in self._sessions.items() if name == session]:
            end = self._ends[self._keys[client]][client]
            self.leave(client)
            end()

    @asynccontextmanager
    async def following(self, hub: Hub, watch: KeyWatch) -> AsyncGenerator[None]:
        """Let connections end with their keys for as long as the block lasts."""
        self._watch = watch
        if self._keys:
            watch.begin()
        async with asyncio.TaskGroup() as group:
            follow = kept_running(PLACE, partial(self._follow, hub), failures=hub.failures)
            following = group.create_task(follow, name=PLACE)
            try:
                yield
            finally:
                following.cancel()
                self._watch = None

    async def _follow(self, hub: Hub) -> None:
        subscription = hub.subscribe(
            name=PLACE,
            wants=lambda topic: topic.kind is Kind.REVOKED_KEYS,
            capacity=1,
            policy=OverflowPolicy.CONFLATE,
        )
        try:
            latest = hub.latest_of(Topic(Kind.REVOKED_KEYS, "", ""))
            told = [] if latest is None else [latest]
            while not subscription.closed:
                for published in told:
                    if isinstance(published.event, RevokedKeys):
                        self._end(hub, frozenset(published.event.key_ids))
                await subscription.ready()
                told = subscription.take()
        finally:
            subscription.close()

    def _end(self, hub: Hub, revoked: frozenset[int]) -> None:
        self._revoked = revoked
        for key_id in revoked & self._ends.keys():
            for client, end in list(self._ends[key_id].items()):
                self.leave(client)
                with hub.failures.at(PLACE):
                    end()
