"""The live stream, `/ws`: from the hub to its clients, on the page's port and on the stream's."""

import math
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs

from dashboard.access.places import Places
from dashboard.access.principals import principal_of
from dashboard.access.turns import TURN_BYTES, Turns
from dashboard.commands.requests import SetFrequency
from dashboard.core.conflation import OverflowPolicy, Slot, conflate, slot_of
from dashboard.core.errors import CommandError, RequestError, ScopeError
from dashboard.core.model import Published, Topic
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.outbox import Outbox
from dashboard.fanout.wire import Wire
from dashboard.protocols import live
from dashboard.streaming.arrivals import Arrivals
from dashboard.streaming.common_topics import CommonTopics
from dashboard.streaming.live_backlog import PART_EVENTS, Backlog, Part
from dashboard.streaming.live_routes import LiveRoutes
from dashboard.streaming.live_session import LiveSession
from dashboard.streaming.product import LiveProduct
from dashboard.streaming.streams import Pump, StreamClient

BUFFER_EVENTS = 50_000
CONFLATED_EVENTS = 20_000
"""A client's buffer where a whole interval is waited for: only one that lags may fill it."""
BACKLOG_BYTES = TURN_BYTES // PART_EVENTS
"""What an event of a backlog counts as: a whole part has a turn for itself."""


class LiveStreams:
    """What all clients of the live stream share, whichever door they came by.

    A client that joins, or changes its filter, is sent what it lacks, and follows
    the others from the next dispatch on, with what is newer than that.
    """

    max_request_bytes = live.MAX_REQUEST_BYTES
    asks_for_key = False
    evicts = False

    def __init__(self, running: LiveProduct, *, places: Places, turns: Turns | None = None) -> None:
        self.fanout = Fanout()
        self.turns = turns or Turns()
        self.places = places
        self.pump = Pump(self.fanout, survival=running.hub.failures.at("live pump"))
        self._product = running
        self._hub = running.hub
        self._sessions: dict[StreamClient, LiveSession] = {}
        self._joining: dict[StreamClient, LiveSession] = {}
        """Those who follow from the next dispatch on, by how far they are."""
        self._routes = LiveRoutes()
        self._common = CommonTopics()
        self._subscription = self._hub.subscribe(
            name="stream", wants=_nothing, capacity=BUFFER_EVENTS, policy=OverflowPolicy.CONFLATE
        )
        self._arrivals = Arrivals(self._subscription)

    @property
    def closed(self) -> bool:
        """Tell whether the hub has closed, so that no client can be served any more."""
        return self._subscription.closed

    def outbox(self, wire: Wire, /) -> Outbox:
        """Make an outbox that tells a client what it did not get."""

        def notice(count: int, lost: int) -> bytes:
            return wire(live.encode_conflated(count=count + lost, lost_trades=lost).encode())

        capacity = CONFLATED_EVENTS if self._product.conflates else live.BUFFER_EVENTS
        return Outbox(capacity=capacity, notice=notice)

    def open(self, client: StreamClient) -> None:
        """Let a client in, which follows nothing yet."""
        if not self._sessions:
            self._subscription.change_filter(_everything)
        self._sessions[client] = LiveSession(self._product.leases.holder("ws"))
        self.fanout.move(client, None)

    async def begin(self, client: StreamClient) -> None:
        """Send a client what it missed since the id of its query, or else the latest values."""
        wanted = self._sessions[client].filter
        self._common.look_into(self._product.directory)
        query = parse_qs(client.scope["query_string"].decode("latin-1"))
        since = query.get("since", [""])[0]
        if since:
            await self._bring(client, since, (), tells=False)
        else:
            await self._bring(client, self._hub.newest_id, self._latest(wanted))

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
            self._subscription.change_filter(_nothing)

    def authenticated(self, client: StreamClient) -> bool:
        """Tell that an open client needs to show no more."""
        return client in self._sessions

    async def answer(self, client: StreamClient, raw: bytes, *, address: str) -> None:
        """Answer one request; it and the events around it come in the order of their effect."""
        try:
            asked = live.parse_request(raw)
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
        self._common.look_into(self._product.directory)
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
        topic = published.topic
        named = self._routes.find(topic)
        common = self._routes.find(topic.kind) if self._common[topic] else None
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

    async def _subscribe(self, client: StreamClient, asked: live.FilterRequest) -> None:
        session = self._sessions[client]
        self._common.look_into(self._product.directory)
        kinds = live.kinds_of(asked.streams)
        named = {name: self._product.directory.find(name) for name in asked.symbols or ()}
        found = {name: each for name, each in named.items() if each is not None}
        wanted = list(found.values()) if kinds - live.ALONE else []
        refused = await session.lease(wanted)
        if client not in self._sessions:
            return  # it left meanwhile
        waiting, before = self._waiting_for(session), session.filter
        self._leave_cohort(client, session)
        problems = {name: refused[each.key] for name, each in found.items() if each.key in refused}
        keys = frozenset(each.key for each in wanted if each.key not in refused)
        session.filter = live.Filter(None if asked.symbols is None else keys, kinds)
        unknown = named.keys() - found.keys()
        answer = live.encode_subscribed(asked, unknown=unknown, refused=problems)
        self._send(client, [*self._frames(waiting), answer])
        await self._bring(client, self._hub.newest_id, self._latest(session.filter, without=before))

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
        tells = tells and not self._product.conflates
        backlog = Backlog(
            self._hub,
            lambda topic: self._wants(wanted, topic),
            since=since,
            values=values,
            latest=lambda: self._latest(wanted),
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
                notices.append(live.encode_reset(part.reset))
            if part.skipped and tells:
                notices.append(live.encode_conflated(count=part.skipped, lost_trades=0))
            if chases:
                self._send(client, notices, part.events)
            else:
                self._send(client, [*notices, *self._frames(part.events)])
        session.seen = self._hub.published
        self._joining[client] = session

    def _waiting_for(self, session: LiveSession) -> Sequence[Published]:
        """Give what has come for a client and was not dispatched yet."""
        wanted = session.filter
        if wanted.common_kinds:
            events = [each for each in self._arrivals.all if self._wants(wanted, each.topic)]
        else:
            events = self._arrivals.of(wanted.topics)
        return self._conflated([each for each in events if each.offset > session.seen])

    def _latest(
        self, wanted: live.Filter, *, without: live.Filter | None = None
    ) -> Sequence[Published]:
        """Give the latest values that a filter lets through, `without` those that another does."""

        def adds(topic: Topic) -> bool:
            return self._wants(wanted, topic) and not (without and self._wants(without, topic))

        found = self._hub.latest(topic for topic in wanted.topics if adds(topic))
        if kinds := wanted.common_kinds:
            found += [each for each in self._hub.latest_of_kinds(kinds) if adds(each.topic)]
        return sorted(found, key=lambda each: each.offset)

    def _wants(self, wanted: live.Filter, topic: Topic) -> bool:
        return wanted.wants(topic, common=self._common[topic])

    def _conflated(self, events: Sequence[Published]) -> Sequence[Published]:
        return conflate(events) if self._product.conflates else events

    def _conflation_s(self) -> float:
        return self._product.frequency_ms / 1000 if self._product.conflates else 0

    def _frames(self, events: Iterable[Published]) -> list[str]:
        """Write events as clients get them, without those that cannot be written."""
        return [frame for _, frame in self._written(events)]

    def _written(self, events: Iterable[Published]) -> Iterable[tuple[Slot, str]]:
        for each in events:
            if live.carries(each.event) and (frame := self._hub.frame(each, live.DIALECT)):
                yield slot_of(each), frame

    def _send(
        self, client: StreamClient, frames: Iterable[str], data: Iterable[Published] = ()
    ) -> None:
        """Send a client what is never forgotten, then data, which are conflated if it lags."""
        self.fanout.settle(client)
        for frame in frames:
            client.outbox.reply(client.wire(frame.encode()))
        entries = [(slot, client.wire(frame.encode())) for slot, frame in self._written(data)]
        (client.outbox.add if client.writable else client.outbox.offer)(entries)
        self.fanout.release(client)


def _nothing(_topic: Topic) -> bool:
    return False


def _everything(topic: Topic) -> bool:
    return topic.kind in live.KINDS
