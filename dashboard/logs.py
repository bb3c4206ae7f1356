"""How the product logs: one line per event on standard error."""

import io
import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


def configure_logging(level: str) -> None:
    """Show events of this level (debug, info, warning or error) and above."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", LossySink(sys.stderr))),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
    )


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
