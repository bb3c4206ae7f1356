"""What the newest messages about the clients of a source weigh, all together."""

from dashboard.core.model import AccountEvent, Positions, Topic

MAX_TOPICS = 20_000
"""PnL and positions count apart."""
MAX_POSITIONS = 50_000
MAX_BYTES = 64 * 1024 * 1024


class ClientLedger:
    """Say whether a message about a client may still be passed on.

    Of each client the newest PnL and the newest positions are kept by all who show
    them, and a source can name as many clients as it likes: so the bound is here.
    A client that is known can always send what weighs no more than what it has sent.
    """

    def __init__(
        self,
        *,
        max_topics: int = MAX_TOPICS,
        max_positions: int = MAX_POSITIONS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._bounds = (max_topics, max_positions, max_bytes)
        self._sums = (0, 0, 0)
        self._shares: dict[Topic, tuple[int, int, int]] = {}

    def admit(self, event: AccountEvent) -> bool:
        """Enter a message in place of the one before it; False where that is too much."""
        topic = event.topic
        held = len(event.positions) if isinstance(event, Positions) else 0
        share = (1, held, event.weigh())
        before = self._shares.get(topic, (0, 0, 0))
        sums = tuple(
            whole + new - old for whole, new, old in zip(self._sums, share, before, strict=True)
        )
        for after, whole, bound in zip(sums, self._sums, self._bounds, strict=True):
            if after > bound and after > whole:
                return False
        self._shares[topic] = share
        self._sums = (sums[0], sums[1], sums[2])
        return True
