"""Workers that come and go, and runners that do not notice."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil
import pytest

from dashboard.core.errors import StrategyError, WorkerLostError
from dashboard.core.trading.events import PositionClosed
from dashboard.core.trading.hosting import Parameter
from dashboard.hub.failures import Failures
from dashboard.trading.sandbox.host import SandboxHost
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.links import Link
from tests.live_server import ROOT
from tests.lua import bar, code, program
from tests.sandboxes import COUNTING, Neighbours, Runner, running_host

WAIT_S = 60.0
SLOW = code("for i = 1, 3000000 do end")
"""Takes some 30 ms a tick."""
ORDERED = code(
    """local t = {}
    for i = 1, 20 do t["key" .. math.random(1000)] = i end
    for key, value in pairs(t) do context[key] = value end
    for key in next, t do context.last = key end
    context.text = tostring(t) .. tostring(print) .. string.format("%s", {})
    local list = {}
    for i = 1, 300 do list[i] = {math.random(5), i} end
    table.sort(list, function(a, b) return a[1] < b[1] end)
    context.list = ""
    for _, each in ipairs(list) do context.list = context.list .. each[2] .. " " end
    print(context.text, math.random())
    if math.random() < 0.5 then return {signal = context.last, confidence = math.random()} end""",
    commit="return {action = 'enter_long', quantity = math.random(9), reason = tostring({})}",
    manage="if math.random() < 0.3 then return {action = 'exit'} end",
)
"""Does all that could come out differently in another process."""


async def wait_for(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.02)


def find_workers() -> list[psutil.Process]:
    """Give all there are: whoever tests starts no other processes meanwhile."""
    return psutil.Process().children()


async def test_a_worker_that_is_killed_costs_its_runners_nothing() -> None:
    async with running_host() as host:
        runners = [Runner(host, str(number)) for number in range(5)]
        for runner in runners:
            await runner.load()
        for _ in range(3):
            for runner in runners:
                runner.give(100)
            for worker in find_workers():
                worker.send_signal(signal.SIGKILL)
            for runner in runners:
                await runner.drain()
        survivors = [runner for runner in runners if runner.ended is None]
        # A worker may have died in a call of one of them, which then has the blame.
        assert len(survivors) >= 2
        for runner in survivors:
            assert runner.ticks == runner.given
            assert runner.context == '{"n":300}'


async def test_nothing_is_left_when_the_host_ends() -> None:
    async with running_host() as host:
        await Runner(host, "one").load()
        workers = find_workers()
        assert workers
    assert not any(worker.is_running() for worker in workers)


async def test_a_worker_has_given_up_what_it_does_not_need() -> None:
    async with running_host() as host:
        await Runner(host, "one").load()
        assert set(host.lacking) <= {"seccomp", "landlock"}
        worker = find_workers()[0]
        folder = Path(f"/proc/{worker.pid}")
        assert worker.environ() == {}
        status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines())
        assert status["NoNewPrivs"].strip() == "1"
        if "seccomp" not in host.lacking:
            assert status["Seccomp"].strip() == "2"
        files = [os.readlink(each) for each in (folder / "fd").iterdir() if int(each.name) > 2]
        assert sorted(each.split(":")[0] for each in files) == ["/memfd", "socket"]
        assert worker.num_threads() == 1
        limits = (folder / "limits").read_text()
        assert "unlimited" not in next(
            line for line in limits.splitlines() if line.startswith("Max address space")
        )


async def test_runners_share_workers() -> None:
    async with running_host(Limits(runners=3)) as host:
        runners = [Runner(host, str(number)) for number in range(7)]
        for runner in runners:
            await runner.load()
        await wait_for(lambda: len(find_workers()) == 4)  # 3 + 3 + 1, and the spare one
        for runner in runners[1:]:
            runner.unload()
        await wait_for(lambda: len(find_workers()) <= 3)
        runners[0].give(5)
        await runners[0].drain()
        assert runners[0].ticks == runners[0].given


async def test_one_that_takes_too_long_gets_a_worker_of_its_own() -> None:
    async with running_host() as host:
        healthy = Neighbours(host, 5)
        await healthy.load()
        await wait_for(lambda: len(find_workers()) == 2)
        busy = Runner(host, "busy", SLOW)
        await busy.load()
        async with asyncio.timeout(WAIT_S):
            while len(find_workers()) < 3:
                await healthy.live_beside(busy, for_s=0.2)
        for _ in range(3):
            await healthy.live_beside(busy, for_s=0.2)
        healthy.check()
        assert busy.ended is None
        told = busy.ticks
        assert told == busy.given[: len(told)]
        busy.unload()
        await wait_for(lambda: len(find_workers()) == 2)


async def test_a_queue_that_is_full_loses_its_oldest_ticks() -> None:
    async with running_host(Limits(queued_ticks=100)) as host:
        runner = Runner(host, "one")
        await runner.load()
        runner.give(500)
        await runner.drain()
        dropped = sum(stepped.dropped for stepped in runner.stepped)
        assert dropped == 400
        assert runner.ticks == runner.given[400:]


async def test_nothing_is_told_of_one_that_was_unloaded() -> None:
    async with running_host() as host:
        runner = Runner(host, "one")
        await runner.load()
        runner.give(100)
        await asyncio.sleep(0)
        runner.unload()
        runner.unload()
        other = Runner(host, "other")
        await other.load()
        other.give(3)
        await other.drain()
        assert (runner.stepped, runner.ended) == ([], None)
        again = Runner(host, "one")
        await again.load()
        again.give(2)
        await again.drain()
        assert again.context == '{"n":2}'


async def test_ticks_may_come_before_a_runner_is_ready() -> None:
    async with running_host() as host:
        ticking = Runner(host, "ticking")
        await ticking.load()
        for number in range(50):
            runner = Runner(host, str(number))
            ticking.give()
            await ticking.drain()
            ticking.give()  # it waits until the next message may go
            await asyncio.sleep(0)
            loading = asyncio.create_task(runner.load())
            for _ in range(3):
                await asyncio.sleep(0)
            runner.give(3)
            await loading
            await runner.drain()
            assert runner.ticks == runner.given
            runner.unload()
        await ticking.drain()
        assert ticking.ticks == ticking.given


async def test_a_runner_goes_on_from_what_it_held() -> None:
    async with running_host() as host:
        runner = Runner(host, "one")
        await runner.load()
        runner.give(3)
        await runner.drain()
        committed = runner.stepped[-1].committed
        again = Runner(host, "one")
        await again.load(committed=committed)
        again.give(1)
        await again.drain()
        assert again.context == '{"n":4}'


async def test_a_host_that_begins_once_more_still_has_its_runners() -> None:
    host = SandboxHost()
    runners = [Runner(host, str(number)) for number in range(3)]
    for begun in range(3):
        task = asyncio.create_task(host.run())
        for runner in runners:
            if begun == 0:
                await runner.load()
            runner.give(50)
        for runner in runners[:begun]:
            await runner.drain()
        assert (await host.validate("?")).problems
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    task = asyncio.create_task(host.run())
    for runner in runners:
        await runner.drain()
        assert runner.ticks == runner.given
        assert runner.context == '{"n":150}'
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_who_fails_when_told_of_a_runner_costs_no_other() -> None:
    def fail(told: object) -> None:
        raise RuntimeError(str(told))

    failures = Failures()
    async with running_host(failures=failures) as host:
        await host.load(
            program(COUNTING, runner_id="bad"),
            committed=None,
            window=(),
            stepped=fail,
            ended=fail,
        )
        good = Runner(host, "good")
        await good.load()
        for _ in range(3):
            host.give("bad", bar())
            good.give()
            await host.drain("bad")
            await good.drain()
        assert good.ticks == good.given
        assert failures.by_place == {"runners": 3}


async def test_code_that_cannot_run_is_told_with_its_line() -> None:
    async with running_host() as host:
        with pytest.raises(StrategyError) as caught:
            await Runner(host, "one", "x = = 1").load()
        assert caught.value.line == 1
        with pytest.raises(StrategyError):
            await Runner(host, "one", "\ud800").load()
        assert (await host.validate("\ud800")).problems
        found = await host.validate(code(top="parameters = {n = {1, max = 3}}"))
        assert found.parameters == {"n": Parameter(default=1.0, max=3.0)}


async def test_who_waits_no_more_for_what_is_validated_costs_no_other() -> None:
    async with running_host() as host:
        waiting = asyncio.create_task(host.validate("while true do end"))
        await wait_for(lambda: len(find_workers()) == 2)
        waiting.cancel()
        assert "unexpected symbol" in (await host.validate("=")).problems[0].message
        assert not (await host.validate(code())).problems


async def test_the_same_run_is_the_same_in_another_process() -> None:
    told: list[bytes] = []
    for _ in range(2):
        async with running_host() as host:
            runner = Runner(host, "one", ORDERED)
            await runner.load()
            runner.give(300)
            await runner.drain()
            events = [event for stepped in runner.stepped for event in stepped.events]
            assert any(isinstance(event, PositionClosed) for event in events)
            assert runner.errors == []
            last = runner.stepped[-1].committed
            told.append(msgspec.json.encode([events, last.context, last.indicators, runner.log]))
    assert told[0] == told[1]


OWNER = """
import asyncio
from tests.sandboxes import Runner, running_host
from tests.lua import bar, code, program
async def main():
    async with running_host() as host:
        await Runner(host, "one").load()
        hog = Runner(host, "hog", code("while true do ('a'):rep(1000000):find('.-.-.-.-b$') end"))
        print("ready", flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


def test_workers_end_with_a_host_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        workers = psutil.Process(owner.pid).children()
        assert workers
        owner.kill()
    until = time.monotonic() + WAIT_S
    while any(worker.is_running() for worker in workers):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("executable", ["/nowhere/python", "/bin/true"])
async def test_a_worker_that_cannot_be_started_is_told(
    monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(WorkerLostError):
        await Link.start(Limits())
    assert find_workers() == []
