"""What is kept of strategies, runners and closed trades, and the queries for them.

All of it blocks: on the event loop, call it in a thread. Every method is one transaction, and
raises StorageError when the database cannot do it.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import Engine, bindparam, func
from sqlalchemy import update as update_of
from sqlmodel import Session, col, delete, insert, select

from dashboard.core.trading.hosting import Parameter
from dashboard.core.trading.model import (
    Committed,
    MarketData,
    Position,
    PositionSide,
    Program,
    State,
    TradeMade,
)
from dashboard.storage.database import reading, storage_errors, take_turns
from dashboard.storage.tables import ClosedTrade, Runner, RunnerBars, StrategyVersion

NS_PER_MS = 1_000_000

_BarRow = tuple[int, float, float, float, float, float, float, float]
_bar_row = attrgetter("timestamp", "open", "high", "low", "close", "volume", "bid", "ask")
_bars_of = msgspec.msgpack.Decoder(list[_BarRow]).decode
_program_of = msgspec.json.Decoder(Program).decode
_position_of = msgspec.json.Decoder(Position).decode
_parameters_of = msgspec.json.Decoder(dict[str, Parameter]).decode


class StoredStrategy(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a custom strategy."""

    name: str
    version: int
    code: str
    parameters: dict[str, Parameter]


class NewRunner(msgspec.Struct, frozen=True, kw_only=True):
    """A runner that begins: it holds nothing yet."""

    program: Program
    status: str
    created_by: str
    ts_created: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a runner holds at one moment, all of it after the same step.

    `bars` counts those that its window has ever taken in; `added` are those since it was
    last written, oldest first, and of all of them the newest `kept` are still in the window.
    `stats` is a JSON object.
    """

    key: int
    status: str
    committed: Committed
    stats: str
    bars: int
    kept: int
    added: Sequence[MarketData]


class StoredRunner(NewRunner, frozen=True, kw_only=True):
    """A runner as it was last written; `window` is oldest first."""

    key: int
    ts_alive: int
    committed: Committed
    stats: str
    bars: int
    window: Sequence[MarketData]


class TradingRepository:
    """Reads and writes through one engine, which is another's to close."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def strategies(self) -> dict[str, int]:
        """Give the newest version of each strategy by its name, in the order of the names."""
        newest = func.max(StrategyVersion.version)
        grouped = select(StrategyVersion.name, newest).group_by(col(StrategyVersion.name))
        with self._transaction(reads=True) as session:
            return dict(sorted(session.exec(grouped).all()))

    def strategy(self, name: str, version: int | None = None) -> StoredStrategy | None:
        """Give a version of a strategy, the newest where none is named; None without such a one."""
        wanted = select(StrategyVersion).where(StrategyVersion.name == name)
        if version is not None:
            wanted = wanted.where(StrategyVersion.version == version)
        with self._transaction(reads=True) as session:
            row = session.exec(wanted.order_by(col(StrategyVersion.version).desc())).first()
            return None if row is None else _strategy_of(row)

    def add_strategy(
        self,
        name: str,
        code: str,
        parameters: dict[str, Parameter],
        *,
        created_by: str,
        now: int,
    ) -> StoredStrategy:
        """Store code as the next version of a strategy, which may be its first."""
        newest = select(func.max(StrategyVersion.version)).where(StrategyVersion.name == name)
        with self._transaction(alone=True) as session:
            row = StrategyVersion(
                name=name,
                version=(session.exec(newest).one() or 0) + 1,
                code=code.encode(),
                parameters=msgspec.json.encode(parameters).decode(),
                created_by=created_by,
                ts_created=now,
            )
            session.add(row)
            session.flush()
            return _strategy_of(row)

    def runners(self) -> list[StoredRunner]:
        """Give all runners, in the order in which they were made."""
        with self._transaction(reads=True) as session:
            rows = session.exec(select(Runner).order_by(col(Runner.id))).all()
            return [_runner_of(row, _window(session, row)) for row in rows]

    def add_runner(self, new: NewRunner) -> int:
        """Store a runner, and give the key by which it is written from now on."""
        with self._transaction() as session:
            row = Runner(
                runner_id=new.program.runner_id,
                program=msgspec.json.encode(new.program).decode(),
                created_by=new.created_by,
                ts_created=new.ts_created,
                ts_alive=new.ts_created,
                stats="{}",
                bars=0,
                **_state_of(new.status, Committed()),
            )
            session.add(row)
            session.flush()
            return row.id or 0

    def remove_runner(self, key: int) -> None:
        """Forget a runner, its closed trades excepted."""
        with self._transaction() as session:
            session.exec(delete(Runner).where(col(Runner.id) == key))

    def write(
        self, held: Sequence[Held], trades: Iterable[TradeMade], *, alive: Sequence[int], now: int
    ) -> None:
        """Write what runners hold and what they have closed, and which are running at all.

        `alive` are the keys of the latter. A runner that is not there any more is left out.
        """
        with self._transaction() as session:
            connection = session.connection()
            known = set(session.exec(select(Runner.id)).all())
            held = [each for each in held if each.key in known]
            if held:
                connection.execute(_WRITE, [_row(each) for each in held])
                connection.execute(_FORGET, [_gone(each) for each in held])
            if added := [each for each in held if each.added]:
                connection.execute(insert(RunnerBars), [_part(each) for each in added])
            if closed := [_trade(each) for each in trades]:
                connection.execute(insert(ClosedTrade), closed)
            if alive:
                seen = update_of(Runner).where(col(Runner.id).in_(alive)).values(ts_alive=now)
                connection.execute(seen)

    def trades(self, runner_id: str, count: int) -> list[TradeMade]:
        """Give the newest trades that runners of this id have closed, oldest first."""
        wanted = select(ClosedTrade).where(ClosedTrade.runner_id == runner_id)
        with self._transaction(reads=True) as session:
            rows = session.exec(wanted.order_by(col(ClosedTrade.id).desc()).limit(count)).all()
            return [_trade_of(row) for row in reversed(rows)]

    @contextmanager
    def _transaction(self, *, reads: bool = False, alone: bool = False) -> Generator[Session]:
        engine = reading(self._engine) if reads else self._engine
        with storage_errors(engine), Session(engine) as session, session.begin():
            if alone:
                take_turns(session.connection())
            yield session


_WRITE = (
    update_of(Runner)
    .where(col(Runner.id) == bindparam("key"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (
                *("status", "state", "position", "realized_pnl", "entry_fees"),
                *("context", "indicators", "stats", "bars"),
            )
        }
    )
)
_FORGET = delete(RunnerBars).where(
    col(RunnerBars.runner_key) == bindparam("key"), col(RunnerBars.last) <= bindparam("before")
)


def _state_of(status: str, committed: Committed) -> dict[str, Any]:
    position = committed.position
    return {
        "status": status,
        "state": committed.state.value,
        "position": None if position is None else msgspec.json.encode(position).decode(),
        "realized_pnl": committed.realized_pnl,
        "entry_fees": committed.entry_fees,
        "context": committed.context,
        "indicators": committed.indicators,
    }


def _row(held: Held) -> dict[str, Any]:
    state = _state_of(held.status, held.committed)
    changed = {**state, "stats": held.stats, "bars": held.bars}
    return {"key": held.key} | {f"new_{name}": value for name, value in changed.items()}


def _part(held: Held) -> dict[str, Any]:
    rows = list(map(_bar_row, held.added))
    return {"runner_key": held.key, "last": held.bars, "bars": msgspec.msgpack.encode(rows)}


def _gone(held: Held) -> dict[str, Any]:
    return {"key": held.key, "before": held.bars - held.kept}


def _trade(made: TradeMade) -> dict[str, Any]:
    row = msgspec.structs.asdict(made)
    row["ts_entry"] = row.pop("entry_timestamp") * NS_PER_MS
    row["ts_exit"] = row.pop("exit_timestamp") * NS_PER_MS
    return row


def _trade_of(row: ClosedTrade) -> TradeMade:
    return TradeMade(
        runner_id=row.runner_id,
        symbol=row.symbol,
        exchange=row.exchange,
        strategy_name=row.strategy_name,
        version=row.version,
        side=PositionSide(row.side),
        quantity=row.quantity,
        entry_price=row.entry_price,
        exit_price=row.exit_price,
        entry_timestamp=row.ts_entry // NS_PER_MS,
        exit_timestamp=row.ts_exit // NS_PER_MS,
        realized_pnl=row.realized_pnl,
        fees=row.fees,
        reason=row.reason,
        stale=row.stale,
    )


def _strategy_of(row: StrategyVersion) -> StoredStrategy:
    return StoredStrategy(
        name=row.name,
        version=row.version,
        code=row.code.decode(),
        parameters=_parameters_of(row.parameters),
    )


def _window(session: Session, row: Runner) -> list[bytes]:
    parts = select(RunnerBars.bars).where(RunnerBars.runner_key == row.id)
    return list(session.exec(parts.order_by(col(RunnerBars.last))).all())


def _runner_of(row: Runner, parts: Iterable[bytes]) -> StoredRunner:
    program = _program_of(row.program)
    return StoredRunner(
        key=row.id or 0,
        program=program,
        status=row.status,
        created_by=row.created_by,
        ts_created=row.ts_created,
        ts_alive=row.ts_alive,
        committed=Committed(
            state=State(row.state),
            position=None if row.position is None else _position_of(row.position),
            realized_pnl=row.realized_pnl,
            entry_fees=row.entry_fees,
            context=row.context,
            indicators=row.indicators,
        ),
        stats=row.stats,
        bars=row.bars,
        window=[_bar(program.symbol, each) for part in parts for each in _bars_of(part)],
    )


def _bar(symbol: str, row: _BarRow) -> MarketData:
    timestamp, open_, high, low, close, volume, bid, ask = row
    return MarketData(
        symbol=symbol,
        timestamp=timestamp,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=volume,
        bid=bid,
        ask=ask,
    )
