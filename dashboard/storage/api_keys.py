"""API keys: how they are made, and who shows one that holds.

A key is 256 random bits, so its plain SHA-256 is stored: nobody can guess their
way back from it, which is what a slow hash would prevent for passwords; here it
would only let everyone burn our CPU with wrong keys.
"""

import math
import os
import re
import secrets
import time
from collections.abc import Callable, Collection
from pathlib import Path

import anyio.to_thread
import msgspec
import structlog

from dashboard.core.attempts import FailureLimit
from dashboard.core.errors import KeyNameError, StorageError
from dashboard.core.principal import OWNER, SCOPES, STREAM, Principal
from dashboard.storage.key_uses import KeyUses
from dashboard.storage.key_watch import KeyWatch
from dashboard.storage.known_keys import MARK, PREFIX_LENGTH, KnownKeys, digest_of
from dashboard.storage.repository import NewKey, Repository, StoredKey, StoredSession

log = structlog.get_logger(__name__)

KEY_FILE = "api-key"
"""Under the data folder: the key of the first start."""
FIRST_KEY = "first"
SESSION_NS = 30 * 86_400 * 1_000_000_000

_NAME = re.compile(r"\w[\w.@-]{0,63}")


class ApiKeys:
    """Tells who shows a key; belongs to one event loop, which it never blocks.

    A key that was valid a moment ago holds, whoever else fails: it is looked up in
    memory, see `KnownKeys`. Only one that is not there asks the database again, so
    that a new key holds at once; those attempts are limited by address, and so are
    attempts while the database does not answer. `clock` is the wall clock, which
    stamps; limits go by the `monotonic` one, both in ns. `revoked` is told the ids of
    all keys that were revoked so far, when there are more: by any use of a key, and
    within a second while somebody has the keys under `watch`.
    """

    def __init__(
        self,
        repository: Repository,
        *,
        clock: Callable[[], int],
        monotonic: Callable[[], int] = time.monotonic_ns,
        revoked: Callable[[frozenset[int]], object] = lambda _ids: None,
    ) -> None:
        self._repository = repository
        self._clock = clock
        self._known = KnownKeys(repository, clock=clock, monotonic=monotonic, revoked=revoked)
        self.watch = KeyWatch(self._known)
        self._failures = FailureLimit(clock=monotonic)
        self._uses = KeyUses(repository, clock=clock, monotonic=monotonic)

    async def authenticate(
        self, key: str, scope: str = STREAM, *, address: str = ""
    ) -> Principal | None:
        """Tell who shows this key, or None: no such key, without the scope, or too many attempts.

        `address` is whose failures are counted; without one none are.

        Raises:
            StorageError: when the database does not answer.
        """
        found = await self._find(key, address)
        if found is None or scope not in found.scopes:
            return None
        self._uses.note(found.id)
        return _principal(found)

    def retry_after_s(self, address: str, shown: str = "") -> int:
        """Tell for how many seconds an address is refused what it shows; 0 when it is not.

        A key that is known is not, whatever the address has shown besides.
        """
        if self._known.latest.key(shown) is not None:
            return 0
        return math.ceil(self._failures.wait_ns(address) / 1e9)

    async def open_session(self, key: str, *, address: str) -> str | None:
        """Begin a page session for who shows this key; give its token, or None.

        Raises:
            StorageError: when the database does not answer.
        """
        found = await self._find(key, address)
        if found is None or STREAM not in found.scopes:
            return None
        self._uses.note(found.id)
        token = secrets.token_urlsafe(32)
        now = self._clock()
        new = StoredSession(
            api_key_id=found.id, digest=digest_of(token), ts_expires=now + SESSION_NS
        )
        try:
            await anyio.to_thread.run_sync(lambda: self._repository.add_session(new, now=now))
        except StorageError as error:
            log.error("a page session was not stored", problem=error.problem)
            raise
        await self._known.anew()
        return token

    async def session(self, token: str) -> Principal | None:
        """Tell whose page session this is, or None when it has ended.

        Raises:
            StorageError: when the database does not answer.
        """
        known = await self._known.fresh()
        found = known.sessions.get(digest_of(token))
        if found is None or found.ts_expires <= self._clock():
            return None
        return msgspec.structs.replace(
            _principal(known.by_id[found.api_key_id]), session=found.digest
        )

    async def close_session(self, token: str) -> str | None:
        """End a page session; give what a principal calls it, or None when there is none.

        Raises:
            StorageError: when the database does not answer.
        """
        found = (await self._known.fresh()).sessions.get(digest_of(token))
        if found is None:
            return None
        await anyio.to_thread.run_sync(lambda: self._repository.end_session(found.digest))
        await self._known.anew()
        return found.digest

    async def _find(self, shown: str, address: str) -> StoredKey | None:
        """Find a key that is valid; None for another, and for too many attempts."""
        try:
            found = (await self._known.fresh()).key(shown)
        except StorageError:
            was_valid = self._known.latest.key(shown) is not None
            if was_valid or self._may_fail(address):
                raise
            return None
        if found is not None or not self._may_fail(address):
            return found
        found = (await self._known.anew()).key(shown)
        if found is not None:
            self._failures.give_back(address)
        return found

    def _may_fail(self, address: str) -> bool:
        """Count an attempt that may fail, or tell that there were too many."""
        return not address or self._failures.take(address)


def create_key(
    repository: Repository,
    name: str,
    *,
    now: int,
    scopes: Collection[str] = (STREAM,),
    user: str = OWNER,
) -> str:
    """Make a key and store its digest; give the key, which nobody can ask for again.

    Raises:
        KeyNameError: when a name is taken, or is not a name.
        StorageError: when the database cannot do it.
    """
    key, new = _new_key(name, now=now, scopes=scopes, user=user)
    repository.add_key(new)
    return key


def create_first_key(repository: Repository, folder: Path, *, now: int) -> Path | None:
    """Make the key of a new database and keep it in a file that only its owner can read.

    Gives the file, or None where there has been a key before. The file is whole
    before the key counts.

    Raises:
        StorageError: when the database or the file cannot be written.
    """
    key, new = _new_key(FIRST_KEY, now=now, scopes=SCOPES, user=OWNER)
    file = folder / KEY_FILE
    made = repository.add_first_key(new, keep=lambda: _write_private(file, key + "\n"))
    return file if made else None


def _new_key(name: str, *, now: int, scopes: Collection[str], user: str) -> tuple[str, NewKey]:
    for each in (name, user):
        if not _NAME.fullmatch(each):
            problem = "is not a name: letters, digits and . @ - _, 64 at most"
            raise KeyNameError(name=each, problem=problem)
    key = MARK + secrets.token_urlsafe(32)
    new = NewKey(
        user=user,
        name=name,
        prefix=key[:PREFIX_LENGTH],
        digest=digest_of(key),
        scopes=frozenset(scopes),
        ts_created=now,
    )
    return key, new


def _principal(key: StoredKey) -> Principal:
    return Principal(user_id=key.user, scopes=key.scopes, key_id=key.id, key_name=key.name)


def _write_private(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as stream:
        stream.write(text)
    fresh.replace(file)
