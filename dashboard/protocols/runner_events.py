"""Runner events on the wire: externally tagged, `{"TickReceived":{…}}`, or `{"type","data"}`.

Each object has `runner_id`, `symbol`, `exchange`, `ts` in microseconds, `id` and `seq` beside
its own fields. An action is externally tagged in both forms: `{"EnterLong":{"price",…}}`.
All trading is on paper; what looks like a deal says so with `"paper":true`.
"""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec

from dashboard.core.errors import RequestError
from dashboard.core.model import Kind, Published
from dashboard.core.trading.events import (
    ActionExecuted,
    PositionClosed,
    PositionOpened,
    PositionUpdated,
    RunnerError,
    RunnerEvent,
    RunnerStarted,
    RunnerStopped,
    StateTransition,
    TickReceived,
)
from dashboard.core.trading.model import MarketData, Position, Severity, State

EVENT_TYPES: dict[str, Kind] = {
    "TickReceived": Kind.TICK_RECEIVED,
    "StateTransition": Kind.STATE_TRANSITION,
    "ActionExecuted": Kind.ACTION_EXECUTED,
    "PositionOpened": Kind.POSITION_OPENED,
    "PositionUpdated": Kind.POSITION_UPDATED,
    "PositionClosed": Kind.POSITION_CLOSED,
    "Error": Kind.RUNNER_ERROR,
    "RunnerStarted": Kind.RUNNER_STARTED,
    "RunnerStopped": Kind.RUNNER_STOPPED,
}
"""The names on the wire."""
EVENT_KINDS = frozenset(EVENT_TYPES.values())
RUNNER_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
MAX_RUNNERS = 200
"""So many may be named in a filter."""

_TYPES = {kind: name for name, kind in EVENT_TYPES.items()}
_encoder = msgspec.json.Encoder()


class _Frame(msgspec.Struct):
    runner_id: str
    symbol: str
    exchange: str
    ts: int
    id: str
    seq: int


class _TickFrame(_Frame):
    data: MarketData


class _TransitionFrame(_Frame):
    from_state: State = msgspec.field(name="from")
    to_state: State = msgspec.field(name="to")
    reason: str


class _ActionFrame(_Frame):
    action: dict[str, Any]
    paper: bool = True


class _OpenedFrame(_Frame):
    position: Position
    paper: bool = True


class _UpdatedFrame(_Frame):
    unrealized_pnl: float
    current_price: float


class _ClosedFrame(_Frame):
    realized_pnl: float
    exit_price: float
    reason: str
    fees: float
    stale: bool
    position: Position
    paper: bool = True


class _ErrorFrame(_Frame):
    severity: Severity
    error: str
    line: int | None


class _StartedFrame(_Frame):
    away_ms: int | None
    paper: bool = True


class _StoppedFrame(_Frame):
    reason: str


_Common = tuple[str, str, str, int, str, int]
"""The fields of every frame."""


def encode_external(published: Published, event: RunnerEvent, id_: str) -> str:
    """Write an event as `{"TickReceived":{…}}`."""
    body = _encoder.encode(_frame(published, event, id_)).decode()
    return f'{{"{_TYPES[event.kind]}":{body}}}'


def encode_tagged(published: Published, event: RunnerEvent, id_: str) -> str:
    """Write an event as `{"type":"TickReceived","data":{…}}`."""
    body = _encoder.encode(_frame(published, event, id_)).decode()
    return f'{{"type":"{_TYPES[event.kind]}","data":{body}}}'


def _frame(published: Published, event: RunnerEvent, id_: str) -> _Frame:
    ts = event.ts_event // 1000
    common = (event.runner_id, event.symbol, event.exchange, ts, id_, published.seq)
    return _FRAMES[type(event)](common, event)


def _tick(common: _Common, event: TickReceived) -> _Frame:
    return _TickFrame(*common, event.data)


def _transition(common: _Common, event: StateTransition) -> _Frame:
    return _TransitionFrame(*common, event.from_state, event.to_state, event.reason)


def _action(common: _Common, event: ActionExecuted) -> _Frame:
    action = event.action
    return _ActionFrame(*common, {type(action).__name__: msgspec.structs.asdict(action)})


def _opened(common: _Common, event: PositionOpened) -> _Frame:
    return _OpenedFrame(*common, event.position)


def _updated(common: _Common, event: PositionUpdated) -> _Frame:
    return _UpdatedFrame(*common, event.unrealized_pnl, event.current_price)


def _closed(common: _Common, event: PositionClosed) -> _Frame:
    return _ClosedFrame(
        *common,
        event.realized_pnl,
        event.exit_price,
        event.reason,
        event.fees,
        event.stale,
        event.position,
    )


def _error(common: _Common, event: RunnerError) -> _Frame:
    return _ErrorFrame(*common, event.severity, event.error, event.line)


def _started(common: _Common, event: RunnerStarted) -> _Frame:
    return _StartedFrame(*common, event.away_ms)


def _stopped(common: _Common, event: RunnerStopped) -> _Frame:
    return _StoppedFrame(*common, event.reason)


_FRAMES: dict[type[RunnerEvent], Callable[[_Common, Any], _Frame]] = {
    TickReceived: _tick,
    StateTransition: _transition,
    ActionExecuted: _action,
    PositionOpened: _opened,
    PositionUpdated: _updated,
    PositionClosed: _closed,
    RunnerError: _error,
    RunnerStarted: _started,
    RunnerStopped: _stopped,
}


def kinds_named(event_types: Iterable[str]) -> frozenset[Kind]:
    """Give the kinds of some names of the wire.

    Raises:
        RequestError: names one that there is not, and those that there are.
    """
    unknown = sorted(set(event_types) - EVENT_TYPES.keys())
    if unknown:
        problem = f"event type {unknown[0][:64]!r} is not known"
        raise RequestError(problem=problem, allowed=", ".join(EVENT_TYPES))
    return frozenset(EVENT_TYPES[each] for each in event_types)


def check_runner_ids(runners: Collection[str]) -> None:
    """See that these may be names of runners, and not too many.

    Raises:
        RequestError: names one that may not, or how many may be named.
    """
    if len(runners) > MAX_RUNNERS:
        allowed = f"{MAX_RUNNERS} names, or all runners by naming none"
        raise RequestError(problem=f"{len(runners)} runners are named", allowed=allowed)
    for each in sorted(runners):
        if not RUNNER_ID.fullmatch(each):
            problem = f"runner {each[:64]!r} is no name of a runner"
            raise RequestError(problem=problem, allowed="1 to 64 of A-Z a-z 0-9 _ . -")
