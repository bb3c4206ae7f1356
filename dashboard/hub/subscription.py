"""One subscriber's side of the hub."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from dashboard.core.conflation import Buffer, OverflowPolicy, slot_of
from dashboard.core.errors import SubscriptionOverflowError
from dashboard.core.model import Published, Topic

Wants = Callable[[Topic], bool]


class Subscription:
    """A bounded view of the hub's events for one reader.

    The owner reads with `await ready()` then `take()`, and must call `close()`.
    """

    def __init__(
        self,
        *,
        name: str,
        wants: Wants,
        capacity: int,
        policy: OverflowPolicy,
        on_change: Callable[["Subscription"], None],
    ) -> None:
        self.name = name
        self.wants = wants
        self.closed = False
        self.offered = 0
        self._buffer: Buffer[Published] = Buffer(
            name=name, capacity=capacity, policy=policy, slot_of=slot_of
        )
        self._on_change = on_change
        self._ready = asyncio.Event()
        self.is_ready = False
        """Whether `ready` would return at once."""
        self._overflow: SubscriptionOverflowError | None = None

    @property
    def conflated(self) -> int:
        """Count the events replaced by a newer one of their topic before they were read."""
        return self._buffer.conflated

    @property
    def lost(self) -> int:
        """Count the events that were forgotten unread."""
        return self._buffer.lost

    def __len__(self) -> int:
        return len(self._buffer)

    def offer(self, published: Published) -> None:
        """Take one event from the hub; never blocks and never raises."""
        self.offered += 1
        try:
            self._buffer.offer(published)
        except SubscriptionOverflowError as error:
            self._overflow = error
            self.close()
        if not self.is_ready:
            self.wake()

    async def ready(self) -> None:
        """Wait until there is something to take, or the subscription is closed."""
        await self._ready.wait()

    def wake(self) -> None:
        """Let the reader look again, though no event has come."""
        self.is_ready = True
        self._ready.set()

    def take(self) -> list[Published]:
        """Take all waiting events, oldest first.

        Raises:
            SubscriptionOverflowError: when the DISCONNECT policy closed this subscription.
        """
        if self._overflow is not None:
            raise self._overflow
        if not self.closed:
            self.is_ready = False
            self._ready.clear()
        return self._buffer.take()

    def forget(self) -> None:
        """Forget what waits."""
        self._buffer.take()

    def change_filter(self, wants: Wants) -> None:
        """Replace the filter; events that wait already are not looked at again."""
        self.wants = wants
        self._on_change(self)

    def close(self) -> None:
        """End the subscription and wake its reader. Safe to call twice."""
        if not self.closed:
            self.closed = True
            self._on_change(self)
            self.wake()


@dataclass
class Totals:
    """Counters of several subscriptions of one name; `open` and `waiting` are of now."""

    open: int = 0
    waiting: int = 0
    offered: int = 0
    conflated: int = 0
    lost: int = 0

    def add(self, subscription: Subscription) -> None:
        """Add one subscription's counters."""
        if not subscription.closed:
            self.open += 1
            self.waiting += len(subscription)
        self.offered += subscription.offered
        self.conflated += subscription.conflated
        self.lost += subscription.lost
