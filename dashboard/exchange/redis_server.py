"""A redis-server of the exchange's own: on 127.0.0.1, in memory, gone with the exchange."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory

from dashboard.core.errors import ExchangeError

RESTART_S = 0.5
"""How long after its end the server is started again."""


class RedisServer:
    """Run redis-server on one free port, and start it again whenever it ends.

    It is in a session of its own, so that a Ctrl-C reaches the exchange alone,
    which then ends it.
    """

    def __init__(self, folder: str, *, say: Callable[[str], object]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        self._say = say
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Give the address of its first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """Give the process id of the server that was started last."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start it, without waiting until it answers.

        Raises:
            ExchangeError: when there is no redis-server on this machine.
        """
        try:
            self._process = await asyncio.create_subprocess_exec(
                "redis-server",
                *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", self._folder),
                *("--save", "", "--appendonly", "no"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise ExchangeError(
                problem="redis-server cannot be started: install it with `apt install redis-server`"
                " or `brew install redis`, or name a Redis in DASHBOARD_REDIS_URL"
            ) from error

    async def run(self) -> None:
        """Start it again whenever it ends, until cancelled."""
        while self._process:
            await self._process.wait()
            self._say("redis-server has ended; starting it again")
            await asyncio.sleep(RESTART_S)
            await self.start()

    async def stop(self) -> None:
        """End it at once: there is nothing to save."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def own_redis(say: Callable[[str], object]) -> AsyncGenerator[RedisServer]:
    """Start a redis-server that ends with the context; while it is open, `run` keeps it up.

    Raises:
        ExchangeError: when there is no redis-server on this machine.
    """
    with TemporaryDirectory(prefix="livetape-exchange-") as folder:
        server = RedisServer(folder, say=say)
        try:
            await server.start()
            yield server
        finally:
            await server.stop()
