"""Folders that the tests' servers build their pages in.

`.web` belongs to a product that may be running here: its pages would dial the port of whatever
was built there last. So each server has a folder to itself while it runs. The folders stay, for
their packages are installed already when the next server takes them.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Self, TextIO

ROOT = Path(__file__).parents[1] / ".web-tests"
WITHOUT_PAGE = ROOT / "api"
"""For servers that build nothing; Reflex looks into a folder all the same."""


class WebFolder:
    """A folder that no other server builds in, of this test run or of another one.

    It is taken as long as `lock` is open, in this process or in one that inherited it.
    """

    def __init__(self, path: Path, lock: TextIO) -> None:
        self.path = path
        self.lock = lock

    @classmethod
    def take(cls, name: str) -> Self:
        """Take a free folder of this name: what is built under one name shares its packages."""
        ROOT.mkdir(exist_ok=True)
        for number in count():
            path = ROOT / f"{name}-{number}"
            lock = path.with_suffix(".lock").open("w")
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return cls(path, lock)
            lock.close()
        raise AssertionError

    def free(self) -> None:
        """Leave the folder to others, as far as this process is concerned."""
        self.lock.close()


@contextmanager
def building() -> Iterator[None]:
    """Build alone: builds write the lock files of the packages into the same `reflex.lock`."""
    ROOT.mkdir(exist_ok=True)
    with (ROOT / "building.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
