"""The valid keys and page sessions in memory, as the database held them a moment ago."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog

from dashboard.core.errors import StorageError
from dashboard.single_flight import SingleFlight
from dashboard.storage.repository import Repository, StoredKey, StoredSession

log = structlog.get_logger(__name__)

MARK = "lt_"
PREFIX_LENGTH = len(MARK) + 8
FRESH_NS = 2_000_000_000
"""How long what was read from the database holds: a revoked key ends within it."""
READ_GAP_NS = 100_000_000
READ_BURST = 10
"""So many reads may follow at once, then one a gap: wrong keys from a thousand addresses, or
a thousand clients while the database is out, cost no more."""


class Known(msgspec.Struct, frozen=True):
    """The valid keys by their prefix and by id, and the valid sessions by digest."""

    keys: dict[str, list[StoredKey]]
    by_id: dict[int, StoredKey]
    sessions: dict[str, StoredSession]

    def key(self, shown: str) -> StoredKey | None:
        """Find the key that somebody shows."""
        candidates = self.keys.get(shown[:PREFIX_LENGTH])
        if candidates is None:
            return None
        digest = digest_of(shown)
        for candidate in candidates:
            if hmac.compare_digest(candidate.digest, digest):
                return candidate
        return None


class KnownKeys:
    """Reads the database in a thread of its own, once for all who wait, failures included.

    Belongs to one event loop, which it never blocks. `clock` is the wall clock, by which
    sessions expire; what was read grows old by the `monotonic` one, both in ns. `revoked` is
    told the ids of all keys that have been valid and are no longer, when there are more. When
    reading begins to fail and when it works again, that is one line of the log each.
    """

    def __init__(
        self,
        repository: Repository,
        *,
        clock: Callable[[], int],
        monotonic: Callable[[], int],
        revoked: Callable[[frozenset[int]], object] = lambda _ids: None,
    ) -> None:
        self.latest = Known({}, {}, {})
        self._repository = repository
        self._clock = clock
        self._monotonic = monotonic
        self._tell_revoked = revoked
        self._revoked: frozenset[int] = frozenset()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keys")
        self._reads = SingleFlight(self._begin)
        self._fresh_until: int | None = None
        self._next_read = 0
        self._failing = False

    async def fresh(self) -> Known:
        """Give what the database held less than 2 s ago.

        Raises:
            StorageError: when it cannot be read.
        """
        if self._fresh_until is not None and self._monotonic() < self._fresh_until:
            return self.latest
        return await self.read()

    async def read(self) -> Known:
        """Give what the database holds: by the read that is under way, or else by a new one.

        Raises:
            StorageError: when it cannot be read.
        """
        return await self._reads.join()

    async def anew(self) -> Known:
        """Give what the database holds: by a read that begins after this call.

        Raises:
            StorageError: when it cannot be read, or a read fails that was under way already.
        """
        return await self._reads.join_next()

    def _begin(self) -> asyncio.Future[Known]:
        began, now = self._monotonic(), self._clock()
        early_ns = self._next_read - (READ_BURST - 1) * READ_GAP_NS - began
        pause_ns = min(max(0, early_ns), READ_GAP_NS)  # they never overlap: a gap is enough
        self._next_read = max(self._next_read, began) + READ_GAP_NS

        def read() -> Known:
            time.sleep(pause_ns / 1e9)
            return _known(*self._repository.valid(now=now))

        def done(reading: asyncio.Future[Known]) -> None:
            if reading.cancelled():
                return
            if (error := reading.exception()) is None:
                self._take(reading.result())
                self._fresh_until = began + FRESH_NS
            self._tell(error)

        reading = asyncio.get_running_loop().run_in_executor(self._thread, read)
        reading.add_done_callback(done)
        return reading

    def _take(self, known: Known) -> None:
        gone = self.latest.by_id.keys() - known.by_id.keys()
        self.latest = known
        if gone:
            self._revoked |= gone
            self._tell_revoked(self._revoked)

    def _tell(self, error: BaseException | None) -> None:
        if error is None and self._failing:
            log.info("API keys can be checked again")
        elif error is not None and not self._failing:
            problem = error.problem if isinstance(error, StorageError) else type(error).__name__
            log.error("API keys cannot be checked", problem=problem)
        self._failing = error is not None


def digest_of(secret: str) -> str:
    """Give what is stored of a key or a session's token."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _known(keys: Sequence[StoredKey], sessions: Sequence[StoredSession]) -> Known:
    by_prefix: dict[str, list[StoredKey]] = {}
    for key in keys:
        by_prefix.setdefault(key.prefix, []).append(key)
    return Known(by_prefix, {key.id: key for key in keys}, {each.digest: each for each in sessions})
