"""End the process as clients and its owner expect: a goodbye first, and no life without services.

On SIGINT or SIGTERM the server behind Reflex ends its connections first and
the application's lifespan afterwards, so a WebSocket client would see its
connection break instead of close code 1001. Here the signal is held back, the
clients are told, and then the server gets its signal.

And where an error ends the lifespan, that server goes on without: every request
would be answered by 500, for as long as somebody takes the process for alive.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

log = structlog.get_logger(__name__)

TERMINATION = frozenset({signal.SIGINT, signal.SIGTERM})
FAREWELL_TIMEOUT_S = 3.0


def before_termination(farewell: Callable[[], Awaitable[object]]) -> None:
    """Run `farewell` on the running event loop when the process is asked to end.

    It has 3 s. Call it on the main thread before others are started, since they
    inherit the held-back signals; a second signal ends the process at once.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    signal.pthread_sigmask(signal.SIG_BLOCK, TERMINATION)

    async def say_farewell() -> None:
        await farewell()

    def pass_on(number: int) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, TERMINATION)
        os.kill(os.getpid(), number)

    def wait() -> None:
        number = signal.sigwait(TERMINATION)
        try:
            asyncio.run_coroutine_threadsafe(say_farewell(), loop).result(FAREWELL_TIMEOUT_S)
        except TimeoutError:
            log.warning("clients were not told of the shutdown in time")
        finally:
            loop.call_soon_threadsafe(pass_on, number)

    threading.Thread(target=wait, name="termination", daemon=True).start()


@asynccontextmanager
async def no_life_after(farewell: Callable[[], Awaitable[object]]) -> AsyncGenerator[None]:
    """End the process, with exit code 1, when an error ends the block; run `farewell` before."""
    try:
        yield
    except Exception as error:
        log.critical("the services have failed: the process ends", exc_info=error)
        try:
            await farewell()
        finally:
            sys.stderr.flush()
            os._exit(1)  # an exception would end this task alone
