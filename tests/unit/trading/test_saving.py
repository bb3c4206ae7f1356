"""When runners are written, and what happens while they cannot be."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from dashboard.core.errors import StorageError
from dashboard.storage.trading import StoredRunner, TradingRepository
from tests.unit.trading.parts import Parts, running, trade


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    async with running(tmp_path) as parts:
        yield parts


@pytest.fixture
async def writing(parts: Parts) -> AsyncIterator[Parts]:
    """Let it write when something is due, but not each second."""
    task = asyncio.create_task(parts.engine.saver.run())
    yield parts
    task.cancel()


def stored(parts: Parts) -> StoredRunner:
    (found,) = parts.repository.runners()
    return found


async def until(parts: Parts, holds: Any) -> None:
    async with asyncio.timeout(10):
        while not holds(stored(parts)):  # noqa: ASYNC110 - it is the database's state
            await asyncio.sleep(0.01)


async def test_a_position_is_written_as_soon_as_it_changes(writing: Parts) -> None:
    await writing.create()
    writing.publish(trade(100.0, ms=1), trade(101.0, ms=2))
    assert stored(writing).committed.context == "{}"
    writing.publish(trade(102.0, ms=3))
    await until(writing, lambda found: found.committed.position is not None)
    assert stored(writing).committed.context == '{"ticks":3}'
    writing.publish(trade(201.0, ms=4))
    await until(writing, lambda found: found.committed.position is None)
    (made,) = writing.repository.trades("one", 10)
    assert (made.exit_price, made.reason) == (201, "exit")


async def test_all_else_is_written_once_a_second(writing: Parts) -> None:
    await writing.create()
    writing.publish(trade(100.0, ms=1))
    seconds = asyncio.Event()

    async def second(_seconds: float) -> None:
        await seconds.wait()
        seconds.clear()

    saver = writing.engine.saver
    task = asyncio.create_task(saver.run_seconds(sleep=second))
    writing.clocks.advance(seconds=1)
    seconds.set()
    await until(writing, lambda found: found.committed.context == '{"ticks":1}')
    assert len(stored(writing).window) == 1
    assert stored(writing).ts_alive == writing.clocks.wall()
    task.cancel()


async def test_a_window_is_written_in_parts_and_each_bar_once(parts: Parts) -> None:
    await parts.create(window_size=3)
    for ms in range(1, 8):
        parts.publish(trade(100.0 + ms, ms=ms))
        await parts.engine.saver.write()
    window = [each.timestamp for each in stored(parts).window]
    assert window == [5, 6, 7]


async def test_what_cannot_be_written_is_kept_and_written_later(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await parts.create()
    parts.publish(*(trade(price, ms=1) for price in (100.0, 101.0, 102.0, 201.0)))

    def fail(*_: object, **__: object) -> None:
        raise StorageError(database="d", problem="it is gone")

    with capture_logs() as logs:
        with monkeypatch.context() as broken:
            broken.setattr(TradingRepository, "write", fail)
            for _ in range(3):
                await parts.engine.saver.write()
        assert parts.repository.trades("one", 10) == []
        await parts.engine.saver.write()
    assert [each["event"] for each in logs] == [
        "runners cannot be written",
        "runners are written again",
    ]
    assert len(parts.repository.trades("one", 10)) == 1
    assert len(stored(parts).window) == 4


async def test_a_write_that_nobody_waits_for_ends_before_the_last_one(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await parts.create()
    parts.publish(*(trade(price, ms=1) for price in (100.0, 101.0, 102.0, 201.0)))
    begun, go_on, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()
    write = TradingRepository.write

    def slow(*args: Any, **kwargs: Any) -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10)
        write(*args, **kwargs)

    monkeypatch.setattr(TradingRepository, "write", slow)
    task = asyncio.create_task(parts.engine.saver.write())
    await begun.wait()
    task.cancel()
    closing = asyncio.create_task(parts.engine.saver.write())
    go_on.set()
    await closing
    assert len(parts.repository.trades("one", 10)) == 1
