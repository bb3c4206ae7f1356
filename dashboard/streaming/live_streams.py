"""The live stream on the stream server's port: the protocol of `/ws`, written jointly."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.types import Scope

from dashboard.access.principals import principal_of
from dashboard.access.turn_budget import TurnBudget
from dashboard.bootstrap import Services
from dashboard.core.conflation import OverflowPolicy, conflate
from dashboard.core.errors import RequestError, ScopeError
from dashboard.core.model import Topic
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.outbox import Kept, Slot
from dashboard.fanout.route import Route
from dashboard.protocols import live
from dashboard.streaming.live_session import LiveSession
from dashboard.streaming.streams import Pump, Refusal, StreamClient

POLICY_VIOLATION = 1008
BUFFER_EVENTS = 50_000

Admission = Callable[[Scope], Awaitable[str | None]]
"""Tells why a handshake may not pass, or gives None."""


class LiveStreams:
    """What all clients of the live stream on this port share."""

    max_request_bytes = live.MAX_REQUEST_BYTES

    def __init__(
        self, running: Services, *, admission: Admission, budget: TurnBudget | None = None
    ) -> None:
        self.fanout = Fanout()
        self.budget = budget or TurnBudget()
        self.pump = Pump(self.fanout, survival=running.hub.failures.at("live pump"))
        self._services = running
        self._hub = running.hub
        self._admission = admission
        self._sessions: dict[StreamClient, LiveSession] = {}
        self._routes: dict[Topic, Route] = {}
        self._subscription = self._hub.subscribe(
            name="stream", wants=_nothing, capacity=BUFFER_EVENTS, policy=OverflowPolicy.CONFLATE
        )

    @property
    def closed(self) -> bool:
        """Tell whether the hub has closed, so that no client can be served any more."""
        return self._subscription.closed

    async def open(self, client: StreamClient, scope: Scope) -> Refusal | None:
        """Let a client in, with what it missed or with the latest values."""
        problem = await self._admission(scope)
        if problem is not None:
            return Refusal(POLICY_VIOLATION, problem[:120])
        if not self._sessions:
            self._subscription.change_filter(_everything)
        self._catch_up()  # what comes from here on follows what the client begins with
        session = self._sessions[client] = LiveSession(self._services, principal_of(scope))
        self._move(client, session)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        self._send(client, session.first(query.get("since", [""])[0]))
        return None

    def close(self, client: StreamClient) -> None:
        """End a client's subscription."""
        if self._sessions.pop(client, None) is not None:
            self.fanout.leave(client)
            self._routes.clear()
        if not self._sessions:
            self._subscription.change_filter(_nothing)

    def authenticated(self, client: StreamClient) -> bool:
        """Tell that an open client needs to show no more."""
        return client in self._sessions

    async def answer(self, client: StreamClient, raw: bytes, *, address: str) -> None:
        """Answer one request; it and the events around it come in the order of their effect."""
        session = self._sessions[client]
        try:
            asked = live.parse_request(raw)
            if isinstance(asked, live.SetFrequency):
                session.set_frequency(asked)
                return
        except (RequestError, ScopeError) as error:
            self._send(client, [live.encode_error(error)])
            return
        found = await session.deliver(asked)
        if client not in self._sessions:
            return  # it left meanwhile
        self._catch_up()
        answers = session.change_filter(asked, found)
        self._move(client, session)
        self._send(client, answers)

    async def run(self) -> None:
        """Dispatch until the hub closes; then every client is told."""
        await self.pump.run(self._subscription, self.dispatch, least_s=self._conflation_s)
        for client in list(self._sessions):
            with self._hub.failures.at("live"):
                client.end()

    def dispatch(self) -> None:
        """Make every event that has come due to the clients that want it."""
        events = self._subscription.take()
        for published in conflate(events) if self._services.conflates else events:
            if not live.carries(published.event):
                continue
            try:
                route = self._routes.get(published.topic)
                if route is None:
                    route = self._routes[published.topic] = self._route(published.topic)
                if route and (frame := self._hub.frame(published, live.DIALECT)):
                    slot: Slot = published.topic if published.event.conflatable else Kept.TRADE
                    route.put(slot, frame.encode())
            except Exception as error:  # noqa: BLE001 - one event must not cost others theirs
                self._hub.failures.add("live", error)

    def _conflation_s(self) -> float:
        return self._services.frequency_ms / 1000 if self._services.conflates else 0

    def _catch_up(self) -> None:
        """Dispatch now, and let the pump flush it though no further event may come."""
        self.dispatch()
        self._subscription.wake()

    def _route(self, topic: Topic) -> Route:
        return Route(
            cohort
            for cohort in self.fanout.cohorts
            if isinstance(cohort.key, live.Filter) and cohort.key.wants(topic)
        )

    def _move(self, client: StreamClient, session: LiveSession) -> None:
        self.fanout.move(client, session.filter)
        self._routes.clear()

    def _send(self, client: StreamClient, frames: list[str]) -> None:
        self.fanout.settle(client)
        for frame in frames:
            client.outbox.reply(client.wire(frame.encode()))
        self.fanout.release(client)


def _nothing(_topic: Topic) -> bool:
    return False


def _everything(topic: Topic) -> bool:
    return topic.kind in live.KINDS
