import asyncio

import pytest
from structlog.testing import capture_logs

from dashboard.hub.failures import RESTART_S, Failures, kept_running


def test_errors_are_counted_by_place() -> None:
    failures = Failures()
    for place in ("bars", "quotes", "bars"):
        with failures.at(place):
            raise ValueError(place)
    assert failures.by_place == {"bars": 2, "quotes": 1}


def test_a_block_that_does_well_counts_nothing() -> None:
    failures = Failures()
    with failures.at("bars"):
        pass
    assert failures.by_place == {}


def test_each_cause_is_logged_once() -> None:
    failures = Failures()
    survival = failures.at("bars")
    with capture_logs() as logs:
        for number in range(100):
            with survival:
                raise ValueError(number)
            with survival:
                raise OSError(number)
    assert failures.by_place == {"bars": 200}
    assert [type(entry["exc_info"]) for entry in logs] == [ValueError, OSError]
    assert {entry["place"] for entry in logs} == {"bars"}


def test_what_asks_to_end_goes_through() -> None:
    failures = Failures()
    with pytest.raises(asyncio.CancelledError), failures.at("bars"):
        raise asyncio.CancelledError
    assert failures.by_place == {}


async def test_a_task_runs_again_after_each_failure_until_it_ends_by_itself() -> None:
    failures = Failures()
    naps: list[float] = []
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs < 4:
            raise OSError(24, "Too many open files")

    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    await kept_running("system", run, failures=failures, sleep=sleep)
    assert runs == 4
    assert naps == [RESTART_S] * 3
    assert failures.by_place == {"system": 3}


async def test_a_task_that_is_cancelled_is_not_run_again() -> None:
    failures = Failures()
    began = asyncio.Event()

    async def run() -> None:
        began.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(kept_running("system", run, failures=failures))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert failures.by_place == {}
