"""What the host and a worker say to each other: MessagePack, each message after its length.

The worker says that it is Ready; then the host asks, one request at a time, and each gets its
answer. A runner has a number here,
which the worker writes into shared memory before each call: see `RUNNING`.
"""

import struct
from collections.abc import Iterable, Sequence

import msgspec

from dashboard.core.trading.hosting import Stepped, Validated
from dashboard.core.trading.model import Committed, MarketData, Program

LENGTH = struct.Struct("<I")
RUNNING = struct.Struct("<Q")
"""The shared memory: how many calls there were, then in the lowest bits the number of the runner
whose call runs; 0 where none does."""
BAR = struct.Struct("<dddd")
NUMBER_BITS = 32
VALIDATING = 1
"""Stands for a runner's number while code is validated; those of runners are greater."""


def pack_window(bars: Iterable[MarketData]) -> bytes:
    """Pack what a strategy keeps of the bars of its window, oldest first."""
    return b"".join([BAR.pack(bar.high, bar.low, bar.close, bar.volume) for bar in bars])


class Load(msgspec.Struct, frozen=True, tag=True):
    """Make a runner ready; the answer is Loaded. `window` is packed by `pack_window`."""

    number: int
    program: Program
    committed: Committed | None = None
    window: bytes = b""


class Unload(msgspec.Struct, frozen=True, tag=True):
    """Forget a runner; the answer is Loaded."""

    number: int


class Validate(msgspec.Struct, frozen=True, tag=True):
    """Say what is wrong with code; the answer is Validated."""

    code: str


class Step(msgspec.Struct, frozen=True, tag=True):
    """Step runners through their ticks; the answer is Done."""

    ticks: Sequence[tuple[int, Sequence[MarketData]]]


Request = Load | Unload | Validate | Step


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The worker has given up what it does not need, but for what is `lacking` on this system."""

    lacking: Sequence[str]


class Loaded(msgspec.Struct, frozen=True, tag=True):
    """The runner is ready, unless there is a problem."""

    problem: str | None = None
    line: int | None = None


class Did(msgspec.Struct, frozen=True, array_like=True):
    """What came of a runner's ticks; `cpu_us` is what they took of the worker's CPU.

    Fewer may have been stepped than were sent, where time was up: `Stepped.ticks` says how many.
    `ended` is the reason where the runner has ended: it is forgotten.
    """

    number: int
    stepped: Stepped
    cpu_us: float
    ended: str | None = None


class Done(msgspec.Struct, frozen=True, tag=True):
    """What came of the ticks of each runner; there is nothing of those that were not come to."""

    runners: Sequence[Did]


class Checked(msgspec.Struct, frozen=True, tag=True):
    """What was found in code."""

    validated: Validated


Answer = Ready | Loaded | Done | Checked
