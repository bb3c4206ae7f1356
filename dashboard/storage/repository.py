"""The only queries: users, API keys and page sessions.

All of it blocks: on the event loop, call it in a thread. Every method is one
transaction, and raises StorageError when the database cannot do it.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

import msgspec
from sqlalchemy import Engine
from sqlmodel import Session, col, delete, select

from dashboard.core.errors import KeyNameError
from dashboard.storage.database import migrate, reading, storage_errors, take_turns
from dashboard.storage.tables import ApiKey, PageSession, User

DAY_NS = 86_400 * 1_000_000_000


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key to be stored: never the key itself, but its digest and its prefix."""

    user: str
    name: str
    prefix: str
    digest: str
    scopes: frozenset[str]
    ts_created: int


class StoredKey(NewKey, frozen=True, kw_only=True):
    """A key as it is stored; `ts_last_used` is up to a minute behind."""

    id: int
    ts_last_used: int | None
    ts_revoked: int | None


class StoredSession(msgspec.Struct, frozen=True, kw_only=True):
    """A page session as it is stored."""

    api_key_id: int
    digest: str
    ts_expires: int


class Repository:
    """Reads and writes through one engine, which it owns."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Close the connections; the next query opens new ones."""
        self._engine.dispose()

    def migrate(self) -> None:
        """Bring the tables to this version."""
        migrate(self._engine)

    def all_keys(self) -> list[StoredKey]:
        """Give all keys, revoked ones too, oldest first."""
        with self._transaction(reads=True) as session:
            return _stored_keys(session)

    def valid(self, *, now: int) -> tuple[list[StoredKey], list[StoredSession]]:
        """Give the keys that are not revoked, and their sessions that have not expired."""
        with self._transaction(reads=True) as session:
            keys = [key for key in _stored_keys(session) if key.ts_revoked is None]
            ids = {key.id for key in keys}
            rows = session.exec(select(PageSession).where(PageSession.ts_expires > now))
            sessions = [
                StoredSession(
                    api_key_id=row.api_key_id, digest=row.digest, ts_expires=row.ts_expires
                )
                for row in rows
                if row.api_key_id in ids
            ]
        return keys, sessions

    def add_key(self, key: NewKey) -> None:
        """Store a key, and its user where there is none of that name.

        Raises:
            KeyNameError: when a key that is not revoked has the name.
        """
        with self._transaction(alone=True) as session:
            named = select(ApiKey).where(ApiKey.name == key.name)
            if session.exec(named.where(col(ApiKey.ts_revoked).is_(None))).first():
                raise KeyNameError(name=key.name, problem="exists already")
            _add(session, key)

    def add_first_key(self, key: NewKey, keep: Callable[[], None]) -> bool:
        """Store the key of a database that has never had one, and tell whether it was so.

        `keep` runs before it counts: when it raises, there is no key, and of several
        processes that start together only one gets this far.
        """
        with self._transaction(alone=True) as session:
            if session.exec(select(ApiKey.id).limit(1)).first() is not None:
                return False
            _add(session, key)
            keep()
        return True

    def revoke(self, name: str, *, now: int) -> None:
        """Revoke the key of this name, and end its sessions.

        Raises:
            KeyNameError: when there is none, or it is revoked already.
        """
        with self._transaction() as session:
            rows = session.exec(select(ApiKey).where(ApiKey.name == name)).all()
            if not rows:
                raise KeyNameError(name=name, problem="does not exist")
            row = next((row for row in rows if row.ts_revoked is None), None)
            if row is None:
                raise KeyNameError(name=name, problem="is revoked already")
            row.ts_revoked = now
            session.exec(delete(PageSession).where(col(PageSession.api_key_id) == row.id))

    def note_uses(self, uses: Mapping[int, int]) -> None:
        """Write when keys were last used, by their ids."""
        with self._transaction() as session:
            for key_id, ts in uses.items():
                row = session.get(ApiKey, key_id)
                if row is not None:
                    row.ts_last_used = ts

    def add_session(self, new: StoredSession, *, now: int) -> None:
        """Store a page session, and drop those that expired a day ago.

        Until then a clock that runs ahead has ended none for good.
        """
        with self._transaction() as session:
            session.exec(delete(PageSession).where(col(PageSession.ts_expires) <= now - DAY_NS))
            session.add(
                PageSession(api_key_id=new.api_key_id, digest=new.digest, ts_expires=new.ts_expires)
            )

    def end_session(self, digest: str) -> None:
        """Drop the page session of this digest, if there is one."""
        with self._transaction() as session:
            session.exec(delete(PageSession).where(col(PageSession.digest) == digest))

    @contextmanager
    def _transaction(self, *, reads: bool = False, alone: bool = False) -> Generator[Session]:
        engine = reading(self._engine) if reads else self._engine
        with storage_errors(engine), Session(engine) as session, session.begin():
            if alone:
                take_turns(session.connection())
            yield session


def _stored_keys(session: Session) -> list[StoredKey]:
    rows = session.exec(
        select(ApiKey, User.name).join(User).order_by(col(ApiKey.ts_created), col(ApiKey.id))
    )
    return [
        StoredKey(
            id=row.id or 0,
            user=user,
            name=row.name,
            prefix=row.prefix,
            digest=row.digest,
            scopes=frozenset(row.scopes.split()),
            ts_created=row.ts_created,
            ts_last_used=row.ts_last_used,
            ts_revoked=row.ts_revoked,
        )
        for row, user in rows
    ]


def _add(session: Session, key: NewKey) -> None:
    user = session.exec(select(User).where(User.name == key.user)).first()
    if user is None:
        user = User(name=key.user)
        session.add(user)
        session.flush()
    session.add(
        ApiKey(
            user_id=user.id or 0,
            name=key.name,
            prefix=key.prefix,
            digest=key.digest,
            scopes=" ".join(sorted(key.scopes)),
            ts_created=key.ts_created,
        )
    )
    session.flush()
