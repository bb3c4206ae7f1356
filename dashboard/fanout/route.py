"""Where the frames of one topic go."""

from collections.abc import Iterable

from dashboard.core.conflation import Slot
from dashboard.fanout.cohort import Cohort
from dashboard.fanout.outbox import Entry
from dashboard.fanout.wire import Wire


class Route:
    """The way to some cohorts, looked up once; it is of no use any more when one of them ends."""

    def __init__(self, cohorts: Iterable[Cohort]) -> None:
        ways: dict[Wire, list[list[Entry]]] = {}
        for cohort in cohorts:
            ways.setdefault(cohort.wire, []).append(cohort.pending)
        self._ways = tuple(ways.items())

    def __bool__(self) -> bool:
        return bool(self._ways)

    def put(self, slot: Slot, payload: bytes) -> None:
        """Make a frame due to all members of the cohorts; it is made once per wire."""
        for wire, all_pending in self._ways:
            entry = (slot, wire(payload))
            for pending in all_pending:
                pending.append(entry)
