"""What the clients own: positions and cash, from nothing but the trades."""

from collections.abc import Iterable, Mapping

from dashboard.exchange.matching import Fill


class ClientAccounts:
    """Positions and cash of every client, which begin at zero.

    Cash is kept per instrument in ticks, so that it is exact: whatever is
    traded, over all clients it sums to zero, and so do the positions.
    """

    def __init__(self, clients: Iterable[str], tick_sizes: Mapping[str, float]) -> None:
        self._tick_sizes = dict(tick_sizes)
        self._positions: dict[str, dict[str, int]] = {client: {} for client in clients}
        self._cash: dict[str, dict[str, int]] = {client: {} for client in self._positions}

    @property
    def clients(self) -> tuple[str, ...]:
        """List the clients."""
        return tuple(self._positions)

    def apply_fill(self, instrument: str, fill: Fill) -> None:
        """Give the buyer the volume, and the seller what it costs."""
        for client, volume in ((fill.buyer, fill.volume), (fill.seller, -fill.volume)):
            positions, cash = self._positions[client], self._cash[client]
            positions[instrument] = positions.get(instrument, 0) + volume
            cash[instrument] = cash.get(instrument, 0) - volume * fill.ticks

    def position(self, client: str, instrument: str) -> int:
        """Give the signed position of a client."""
        return self._positions[client].get(instrument, 0)

    def positions(self, client: str) -> dict[str, int]:
        """Give the signed positions of a client in all that it has ever traded."""
        return dict(self._positions[client])

    def pnl(self, client: str, marks: Mapping[str, int]) -> float:
        """Give cash plus positions at these prices, in ticks by instrument."""
        positions = self._positions[client]
        return sum(
            self._tick_sizes[instrument] * (cash + positions[instrument] * marks[instrument])
            for instrument, cash in self._cash[client].items()
        )
