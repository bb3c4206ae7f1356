import asyncio
import stat
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from dashboard.core.errors import KeyNameError, StorageError
from dashboard.core.principal import Principal
from dashboard.storage import known_keys
from dashboard.storage.api_keys import (
    KEY_FILE,
    SESSION_NS,
    ApiKeys,
    create_first_key,
    create_key,
)
from dashboard.storage.key_watch import KeyWatch
from dashboard.storage.known_keys import FRESH_NS
from dashboard.storage.repository import Repository, StoredKey, StoredSession
from tests.unit.clocks import Clocks

ADDRESS = "203.0.113.7"
WRONG = "lt_" + "x" * 43


class Counting(Repository):
    """Counts its queries, and fails or waits when told to."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository._engine)
        self.reads = 0
        self.uses = 0
        self.broken = False
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.written = threading.Semaphore(0)

    def valid(self, *, now: int) -> tuple[list[StoredKey], list[StoredSession]]:
        self.reads += 1
        self._may_fail()
        return super().valid(now=now)

    def note_uses(self, uses: Mapping[int, int]) -> None:
        self.uses += len(uses)
        try:
            self._may_fail()
            super().note_uses(uses)
        finally:
            self.written.release()

    def _may_fail(self) -> None:
        self.may_go_on.wait(10)
        if self.broken:
            raise StorageError(database="test", problem="gone")


@pytest.fixture
def clock() -> Clocks:
    return Clocks()


@pytest.fixture
def store(repository: Repository) -> Counting:
    return Counting(repository)


@pytest.fixture
def keys(store: Counting, clock: Clocks) -> ApiKeys:
    return ApiKeys(store, clock=clock.wall, monotonic=clock.monotonic)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what a thread has to do first."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)


async def written(store: Counting) -> None:
    """Wait until the next uses are written, or have failed to be."""
    assert await asyncio.to_thread(store.written.acquire, timeout=10)


async def test_who_shows_a_key_is_known(keys: ApiKeys, store: Counting) -> None:
    key = create_key(store, "laptop", now=1, scopes=["stream"], user="ann")
    assert await keys.authenticate(key) == Principal(
        user_id="ann", scopes=frozenset({"stream"}), key_id=1, key_name="laptop"
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
    await written(store)
    assert (store.reads, store.uses) == (1, 1)


async def test_a_revoked_key_ends_within_seconds(
    keys: ApiKeys, store: Counting, clock: Clocks
) -> None:
    key = create_key(store, "laptop", now=1)
    assert await keys.authenticate(key)
    store.revoke("laptop", now=2)
    clock.advance(seconds=FRESH_NS / 1e9)
    assert await keys.authenticate(key) is None


async def test_a_new_key_holds_at_once(keys: ApiKeys, store: Counting, clock: Clocks) -> None:
    assert await keys.authenticate(WRONG) is None
    key = create_key(store, "laptop", now=1)
    for _ in range(20):
        assert await keys.authenticate(key, address=ADDRESS) is not None
    assert keys.retry_after_s(ADDRESS) == 0


async def test_a_revocation_is_told_by_whichever_use_of_a_key_notices_it(
    store: Counting, clock: Clocks
) -> None:
    told: list[frozenset[int]] = []
    keys = ApiKeys(store, clock=clock.wall, monotonic=clock.monotonic, revoked=told.append)
    kept = create_key(store, "kept", now=1)
    for name in ("laptop", "phone"):
        create_key(store, name, now=1)
    assert await keys.authenticate(kept)
    store.revoke("laptop", now=2)
    assert await keys.authenticate(kept)  # by what was read a moment ago
    assert told == []
    clock.advance(seconds=FRESH_NS / 1e9)
    assert await keys.authenticate(kept)
    assert told == [frozenset({2})]
    store.revoke("phone", now=3)
    clock.advance(seconds=FRESH_NS / 1e9)
    assert await keys.authenticate(kept)
    assert told == [frozenset({2}), frozenset({2, 3})]  # all so far, for who heard of none


async def test_while_somebody_watches_a_revocation_is_noticed_though_nobody_asks(
    store: Counting, clock: Clocks
) -> None:
    told: list[frozenset[int]] = []
    slept: list[float] = []
    second = asyncio.Semaphore(0)
    keys = ApiKeys(store, clock=clock.wall, monotonic=clock.monotonic, revoked=told.append)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await second.acquire()

    keys.watch = KeyWatch(keys._known, sleep=sleep)
    create_key(store, "laptop", now=1)
    watching = asyncio.create_task(keys.watch.run())
    await asyncio.sleep(0)
    assert store.reads == 0
    keys.watch.begin()
    await until(lambda: len(slept) == 1)
    store.revoke("laptop", now=2)
    store.broken = True  # for a second
    second.release()
    await until(lambda: len(slept) == 2)
    assert told == []
    store.broken = False
    second.release()
    await until(lambda: len(slept) == 3)
    assert told == [frozenset({1})]
    assert slept == [1.0] * 3
    keys.watch.end()
    second.release()
    await asyncio.sleep(0)
    assert store.reads == 3
    watching.cancel()


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_clock_that_is_set_does_not_keep_old_keys(
    keys: ApiKeys, store: Counting, clock: Clocks, hours: int
) -> None:
    key = create_key(store, "laptop", now=1)
    assert await keys.authenticate(key)
    store.revoke("laptop", now=2)
    clock.set_wall(seconds=3600 * hours)
    clock.advance(seconds=FRESH_NS / 1e9)
    assert await keys.authenticate(key) is None


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_clock_that_is_set_neither_locks_out_nor_lets_guess(
    keys: ApiKeys, clock: Clocks, hours: int
) -> None:
    await keys.authenticate(WRONG, address=ADDRESS)
    clock.set_wall(seconds=3600 * hours)
    assert keys.retry_after_s(ADDRESS) == 0
    for _ in range(9):
        await keys.authenticate(WRONG, address=ADDRESS)
    clock.set_wall(seconds=-3600 * hours)
    assert keys.retry_after_s(ADDRESS) == 6


async def test_a_clock_that_runs_ahead_ends_no_session_for_good(
    keys: ApiKeys, store: Counting, clock: Clocks
) -> None:
    key = create_key(store, "laptop", now=1)
    token = await keys.open_session(key, address=ADDRESS)
    assert token is not None
    clock.set_wall(seconds=SESSION_NS / 1e9 + 7200)
    assert await keys.session(token) is None
    assert await keys.open_session(key, address=ADDRESS) is not None
    clock.set_wall(seconds=-SESSION_NS / 1e9 - 7200)
    clock.advance(seconds=3)
    assert await keys.session(token) is not None


async def test_failed_attempts_are_limited_by_address(
    keys: ApiKeys, store: Counting, clock: Clocks
) -> None:
    create_key(store, "laptop", now=1)
    for _ in range(10):
        assert keys.retry_after_s(ADDRESS) == 0
        assert await keys.authenticate(WRONG, address=ADDRESS) is None
    assert keys.retry_after_s(ADDRESS) == 6
    reads = store.reads
    for _ in range(1000):
        assert await keys.authenticate(WRONG, address=ADDRESS) is None
    assert store.reads == reads
    assert keys.retry_after_s("203.0.113.8") == 0
    clock.advance(seconds=6)
    assert keys.retry_after_s(ADDRESS) == 0


async def test_a_valid_key_holds_whatever_others_of_its_address_show(
    keys: ApiKeys, store: Counting, clock: Clocks
) -> None:
    key = create_key(store, "laptop", now=1)
    for n in range(104):
        for _ in range(3):
            assert await keys.authenticate(f"{WRONG}{n}", address=ADDRESS) is None
        assert await keys.authenticate(key, address=ADDRESS) is not None
        clock.advance(seconds=1)
    assert keys.retry_after_s(ADDRESS) > 0


async def test_a_new_key_holds_in_seconds_where_others_have_failed(
    keys: ApiKeys, store: Counting, clock: Clocks
) -> None:
    for _ in range(20):
        await keys.authenticate(WRONG, address=ADDRESS)
    key = create_key(store, "laptop", now=1)
    assert await keys.authenticate(key, address=ADDRESS) is None
    assert await keys.authenticate(key, address="203.0.113.8") is not None  # and at once from here
    clock.advance(seconds=FRESH_NS / 1e9)
    assert await keys.authenticate(key, address=ADDRESS) is not None


async def test_a_valid_key_does_not_wait_for_a_read_that_another_asked_for(
    keys: ApiKeys, store: Counting
) -> None:
    key = create_key(store, "laptop", now=1)
    assert await keys.authenticate(key, address=ADDRESS)
    store.may_go_on.clear()
    async with asyncio.TaskGroup() as group:
        wrong = group.create_task(keys.authenticate(WRONG, address=ADDRESS))
        await asyncio.sleep(0)
        assert await keys.authenticate(key, address=ADDRESS) is not None
        assert not wrong.done()
        store.may_go_on.set()


async def test_many_wrong_keys_at_once_cost_few_queries(keys: ApiKeys, store: Counting) -> None:
    await asyncio.gather(*(keys.authenticate(WRONG, address=ADDRESS) for _ in range(2000)))
    assert store.reads <= 11
    assert keys.retry_after_s(ADDRESS) == 6


async def test_wrong_keys_from_many_addresses_cost_few_queries(
    keys: ApiKeys, store: Counting
) -> None:
    asked = (keys.authenticate(WRONG, address=f"10.0.{n // 256}.{n % 256}") for n in range(2000))
    assert not any(await asyncio.gather(*asked))
    assert store.reads <= 3


async def test_reads_that_follow_each_other_are_paced(
    keys: ApiKeys, store: Counting, clock: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses_s: list[float] = []

    def sleep(seconds: float) -> None:
        pauses_s.append(seconds)
        clock.advance(seconds=seconds)

    monkeypatch.setattr(known_keys, "time", SimpleNamespace(sleep=sleep))
    for n in range(20):
        await keys.authenticate(WRONG, address=f"10.0.0.{n}")
    assert pauses_s == pytest.approx([0] * 10 + [0.1] * (store.reads - 10))
    assert store.reads == 21


async def test_last_use_is_written_once_a_minute(
    keys: ApiKeys, store: Counting, clock: Clocks
) -> None:
    key = create_key(store, "laptop", now=1)
    used: list[int | None] = []
    for writes in (True, False, True, False, True):
        await keys.authenticate(key)
        if writes:
            await written(store)
        keys_now = await asyncio.to_thread(store.all_keys)
        used.append(keys_now[0].ts_last_used)
        clock.advance(seconds=30)
    first = clock.wall.now - 150_000_000_000
    assert used == [first + 60_000_000_000 * n for n in (0, 0, 1, 1, 2)]


async def test_a_use_that_cannot_be_written_does_not_matter(
    keys: ApiKeys, store: Counting, clock: Clocks
) -> None:
    key = create_key(store, "laptop", now=1)
    await keys.authenticate(key)
    await written(store)
    clock.advance(seconds=61)
    await keys.authenticate(key, "trade")  # reads anew, and notes no use
    store.broken = True
    assert await keys.authenticate(key) is not None
    await written(store)
    assert await keys.authenticate(key) is not None


async def test_nobody_waits_for_a_use_to_be_written(keys: ApiKeys, store: Counting) -> None:
    key = create_key(store, "laptop", now=1)
    await keys.authenticate(key, "trade")  # reads, and notes no use
    store.may_go_on.clear()
    for _ in range(3):
        assert await keys.authenticate(key) is not None
    store.may_go_on.set()
    await written(store)


async def test_a_database_that_is_gone_lets_nobody_in(
    keys: ApiKeys, store: Counting, clock: Clocks
) -> None:
    key = create_key(store, "laptop", now=1)
    await keys.authenticate(key)
    store.broken = True
    clock.advance(seconds=3)
    with pytest.raises(StorageError):
        await keys.authenticate(key, address=ADDRESS)
    store.broken = False
    assert await keys.authenticate(key, address=ADDRESS) is not None


async def test_twenty_who_ask_during_an_outage_are_one_attempt(
    keys: ApiKeys, store: Counting
) -> None:
    store.broken = True
    asked = [keys.authenticate(WRONG, address=f"10.0.0.{n}") for n in range(20)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in outcomes] == [StorageError] * 20
    assert store.reads == 1


async def test_who_asks_for_the_newest_shares_the_failure_under_way(
    keys: ApiKeys, store: Counting
) -> None:
    await keys.authenticate(WRONG)
    store.reads, store.broken = 0, True
    asked = [keys.authenticate(WRONG, address=f"10.0.0.{n}") for n in range(20)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in outcomes] == [StorageError] * 20
    assert store.reads <= 2


async def test_who_leaves_ends_the_look_up_for_nobody_else(keys: ApiKeys, store: Counting) -> None:
    key = create_key(store, "laptop", now=1)
    store.may_go_on.clear()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(keys.authenticate(key)) for _ in range(50)]
        await asyncio.sleep(0)
        for each in waiting[:49]:
            each.cancel()
        await asyncio.sleep(0)
        store.may_go_on.set()
    assert waiting[49].result() is not None
    assert store.reads == 1


async def test_attempts_during_an_outage_count(
    keys: ApiKeys, store: Counting, clock: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_keys, "READ_GAP_NS", 0)
    key = create_key(store, "laptop", now=1)
    assert await keys.authenticate(key, address=ADDRESS)
    store.broken = True
    clock.advance(seconds=3)
    for n in range(10):
        with pytest.raises(StorageError):
            await keys.authenticate(f"any string {n}", address=ADDRESS)
    for n in range(10):
        assert await keys.authenticate(f"any string {n}", address=ADDRESS) is None
        with pytest.raises(StorageError):  # one that was valid is not refused for them
            await keys.authenticate(key, address=ADDRESS)
    assert keys.retry_after_s(ADDRESS) == 6
    store.broken = False
    assert await keys.authenticate(key, address=ADDRESS) is not None


async def test_an_outage_is_told_once_and_so_is_its_end(
    keys: ApiKeys, store: Counting, capsys: pytest.CaptureFixture[str]
) -> None:
    key = create_key(store, "laptop", now=1)
    store.broken = True
    for _ in range(5):
        with pytest.raises(StorageError):
            await keys.authenticate(key, address=ADDRESS)
    said = "".join(capsys.readouterr())
    assert said.count("API keys cannot be checked") == said.count("\n") == 1
    assert "gone" in said
    assert key not in said
    store.broken = False
    for _ in range(5):
        await keys.authenticate(key, address=ADDRESS)
    said = "".join(capsys.readouterr())
    assert said.count("API keys can be checked again") == said.count("\n") == 1


async def test_a_page_session_lasts_as_long_as_its_key(
    keys: ApiKeys, store: Counting, clock: Clocks
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


async def test_a_page_session_expires(keys: ApiKeys, store: Counting, clock: Clocks) -> None:
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
