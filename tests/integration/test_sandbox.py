"""Hostile strategies beside healthy ones, in one worker of a real host."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from dashboard.core.errors import StrategyError
from dashboard.trading.sandbox.host import SandboxHost
from tests.hostile import KINDS, TOP_LEVEL, Fate
from tests.lua import code
from tests.sandboxes import Neighbours, Runner, running_host

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEALTHY = 20
FAILS_WITHIN_S = 30.0
"""An idle machine takes a second; how long it is `bench_hostile` tells."""
GOES_ON_S = 0.5


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def host() -> AsyncIterator[SandboxHost]:
    async with running_host() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def neighbours(host: SandboxHost) -> Neighbours:
    healthy = Neighbours(host, HEALTHY)
    await healthy.load()
    return healthy


@pytest.mark.parametrize("kind", KINDS)
async def test_a_hostile_strategy_hurts_nobody(
    host: SandboxHost, neighbours: Neighbours, kind: str
) -> None:
    text, fate, error = KINDS[kind]
    hostile = Runner(host, "hostile", text)
    await hostile.load()
    for_s = GOES_ON_S if fate is Fate.GOES_ON else FAILS_WITHIN_S
    await neighbours.live_beside(hostile, for_s=for_s)
    if fate is Fate.GOES_ON:
        await hostile.told.wait()
    hostile.unload()
    neighbours.check()
    if fate is Fate.GOES_ON:
        assert (hostile.ended, hostile.errors) == (None, [])
        assert hostile.ticks
        return
    assert (hostile.ended is not None) == (fate is Fate.ENDS)
    assert error in (hostile.ended or hostile.errors[0])


@pytest.mark.parametrize("kind", TOP_LEVEL)
async def test_hostile_code_is_not_loaded(
    host: SandboxHost, neighbours: Neighbours, kind: str
) -> None:
    text, error = TOP_LEVEL[kind]
    with pytest.raises(StrategyError, match=error):
        await Runner(host, "hostile", text).load()
    neighbours.check()


@pytest.mark.parametrize("kind", TOP_LEVEL)
async def test_hostile_code_is_not_valid(host: SandboxHost, kind: str) -> None:
    text, error = TOP_LEVEL[kind]
    (problem,) = (await host.validate(text)).problems
    assert error in problem.message
    assert not (await host.validate(code())).problems


async def test_a_flood_of_log_is_bounded(host: SandboxHost) -> None:
    flooding = Runner(host, "flooding", KINDS["a log"].text)
    await flooding.load()
    flooding.give(3)
    await flooding.drain()
    flooding.unload()
    assert sum(map(len, flooding.log)) < 3 * 64 * 1024
    assert flooding.log[-1] == "the log is full: what follows is left out"
