"""How often an address may fail: a bucket of tokens for each."""

from collections.abc import Callable

from dashboard.core.addresses import network_of

MAX_ADDRESSES = 10_000
"""The addresses that are remembered; beyond, the one that failed longest ago is forgotten."""


class FailureLimit:
    """Lets each address fail `burst` times at once, and once more every `refill_ns`.

    IPv6 addresses count by their /64, which is what one machine has at will. The
    clock is monotonic, in ns: one that is set would lock out, or let guess. It is no
    library's: none takes a token back, and each would need its own bound of addresses.
    """

    def __init__(
        self, *, burst: int = 10, refill_ns: int = 6_000_000_000, clock: Callable[[], int]
    ) -> None:
        self._burst = burst
        self._refill_ns = refill_ns
        self._clock = clock
        self._full_at: dict[str, int] = {}

    def wait_ns(self, address: str) -> int:
        """Tell how long until the address may try again: 0 when it may now."""
        return max(0, self._due(network_of(address)) - (self._burst - 1) * self._refill_ns)

    def take(self, address: str) -> bool:
        """Take a token from the address before it tries; false when there is none."""
        if self.wait_ns(address):
            return False
        group = network_of(address)
        full_at = self._clock() + self._due(group) + self._refill_ns
        self._full_at.pop(group, None)
        self._full_at[group] = full_at
        if len(self._full_at) > MAX_ADDRESSES:
            del self._full_at[next(iter(self._full_at))]
        return True

    def give_back(self, address: str) -> None:
        """Return a token: the attempt did not fail."""
        group = network_of(address)
        if group in self._full_at:
            self._full_at[group] -= self._refill_ns

    def _due(self, group: str) -> int:
        """Tell how long until the bucket is full again."""
        return max(0, self._full_at.get(group, 0) - self._clock())
