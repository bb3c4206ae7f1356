"""Keys while the wall clock is set to any time: what has to hold, whatever happens in between.

- A key that is valid gets in, whatever its address has shown before.
- A key that is revoked gets in no more two seconds later.
- A wrong key never gets in, and in any time an address makes the database be asked no more
  often than ten times and once in six seconds: never more for a clock that was set.
- Nobody is told to wait for longer than six seconds for the next attempt.
"""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.storage import known_keys
from dashboard.storage.api_keys import ApiKeys
from dashboard.storage.known_keys import FRESH_NS, PREFIX_LENGTH, digest_of
from dashboard.storage.repository import Repository, StoredKey, StoredSession
from tests.unit.clocks import Clocks
from tests.unit.fakes import SECOND_NS

ADDRESS = "203.0.113.7"
KEY = "lt_" + "v" * 43
WRONG = "lt_" + "x" * 43
SETTINGS_S = st.sampled_from([-1e9, -7200, -3600, -1.0, 1.0, 3600, 7200, 1e9])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), SETTINGS_S),
        st.tuples(st.just("pass"), st.floats(0, 20)),
        st.tuples(st.just("wrong"), st.integers(1, 15).map(float)),
        st.tuples(st.sampled_from(["valid", "revoke", "restore"]), st.just(0.0)),
    ),
    max_size=40,
)


class OneKey(Repository):
    """Holds one key, in memory."""

    def __init__(self) -> None:
        self.ts_revoked: int | None = None
        self.reads = 0

    def valid(self, *, now: int) -> tuple[list[StoredKey], list[StoredSession]]:
        self.reads += 1
        key = StoredKey(
            id=1,
            user="owner",
            name="laptop",
            prefix=KEY[:PREFIX_LENGTH],
            digest=digest_of(KEY),
            scopes=frozenset({"stream"}),
            ts_created=1,
            ts_last_used=None,
            ts_revoked=None,
        )
        return ([key] if self.ts_revoked is None else []), []

    def note_uses(self, uses: Mapping[int, int]) -> None:
        pass


async def live_through(steps: list[tuple[str, float]]) -> None:
    store, clocks = OneKey(), Clocks()
    keys = ApiKeys(store, clock=clocks.wall, monotonic=clocks.monotonic)
    began = clocks.monotonic.now
    settled_at = began
    asked_anew = 0
    for step, amount in steps:
        now = clocks.monotonic.now
        if step == "set":
            clocks.set_wall(seconds=amount)
        elif step == "pass":
            clocks.advance(seconds=amount)
        elif step == "wrong":
            for _ in range(int(amount)):
                await keys.authenticate(KEY, address=ADDRESS)  # what was read is fresh
                before = store.reads
                assert await keys.authenticate(WRONG, address=ADDRESS) is None
                asked_anew += store.reads - before
            assert keys.retry_after_s(ADDRESS) <= 6
        elif step == "valid":
            found = await keys.authenticate(KEY, address=ADDRESS)
            if now >= settled_at:
                assert (found is not None) is (store.ts_revoked is None)
        else:
            store.ts_revoked = 1 if step == "revoke" else None
            settled_at = now + FRESH_NS
        assert asked_anew <= 10 + (clocks.monotonic.now - began) / (6 * SECOND_NS)


@given(STEPS)
def test_keys_hold_whatever_the_wall_clock_says(steps: list[tuple[str, float]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_keys, "time", SimpleNamespace(sleep=lambda _seconds: None))  # pyright: ignore[reportUnknownLambdaType] - it does nothing
        asyncio.run(live_through(steps))
