import asyncio
from collections.abc import Callable

import pytest

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.errors import SubscriptionOverflowError
from dashboard.core.model import Topic
from dashboard.hub.subscription import Subscription
from tests.unit.fakes import price, published, trade


def make(
    *,
    capacity: int = 10,
    policy: OverflowPolicy = OverflowPolicy.CONFLATE,
    on_change: Callable[[Subscription], None] = lambda _subscription: None,
) -> Subscription:
    return Subscription(
        name="reader",
        wants=lambda _topic: True,
        capacity=capacity,
        policy=policy,
        on_change=on_change,
    )


async def is_ready(subscription: Subscription) -> bool:
    waiting = asyncio.ensure_future(subscription.ready())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    done = waiting.done()
    waiting.cancel()
    return done


async def test_a_reader_waits_until_there_is_something() -> None:
    subscription = make()
    assert not await is_ready(subscription)
    subscription.offer(published(price()))
    assert await is_ready(subscription)


async def test_a_take_lets_the_reader_wait_again() -> None:
    subscription = make()
    entry = published(price())
    subscription.offer(entry)
    assert subscription.take() == [entry]
    assert len(subscription) == 0
    assert not await is_ready(subscription)


async def test_a_waiting_reader_is_woken_by_an_offer() -> None:
    subscription = make()
    reader = asyncio.ensure_future(subscription.ready())
    await asyncio.sleep(0)
    subscription.offer(published(price()))
    await asyncio.wait_for(reader, timeout=1)
    assert len(subscription) == 1


async def test_a_waiting_reader_is_woken_by_a_close_and_never_blocks_again() -> None:
    subscription = make()
    reader = asyncio.ensure_future(subscription.ready())
    await asyncio.sleep(0)
    subscription.close()
    await asyncio.wait_for(reader, timeout=1)
    assert subscription.take() == []
    assert await is_ready(subscription)


def test_what_waited_before_the_close_can_still_be_taken() -> None:
    subscription = make()
    entry = published(price())
    subscription.offer(entry)
    subscription.close()
    assert subscription.take() == [entry]
    assert subscription.take() == []


async def test_overflow_with_disconnect_closes_wakes_and_raises_at_the_take() -> None:
    subscription = make(capacity=1, policy=OverflowPolicy.DISCONNECT)
    subscription.offer(published(price(), 1))
    subscription.offer(published(price(), 2))
    assert subscription.closed
    assert await is_ready(subscription)
    with pytest.raises(SubscriptionOverflowError, match="reader fell more than 1 events behind"):
        subscription.take()


@pytest.mark.parametrize("policy", [OverflowPolicy.CONFLATE, OverflowPolicy.DROP_OLDEST])
def test_overflow_with_another_policy_leaves_it_open(policy: OverflowPolicy) -> None:
    subscription = make(capacity=1, policy=policy)
    for offset in range(1, 5):
        subscription.offer(published(price(), offset))
    assert not subscription.closed
    assert [entry.offset for entry in subscription.take()] == [4]


def test_counters_tell_what_happened_to_every_offer() -> None:
    subscription = make(capacity=2)
    for offset, event in enumerate([price(), trade(), price(), trade(), trade()], 1):
        subscription.offer(published(event, offset))
    assert (subscription.offered, subscription.conflated, subscription.lost) == (5, 1, 1)
    assert len(subscription.take()) == 3


def test_a_change_of_filter_is_told() -> None:
    told: list[Subscription] = []
    subscription = make(on_change=told.append)

    def nothing(_topic: Topic) -> bool:
        return False

    subscription.change_filter(nothing)
    assert told == [subscription]
    assert subscription.wants is nothing


def test_a_close_is_told_once() -> None:
    told: list[Subscription] = []
    subscription = make(on_change=told.append)
    subscription.close()
    subscription.close()
    assert told == [subscription]
