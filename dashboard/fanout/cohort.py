"""Clients that get the same frames, and the frames that are due to all of them."""

from collections.abc import Callable, Hashable
from typing import Protocol

from dashboard.fanout.outbox import Entry, Outbox
from dashboard.fanout.wire import Wire


class Receiver(Protocol):
    """One client's connection; told apart by identity."""

    outbox: Outbox
    wire: Wire

    @property
    def writable(self) -> bool:
        """Tell whether it reads what it is sent; false while its transport is full."""
        ...

    @property
    def write(self) -> Callable[[bytes], None] | None:
        """Give what sends whole frames: it never blocks, and may end its being writable.

        None for one whose frames leave one by one: they stand in its outbox first.
        """
        ...

    def flush(self) -> int:
        """Send what the outbox holds, if it is writable; give the number of frames."""
        ...


class Cohort:
    """Join the frames once, and write the same bytes to every member that is ready.

    A member is *apart* while it lags, or while something of its own comes before
    what is due to all, or where nothing can be written to it jointly; `apart` says how
    many of `pending` it has already. In order
    of arrival each member gets exactly what was put while it was a member.
    `wire`, `key` and `lane` are what the members have in common. `pending` is the same
    list throughout.
    """

    __slots__ = ("_ready", "apart", "key", "lane", "pending", "wire")

    def __init__(self, wire: Wire, key: Hashable, lane: int) -> None:
        self.wire = wire
        self.key = key
        self.lane = lane
        self.pending: list[Entry] = []
        self.apart: dict[Receiver, int] = {}
        self._ready: dict[Receiver, Callable[[bytes], None]] = {}

    def __len__(self) -> int:
        return len(self._ready) + len(self.apart)

    def enter(self, receiver: Receiver) -> None:
        """Make it a member; what is due already is not for it."""
        self.apart[receiver] = len(self.pending)
        self._rejoin(receiver)

    def settle(self, receiver: Receiver) -> None:
        """Put what is due to a member into its outbox, since something of its own follows."""
        due = self.pending[self._set_apart(receiver) :]
        (receiver.outbox.add if receiver.writable else receiver.outbox.offer)(due)
        self.apart[receiver] = len(self.pending)

    def leave(self, receiver: Receiver) -> None:
        """End a membership."""
        if self._ready.pop(receiver, None) is None:
            self.apart.pop(receiver, None)

    def pause(self, receiver: Receiver) -> None:
        """Take note that a member is no longer writable."""
        self._set_apart(receiver)

    def release(self, receiver: Receiver) -> int:
        """Send what a member's outbox holds; give the number of frames."""
        self._rejoin(receiver)
        return receiver.flush()

    def flush(self) -> tuple[int, int]:
        """Send all that is due; give the numbers of frames and of writes."""
        due = self.pending.copy()
        self.pending.clear()
        writes, apart = list(self._ready.values()), list(self.apart.items())
        data = b"".join([frame for _, frame in due])
        for write in writes:
            write(data)
        frames, count = len(due) * len(writes), len(writes)
        for receiver, seen in apart:
            (receiver.outbox.add if receiver.writable else receiver.outbox.offer)(due[seen:])
            self.apart[receiver] = 0
            sent = self.release(receiver)
            frames += sent
            count += sent > 0
        return frames, count

    def _set_apart(self, receiver: Receiver) -> int:
        """Give how many of `pending` it has."""
        if self._ready.pop(receiver, None) is not None:
            self.apart[receiver] = 0
        return self.apart[receiver]

    def _rejoin(self, receiver: Receiver) -> None:
        """Let a member be ready when all that is due to it is due to all."""
        write = receiver.write
        if write is not None and receiver.writable and self.apart.get(receiver, 1) == 0:
            del self.apart[receiver]
            self._ready[receiver] = write
