"""What the database holds: users with their API keys and page sessions; strategies and runners.

A key or a session is stored as its digest alone. Times are nanoseconds UTC.
`alembic/versions` makes these tables; a test compares the two.
"""

from sqlalchemy import BigInteger, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

UNREVOKED = text("ts_revoked IS NULL")


class User(SQLModel, table=True):
    """Who owns keys; `name` is what the protocols call the user id."""

    # `user` is a reserved word in PostgreSQL.
    __tablename__ = "user_account"  # pyright: ignore[reportAssignmentType] - SQLModel's own way

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64, unique=True)


class ApiKey(SQLModel, table=True):
    """One API key: a revoked one stays, and leaves its name to the next.

    `prefix` is the key's beginning, for display and to find it by; `digest` is the
    SHA-256 of the whole key in hex; `scopes` are separated by spaces.
    """

    __tablename__ = "api_key"  # pyright: ignore[reportAssignmentType] - SQLModel's own way
    __table_args__ = (
        Index(
            "uq_api_key_name_unrevoked",
            "name",
            unique=True,
            sqlite_where=UNREVOKED,
            postgresql_where=UNREVOKED,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user_account.id", index=True)
    name: str = Field(max_length=64)
    prefix: str = Field(max_length=16)
    digest: str = Field(max_length=64, unique=True)
    scopes: str = Field(max_length=100)
    ts_created: int = Field(sa_type=BigInteger)
    ts_last_used: int | None = Field(default=None, sa_type=BigInteger)
    ts_revoked: int | None = Field(default=None, sa_type=BigInteger)


class PageSession(SQLModel, table=True):
    """A browser that was shown a key; it ends with that key, or when it expires."""

    __tablename__ = "page_session"  # pyright: ignore[reportAssignmentType] - SQLModel's own way

    id: int | None = Field(default=None, primary_key=True)
    api_key_id: int = Field(foreign_key="api_key.id", index=True)
    digest: str = Field(max_length=64, unique=True)
    ts_expires: int = Field(sa_type=BigInteger)


class StrategyVersion(SQLModel, table=True):
    """One version of a custom strategy; versions of a name count from 1.

    `code` is UTF-8, and `parameters` a JSON object of what the code lets be set.
    """

    __tablename__ = "strategy_version"  # pyright: ignore[reportAssignmentType] - SQLModel's own way
    __table_args__ = (UniqueConstraint("name", "version", name="uq_strategy_version"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64)
    version: int
    code: bytes = Field(sa_type=LargeBinary)
    parameters: str = Field(sa_type=Text)
    created_by: str = Field(max_length=100)
    ts_created: int = Field(sa_type=BigInteger)


class Runner(SQLModel, table=True):
    """A runner, and what it held when it was last written.

    `program` is what it runs, `stats` what it has done, `position` what it holds, null without
    one: JSON objects, as `context` is. `indicators` is the sandbox's own. `bars` counts the bars
    that its window has ever taken in. `ts_alive` is when it was last seen running.
    """

    __tablename__ = "runner"  # pyright: ignore[reportAssignmentType] - SQLModel's own way

    id: int | None = Field(default=None, primary_key=True)
    runner_id: str = Field(max_length=64, unique=True)
    status: str = Field(max_length=16)
    program: str = Field(sa_type=Text)
    created_by: str = Field(max_length=100)
    ts_created: int = Field(sa_type=BigInteger)
    ts_alive: int = Field(sa_type=BigInteger)
    state: str = Field(max_length=16)
    position: str | None = Field(default=None, sa_type=Text)
    realized_pnl: float
    entry_fees: float
    context: str = Field(sa_type=Text)
    indicators: bytes = Field(sa_type=LargeBinary)
    stats: str = Field(sa_type=Text)
    bars: int = Field(sa_type=BigInteger)


class RunnerBars(SQLModel, table=True):
    """A part of a runner's window: the bars up to the number `last`, which counts as `bars` does.

    `bars` is MessagePack, see `storage.trading`.
    """

    __tablename__ = "runner_bars"  # pyright: ignore[reportAssignmentType] - SQLModel's own way

    id: int | None = Field(default=None, primary_key=True)
    runner_key: int = Field(foreign_key="runner.id", ondelete="CASCADE", index=True)
    last: int = Field(sa_type=BigInteger)
    bars: bytes = Field(sa_type=LargeBinary)


class ClosedTrade(SQLModel, table=True):
    """A position that was closed; it outlives its runner. All of it is simulated.

    `realized_pnl` is net of `fees`; `stale` marks a close at a price whose feed had gone silent.
    """

    __tablename__ = "closed_trade"  # pyright: ignore[reportAssignmentType] - SQLModel's own way

    id: int | None = Field(default=None, primary_key=True)
    runner_id: str = Field(max_length=64, index=True)
    exchange: str = Field(max_length=100)
    symbol: str = Field(max_length=100)
    strategy_name: str = Field(max_length=64)
    version: int
    side: str = Field(max_length=8)
    quantity: float
    entry_price: float
    exit_price: float
    ts_entry: int = Field(sa_type=BigInteger)
    ts_exit: int = Field(sa_type=BigInteger)
    realized_pnl: float
    fees: float
    reason: str = Field(max_length=32)
    stale: bool
