"""How the product logs: one line per event on standard error, and no secret in any.

An exception is shown without the values of its frames, where keys and passwords
are; what is known to be a secret is masked in whatever still names it, in the
lines of libraries too.
"""

import io
import logging
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, WrappedLogger

from dashboard.core.masking import masking

LONGEST_VALUE = 1000
"""Characters: what a client sends may be as long as it likes."""

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def configure_logging(level: str, *, secrets: Collection[str] = ()) -> None:
    """Show events of this level (debug, info, warning or error) and above, without these secrets.

    Lines of other libraries go the way that these have chosen, and are masked alike.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    mask = masking(secrets)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", LossySink(sys.stderr))),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _on_one_line,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
            lambda _logger, _method, line: mask(str(line)),
        ],
    )
    logging.setLogRecordFactory(_record_factory(mask))


def _on_one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep what a client sent from beginning a line of its own, or from colouring the terminal."""
    return {
        name: value[:LONGEST_VALUE].translate(_CONTROLS) if isinstance(value, str) else value
        for name, value in event.items()
    }


def _record_factory(mask: Callable[[str], str]) -> Callable[..., logging.LogRecord]:
    plain = logging.Formatter()

    def make(*args: object, **kwargs: object) -> logging.LogRecord:
        record = logging.LogRecord(*args, **kwargs)  # pyright: ignore[reportArgumentType] - handed on
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):  # a wrong format is no reason to fail
            text = str(record.msg)
        record.msg, record.args = mask(text), ()
        if record.exc_info:
            record.exc_text = mask(plain.formatException(record.exc_info))
        return record

    return make


class LossySink(io.TextIOBase):
    """Write to a file that may be full or closed: then lines are lost, and nothing else is.

    An error of the log would end whatever tells it something.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write as much as can be written."""
        with suppress(OSError, ValueError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        with suppress(OSError, ValueError):
            self._file.flush()
