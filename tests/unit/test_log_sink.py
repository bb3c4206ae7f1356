import io

import structlog

from dashboard.logs import LossySink


class Full(io.StringIO):
    """A file on a disk without room."""

    def write(self, _text: str, /) -> int:
        raise OSError(28, "No space left on device")


def test_what_is_logged_is_written() -> None:
    file = io.StringIO()
    structlog.PrintLogger(LossySink(file)).error("a line")  # type: ignore[arg-type]
    assert file.getvalue() == "a line\n"


def test_a_log_that_cannot_be_written_ends_nothing() -> None:
    closed = io.StringIO()
    closed.close()
    for file in (Full(), closed):
        structlog.PrintLogger(LossySink(file)).error("a line")  # type: ignore[arg-type]
