"""Start a program, wait until it answers, and end it: what all our servers of others share."""

import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 15


class Program(ABC):
    """A server with a folder of its own, which holds all that it writes; a context manager.

    `start` after `stop` starts it again; with the context ends the folder.
    """

    name: str
    """What an error calls it."""
    end_by = signal.SIGTERM

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="livetape-"))
        self.process: subprocess.Popen[Any] | None = None

    @property
    def log(self) -> Path:
        """Give the file that tells why it did not start; its output goes there, too."""
        return self.folder / "log"

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """Give what to run, after making what it needs to run."""

    @abstractmethod
    def answers(self) -> bool:
        """Ask it something, once."""

    def options(self) -> dict[str, Any]:
        """Give what `Popen` is to be told besides."""
        return {}

    def start(self) -> None:
        """Start and wait until it answers.

        Raises:
            RuntimeError: with the end of the log when it does not come up.
        """
        command = self.command()
        with self.log.open("ab") as log:
            process: subprocess.Popen[Any] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.options()
            )
        self.process = process
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and process.poll() is None:
            if self.answers():
                return
            time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text()[-2000:]}")

    def stop(self, *, by: signal.Signals | None = None) -> None:
        """End it and wait until it has; SIGKILL is a crash, a stopped program is no error."""
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(by or self.end_by)
        process.send_signal(signal.SIGCONT)  # one that is frozen would not end
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
