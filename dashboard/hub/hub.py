"""Publish, latest value, sequence, resume ring and fan-out.

`publish` never waits for a subscriber: it gives the event a sequence number,
remembers it, and offers it to the bounded buffer of each subscription that
wants it. It must be called on the event loop's thread.
"""

import copy
from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping
from itertools import islice

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.errors import ResumeError
from dashboard.core.model import Event, Published, Topic, weigh_text
from dashboard.hub.failures import Failures
from dashboard.hub.subscription import Subscription, Totals, Wants

Encoder = Callable[[Published], str]

RESUME_WINDOW_NS = 60 * 1_000_000_000
RESUME_BYTES = 256 * 1024 * 1024


class Hub:
    """The one place every event passes through.

    `clock` gives nanoseconds since the Unix epoch, `monotonic` ns of a clock that
    is never set: without it, `clock` must be such a one. `encoders` name the wire
    dialects; the hub knows none of them, it only sees to it that each event is
    encoded at most once per dialect. `epoch` marks this run of the process in
    event ids; it contains no colon. To resume from, it keeps the events of the
    last minute, at most `resume_events` of them that weigh at most `resume_bytes`.
    `failures` are those of its subscribers, who count theirs there too: none of them
    costs another one its events.
    """

    def __init__(
        self,
        *,
        epoch: str,
        clock: Callable[[], int],
        resume_events: int,
        resume_bytes: int = RESUME_BYTES,
        encoders: Mapping[str, Encoder] | None = None,
        monotonic: Callable[[], int] | None = None,
    ) -> None:
        self.epoch = epoch
        self.published = 0
        self.failures = Failures()
        self._clock = clock
        self._monotonic = monotonic or clock
        self._encoders = dict(encoders or {})
        self._latest: dict[Topic, Published] = {}
        self._ring: deque[Published] = deque()
        self._ring_bytes = 0
        self._resume_events = resume_events
        self._resume_bytes = resume_bytes
        self._subscriptions: set[Subscription] = set()
        self._routes: dict[Topic, tuple[Subscription, ...]] = {}
        self._past: dict[str, Totals] = {}
        self._closed = False

    def totals(self) -> dict[str, Totals]:
        """Add up the counters of all subscriptions so far, closed ones included, by name."""
        totals = {name: copy.copy(past) for name, past in self._past.items()}
        for subscription in self._subscriptions:
            totals.setdefault(subscription.name, Totals()).add(subscription)
        return totals

    @property
    def subscriptions(self) -> frozenset[Subscription]:
        """Give the open subscriptions."""
        return frozenset(self._subscriptions)

    @property
    def ring_length(self) -> int:
        """Count the events that can be resumed from."""
        return len(self._ring)

    @property
    def ring_bytes(self) -> int:
        """Estimate what they hold in memory, with the frames made of them so far."""
        return self._ring_bytes

    @property
    def clock_offset_ns(self) -> int:
        """Give what the wall clock shows more than the monotonic one; it jumps when that is set."""
        return self._clock() - self._monotonic()

    def publish(self, event: Event) -> Published:
        """Give the event its numbers and hand it to everyone who wants it."""
        topic = event.topic
        previous = self._latest.get(topic)
        if previous is not None:
            topic = previous.topic  # one topic object for all its events
        self.published += 1
        published = Published(
            event=event,
            topic=topic,
            seq=1 if previous is None else previous.seq + 1,
            offset=self.published,
            ts_received=self._clock(),
            monotonic_ns=self._monotonic(),
            frames={},
            weight=event.weigh(),
        )
        self._latest[topic] = published
        self._remember(published)
        route = self._routes.get(topic)
        if route is None:
            route = self._route(topic)
        for subscription in route:
            try:
                subscription.offer(published)
            except Exception as error:  # noqa: BLE001 - it is one subscriber's alone
                self.failures.add(subscription.name, error)
        return published

    def frame(self, published: Published, dialect: str) -> str:
        """Give the event as `dialect` writes it; encoded on first use, then shared.

        What cannot be written is counted and empty: leave it out.

        Raises:
            KeyError: when no encoder of that name was handed in.
        """
        frame = published.frames.get(dialect)
        if frame is None:
            encode = self._encoders[dialect]
            try:
                frame = encode(published)
            except Exception as error:  # noqa: BLE001 - one event must not cost others theirs
                self.failures.add(f"{dialect} frame", error)
                frame = ""
            published.frames[dialect] = frame
            if published.weight:
                weight = len(frame) if frame.isascii() else weigh_text(frame)
                published.weight += weight
                self._ring_bytes += weight
                if self._ring_bytes > self._resume_bytes:
                    self._lighten()
        return frame

    def event_id(self, published: Published) -> str:
        """Give the id to resume after: `epoch:n`."""
        return f"{self.epoch}:{published.offset}"

    @property
    def newest_id(self) -> str:
        """Give the id of the newest event, to resume after it."""
        return f"{self.epoch}:{self.published}"

    def latest(self, wants: Wants) -> list[Published]:
        """Give the newest event of each wanted topic, oldest first."""
        newest = [entry for topic, entry in self._latest.items() if wants(topic)]
        return sorted(newest, key=lambda entry: entry.offset)

    def latest_of(self, topic: Topic) -> Published | None:
        """Give the newest event of one topic, or None before the first."""
        return self._latest.get(topic)

    def since(self, event_id: str, wants: Wants) -> list[Published]:
        """Give every wanted event after `event_id` (`epoch:n`), oldest first.

        Raises:
            ResumeError: when the id is malformed, of another epoch, in the
                future, or older than the ring remembers.
        """
        return [entry for entry in self._successors(event_id) if wants(entry.topic)]

    def after(self, event_id: str, count: int) -> list[Published]:
        """Give the next `count` events after `event_id`, whatever they are; fewer are all.

        So one that has missed many can read them in parts.

        Raises:
            ResumeError: as `since` does.
        """
        return list(islice(self._successors(event_id), count))

    def _successors(self, event_id: str) -> Iterator[Published]:
        """Iterate over what came after an id. Publish nothing meanwhile.

        Raises:
            ResumeError: as `since` does.
        """
        epoch, _, number = event_id.rpartition(":")
        if not (epoch and number.isascii() and number.isdigit()) or len(number) > 18:
            raise ResumeError(f"{event_id[:64]!r} is not an id of the form epoch:n")
        if epoch != self.epoch:
            raise ResumeError("the id is of another epoch: the server was restarted")
        offset = int(number)
        if offset > self.published:
            raise ResumeError("the id has not been given out yet")
        missed = self.published - offset
        if missed > len(self._ring):
            raise ResumeError("the id is too old: its successors are no longer kept")
        return islice(self._ring, len(self._ring) - missed, None)

    def remembered(self) -> list[Published]:
        """Give all that the ring holds, oldest first; 100,000 references are copied in 0.7 ms."""
        return list(self._ring)

    def recent(self, topics: Container[Topic]) -> list[Published]:
        """Give what the ring still holds of some topics, oldest first: 60 s at most."""
        return [entry for entry in self._ring if entry.topic in topics]

    def subscribe(
        self, *, name: str, wants: Wants, capacity: int, policy: OverflowPolicy
    ) -> Subscription:
        """Open a subscription to what is published from now on; a closed hub gives a closed one."""
        subscription = Subscription(
            name=name, wants=wants, capacity=capacity, policy=policy, on_change=self._changed
        )
        self._subscriptions.add(subscription)
        self._routes.clear()
        if self._closed:
            subscription.close()
        return subscription

    def close(self) -> None:
        """Close every subscription, later ones too, so that every reader ends."""
        self._closed = True
        for subscription in self.subscriptions:
            subscription.close()

    def _changed(self, subscription: Subscription) -> None:
        if subscription.closed and subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            self._past.setdefault(subscription.name, Totals()).add(subscription)
        self._routes.clear()

    def _route(self, topic: Topic) -> tuple[Subscription, ...]:
        wanting: list[Subscription] = []
        for subscription in self._subscriptions:
            try:
                if subscription.wants(topic):
                    wanting.append(subscription)
            except Exception as error:  # noqa: BLE001 - it is one subscriber's alone
                self.failures.add(subscription.name, error)
        route = self._routes[topic] = tuple(wanting)
        return route

    def _remember(self, published: Published) -> None:
        ring = self._ring
        ring.append(published)
        held = self._ring_bytes + published.weight
        horizon = published.monotonic_ns - RESUME_WINDOW_NS
        oldest = ring[0]
        while (
            held > self._resume_bytes
            or len(ring) > self._resume_events
            or oldest.monotonic_ns < horizon
        ):
            held -= oldest.weight
            oldest.weight = 0
            ring.popleft()
            if not ring:
                break
            oldest = ring[0]
        self._ring_bytes = held

    def _lighten(self) -> None:
        """Forget the oldest events until the others weigh no more than they may."""
        while self._ring_bytes > self._resume_bytes:
            oldest = self._ring.popleft()
            self._ring_bytes -= oldest.weight
            oldest.weight = 0
