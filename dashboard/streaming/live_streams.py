"""The live stream: from the hub to its clients, on the page's port and on the stream's.

`/ws` and `/ws/events` are two of it, which differ in what a client gets that asks for nothing.
"""

import math
from collections.abc import Iterable, Sequence

import msgspec

from dashboard.access.places import Places
from dashboard.access.principals import principal_of
from dashboard.access.turns import TURN_BYTES, Turns
from dashboard.commands.requests import SetFrequency
from dashboard.core.conflation import OverflowPolicy, conflate, slot_of
from dashboard.core.errors import CommandError, RequestError, ScopeError
from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import Kind, Published, Topic
from dashboard.core.trading.events import RunnerEvent
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.outbox import Outbox
from dashboard.fanout.wire import Wire
from dashboard.protocols import live
from dashboard.protocols.live_filters import (
    ALONE,
    Filter,
    FilterRequest,
    kinds_of,
    parse_query,
    streams_in,
)
from dashboard.protocols.runner_events import EVENT_KINDS, MAX_RUNNERS
from dashboard.streaming.arrivals import Arrivals
from dashboard.streaming.closing import POLICY_VIOLATION
from dashboard.streaming.live_backlog import PART_EVENTS, Backlog, Part
from dashboard.streaming.live_offers import LIVE, Offer
from dashboard.streaming.live_reading import LiveReading
from dashboard.streaming.live_routes import LiveRoutes
from dashboard.streaming.live_session import LiveSession
from dashboard.streaming.product import LiveProduct
from dashboard.streaming.streams import Pump, Refusal, StreamClient

BUFFER_EVENTS = 50_000
CONFLATED_EVENTS = 20_000
"""A client's buffer where a whole interval is waited for: only one that lags may fill it."""
BACKLOG_BYTES = TURN_BYTES // PART_EVENTS
"""What an event of a backlog counts as: a whole part has a turn for itself."""


RUNNER_BYTES = TURN_BYTES // MAX_RUNNERS
"""What a runner that is named counts as: as many as may be named have a turn for themselves."""
WRONG_QUERY = Refusal(POLICY_VIOLATION, "the address asks for what there is not")


class LiveStreams:
    """What all clients of one live stream share, whichever door they came by.

    A client that joins, or changes its filter, is sent what it lacks, and follows
    the others from the next dispatch on, with what is newer than that.
    """

    max_request_bytes = live.MAX_REQUEST_BYTES
    asks_for_key = False
    evicts = False

    def __init__(
        self,
        running: LiveProduct,
        *,
        places: Places,
        turns: Turns | None = None,
        offer: Offer = LIVE,
    ) -> None:
        self.fanout = Fanout()
        self.turns = turns or Turns()
        self.places = places
        self.pump = Pump(
            self.fanout,
            survival=running.hub.failures.at("live pump"),
            share_wait_s=offer.share_wait_s,
        )
        self._product = running
        self._hub = running.hub
        self._offer = offer
        self._begins = Filter(kinds=kinds_of(offer.begins))
        self._kinds = frozenset[Kind]()
        """What is taken from the hub: as long as there are clients, all that any has asked for."""
        self._sessions: dict[StreamClient, LiveSession] = {}
        self._joining: dict[StreamClient, LiveSession] = {}
        """Those who follow from the next dispatch on, by how far they are."""
        self._routes = LiveRoutes()
        self._reading = LiveReading(running.hub, lambda: running.directory)
        self._subscription = self._hub.subscribe(
            name=offer.name,
            wants=self._takes,
            capacity=BUFFER_EVENTS,
            policy=OverflowPolicy.CONFLATE,
        )
        self._arrivals = Arrivals(self._subscription)

    @property
    def closed(self) -> bool:
        """Tell whether the hub has closed, so that no client can be served any more."""
        return self._subscription.closed

    def outbox(self, wire: Wire, /) -> Outbox:
        """Make an outbox that tells a client what it did not get."""

        def notice(count: int, trades: int, events: int) -> bytes:
            count += trades + events
            return wire(
                live.encode_conflated(count=count, lost_trades=trades, lost_events=events).encode()
            )

        lasts = self._conflates or self._offer.prompt
        return Outbox(capacity=CONFLATED_EVENTS if lasts else live.BUFFER_EVENTS, notice=notice)

    def open(self, client: StreamClient) -> None:
        """Let a client in, which follows nothing yet."""
        self._sessions[client] = LiveSession(self._product.leases.holder("ws"), self._begins)
        self.fanout.move(client, None)

    async def begin(self, client: StreamClient) -> None:
        """Send a client what it missed since the id of its query, or else the latest values.

        One whose query asks for what there is not is told so, and closed.
        """
        session = self._sessions[client]
        try:
            query = parse_query(client.scope["query_string"], unnamed=self._offer.unnamed)
        except RequestError as error:
            self._send(client, [live.encode_error(error)])
            client.end(WRONG_QUERY)
            return
        session.filter = msgspec.structs.replace(session.filter, tagged=query.tagged)
        if query.asked is not None:
            wanted, answer = await self._hold(session, query.asked)
            if client not in self._sessions:
                return  # it left meanwhile
            session.filter = wanted
            self._send(client, [answer])
        self._take_in(session.filter)
        self._reading.refresh()
        if query.since:
            await self._bring(client, query.since, (), tells=False)
        else:
            await self._bring(client, self._hub.newest_id, self._reading.latest(session.filter))

    def close(self, client: StreamClient) -> None:
        """End a client's subscription, and its leases."""
        session = self._sessions.pop(client, None)
        if session is None:
            return
        self._joining.pop(client, None)
        cohort = self.fanout.leave(client)
        if not cohort and cohort.key is not None:
            self._routes.remove(cohort, session.filter)
        session.close()
        if not self._sessions:
            self._take(frozenset())

    def authenticated(self, client: StreamClient) -> bool:
        """Tell that an open client needs to show no more."""
        return client in self._sessions

    async def answer(self, client: StreamClient, raw: bytes, *, address: str) -> None:
        """Answer one request; it and the events around it come in the order of their effect."""
        try:
            asked = live.parse_request(raw, streams=self._offer.unnamed)
            if isinstance(asked, live.FrequencyRequest):
                command = SetFrequency(frequency_ms=asked.frequency_ms)
                await self._product.commands.ask(command, by=principal_of(client.scope))
                return
        except (CommandError, RequestError, ScopeError) as error:
            if client in self._sessions:  # else it left meanwhile
                self._send(client, [live.encode_error(error)])
            return
        await self._subscribe(client, asked)

    async def run(self) -> None:
        """Dispatch until the hub closes; then every client is told."""
        await self.pump.run(self._subscription, self.dispatch, least_s=self._conflation_s)
        for client in list(self._sessions):
            with self._hub.failures.at("live"):
                client.end()

    def dispatch(self) -> None:
        """Make every event that has come due to the clients that want it and lack it."""
        self._reading.refresh()
        for published in self._conflated(self._arrivals.take()):
            if self._joining:
                self._join(published.offset)
            if not live.carries(published.event):
                continue
            try:
                self._put(published)
            except Exception as error:  # noqa: BLE001 - one event must not cost others theirs
                self._hub.failures.add("live", error)
        self._join(math.inf)

    def _put(self, published: Published) -> None:
        event, topic = published.event, published.topic
        if isinstance(event, RunnerEvent):
            for dialect, route in self._routes.find_event(event):
                if payload := self._hub.frame(published, dialect).encode():
                    route.put(slot_of(published), payload)
            return
        named = self._routes.find(topic)
        common = self._routes.find(topic.kind) if self._reading.common[topic] else None
        if named is None and common is None:
            return
        payload = self._hub.frame(published, live.DIALECT).encode()
        if payload:
            slot = slot_of(published)
            for route in (named, common):
                if route is not None:
                    route.put(slot, payload)

    def _join(self, offset: float) -> None:
        """Let those follow who have all that comes before an offset."""
        while self._joining:
            client, session = next(iter(self._joining.items()))
            if session.seen >= offset:
                return
            del self._joining[client]
            cohort = self.fanout.move(client, session.filter)
            if len(cohort) == 1:
                self._routes.add(cohort, session.filter)

    async def _subscribe(self, client: StreamClient, asked: FilterRequest) -> None:
        session = self._sessions[client]
        wanted, answer = await self._hold(session, asked)
        if client not in self._sessions:
            return  # it left meanwhile
        waiting, before = self._waiting_for(session), session.filter
        self._leave_cohort(client, session)
        self._take_in(wanted)
        session.filter = wanted
        self._send(client, [*self._reading.frames(before, waiting), answer])
        await self._bring(client, self._hub.newest_id, self._reading.latest(wanted, without=before))

    async def _hold(self, session: LiveSession, asked: FilterRequest) -> tuple[Filter, str]:
        """Lease what a request names; give the filter that it makes, and the answer."""
        self._reading.refresh()
        named = {name: self._product.directory.find(name) for name in asked.symbols or ()}
        found = {name: each for name, each in named.items() if each is not None}
        kinds = asked.kinds
        refused = await session.lease(found.values() if kinds - ALONE - EVENT_KINDS else ())
        if asked.runners:
            await self.turns.take(RUNNER_BYTES * len(asked.runners))
        problems = {name: refused[each.key] for name, each in found.items() if each.key in refused}
        keys = frozenset[InstrumentKey]()
        if kinds - ALONE:
            keys = frozenset(each.key for each in found.values() if each.key not in refused)
        instruments = None if asked.symbols is None else keys
        answer = live.encode_subscribed(
            asked,
            unknown=named.keys() - found.keys(),
            refused=problems,
            unknown_runners=[
                each for each in asked.runners or () if not self._reading.has_told(each)
            ],
        )
        return Filter(instruments, kinds, asked.runners, session.filter.tagged), answer

    def _take_in(self, wanted: Filter) -> None:
        """Take from the hub what a filter lets through, as soon as one does."""
        if wanted.kinds - self._kinds:
            self._take(self._kinds | wanted.kinds)

    def _take(self, kinds: frozenset[Kind]) -> None:
        self._kinds = kinds
        self._subscription.change_filter(self._takes)

    def _takes(self, topic: Topic) -> bool:
        return topic.kind in self._kinds

    def _leave_cohort(self, client: StreamClient, session: LiveSession) -> None:
        """Let a client follow nothing for now; what was due to it stands in its outbox."""
        self._joining.pop(client, None)
        former = self.fanout.cohort_of(client)
        self.fanout.move(client, None)
        if not former and former.key is not None:
            self._routes.remove(former, session.filter)

    async def _bring(
        self,
        client: StreamClient,
        since: str,
        values: Sequence[Published],
        *,
        tells: bool = True,
    ) -> None:
        """Send a client what it lacks, a part in a turn and none before the last has left.

        What comes meanwhile does not wait for the client: to one who takes less than comes it
        is conflated, as to any other who lags. What newer events stand in for is told as
        conflated, unless the client asked for that.
        """
        session = self._sessions[client]
        wanted = session.filter
        tells = tells and not self._conflates
        backlog = Backlog(
            self._hub,
            lambda published: self._reading.wants(wanted, published),
            channels=wanted.channels,
            since=since,
            values=values,
            latest=lambda: self._reading.latest(wanted),
        )
        part = Part(())
        while not part.last:
            chases = backlog.chases
            if not chases:
                await client.drained()
            await self.turns.take(BACKLOG_BYTES * backlog.ahead)
            if client not in self._sessions:
                return  # it left meanwhile
            part = backlog.read()
            notices: list[str] = []
            if part.reset is not None:
                streams = streams_in(part.reset.channels)
                notices.append(live.encode_reset(part.reset.reason, streams))
            if part.skipped and tells:
                notices.append(live.encode_conflated(count=part.skipped, lost_trades=0))
            if chases:
                self._send(client, notices, part.events)
            else:
                self._send(client, [*notices, *self._reading.frames(wanted, part.events)])
        session.seen = self._hub.published
        self._joining[client] = session

    def _waiting_for(self, session: LiveSession) -> Sequence[Published]:
        """Give what has come for a client and was not dispatched yet."""
        wanted = session.filter
        if wanted.common_kinds or wanted.unnamed_event_kinds:
            events = [each for each in self._arrivals.all if self._reading.wants(wanted, each)]
        else:
            events = self._arrivals.of(wanted.topics)
        return self._conflated([each for each in events if each.offset > session.seen])

    @property
    def _conflates(self) -> bool:
        return self._product.conflates and not self._offer.prompt

    def _conflated(self, events: Sequence[Published]) -> Sequence[Published]:
        return conflate(events) if self._conflates else events

    def _conflation_s(self) -> float:
        return self._product.frequency_ms / 1000 if self._conflates else 0

    def _send(
        self, client: StreamClient, frames: Iterable[str], data: Iterable[Published] = ()
    ) -> None:
        """Send a client what is never forgotten, then data, which are conflated if it lags."""
        self.fanout.settle(client)
        for frame in frames:
            client.outbox.reply(client.wire(frame.encode()))
        written = self._reading.written(self._sessions[client].filter, data)
        entries = [(slot, client.wire(frame.encode())) for slot, frame in written]
        (client.outbox.add if client.writable else client.outbox.offer)(entries)
        self.fanout.release(client)
