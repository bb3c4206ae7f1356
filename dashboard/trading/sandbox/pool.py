"""Workers at the ready: one is always started before it is needed."""

import asyncio
import time

import structlog

from dashboard.core.errors import WorkerLostError
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.links import Link
from dashboard.trading.sandbox.watching import LOOK_S, Watch

log = structlog.get_logger(__name__)

AGAIN_S = 1.0
"""How long one waits before a worker that could not be started is tried again."""


class Pool:
    """All workers there are, and the spare one; they are kept while `run` runs.

    `lacking` are the layers of the sandbox that this system has not, known with the first worker.
    """

    def __init__(self, limits: Limits) -> None:
        self.lacking: tuple[str, ...] = ()
        self._limits = limits
        self._watches: dict[Link, Watch] = {}
        self._spares: asyncio.Queue[Link] = asyncio.Queue()
        self._wanted = asyncio.Event()

    def __len__(self) -> int:
        """Count the workers, the spare one included."""
        return len(self._watches)

    async def run(self) -> None:
        """Keep a spare worker, and kill those whose calls take too long."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_spare())
            await self._watch()

    async def close(self) -> None:
        """End all workers."""
        for link in list(self._watches):
            await self.give_up(link)

    async def take(self) -> Link:
        """Take the spare worker; another one is started in its place."""
        while True:
            link = await self._spares.get()
            self._wanted.set()
            if not link.is_lost:
                return link
            await self.give_up(link)

    async def give_up(self, link: Link) -> None:
        """End a worker that was taken. Safe to call twice."""
        self._watches.pop(link, None)
        await link.close()

    async def _keep_spare(self) -> None:
        while True:
            self._wanted.clear()
            try:
                link = await Link.start(self._limits)
            except WorkerLostError as error:
                log.exception("worker cannot be started", error=error.problem)
                await asyncio.sleep(AGAIN_S)
                continue
            self.lacking = link.lacking
            self._watches[link] = Watch(link, self._limits, time.monotonic)
            self._spares.put_nowait(link)
            await self._wanted.wait()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            for link, watch in self._watches.items():
                why = watch.look()
                if why is not None:
                    link.kill(why)
