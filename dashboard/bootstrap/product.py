"""Both halves in one process, on one hub: DASHBOARD_ROLE=all."""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio.to_thread

from dashboard.bootstrap.checks import who_needs_a_key
from dashboard.bootstrap.owner import Owner
from dashboard.bootstrap.web import Web
from dashboard.config import Settings
from dashboard.feeds.registry import build_feeds
from dashboard.hub.failures import kept_running
from dashboard.hub.hub import Hub
from dashboard.protocols import live, sse
from dashboard.storage.api_keys import create_first_key
from dashboard.storage.database import database_url, open_database
from dashboard.storage.repository import Repository
from dashboard.storage.trading import TradingRepository

EPOCH_BYTES = 6
"""Random enough that no two starts have one epoch, and short, as every id begins with it."""


def new_hub(settings: Settings) -> Hub:
    """Make a hub of its own epoch, which encodes what our protocols carry."""
    return Hub(
        epoch=secrets.token_hex(EPOCH_BYTES),
        clock=time.time_ns,
        monotonic=time.monotonic_ns,
        resume_events=settings.resume_events,
        resume_bytes=settings.resume_mb * 1024 * 1024,
        encoders={**live.ENCODERS, sse.DIALECT: sse.encoder},
    )


class Product:
    """The owner's half and the half that serves clients; nothing runs before `running`."""

    def __init__(self, settings: Settings, *, history: bool = True) -> None:
        self.settings = settings
        self.hub = new_hub(settings)
        database = open_database(database_url(settings))
        self.repository = Repository(database)
        self.owner = Owner(
            settings,
            self.hub,
            build_feeds(settings, clock=time.time_ns, monotonic=time.monotonic_ns),
            TradingRepository(database),
            history=history,
        )
        self.web = Web(
            settings,
            self.hub,
            self.owner.handlers,
            self.repository,
            bars=self.owner.bars,
            accounts=self.owner.accounts,
        )

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run for as long as the block lasts; a database without a key gets one."""
        await anyio.to_thread.run_sync(self._prepare_keys)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(kept_running(name, run, failures=self.hub.failures), name=name)
                for name, run in (self.owner.runs | self.web.runs).items()
            ]
            try:
                yield
            finally:
                self.hub.close()
                await self.owner.close()
                for task in tasks:
                    task.cancel()
                self.repository.close()

    def _prepare_keys(self) -> None:
        self.repository.migrate()
        file = create_first_key(self.repository, self.settings.data_dir, now=time.time_ns())
        told = f"{who_needs_a_key(self.settings)}\n"
        if file is not None:
            told += f"The first API key is in {file}, which only you can read\n"
            if sys.stderr.isatty():  # what is no terminal may be a log, which must not hold a key
                told += f"  {file.read_text()}"
        sys.stderr.write(told)
        sys.stderr.flush()
