"""The composition root: builds every part from the settings and runs them together."""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import anyio.to_thread
import structlog

from dashboard import __version__
from dashboard.config import FREQUENCY_MAX_MS, FREQUENCY_MIN_MS, Settings, setting_error
from dashboard.core.directory import Directory
from dashboard.core.errors import FeedError, SettingError, StaticDataError, StorageError
from dashboard.core.instruments import Instrument
from dashboard.core.leases import WHOLE_BOOK
from dashboard.core.model import Control
from dashboard.feeds.base import Feed, SeekableFeed
from dashboard.feeds.catalogues import Catalogues
from dashboard.feeds.leases import FeedLeases
from dashboard.feeds.parsing.static_data import StaticData
from dashboard.feeds.quotes import DerivedQuotes
from dashboard.feeds.recording import Recording
from dashboard.feeds.redis_feed import RedisFeed, read_static_data
from dashboard.feeds.replay import Replay
from dashboard.feeds.simulator import Simulator
from dashboard.feeds.supervisor import Supervisor
from dashboard.feeds.system import publish_system
from dashboard.history.accounts import Accounts
from dashboard.history.bars import Bars
from dashboard.hub.failures import kept_running
from dashboard.hub.hub import Hub
from dashboard.protocols import live, sse
from dashboard.storage.api_keys import ApiKeys, create_first_key
from dashboard.storage.database import database_url, open_database
from dashboard.storage.repository import Repository

log = structlog.get_logger(__name__)

EPOCH_BYTES = 6
"""Random enough that no two starts have one epoch, and short, as every id begins with it."""


class Services:
    """Everything that runs, wired; made once per process inside its event loop.

    Without `history` bars and accounts stay empty: only pages and REST show them.
    `started_ns` is by the monotonic clock.
    """

    def __init__(self, settings: Settings, *, history: bool = True) -> None:
        self.settings = settings
        self.started_ns = time.monotonic_ns()
        self.version = __version__
        self.frequency_ms = settings.frequency_ms
        epoch = secrets.token_hex(EPOCH_BYTES)
        self.hub = Hub(
            epoch=epoch,
            clock=time.time_ns,
            monotonic=time.monotonic_ns,
            resume_events=settings.resume_events,
            resume_bytes=settings.resume_mb * 1024 * 1024,
            encoders={live.DIALECT: live.encoder, sse.DIALECT: sse.encoder},
        )
        self.bars = Bars(self.hub)
        self.accounts = Accounts(self.hub)
        if not history:
            self.bars.close()
            self.accounts.close()
        self.repository = _repository(settings)
        self.keys = ApiKeys(self.repository, clock=time.time_ns, monotonic=time.monotonic_ns)
        feeds = _feeds(settings)
        self._catalogues = Catalogues(feeds, changed=self._follow_directory)
        self.leases = FeedLeases(
            feeds, directory=lambda: self.directory, hub=self.hub, clock=time.monotonic_ns
        )
        self._asked = self.leases.holder("ws")
        self.supervisor = Supervisor(
            feeds,
            publish=DerivedQuotes(self.hub.publish).publish,
            clock=time.time_ns,
            monotonic=time.monotonic_ns,
            stale_after_ms=settings.stale_after_ms,
            restarted=self.leases.renew,
        )
        self.supervisor.follow_directory(self.directory)

    @property
    def directory(self) -> Directory:
        """Give the newest directory of all instruments."""
        return self._catalogues.directory

    @property
    def on_demand(self) -> frozenset[tuple[str, str]]:
        """Give exchange and symbol of those that come only to who asks for them by name."""
        return self.directory.on_demand

    def named(self, name: str) -> Sequence[Instrument]:
        """Give all that a full id or a symbol stands for, see `Directory.named`."""
        return self.directory.named(name)

    async def deliver(self, instrument: Instrument) -> None:
        """Have an instrument delivered."""
        await self._asked.add([instrument], depth=WHOLE_BOOK)

    @property
    def conflates(self) -> bool:
        """Tell whether the frequency is a conflation interval: a feed has a rate of its own."""
        return not all(feed.paced for feed in self.supervisor.feeds)

    @property
    def replays(self) -> dict[str, SeekableFeed]:
        """Give the feeds that can be paused, sped up and sent to a place, by name."""
        found = {feed.name: feed.playback for feed in self.supervisor.feeds}
        return {name: playback for name, playback in found.items() if playback is not None}

    def set_frequency(self, frequency_ms: float) -> int:
        """Set the one frequency of all clients, clamped to 10..1000 ms, and tell everyone."""
        self.frequency_ms = round(min(max(frequency_ms, FREQUENCY_MIN_MS), FREQUENCY_MAX_MS))
        for feed in self.supervisor.feeds:
            feed.set_interval(self.frequency_ms)
        self.hub.publish(Control(frequency_ms=self.frequency_ms, ts_event=time.time_ns()))
        return self.frequency_ms

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run the feeds for as long as the block lasts; a database without a key gets one."""
        await anyio.to_thread.run_sync(self._prepare_keys)
        async with asyncio.TaskGroup() as group:
            runs: dict[str, Callable[[], Awaitable[None]]] = {
                "supervisor": self.supervisor.run,
                "leases": self.leases.run,
                "catalogues": self._catalogues.run,
                "bars": self.bars.run,
                "accounts": self.accounts.run,
            }
            if self.settings.simulator_seed is None:
                runs["system"] = self._publish_system
            tasks = [
                group.create_task(kept_running(name, run, failures=self.hub.failures), name=name)
                for name, run in runs.items()
            ]
            try:
                yield
            finally:
                self.hub.close()
                for task in tasks:
                    task.cancel()
                self.repository.close()

    async def _follow_directory(self, directory: Directory) -> None:
        self.supervisor.follow_directory(directory)
        await self.leases.follow_directory()

    async def _publish_system(self) -> None:
        await publish_system(
            self.hub.publish,
            published=lambda: self.hub.published,
            clock=time.time_ns,
            monotonic=time.monotonic_ns,
        )

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


def who_needs_a_key(settings: Settings) -> str:
    """Say in one line who needs a key, and which setting says so."""
    rule = f"(DASHBOARD_REQUIRE_KEY={settings.require_key})"
    if settings.key_rule == "never":
        return f"Nobody needs a key, wherever they come from {rule}"
    if settings.require_key == "always":
        return f"Everybody needs a key {rule}"
    if settings.key_rule == "always":
        return f"Everybody needs a key, since {settings.reached_as} is allowed {rule}"
    return f"Everybody needs a key but who comes from this machine, through no proxy {rule}"


def prepare_storage_or_exit(settings: Settings) -> None:
    """Bring the database up to date; where it cannot be, the process ends with one line."""
    repository = _repository(settings)
    try:
        repository.migrate()
    except StorageError as error:
        sys.exit(f"livetape: {error}")
    finally:
        repository.close()


def check_feeds_or_exit(settings: Settings) -> None:
    """Prepare what the feeds need; where that is of no use, the process ends with one line."""
    try:
        if "replay" in settings.feed:
            _recording(settings.replay_file)
        if "redis" in settings.feed:
            _static_data(settings.redis_url)
    except (SettingError, StaticDataError) as error:
        sys.exit(f"livetape: {error}")


def _repository(settings: Settings) -> Repository:
    return Repository(open_database(database_url(settings)))


def _feeds(settings: Settings) -> list[Feed]:
    return [_feed(name, settings) for name in settings.feed]


def _feed(name: str, settings: Settings) -> Feed:
    if name == "replay":
        return Replay(
            _recording(settings.replay_file),
            clock=time.time_ns,
            monotonic=time.monotonic_ns,
            speed=settings.replay_speed,
            loop=settings.replay_loop,
        )
    if name == "redis":
        return RedisFeed(
            settings.redis_url,
            _static_data(settings.redis_url).instruments,
            clock=time.time_ns,
            monotonic=time.monotonic_ns,
            stale_after_ms=settings.stale_after_ms,
            max_bytes=settings.redis_max_message_kb * 1024,
        )
    return Simulator(
        interval_ms=settings.frequency_ms,
        clock=time.time_ns,
        monotonic=time.monotonic_ns,
        seed=settings.simulator_seed,
        symbols=settings.simulator_symbols,
    )


@cache
def _recording(file: Path | None) -> Recording:
    """Read a recording through, once per process.

    Raises:
        SettingError: when it cannot be read or there is no market data in it.
    """
    try:
        recording = Recording(file or Path())
    except FeedError as error:
        allowed = f"a recording with market data ({error.problem})"
        raise setting_error("replay_file", file, allowed=allowed) from error
    if (end := recording.broken_off) is not None:
        log.warning(
            "only a part of the recording can be played",
            feed="replay",
            file=str(file),
            line=end.line,
            reason=end.reason,
        )
    return recording


@cache
def _static_data(url: str) -> StaticData:
    """Read the exchange's static data, once per process.

    Raises:
        SettingError: when Redis does not answer.
        StaticDataError: when a key is missing or wrong.
    """
    try:
        data = read_static_data(url)
    except FeedError as error:
        allowed = f"the address of a Redis that answers ({error.problem})"
        raise setting_error("redis_url", url, allowed=allowed) from error
    for warning in data.warnings:
        log.warning("static data contradict each other", feed="redis", problem=warning)
    return data


_current: Services | None = None


def services() -> Services:
    """Give the running services of this process.

    Raises:
        RuntimeError: before they were started.
    """
    if _current is None:
        raise RuntimeError("the services are not running: they start with the app's lifespan")
    return _current


@asynccontextmanager
async def run_services(settings: Settings, *, history: bool = True) -> AsyncGenerator[Services]:
    """Build the services and run them for as long as the block lasts."""
    global _current
    built = Services(settings, history=history)
    async with built.running():
        _current = built
        try:
            yield built
        finally:
            _current = None
