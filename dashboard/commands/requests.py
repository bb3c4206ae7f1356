"""What is asked for, each with the type of its answer. Pure: a request can leave this process."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

import msgspec

from dashboard.core.accounts import AccountsKept
from dashboard.core.bars import BarsKept
from dashboard.core.instruments import InstrumentKey
from dashboard.core.principal import CONTROL, STREAM

Answer = TypeVar("Answer")


class Command(msgspec.Struct, Generic[Answer], frozen=True, kw_only=True, tag=True):
    """Base of the requests that are answered; who asks needs the `scope`."""

    scope: ClassVar[str] = STREAM


class Notice(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of what is told without an answer; notices and commands keep their order."""


class SetFrequency(Command[int], frozen=True, kw_only=True):
    """Set the one frequency of all clients, in ms; the answer is what it was clamped to."""

    scope: ClassVar[str] = CONTROL

    frequency_ms: float


class ControlReplay(Command[None], frozen=True, kw_only=True):
    """Pause, resume, speed up or move a replay, for all clients.

    `action` is pause, resume, speed or seek. `value` is a speed, 0 being as fast as it
    goes, or seconds of the recording.
    """

    scope: ClassVar[str] = CONTROL

    feed: str
    action: str
    value: float = 0.0


class TakeLeases(Command[Mapping[InstrumentKey, str]], frozen=True, kw_only=True):
    """Lease instruments for a holder, see `core.leases`; the answer is what was refused, and why.

    `holder` is an id of the asker's choice; `name` is what its leases are counted under.
    `wanted` has a depth for each instrument. With `replace` they come in place of all others.
    """

    holder: str
    name: str
    wanted: Sequence[tuple[InstrumentKey, int]]
    replace: bool = False


class LowerLeases(Notice, frozen=True, kw_only=True):
    """Let a holder want no more than these depths; None ends a lease."""

    holder: str
    depths: Sequence[tuple[InstrumentKey, int | None]]


class EndLeases(Notice, frozen=True, kw_only=True):
    """End a holder and all its leases."""

    holder: str


class KeysRevoked(Notice, frozen=True, kw_only=True):
    """Whoever reads the database has seen that these keys hold no longer."""

    key_ids: Sequence[int]


class Lend(Command[None], frozen=True, kw_only=True):
    """Lease an instrument for a while, see `core.leases.Leases.lend`."""

    key: InstrumentKey
    depth: int = 0


class TellBars(Command[BarsKept], frozen=True, kw_only=True):
    """Tell the bars of an instrument that the owner has kept."""

    key: InstrumentKey


class TellAccounts(Command[AccountsKept], frozen=True, kw_only=True):
    """Tell what the owner remembers of every client of the exchanges."""
