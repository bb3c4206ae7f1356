"""The subscription index: from a tick to its clients in constant time."""

from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from dashboard.core.instruments import InstrumentKey
from dashboard.protocols.openalgo.modes import TICKS, Form, Mode

Client = TypeVar("Client", bound=Hashable)


class Holding(NamedTuple):
    """What one client holds on one instrument."""

    modes: frozenset[Mode] = frozenset()
    depth: int = 5

    @property
    def levels(self) -> int:
        """Give how many levels a side of the book it takes."""
        return self.depth if Mode.DEPTH in self.modes else 0

    def form(self, tick: Mode) -> Form | None:
        """Give the one form in which a tick goes to this client, or None.

        It is the highest mode held that the tick can serve: a depth tick serves
        all three, a quote tick LTP and Quote.
        """
        return _form(self, tick)


@lru_cache(maxsize=1024)
def _form(holding: Holding, tick: Mode) -> Form | None:
    mode = max((mode for mode in holding.modes if mode <= tick), default=None)
    if mode is None:
        return None
    return Form(mode, holding.depth if mode is Mode.DEPTH else 0)


FormGroups = dict[Form, dict[Client, None]]


class Index(Generic[Client]):
    """Who gets which tick in which form; grouped, so that a form is encoded once."""

    def __init__(self) -> None:
        self._held: dict[tuple[InstrumentKey, Client], Holding] = {}
        self._groups: dict[tuple[InstrumentKey, Mode], FormGroups[Client]] = {}

    def __len__(self) -> int:
        """Count what is held: pairs of a client and an instrument."""
        return len(self._held)

    def put(self, key: InstrumentKey, client: Client, holding: Holding) -> None:
        """Set what a client holds on an instrument; no modes end it."""
        before = self._held.pop((key, client), Holding())
        if holding.modes:
            self._held[key, client] = holding
        for tick in TICKS:
            old, new = before.form(tick), holding.form(tick)
            if old != new:
                self._move(key, tick, client, old, new)

    def groups(self, key: InstrumentKey, tick: Mode) -> Mapping[Form, Mapping[Client, None]]:
        """Give the clients of a tick by the form that they get."""
        return self._groups.get((key, tick), {})

    def _move(
        self, key: InstrumentKey, tick: Mode, client: Client, old: Form | None, new: Form | None
    ) -> None:
        groups = self._groups.setdefault((key, tick), {})
        if old is not None:
            del groups[old][client]
            if not groups[old]:
                del groups[old]
        if new is not None:
            groups.setdefault(new, {})[client] = None
        if not groups:
            del self._groups[key, tick]
