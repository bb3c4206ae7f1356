import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import pytest

from dashboard.access.keyed_connections import KeyedConnections
from dashboard.core.model import RevokedKeys
from dashboard.core.principal import LOCAL, Principal
from dashboard.hub.hub import Hub
from tests.unit.fakes import Clock


class Watch:
    """Notes whether the keys are watched."""

    def __init__(self) -> None:
        self.watched = False

    def begin(self) -> None:
        self.watched = True

    def end(self) -> None:
        self.watched = False


class Product:
    def __init__(self) -> None:
        self.hub = Hub(epoch="e", clock=Clock(), resume_events=10)
        self.watch = Watch()
        self.keyed = KeyedConnections()
        self.ended: list[str] = []

    def enter(self, client: str, key_id: int) -> None:
        self.keyed.enter(client, holder(key_id), lambda: self.ended.append(client))

    async def revoke(self, *key_ids: int) -> None:
        """Tell of all keys that were revoked so far."""
        self.hub.publish(RevokedKeys(key_ids=key_ids, ts_event=0))
        await settle()

    @asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        async with self.keyed.following(self.hub, self.watch):  # pyright: ignore[reportArgumentType] - a fake
            await settle()
            yield


def holder(key_id: int) -> Principal:
    return Principal(user_id="ann", scopes=frozenset(), key_id=key_id, key_name=f"key {key_id}")


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_revoked_key_ends_its_connections_and_no_others() -> None:
    product = Product()
    async with product.following():
        for client, key_id in (("a", 1), ("b", 2), ("c", 1)):
            product.enter(client, key_id)
        await product.revoke(1)
        assert product.ended == ["a", "c"]
        await product.revoke(1, 2)
        assert product.ended == ["a", "c", "b"]
        assert len(product.keyed) == 0


async def test_the_end_of_a_page_session_ends_its_pages_alone() -> None:
    product = Product()
    ended: list[str] = []
    for client, session in (("a", "s"), ("b", "t"), ("c", "s"), ("d", None)):
        principal = msgspec.structs.replace(holder(1), session=session)
        product.keyed.enter(client, principal, partial(ended.append, client))
    product.keyed.leave("c")
    product.keyed.end_session("s")
    assert ended == ["a"]
    assert len(product.keyed) == 2
    product.keyed.end_session("s")
    assert ended == ["a"]


async def test_who_has_left_or_showed_no_key_is_not_ended() -> None:
    product = Product()
    async with product.following():
        product.enter("a", 1)
        product.keyed.leave("a")
        product.keyed.leave("a")
        product.keyed.enter("local", LOCAL, pytest.fail)
        await product.revoke(1)
        assert product.ended == []


async def test_who_shows_another_key_is_held_by_that_one() -> None:
    product = Product()
    async with product.following():
        product.enter("a", 1)
        product.enter("a", 2)
        await product.revoke(1)
        assert product.ended == []
        await product.revoke(1, 2)
        assert product.ended == ["a"]


async def test_who_was_on_the_way_in_while_the_key_was_revoked_ends_at_once() -> None:
    product = Product()
    await product.revoke(1)  # before anybody listens
    async with product.following():
        product.enter("a", 1)
        assert product.ended == ["a"]
        product.enter("b", 2)
        await product.revoke(1, 2)
        product.enter("c", 2)
        assert product.ended == ["a", "b", "c"]
        assert len(product.keyed) == 0


async def test_one_that_cannot_be_ended_keeps_no_other() -> None:
    product = Product()

    def fail() -> None:
        raise OSError("gone")

    async with product.following():
        product.keyed.enter("a", holder(1), fail)
        product.enter("b", 1)
        await product.revoke(1)
        assert product.ended == ["b"]
        assert product.hub.failures.by_place == {"keys": 1}


async def test_the_keys_are_watched_while_somebody_is_in_by_one() -> None:
    product = Product()
    product.enter("early", 1)
    assert not product.watch.watched
    async with product.following():
        assert product.watch.watched
        product.keyed.leave("early")
        assert not product.watch.watched
        product.keyed.enter("local", LOCAL, pytest.fail)
        assert not product.watch.watched
        product.enter("a", 1)
        product.enter("b", 2)
        product.keyed.leave("a")
        assert product.watch.watched
        await product.revoke(2)
        assert not product.watch.watched
