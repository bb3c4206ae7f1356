"""All cohorts of one stream, and their members."""

from collections.abc import Hashable, Iterable
from itertools import chain

from dashboard.fanout.cohort import Cohort, Receiver
from dashboard.fanout.wire import Wire

LANES = 4
"""With more, a frame waits for fewer other writes; but every flush begins with cold caches."""


class Fanout:
    """Give frames to cohorts at once, and to their members' sockets when flushed.

    Nothing here ever waits for a client. The clients are divided evenly into lanes, which
    can be flushed in turn: then a frame waits for the writes to one lane, not to all clients.
    Counters only rise: `deliveries` are frames, counted once for each client that got it,
    and `writes` the writes in which they left.
    """

    def __init__(self, *, lanes: int = LANES) -> None:
        self.deliveries = 0
        self.writes = 0
        self._lanes: list[dict[tuple[Wire, Hashable], Cohort]] = [{} for _ in range(lanes)]
        self._sizes = [0] * lanes
        self._turn = 0
        self._members: dict[Receiver, Cohort] = {}
        self._past = [0, 0]

    @property
    def cohorts(self) -> Iterable[Cohort]:
        """Give every cohort that has members."""
        return chain.from_iterable(lane.values() for lane in self._lanes)

    @property
    def lanes(self) -> int:
        """Count the lanes."""
        return len(self._lanes)

    @property
    def clients(self) -> int:
        """Count the members of all cohorts."""
        return len(self._members)

    @property
    def groups(self) -> int:
        """Count the cohorts; those of several lanes whose members get the same count as one."""
        return len(set[tuple[Wire, Hashable]]().union(*self._lanes))

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
        """Give the cohort that `move` would put a member into, if that has members."""
        return self._lanes[self._members[receiver].lane].get((receiver.wire, key))

    def move(self, receiver: Receiver, key: Hashable) -> Cohort:
        """Make a client a member of one cohort and of no other; give the cohort.

        In one cohort are those of one `key`, which says what they get, of one wire and of one
        lane. What was due to the client in its former cohort is in its outbox now: `release` it.
        """
        former = self._members.get(receiver)
        if former is None:
            lane = self._sizes.index(min(self._sizes))
        else:
            lane = former.lane
            former.settle(receiver)
            self._leave(receiver, former)
        cohort = self._lanes[lane].get((receiver.wire, key))
        if cohort is None:
            cohort = Cohort(receiver.wire, key, lane)
            self._lanes[lane][receiver.wire, key] = cohort
        self._members[receiver] = cohort
        self._sizes[lane] += 1
        cohort.enter(receiver)
        return cohort

    def rename(self, cohort: Cohort, key: Hashable) -> None:
        """Give a cohort another key, which no other cohort of its wire and lane has."""
        lane = self._lanes[cohort.lane]
        del lane[cohort.wire, cohort.key]
        cohort.key = key
        lane[cohort.wire, key] = cohort

    def leave(self, receiver: Receiver) -> Cohort:
        """End a client's membership; give the cohort that it was in."""
        cohort = self._members.pop(receiver)
        self._leave(receiver, cohort)
        self._past[0] += receiver.outbox.conflated
        self._past[1] += receiver.outbox.lost
        return cohort

    def release(self, receiver: Receiver) -> None:
        """Send what a member's outbox holds, as when it has become writable."""
        cohort = self._members.get(receiver)
        sent = 0 if cohort is None else cohort.release(receiver)
        self.deliveries += sent
        self.writes += sent > 0

    def settle(self, receiver: Receiver) -> None:
        """Put what is due to a member into its outbox: something of its own follows."""
        self._members[receiver].settle(receiver)

    def pause(self, receiver: Receiver) -> None:
        """Take note that a member is no longer writable; of who is no member there is no need."""
        cohort = self._members.get(receiver)
        if cohort is not None:
            cohort.pause(receiver)

    def flush(self, lanes: int | None = None) -> None:
        """Send all that is due to the next lanes in turn, or to all of them."""
        for _ in range(self.lanes if lanes is None else lanes):
            due = [cohort for cohort in self._lanes[self._turn].values() if cohort.pending]
            self._turn = (self._turn + 1) % self.lanes
            for cohort in due:
                frames, writes = cohort.flush()
                self.deliveries += frames
                self.writes += writes

    def _leave(self, receiver: Receiver, cohort: Cohort) -> None:
        cohort.leave(receiver)
        self._sizes[cohort.lane] -= 1
        if not cohort:
            del self._lanes[cohort.lane][cohort.wire, cohort.key]
