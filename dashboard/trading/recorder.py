"""What each runner gets and does, appended to a file of its own, to be run again and compared.

A file has a line of JSON for each thing, in order. What a runner goes on with, at its beginning,
after a restart or a cut, is an object `begin`; a tick or a bar is an array, as `FIELDS` names it;
an action is `action`, with the `context` after the message of ticks that it came in:

    {"begin":{"strategy_name":"mine","version":1,…,"committed":{"state":"Idle",…},"window":[…]}}
    [1700000000000,50000.0,50000.0,50000.0,50000.0,0.5,49999.5,50000.5]
    {"action":{"type":"EnterLong","price":50000.0,"quantity":0.1,…},"context":{"ticks":2}}

A process that was killed may leave half a line.
"""

import os
import time
from collections.abc import Iterable, Sequence
from io import BufferedWriter
from operator import attrgetter
from pathlib import Path

import msgspec
import structlog

from dashboard.core.trading.events import ActionExecuted, TickReceived
from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.model import Action, Committed, MarketData, Program

log = structlog.get_logger(__name__)

SEGMENT_BYTES = 32 * 1024 * 1024
"""A runner has two files of this size at most: when the newer one is full, the older one goes."""
MAX_WAITING = 20_000
"""What may wait to be written of a runner; beyond, it is forgotten, and begun anew."""
FIELDS = ("timestamp", "open", "high", "low", "close", "volume", "bid", "ask")

_encode_lines = msgspec.json.Encoder().encode_lines
_row = attrgetter(*FIELDS)


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """What a runner goes on with. `cut` begins another file."""

    program: Program
    committed: Committed
    window: Sequence[MarketData]
    cut: bool = False


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """An action that was carried out, and the context then."""

    action: Action
    context: str


Entry = MarketData | Acted | Begin


class Recording:
    """What waits to be written of one runner.

    `is_full` and `is_lost` ask for a beginning: the file is full, or too much has waited.
    """

    def __init__(self, runner_id: str) -> None:
        self.runner_id = runner_id
        self.is_full = False
        self.is_lost = False
        self._entries: list[Entry] = []

    def note(self, stepped: Stepped) -> None:
        """Take in what came of some ticks."""
        entries = self._entries
        if len(entries) > MAX_WAITING:
            entries.clear()
            self.is_lost = True
        for event in stepped.events:
            if isinstance(event, TickReceived):
                entries.append(event.data)
            elif isinstance(event, ActionExecuted):
                entries.append(Acted(action=event.action, context=stepped.committed.context))

    def begin(self, program: Program, committed: Committed, window: Iterable[MarketData]) -> None:
        """Take in what the runner goes on with from here."""
        self._entries.append(
            Begin(program=program, committed=committed, window=tuple(window), cut=self.is_full)
        )
        self.is_full = self.is_lost = False

    def take(self) -> Sequence[Entry]:
        """Give what waits, and forget it."""
        entries, self._entries = self._entries, []
        return entries


class Recorder:
    """Appends recordings to files in a folder. All of it blocks.

    A disk that takes nothing ends no runner: that is one line of the log.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._failing = False

    def append(self, recordings: Iterable[tuple[Recording, Sequence[Entry]]]) -> None:
        """Write what was taken from recordings, and ask those for a beginning that are full."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for recording, entries in recordings:
                if self._write(recording.runner_id, entries) > self._segment_bytes:
                    recording.is_full = True
                time.sleep(0)  # the loop's thread need not wait for all of them
        except OSError as error:
            if not self._failing:
                log.error("the ticks of runners cannot be recorded", problem=str(error))
            self._failing = True
        else:
            self._failing = False

    def forget(self, runner_id: str) -> None:
        """Remove what was written of a runner."""
        for file in self._files(runner_id):
            file.unlink(missing_ok=True)

    def _files(self, runner_id: str) -> tuple[Path, Path]:
        """Give the newer and the older file of a runner."""
        return self._folder / f"{runner_id}.log", self._folder / f"{runner_id}.log.old"

    def _write(self, runner_id: str, entries: Sequence[Entry]) -> int:
        """Write entries, and give how long the file is then."""
        newer, older = self._files(runner_id)
        lines: list[object] = []
        for entry in entries:
            if isinstance(entry, MarketData):
                lines.append(_row(entry))
                continue
            if isinstance(entry, Begin) and entry.cut:
                _append(newer, lines)
                lines = []
                newer.replace(older)
            lines.append(_told(entry))
        return _append(newer, lines)


def _append(file: Path, lines: Sequence[object]) -> int:
    """Append a line for each to a file, which is its owner's alone; give how long it is then."""
    with os.fdopen(os.open(file, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "ab") as opened:
        _end_line(opened)
        opened.write(_encode_lines(lines))
        return opened.tell()


def _end_line(opened: BufferedWriter) -> None:
    """End the line that a process has not, which was killed."""
    size = opened.seek(0, os.SEEK_END)
    if size and os.pread(opened.fileno(), 1, size - 1) != b"\n":
        opened.write(b"\n")


def _told(entry: Acted | Begin) -> object:
    """Give what is written of what is no tick."""
    if isinstance(entry, Acted):
        return {"action": entry.action, "context": msgspec.Raw(entry.context.encode())}
    program = msgspec.structs.asdict(entry.program)
    del program["code"]  # its version is kept
    window = list(map(_row, entry.window))
    return {"begin": {**program, "committed": entry.committed, "window": window}}
