from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine
from sqlmodel import insert

from dashboard.core.errors import KeyNameError
from dashboard.storage.database import migrate
from dashboard.storage.repository import DAY_NS, NewKey, Repository, StoredSession
from dashboard.storage.tables import User


def new(name: str = "laptop", *, user: str = "owner", ts: int = 1) -> NewKey:
    return NewKey(
        user=user,
        name=name,
        prefix="lt_12345678",
        digest=f"digest of {name} {ts}",
        scopes=frozenset({"trade", "stream"}),
        ts_created=ts,
    )


def session(key_id: int, digest: str = "s", expires: int = 100) -> StoredSession:
    return StoredSession(api_key_id=key_id, digest=digest, ts_expires=expires)


def test_a_key_comes_back_as_it_was_stored(repository: Repository) -> None:
    repository.add_key(new())
    (stored,) = repository.all_keys()
    assert (stored.user, stored.name, stored.scopes) == ("owner", "laptop", {"trade", "stream"})
    assert (stored.ts_created, stored.ts_last_used, stored.ts_revoked) == (1, None, None)


def test_users_are_made_once(repository: Repository) -> None:
    repository.add_key(new("a", ts=1))
    repository.add_key(new("b", ts=2))
    repository.add_key(new("c", ts=3, user="guest"))
    assert [key.user for key in repository.all_keys()] == ["owner", "owner", "guest"]


def test_a_name_is_taken_until_its_key_is_revoked(repository: Repository) -> None:
    repository.add_key(new(ts=1))
    with pytest.raises(KeyNameError, match="key 'laptop' exists already"):
        repository.add_key(new(ts=2))
    repository.revoke("laptop", now=3)
    repository.add_key(new(ts=4))
    assert [key.ts_revoked for key in repository.all_keys()] == [3, None]


def test_what_cannot_be_revoked_is_named(repository: Repository) -> None:
    with pytest.raises(KeyNameError, match="key 'laptop' does not exist"):
        repository.revoke("laptop", now=1)
    repository.add_key(new())
    repository.revoke("laptop", now=2)
    with pytest.raises(KeyNameError, match="key 'laptop' is revoked already"):
        repository.revoke("laptop", now=3)
    assert [key.ts_revoked for key in repository.all_keys()] == [2]


def test_sessions_end_with_time_and_with_their_key(repository: Repository) -> None:
    repository.add_key(new("a", ts=1))
    repository.add_key(new("b", ts=2))
    first, second = repository.all_keys()
    for each in (session(first.id, "a"), session(second.id, "b"), session(second.id, "c", 5)):
        repository.add_session(each, now=0)
    keys, sessions = repository.valid(now=5)
    assert (keys, sessions) == ([first, second], [session(first.id, "a"), session(second.id, "b")])
    repository.revoke("a", now=6)
    assert repository.valid(now=6) == ([second], [session(second.id, "b")])
    assert repository.valid(now=100) == ([second], [])


def test_a_session_ends_before_its_time(repository: Repository) -> None:
    repository.add_key(new())
    (key,) = repository.all_keys()
    for name in ("a", "b"):
        repository.add_session(session(key.id, name), now=0)
    repository.end_session("a")
    repository.end_session("a")
    assert repository.valid(now=5)[1] == [session(key.id, "b")]


def test_a_session_that_expired_a_day_ago_is_dropped(repository: Repository) -> None:
    repository.add_key(new())
    (key,) = repository.all_keys()
    for each in (session(key.id, "a", 5), session(key.id, "b", 6)):
        repository.add_session(each, now=0)
    repository.add_session(session(key.id, "c", DAY_NS + 7), now=DAY_NS + 5)
    _, sessions = repository.valid(now=0)
    assert {each.digest for each in sessions} == {"b", "c"}


def test_the_first_key_is_made_once_by_whoever_comes_first(repository: Repository) -> None:
    kept: list[int] = []

    def make(number: int) -> bool:
        key = new("first", ts=number)
        return repository.add_first_key(key, keep=lambda: kept.append(number))

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(make, range(4)))
    assert sum(outcomes) == 1
    assert [key.ts_created for key in repository.all_keys()] == kept


def test_after_a_revoked_key_there_is_no_first_one(repository: Repository) -> None:
    repository.add_key(new())
    repository.revoke("laptop", now=1)
    assert not repository.add_first_key(new("first"), keep=pytest.fail)


def test_a_first_key_that_could_not_be_kept_does_not_count(repository: Repository) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        repository.add_first_key(new("first"), keep=fail)
    assert repository.all_keys() == []
    assert repository.add_first_key(new("first"), keep=lambda: None)


def test_reading_does_not_wait_for_one_who_writes(repository: Repository, engine: Engine) -> None:
    repository.add_key(new())
    rows = 20_000  # more than a cache holds: they reach the file before they count
    with engine.begin() as writing:
        writing.execute(insert(User), [{"name": f"{row:<60}"} for row in range(rows)])
        migrate(engine)  # as a product does that starts meanwhile
        keys, _ = repository.valid(now=2)
        assert [key.name for key in keys] == ["laptop"]
        assert repository.all_keys() == keys
