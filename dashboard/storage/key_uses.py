"""When keys were last used: written behind those who use them, who wait for nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from dashboard.core.errors import StorageError
from dashboard.storage.repository import Repository

log = structlog.get_logger(__name__)

NOTE_USE_NS = 60 * 1_000_000_000


class KeyUses:
    """Writes the newest use of each key, at most once a minute for each, in a thread of its own.

    While a write waits for the database, of each key only the newest use is kept.
    `clock` stamps a use, the `monotonic` one counts the minutes, both in ns.
    """

    def __init__(
        self, repository: Repository, *, clock: Callable[[], int], monotonic: Callable[[], int]
    ) -> None:
        self._repository = repository
        self._clock = clock
        self._monotonic = monotonic
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="key uses")
        self._again_at: dict[int, int] = {}
        self._unwritten: dict[int, int] = {}

    def note(self, key_id: int) -> None:
        """Note that a key is used now."""
        now = self._monotonic()
        if now < self._again_at.get(key_id, now):
            return
        self._again_at[key_id] = now + NOTE_USE_NS
        self._unwritten[key_id] = self._clock()
        self._thread.submit(self._write)

    def _write(self) -> None:
        uses: dict[int, int] = {}
        while self._unwritten:  # one may be added meanwhile
            key_id, ts = self._unwritten.popitem()
            uses[key_id] = ts
        if not uses:
            return  # they went with the write before
        try:
            self._repository.note_uses(uses)
        except StorageError as error:  # the keys hold all the same
            log.warning("the use of keys was not written", problem=error.problem)
