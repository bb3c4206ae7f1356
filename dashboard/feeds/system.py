"""This process's own figures as `system` events, once a second, whatever the feed is."""

import asyncio
from collections.abc import Callable

import psutil

from dashboard.core.model import System
from dashboard.feeds.base import Publish

INTERVAL_S = 1.0


async def publish_system(
    publish: Publish,
    *,
    published: Callable[[], int],
    clock: Callable[[], int],
    monotonic: Callable[[], int] | None = None,
) -> None:
    """Publish CPU, memory and message rate for ever; `published` is the hub's running total.

    They are stamped by `clock`, in ns since the Unix epoch, and the rate is measured by
    `monotonic`: without it, `clock` must be one that is never set.
    """
    elapsed = monotonic or clock
    process = psutil.Process()
    process.cpu_percent()
    counted, counted_ns = published(), elapsed()
    while True:
        await asyncio.sleep(INTERVAL_S)
        total, now = published(), elapsed()
        elapsed_ns = now - counted_ns
        publish(
            System(
                cpu_pct=process.cpu_percent(),
                mem_mb=process.memory_info().rss >> 20,
                msg_rate=round((total - counted) * 1e9 / elapsed_ns) if elapsed_ns > 0 else 0,
                ts_event=clock(),
            )
        )
        counted, counted_ns = total, now
