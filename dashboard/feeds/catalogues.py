"""What all feeds have, as one directory that is read anew once a day."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from dashboard.core.directory import Catalogue, Directory
from dashboard.core.errors import LivetapeError
from dashboard.feeds.base import Feed

log = structlog.get_logger(__name__)

DAY_S = 24 * 60 * 60


class Catalogues:
    """Keeps the newest directory. `changed` is awaited whenever there is another one."""

    def __init__(
        self, feeds: Sequence[Feed], *, changed: Callable[[Directory], Awaitable[None]]
    ) -> None:
        self._feeds = feeds
        self._changed = changed
        self._catalogues = [_catalogue(feed) for feed in feeds]
        self.directory = Directory(self._catalogues)

    async def run(self, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Read everything anew once a day, until cancelled."""
        while True:
            await sleep(DAY_S)
            await self.refresh()

    async def refresh(self) -> None:
        """Read anew what the feeds have; of one that cannot be read, what it had stays."""
        for feed in self._feeds:
            try:
                await feed.load()
            except LivetapeError as error:
                log.warning(
                    "instruments could not be read anew, those of before stay",
                    feed=feed.name,
                    error=str(error),
                )
        catalogues = [_catalogue(feed) for feed in self._feeds]
        if catalogues == self._catalogues:
            return
        version = self.directory.version + 1
        self.directory = await asyncio.to_thread(Directory, catalogues, version=version)
        self._catalogues = catalogues
        log.info("instruments changed", version=version, count=len(self.directory.listings))
        await self._changed(self.directory)


def _catalogue(feed: Feed) -> Catalogue:
    return Catalogue(
        feed=feed.name, standing=tuple(feed.instruments()), on_demand=tuple(feed.on_demand())
    )
