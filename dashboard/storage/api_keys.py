"""API keys: how they are made, and who shows one that holds.

A key is 256 random bits, so its plain SHA-256 is stored: nobody can guess their
way back from it, which is what a slow hash would prevent for passwords; here it
would only let everyone burn our CPU with wrong keys.
"""

import asyncio
import hashlib
import hmac
import math
import os
import re
import secrets
from collections.abc import Callable, Collection
from pathlib import Path

import anyio.to_thread
import msgspec
import structlog

from dashboard.core.attempts import FailureLimit
from dashboard.core.errors import KeyNameError, StorageError
from dashboard.storage.repository import NewKey, Repository, StoredKey, StoredSession

log = structlog.get_logger(__name__)

SCOPES = ("stream", "trade")
KEY_FILE = "api-key"
"""Under the data folder: the key of the first start."""
OWNER = "owner"
FIRST_KEY = "first"
SESSION_NS = 30 * 86_400 * 1_000_000_000
FRESH_NS = 2_000_000_000
"""How long what was read from the database holds: a revoked key ends within it."""
NOTE_USE_NS = 60 * 1_000_000_000

_MARK = "lt_"
_PREFIX_LENGTH = len(_MARK) + 8
_NAME = re.compile(r"\w[\w.@-]{0,63}")


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who showed a key that holds."""

    user_id: str
    key_name: str
    scopes: frozenset[str]


class _Known(msgspec.Struct, frozen=True):
    """The valid keys by their prefix, and the keys of the valid sessions by digest."""

    ts_read: int
    keys: dict[str, list[StoredKey]]
    sessions: dict[str, StoredSession]
    by_id: dict[int, StoredKey]


class ApiKeys:
    """Tells who shows a key; belongs to one event loop, which it never blocks.

    The valid keys are read at most every 2 s, once for all who wait, so a burst of
    connects is one query. Only a key that is not among them asks the database again,
    so that a new key holds at once; those attempts are limited by address.
    """

    def __init__(self, repository: Repository, *, clock: Callable[[], int]) -> None:
        self._repository = repository
        self._clock = clock
        self._failures = FailureLimit(clock=clock)
        self._known = _Known(0, {}, {}, {})
        self._reading = asyncio.Lock()
        self._noted: dict[int, int] = {}

    async def authenticate(
        self, key: str, scope: str = "stream", *, address: str = ""
    ) -> Principal | None:
        """Tell who shows this key, or None: no such key, without the scope, or too many attempts.

        `address` is whose failures are counted; without one none are.

        Raises:
            StorageError: when the database does not answer.
        """
        if address and self._failures.wait_ns(address):
            return None
        found = self._find(await self._read(max_age_ns=FRESH_NS), key)
        if found is None:
            if address and not self._failures.take(address):
                return None
            found = self._find(await self._read(max_age_ns=0), key)
            if found is None:
                return None
            if address:
                self._failures.give_back(address)
        if scope not in found.scopes:
            return None
        await self._note_use(found.id)
        return _principal(found)

    def retry_after_s(self, address: str) -> int:
        """Tell for how many seconds an address is refused, whatever it shows; 0 when it is not."""
        return math.ceil(self._failures.wait_ns(address) / 1e9)

    async def open_session(self, key: str, *, address: str) -> str | None:
        """Begin a page session for who shows this key; give its token, or None."""
        if await self.authenticate(key, address=address) is None:
            return None
        found = self._find(self._known, key)
        if found is None:
            return None
        token = secrets.token_urlsafe(32)
        now = self._clock()
        new = StoredSession(api_key_id=found.id, digest=_digest(token), ts_expires=now + SESSION_NS)
        await anyio.to_thread.run_sync(lambda: self._repository.add_session(new, now=now))
        await self._read(max_age_ns=0)
        return token

    async def session(self, token: str) -> Principal | None:
        """Tell whose page session this is, or None when it has ended.

        Raises:
            StorageError: when the database does not answer.
        """
        known = await self._read(max_age_ns=FRESH_NS)
        found = known.sessions.get(_digest(token))
        if found is None or found.ts_expires <= self._clock():
            return None
        return _principal(known.by_id[found.api_key_id])

    def _find(self, known: _Known, key: str) -> StoredKey | None:
        digest = _digest(key)
        for candidate in known.keys.get(key[:_PREFIX_LENGTH], ()):
            if hmac.compare_digest(candidate.digest, digest):
                return candidate
        return None

    async def _read(self, *, max_age_ns: int) -> _Known:
        """Give what the database held less than so long ago; one query serves all who wait."""
        oldest = self._clock() - max_age_ns
        async with self._reading:
            if not oldest < self._known.ts_read <= self._clock():
                now = self._clock()
                keys, sessions = await anyio.to_thread.run_sync(
                    lambda: self._repository.valid(now=now)
                )
                by_prefix: dict[str, list[StoredKey]] = {}
                for key in keys:
                    by_prefix.setdefault(key.prefix, []).append(key)
                by_digest = {session.digest: session for session in sessions}
                self._known = _Known(now, by_prefix, by_digest, {key.id: key for key in keys})
        return self._known

    async def _note_use(self, key_id: int) -> None:
        now = self._clock()
        if 0 <= now - self._noted.get(key_id, 0) < NOTE_USE_NS:
            return
        self._noted[key_id] = now
        try:
            await anyio.to_thread.run_sync(lambda: self._repository.note_use(key_id, now=now))
        except StorageError as error:  # the key holds all the same
            log.warning("the use of a key was not written", problem=error.problem)


def create_key(
    repository: Repository,
    name: str,
    *,
    now: int,
    scopes: Collection[str] = SCOPES[:1],
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
    key = _MARK + secrets.token_urlsafe(32)
    new = NewKey(
        user=user,
        name=name,
        prefix=key[:_PREFIX_LENGTH],
        digest=_digest(key),
        scopes=frozenset(scopes),
        ts_created=now,
    )
    return key, new


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _principal(key: StoredKey) -> Principal:
    return Principal(user_id=key.user, key_name=key.name, scopes=key.scopes)


def _write_private(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as stream:
        stream.write(text)
    fresh.replace(file)
