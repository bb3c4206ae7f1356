"""The trading engine, put together: runners, strategies, and what is kept of both."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from dashboard.commands.door import Handlers
from dashboard.commands.trading import (
    ControlRunner,
    CreateRunner,
    RemoveRunner,
    SaveStrategy,
    TellEngine,
    TellRunner,
    TellRunnerHistory,
    TellRunners,
    TellStrategies,
    TellStrategy,
    TellTrades,
    ValidateStrategy,
)
from dashboard.core.directory import Directory
from dashboard.core.feed_state import FLOWING, FeedState
from dashboard.core.instruments import InstrumentKey
from dashboard.core.leases import Leases
from dashboard.core.trading.hosting import Host
from dashboard.hub.hub import Hub
from dashboard.storage.trading import TradingRepository
from dashboard.trading.library import Library, read_examples
from dashboard.trading.recorder import Recorder
from dashboard.trading.registry import Registry
from dashboard.trading.saving import Saver
from dashboard.trading.ticks import Ticks


class Engine:
    """One per installation; `runs` are its tasks, and it must be closed before they end.

    What runners get and do is recorded in the `folder`. For the clocks and `feed_state` see
    `Registry`.
    """

    def __init__(
        self,
        *,
        hub: Hub,
        host: Host,
        repository: TradingRepository,
        folder: Path,
        leases: Leases,
        directory: Callable[[], Directory],
        feed_state: Callable[[InstrumentKey], FeedState],
        clock: Callable[[], int],
        monotonic: Callable[[], int],
        limit: int,
    ) -> None:
        self.saver = Saver(
            repository,
            Recorder(folder),
            runners=lambda: self.registry.runners,
            clock=clock,
        )
        self._library = Library(read_examples(), saver=self.saver, host=host, clock=clock)
        self.ticks = Ticks(hub, flows=lambda key: feed_state(key) in FLOWING, monotonic=monotonic)
        self.registry = Registry(
            hub=hub,
            host=host,
            library=self._library,
            saver=self.saver,
            ticks=self.ticks,
            leases=leases,
            directory=directory,
            feed_state=feed_state,
            clock=clock,
            monotonic=monotonic,
            limit=limit,
        )
        self.runs: dict[str, Callable[[], Awaitable[None]]] = {
            "runners": self._run,
            "runner bars": self.ticks.run_looks,
            "runner writes": self.saver.run,
            "runner seconds": self.saver.run_seconds,
        }

    def enter(self, handlers: Handlers) -> None:
        """Enter who does what is asked of the engine."""
        registry, library = self.registry, self._library
        handlers.does(CreateRunner, registry.create)
        handlers.does(ControlRunner, registry.control)
        handlers.does(RemoveRunner, registry.remove)
        handlers.does(TellRunners, registry.tell_all)
        handlers.does(TellRunner, registry.tell)
        handlers.does(TellRunnerHistory, registry.tell_history)
        handlers.does(TellTrades, registry.tell_trades)
        handlers.does(TellEngine, registry.tell_status)
        handlers.does(TellStrategies, library.list)
        handlers.does(TellStrategy, library.tell)
        handlers.does(SaveStrategy, library.save)
        handlers.does(ValidateStrategy, library.validate)

    async def close(self) -> None:
        """Let runners end what they are at, and write what they hold for the last time."""
        self.ticks.take()
        await self.registry.drain()
        await self.saver.close()

    async def _run(self) -> None:
        """Bring back the runners of before, then let them have what the hub publishes."""
        await self.registry.restore()
        await self.ticks.run()
