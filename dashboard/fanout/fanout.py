"""All cohorts of one stream, and their members."""

from collections.abc import Hashable, Iterable

from dashboard.fanout.cohort import Cohort, Receiver
from dashboard.fanout.outbox import Entry, Slot
from dashboard.fanout.wire import Wire


class Fanout:
    """Give frames to cohorts at once, and to their members' sockets when flushed.

    Nothing here ever waits for a client. Counters only rise: `deliveries` are frames
    written to a client, `writes` the writes that they left in.
    """

    def __init__(self) -> None:
        self.deliveries = 0
        self.writes = 0
        self._cohorts: dict[tuple[Wire, Hashable], Cohort] = {}
        self._members: dict[Receiver, Cohort] = {}
        self._past = [0, 0]

    @property
    def cohorts(self) -> Iterable[Cohort]:
        """Give every cohort that has members."""
        return self._cohorts.values()

    @property
    def clients(self) -> int:
        """Count the members of all cohorts."""
        return len(self._members)

    @property
    def groups(self) -> int:
        """Count the cohorts."""
        return len(self._cohorts)

    @property
    def conflated(self) -> int:
        """Count the frames replaced by newer ones in all outboxes so far."""
        return self._past[0] + sum(each.outbox.conflated for each in self._members)

    @property
    def lost(self) -> int:
        """Count the frames forgotten in all outboxes so far."""
        return self._past[1] + sum(each.outbox.lost for each in self._members)

    @property
    def waiting(self) -> int:
        """Count the frames in all outboxes."""
        return sum(len(each.outbox) for each in self._members)

    @property
    def lagging(self) -> int:
        """Count the clients that wait apart from their cohort."""
        return sum(not each.writable for each in self._members)

    def cohort_of(self, receiver: Receiver) -> Cohort:
        """Give the cohort of a member."""
        return self._members[receiver]

    def find(self, receiver: Receiver, key: Hashable) -> Cohort | None:
        """Give the cohort that `move` would put a client into, if it has members."""
        return self._cohorts.get((receiver.wire, key))

    def move(self, receiver: Receiver, key: Hashable) -> Cohort:
        """Make a client a member of one cohort and of no other; give the cohort.

        Its members have the `key` in common, what they hold, and the wire. What was
        due in its former cohort stands in its outbox: `release` it.
        """
        former = self._members.get(receiver)
        if former is not None:
            former.settle(receiver)
            self._leave(receiver, former)
        cohort = self._cohorts.get((receiver.wire, key))
        if cohort is None:
            cohort = self._cohorts[receiver.wire, key] = Cohort(receiver.wire, key)
        self._members[receiver] = cohort
        cohort.enter(receiver)
        return cohort

    def rename(self, cohort: Cohort, key: Hashable) -> None:
        """Give a cohort another key, which none has."""
        del self._cohorts[cohort.wire, cohort.key]
        cohort.key = key
        self._cohorts[cohort.wire, key] = cohort

    def leave(self, receiver: Receiver) -> Cohort:
        """End a client's membership; give the cohort that it was in."""
        cohort = self._members.pop(receiver)
        self._leave(receiver, cohort)
        self._past[0] += receiver.outbox.conflated
        self._past[1] += receiver.outbox.lost
        return cohort

    def release(self, receiver: Receiver) -> None:
        """Send what a member's outbox holds, as when it has become writable."""
        sent = self._members[receiver].release(receiver)
        self.deliveries += sent
        self.writes += sent > 0

    def settle(self, receiver: Receiver) -> None:
        """Put what is due to a member into its outbox: something of its own follows."""
        self._members[receiver].settle(receiver)

    def pause(self, receiver: Receiver) -> None:
        """Take note that a member is no longer writable."""
        self._members[receiver].pause(receiver)

    def flush(self) -> None:
        """Send all that is due."""
        for cohort in list(self._cohorts.values()):
            if cohort.pending:
                frames, writes = cohort.flush()
                self.deliveries += frames
                self.writes += writes

    def _leave(self, receiver: Receiver, cohort: Cohort) -> None:
        cohort.leave(receiver)
        if not cohort:
            del self._cohorts[cohort.wire, cohort.key]


def put(cohorts: Iterable[Cohort], slot: Slot, payload: bytes) -> None:
    """Make a frame due to all members of these cohorts; it is made once per wire."""
    entries: dict[Wire, Entry] = {}
    wire, entry = None, (slot, payload)
    for cohort in cohorts:
        if cohort.wire is not wire:
            wire = cohort.wire
            entry = entries.get(wire) or entries.setdefault(wire, (slot, wire(payload)))
        cohort.pending.append(entry)
