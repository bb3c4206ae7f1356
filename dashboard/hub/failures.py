"""What failed and was survived: counted by place, each cause logged once."""

import asyncio
from collections.abc import Awaitable, Callable
from traceback import walk_tb
from types import TracebackType

import structlog

log = structlog.get_logger(__name__)

RESTART_S = 1.0


class Failures:
    """Errors of one event, one subscriber or one task, which must not end the others.

    A place is one of a few fixed names. A cause is the error's type and the line that
    raised it, so there are no more of them than the code has lines.
    """

    def __init__(self) -> None:
        self.by_place: dict[str, int] = {}
        self._logged: set[tuple[object, ...]] = set()

    def add(self, place: str, error: Exception) -> None:
        """Count an error, and log it if its cause is new."""
        self.by_place[place] = self.by_place.get(place, 0) + 1
        cause = (place, type(error), *_raised_at(error))
        if cause not in self._logged:
            self._logged.add(cause)
            log.error("failed, and went on without it", place=place, exc_info=error)

    def at(self, place: str) -> "Survival":
        """Give what counts an error of a `with` block and goes on behind it."""
        return Survival(self, place)


class Survival:
    """End a `with` block at its first error, which is counted; it can be used again and again."""

    __slots__ = ("_failures", "_place")

    def __init__(self, failures: Failures, place: str) -> None:
        self._failures = failures
        self._place = place

    def __enter__(self) -> None:
        """Begin a block."""

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool:
        """Survive an error; what asks to end, as a cancellation does, goes through."""
        if not isinstance(error, Exception):
            return False
        self._failures.add(self._place, error)
        return True


async def kept_running(
    place: str,
    run: Callable[[], Awaitable[None]],
    *,
    failures: Failures,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Run what `run` does until it ends by itself; after a failure, again a second later."""
    while True:
        with failures.at(place):
            await run()
            return
        await sleep(RESTART_S)


def _raised_at(error: Exception) -> tuple[object, ...]:
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    return frames[-1] if frames else ()
