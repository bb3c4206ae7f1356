"""Who holds the same instruments: those clients form one cohort, which the index then knows."""

import secrets
from collections.abc import Mapping

import msgspec

from dashboard.core.instruments import InstrumentKey
from dashboard.fanout.cohort import Cohort, Receiver
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.route import Route
from dashboard.protocols.openalgo.index import Holding, Index
from dashboard.protocols.openalgo.modes import TICKS, Form, Mode

NOTHING = Holding()
TOKEN_BITS = 128


class _Member(msgspec.Struct):
    """What a client holds, what of that its cohort does not know yet, and the signature of all."""

    held: dict[InstrumentKey, Holding]
    changes: dict[InstrumentKey, Holding]
    signature: int = 0


class Groups:
    """Take what clients hold, one instrument at a time, and `regroup` a client when it is done.

    A client's signature is the XOR of a random number for each pair of an instrument
    and what is held on it, so a change costs the same however much a client holds.
    """

    def __init__(self, fanout: Fanout) -> None:
        self._fanout = fanout
        self._index: Index[Cohort] = Index()
        self._members: dict[Receiver, _Member] = {}
        self._tokens: dict[tuple[InstrumentKey, Holding], int] = {}
        self._routes: dict[tuple[InstrumentKey, Mode], dict[Form, Route]] = {}

    def routes(self, key: InstrumentKey, tick: Mode) -> Mapping[Form, Route]:
        """Give the ways of a tick by the form in which it goes there; use them at once."""
        routes = self._routes.get((key, tick))
        if routes is None:
            groups = self._index.groups(key, tick)
            routes = {form: Route(cohorts) for form, cohorts in groups.items()}
            self._routes[key, tick] = routes
        return routes

    def enter(self, receiver: Receiver) -> None:
        """Begin with a client that holds nothing."""
        self._members[receiver] = _Member({}, {})
        self._fanout.move(receiver, 0)

    def leave(self, receiver: Receiver) -> None:
        """End all that a client holds."""
        member = self._members.pop(receiver)
        cohort = self._fanout.leave(receiver)
        if not cohort:
            self._forget(cohort, member)

    def put(self, key: InstrumentKey, client: Receiver, holding: Holding) -> None:
        """Set what a client holds on an instrument, once it is regrouped; no modes end it."""
        member = self._members.get(client)
        if member is None:
            return  # it left while it was waiting for this
        before = member.changes.get(key) or member.held.get(key, NOTHING)
        member.signature ^= self._token(key, before) ^ self._token(key, holding)
        member.changes[key] = holding

    def regroup(self, receiver: Receiver) -> None:
        """Put a client into the cohort of those who hold what it holds now."""
        member = self._members[receiver]
        if not member.changes:
            return
        former = self._fanout.cohort_of(receiver)
        target = self._fanout.find(receiver, member.signature)
        if target is None and len(former) == 1:
            for key, holding in member.changes.items():
                self._set(key, former, holding)
            self._fanout.rename(former, member.signature)
            self._settle(member)
            return
        cohort = self._fanout.move(receiver, member.signature)
        if not former:
            self._forget(former, member)
        self._settle(member)
        if len(cohort) == 1:
            for key, holding in member.held.items():
                self._set(key, cohort, holding)

    def _token(self, key: InstrumentKey, holding: Holding) -> int:
        if not holding.modes:
            return 0
        token = self._tokens.get((key, holding))
        if token is None:
            token = self._tokens[key, holding] = secrets.randbits(TOKEN_BITS)
        return token

    def _forget(self, cohort: Cohort, member: _Member) -> None:
        for key in member.held:
            self._set(key, cohort, NOTHING)

    def _set(self, key: InstrumentKey, cohort: Cohort, holding: Holding) -> None:
        self._index.put(key, cohort, holding)
        for tick in TICKS:
            self._routes.pop((key, tick), None)

    def _settle(self, member: _Member) -> None:
        for key, holding in member.changes.items():
            if holding.modes:
                member.held[key] = holding
            else:
                member.held.pop(key, None)
        member.changes = {}
