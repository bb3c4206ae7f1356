"""How often an address may fail: a bucket of tokens for each."""

from collections.abc import Callable
from ipaddress import IPv6Address

from dashboard.core.addresses import parse_address

MAX_ADDRESSES = 10_000
"""The addresses that are remembered; beyond, the one that failed longest ago is forgotten."""


class FailureLimit:
    """Lets each address fail `burst` times at once, and once more every `refill_ns`.

    IPv6 addresses count by their /64, which is what one machine has at will. The
    clock is monotonic, in ns: one that is set would lock out, or let guess.
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
        return self._wait(self._due(_group(address)))

    def take(self, address: str) -> bool:
        """Take a token from the address before it tries; false when there is none."""
        group = _group(address)
        due = self._due(group)
        if self._wait(due):
            return False
        self._full_at.pop(group, None)
        self._full_at[group] = self._clock() + due + self._refill_ns
        if len(self._full_at) > MAX_ADDRESSES:
            del self._full_at[next(iter(self._full_at))]
        return True

    def give_back(self, address: str) -> None:
        """Return a token: the attempt did not fail."""
        group = _group(address)
        if group in self._full_at:
            self._full_at[group] -= self._refill_ns

    def _wait(self, due: int) -> int:
        return max(0, due - (self._burst - 1) * self._refill_ns)

    def _due(self, group: str) -> int:
        """Tell how long until the bucket is full again."""
        return max(0, self._full_at.get(group, 0) - self._clock())


def _group(address: str) -> str:
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return address[:100] if parsed is None else str(parsed)
