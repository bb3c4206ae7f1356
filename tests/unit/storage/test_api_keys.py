import asyncio
import stat
from pathlib import Path

import pytest

from dashboard.core.errors import KeyNameError, StorageError
from dashboard.storage.api_keys import (
    FRESH_NS,
    KEY_FILE,
    SESSION_NS,
    ApiKeys,
    Principal,
    create_first_key,
    create_key,
)
from dashboard.storage.repository import Repository, StoredKey, StoredSession
from tests.unit.fakes import Clock

ADDRESS = "203.0.113.7"
WRONG = "lt_" + "x" * 43


class Counting(Repository):
    """Counts its queries, and fails when told to."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository._engine)
        self.reads = 0
        self.uses = 0
        self.broken = False

    def valid(self, *, now: int) -> tuple[list[StoredKey], list[StoredSession]]:
        self.reads += 1
        self._may_fail()
        return super().valid(now=now)

    def note_use(self, key_id: int, *, now: int) -> None:
        self.uses += 1
        self._may_fail()
        super().note_use(key_id, now=now)

    def _may_fail(self) -> None:
        if self.broken:
            raise StorageError(database="test", problem="gone")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(repository: Repository) -> Counting:
    return Counting(repository)


@pytest.fixture
def keys(store: Counting, clock: Clock) -> ApiKeys:
    return ApiKeys(store, clock=clock)


async def test_who_shows_a_key_is_known(keys: ApiKeys, store: Counting) -> None:
    key = create_key(store, "laptop", now=1, scopes=["stream"], user="ann")
    assert await keys.authenticate(key) == Principal(
        user_id="ann", key_name="laptop", scopes=frozenset({"stream"})
    )


async def test_only_the_whole_key_holds_and_only_its_digest_is_stored(
    keys: ApiKeys, store: Counting
) -> None:
    key = create_key(store, "laptop", now=1)
    for wrong in ("", "lt_", key[:-1], key + "x", key[:11], key.upper(), " " + key, "\ud800", "é"):
        assert await keys.authenticate(wrong) is None
    (stored,) = store.all_keys()
    assert key.startswith(stored.prefix)
    assert key[len(stored.prefix) :] not in repr(stored)


async def test_a_key_holds_for_its_scopes_alone(keys: ApiKeys, store: Counting) -> None:
    reader = create_key(store, "reader", now=1)
    trader = create_key(store, "trader", now=2, scopes=["trade"])
    assert await keys.authenticate(reader, "trade") is None
    assert await keys.authenticate(trader, scope="trade") is not None
    assert await keys.authenticate(trader) is None


async def test_a_burst_of_connects_is_one_query(keys: ApiKeys, store: Counting) -> None:
    key = create_key(store, "laptop", now=1)
    found = await asyncio.gather(*(keys.authenticate(key, address=ADDRESS) for _ in range(500)))
    assert all(found)
    assert (store.reads, store.uses) == (1, 1)


async def test_a_revoked_key_ends_within_seconds(
    keys: ApiKeys, store: Counting, clock: Clock
) -> None:
    key = create_key(store, "laptop", now=1)
    assert await keys.authenticate(key)
    store.revoke("laptop", now=2)
    clock.advance(seconds=FRESH_NS / 1e9)
    assert await keys.authenticate(key) is None


async def test_a_new_key_holds_at_once(keys: ApiKeys, store: Counting, clock: Clock) -> None:
    assert await keys.authenticate(WRONG) is None
    key = create_key(store, "laptop", now=1)
    for _ in range(20):
        assert await keys.authenticate(key, address=ADDRESS) is not None
    assert keys.retry_after_s(ADDRESS) == 0


async def test_a_clock_set_back_does_not_keep_old_keys(
    keys: ApiKeys, store: Counting, clock: Clock
) -> None:
    key = create_key(store, "laptop", now=1)
    assert await keys.authenticate(key)
    store.revoke("laptop", now=2)
    clock.advance(seconds=-3600)
    assert await keys.authenticate(key) is None


async def test_failed_attempts_are_limited_by_address(
    keys: ApiKeys, store: Counting, clock: Clock
) -> None:
    key = create_key(store, "laptop", now=1)
    for _ in range(10):
        assert keys.retry_after_s(ADDRESS) == 0
        assert await keys.authenticate(WRONG, address=ADDRESS) is None
    assert keys.retry_after_s(ADDRESS) == 6
    assert await keys.authenticate(key, address=ADDRESS) is None
    assert await keys.authenticate(key, address="203.0.113.8") is not None
    clock.advance(seconds=6)
    assert keys.retry_after_s(ADDRESS) == 0
    assert await keys.authenticate(key, address=ADDRESS) is not None


async def test_many_wrong_keys_at_once_cost_few_queries(keys: ApiKeys, store: Counting) -> None:
    await asyncio.gather(*(keys.authenticate(WRONG, address=ADDRESS) for _ in range(2000)))
    assert store.reads <= 11
    assert keys.retry_after_s(ADDRESS) == 6


async def test_last_use_is_written_once_a_minute(
    keys: ApiKeys, store: Counting, clock: Clock
) -> None:
    key = create_key(store, "laptop", now=1)
    used: list[int | None] = []
    for _ in range(5):
        await keys.authenticate(key)
        used.append(store.all_keys()[0].ts_last_used)
        clock.advance(seconds=30)
    first = clock.now - 150_000_000_000
    assert used == [first + 60_000_000_000 * n for n in (0, 0, 1, 1, 2)]


async def test_a_use_that_cannot_be_written_does_not_matter(
    keys: ApiKeys, store: Counting, clock: Clock
) -> None:
    key = create_key(store, "laptop", now=1)
    await keys.authenticate(key)
    clock.advance(seconds=61)
    await keys.authenticate(key, "trade")  # reads anew, and notes no use
    store.broken = True
    assert await keys.authenticate(key) is not None


async def test_a_database_that_is_gone_lets_nobody_in(
    keys: ApiKeys, store: Counting, clock: Clock
) -> None:
    key = create_key(store, "laptop", now=1)
    await keys.authenticate(key)
    store.broken = True
    clock.advance(seconds=3)
    with pytest.raises(StorageError):
        await keys.authenticate(key, address=ADDRESS)
    store.broken = False
    assert await keys.authenticate(key, address=ADDRESS) is not None


async def test_a_page_session_lasts_as_long_as_its_key(
    keys: ApiKeys, store: Counting, clock: Clock
) -> None:
    key = create_key(store, "laptop", now=1)
    assert await keys.open_session(WRONG, address=ADDRESS) is None
    token = await keys.open_session(key, address=ADDRESS)
    assert token is not None
    assert await keys.session(token) is not None
    assert await keys.session(token[:-1]) is None
    assert await keys.authenticate(token) is None
    store.revoke("laptop", now=2)
    clock.advance(seconds=3)
    assert await keys.session(token) is None


async def test_a_page_session_expires(keys: ApiKeys, store: Counting, clock: Clock) -> None:
    token = await keys.open_session(create_key(store, "laptop", now=1), address=ADDRESS)
    assert token is not None
    clock.advance(seconds=SESSION_NS / 1e9 - 1)
    assert await keys.session(token) is not None
    clock.advance(seconds=1)
    assert await keys.session(token) is None


async def test_the_first_key_lies_in_a_file_for_its_owner_alone(
    keys: ApiKeys, store: Counting, tmp_path: Path
) -> None:
    folder = tmp_path / "not" / "yet"
    file = create_first_key(store, folder, now=1)
    assert file is not None
    assert file == folder / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = file.read_text()
    assert await keys.authenticate(key.strip(), "trade") is not None
    assert create_first_key(store, folder, now=2) is None
    assert file.read_text() == key
    assert [each.name for each in folder.iterdir()] == [KEY_FILE]


def test_a_first_key_that_cannot_be_kept_is_made_later(store: Counting, tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("in the way")
    with pytest.raises(StorageError, match="File exists"):
        create_first_key(store, folder, now=1)
    assert store.all_keys() == []
    folder.unlink()
    assert create_first_key(store, folder, now=2) is not None


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a\n", "x" * 65, "a/b", "\x1b[31m"])
def test_what_is_not_a_name_is_refused(store: Counting, name: str) -> None:
    for make in (
        lambda: create_key(store, name, now=1),
        lambda: create_key(store, "laptop", now=1, user=name),
    ):
        with pytest.raises(KeyNameError, match="is not a name"):
            make()
    assert store.all_keys() == []
