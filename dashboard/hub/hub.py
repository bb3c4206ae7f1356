"""Publish, latest value, sequence, resume rings and fan-out.

`publish` never waits for a subscriber: it gives the event a sequence number,
remembers it, and offers it to the bounded buffer of each subscription that
wants it. It must be called on the event loop's thread.
"""

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice

from msgspec import structs

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.errors import HubError, ResumeError
from dashboard.core.model import Channel, Ended, Event, Kind, Published, Topic, weigh_text
from dashboard.hub.failures import Failures
from dashboard.hub.lines import Line, Lines
from dashboard.hub.ring import RESUME_BYTES, Bounds, Ring, Rings
from dashboard.hub.subscription import Subscription, Totals, Wants

Encoder = Callable[[Published], str]
MakeEncoder = Callable[[str], Encoder]
"""Makes the encoder for one epoch."""


class Hub:
    """The one place every event passes through.

    It publishes what the feeds of its process give; or it adopts what the hub of another
    process has published, and then has that one's epoch and numbers.

    `clock` gives nanoseconds since the Unix epoch, `monotonic` ns of a clock that
    is never set: without it, `clock` must be such a one. `encoders` name the wire
    dialects; the hub knows none of them, it only sees to it that each event is
    encoded at most once per dialect. `epoch` marks this run of the process in
    event ids; it contains no colon. To resume from, it keeps a ring of each channel:
    the market's last minute, at most `resume_events` events that weigh at most
    `resume_bytes`, and of the others what `FIXED_BOUNDS` says.
    One subscriber that fails costs no other its events: `failures` counts what failed here,
    and what the subscribers count there themselves.
    """

    def __init__(
        self,
        *,
        epoch: str,
        clock: Callable[[], int],
        resume_events: int,
        resume_bytes: int = RESUME_BYTES,
        encoders: Mapping[str, MakeEncoder] | None = None,
        monotonic: Callable[[], int] | None = None,
    ) -> None:
        self.published = 0
        self.failures = Failures()
        self._clock = clock
        self._monotonic = monotonic or clock
        self._make_encoders = dict(encoders or {})
        self._encoders: dict[str, Encoder] = {}
        self._rings = Rings(market=Bounds(resume_events, resume_bytes))
        self._lines = Lines()
        self._routing = 0
        self._subscriptions: set[Subscription] = set()
        self._past: dict[str, Totals] = {}
        self._adopts = False
        self._closed = False
        self._set_epoch(epoch)

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
    def rings(self) -> Mapping[Channel, Ring]:
        """Give what is remembered of each channel; to read only."""
        return self._rings.by_channel

    def published_in(self, channel: Channel) -> int:
        """Count the events of a channel so far."""
        return self._rings.by_channel[channel].added

    def newest_in(self, channel: Channel) -> Published | None:
        """Give the newest event of a channel, or None when it is no longer kept."""
        return self._rings.by_channel[channel].newest

    @property
    def clock_offset_ns(self) -> int:
        """Give what the wall clock shows more than the monotonic one; it jumps when that is set."""
        return self._clock() - self._monotonic()

    def publish(self, event: Event) -> Published:
        """Give the event its numbers and hand it to everyone who wants it.

        Raises:
            HubError: when this hub adopts.
        """
        if self._adopts:
            raise HubError("a hub that adopts what another one has published publishes nothing")
        topic = event.topic
        line = self._lines.get(topic)
        seq = 1
        if line is not None:
            topic = line.topic  # one topic object for all its events
            seq = line.newest.seq + 1
        self.published += 1
        published = Published(
            event=event,
            topic=topic,
            seq=seq,
            offset=self.published,
            ts_received=self._clock(),
            monotonic_ns=self._monotonic(),
            frames={},
            weight=event.weigh(),
        )
        self._deliver(published, line or self._begin(published))
        return published

    def end(self, topic: Topic) -> None:
        """End a topic: who wants it gets an `Ended` as its last event, then nothing is kept of it.

        One that has not begun is no error; one that begins again counts from 1.

        Raises:
            HubError: when this hub adopts.
        """
        if self._lines.get(topic) is not None:
            self.publish(Ended(of=topic, ts_event=self._clock()))
            self._lines.drop(topic)

    def adopt(self, published: Published, *, epoch: str) -> None:
        """Take what the hub of another process has published, in the order of its offsets.

        Epoch, offset, seq and times stay: both processes are of one machine, so the
        monotonic clock is the same. What this hub has already is left out. Where there is
        something between, which never came, nothing before it can be resumed from. With
        another epoch all is forgotten, and what still waits for readers, too: its frames
        could only be given ids of the new epoch.

        Raises:
            HubError: when this hub has published something itself.
        """
        if self.published and not self._adopts:
            raise HubError("a hub that has published adopts nothing")
        self._adopts = True
        if epoch != self.epoch:
            self._begin_epoch(epoch)
        elif published.offset <= self.published:
            return
        if published.offset != self.published + 1:
            self._rings.begin_anew(after=published.offset - 1)
        self.published = published.offset
        event, line = published.event, self._lines.get(published.topic)
        topic = published.topic if line is None else line.topic
        own = structs.replace(published, topic=topic, frames={}, weight=event.weigh())
        self._deliver(own, line or self._begin(own))
        if isinstance(event, Ended):
            self._lines.drop(topic)

    def _begin_epoch(self, epoch: str) -> None:
        self._set_epoch(epoch)
        self.published = 0
        self._lines = Lines()
        self._rings.begin_anew(after=0)
        for subscription in self._subscriptions:
            subscription.forget()

    def _set_epoch(self, epoch: str) -> None:
        self.epoch = epoch
        self._encoders = {name: make(epoch) for name, make in self._make_encoders.items()}

    def _deliver(self, published: Published, line: Line) -> None:
        """Remember an event, and hand it to everyone who wants it."""
        line.newest = published
        line.ring.add(published)
        if published.monotonic_ns >= self._rings.due_ns:
            self._rings.forget(now_ns=published.monotonic_ns)
        if line.routing != self._routing:
            self._find_route(line)
        for subscription in line.route:
            try:
                subscription.offer(published)
            except Exception as error:  # noqa: BLE001 - it is one subscriber's alone
                self.failures.add(subscription.name, error)

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
            ring = self._rings.by_channel[published.topic.kind.channel]
            ring.grow(published, len(frame) if frame.isascii() else weigh_text(frame))
        return frame

    def event_id(self, published: Published) -> str:
        """Give the id to resume after: `epoch:n`."""
        return f"{self.epoch}:{published.offset}"

    @property
    def newest_id(self) -> str:
        """Give the id of the newest event, to resume after it."""
        return f"{self.epoch}:{self.published}"

    def latest(self, topics: Iterable[Topic]) -> list[Published]:
        """Give the newest event of each of these topics, oldest first; of some there is none."""
        return self._lines.newest(topics)

    def latest_of_kinds(self, kinds: Iterable[Kind]) -> list[Published]:
        """Give the newest event of each topic of these kinds, oldest first."""
        return self._lines.newest_of_kinds(kinds)

    def latest_of(self, topic: Topic) -> Published | None:
        """Give the newest event of one topic, or None before the first."""
        line = self._lines.get(topic)
        return None if line is None else line.newest

    def after(self, event_id: str, count: int, channels: Collection[Channel]) -> list[Published]:
        """Give the next `count` events of some channels after `event_id`; fewer are all.

        So one that has missed many can read them in parts.

        Raises:
            ResumeError: when the id is malformed, of another epoch or in the future.
            TooOldError: when it is older than what is remembered of these channels.
        """
        return list(islice(self._successors(event_id, channels), count))

    def _successors(self, event_id: str, channels: Collection[Channel]) -> Iterator[Published]:
        """Iterate over what came after an id, by offset. Publish nothing meanwhile.

        Raises:
            ResumeError: as `after` does.
        """
        epoch, _, number = event_id.rpartition(":")
        if not (epoch and number.isascii() and number.isdigit()) or len(number) > 18:
            raise ResumeError(f"{event_id[:64]!r} is not an id of the form epoch:n")
        if epoch != self.epoch:
            raise ResumeError("the id is of another epoch: the server was restarted")
        offset = int(number)
        if offset > self.published:
            raise ResumeError("the id has not been given out yet")
        return self._rings.after(offset, channels)

    def remembered(self, channel: Channel) -> list[Published]:
        """Give all that is kept of a channel, oldest first; 100,000 take 2 ms to copy."""
        return list(self._rings.by_channel[channel])

    def recent(self, topics: Collection[Topic]) -> list[Published]:
        """Give what is still kept of some topics, oldest first: 60 s at most."""
        kept = self._rings.merged({topic.kind.channel for topic in topics})
        return [entry for entry in kept if entry.topic in topics]

    def subscribe(
        self, *, name: str, wants: Wants, capacity: int, policy: OverflowPolicy
    ) -> Subscription:
        """Open a subscription to what is published from now on; a closed hub gives a closed one."""
        subscription = Subscription(
            name=name, wants=wants, capacity=capacity, policy=policy, on_change=self._changed
        )
        self._subscriptions.add(subscription)
        self._routing += 1
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
        self._routing += 1

    def _begin(self, first: Published) -> Line:
        return self._lines.begin(first, self._rings.by_channel[first.topic.kind.channel])

    def _find_route(self, line: Line) -> None:
        wanting: list[Subscription] = []
        for subscription in self._subscriptions:
            try:
                if subscription.wants(line.topic):
                    wanting.append(subscription)
            except Exception as error:  # noqa: BLE001 - it is one subscriber's alone
                self.failures.add(subscription.name, error)
        line.route = tuple(wanting)
        line.routing = self._routing
