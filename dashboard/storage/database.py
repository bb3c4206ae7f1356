"""The database itself: how it is reached, and how its tables are brought up to date."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import create_engine

from dashboard.config import Settings, mask_password
from dashboard.core.errors import StorageError

ROOT = Path(__file__).parents[2]
FILE_NAME = "livetape.db"
PATIENCE_S = 10
"""How long a connection is tried for, and how long another's transaction is waited for."""
READS = "livetape_reads"
"""SQLAlchemy's execution option of a transaction that only reads."""
LOCK_NUMBER = 0x1_1FE_7A9E
"""A number of our own, by which processes on one PostgreSQL wait for each other."""


def database_url(settings: Settings) -> str:
    """Give the address in SQLAlchemy's form: DASHBOARD_DB_URL, or a file under the data folder."""
    if settings.db_url is None:
        return f"sqlite:///{settings.data_dir / FILE_NAME}"
    url = make_url(settings.db_url)
    if url.get_backend_name() == "sqlite":
        return settings.db_url
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def open_database(url: str) -> Engine:
    """Give an engine for SQLite or PostgreSQL; it connects when it is first used.

    On SQLite a transaction takes the write lock at its beginning, so that two of
    them wait for each other instead of failing half-way; one of an engine for
    `reading` takes none, and sees what held before whoever writes meanwhile. A
    SQLite file that is not there yet is made, for its owner alone.

    No error of it shows a statement's values: they are what is kept secret.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(
            parsed,
            connect_args={"connect_timeout": PATIENCE_S},
            pool_pre_ping=True,
            hide_parameters=True,
        )
    file = Path(parsed.database or "")
    engine = create_engine(parsed, connect_args={"timeout": PATIENCE_S}, hide_parameters=True)

    @event.listens_for(engine, "do_connect")
    def make_private(*_: object) -> None:  # pyright: ignore[reportUnusedFunction] - an event calls it
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # to close one that is open takes SQLite its locks away
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: sqlite3.Connection, _: object) -> None:  # pyright: ignore[reportUnusedFunction] - an event calls it
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        with suppress(sqlite3.OperationalError):  # a version of before is writing: next time
            connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def take_the_lock(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction] - an event calls it
        reads = connection.get_execution_options().get(READS, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def reading(engine: Engine) -> Engine:
    """Give the same engine for transactions that only read: they wait for nobody who writes."""
    return engine.execution_options(**{READS: True})


@contextmanager
def storage_errors(engine: Engine) -> Generator[None]:
    """Turn what the database or its file complains of into a StorageError."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, CommandError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        problem = str(cause).strip().splitlines()[0] if str(cause).strip() else repr(cause)
        raise StorageError(database=shown_url(engine), problem=problem) from error


def shown_url(engine: Engine) -> str:
    """Give a database's address as it may be shown: without the password."""
    url = engine.url.set(drivername=engine.url.get_backend_name())
    return mask_password(url.render_as_string(hide_password=False))


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the tables to a revision, in one transaction: wholly, or not at all.

    Processes that start together wait for each other. Where there is nothing to
    do, that is one query.

    Raises:
        StorageError: when the database cannot be reached, or a newer version made it.
    """
    with storage_errors(engine):
        found = _revision_of(engine)
        if found is not None and found not in _revisions():
            raise StorageError(
                database=shown_url(engine), problem=f"made by a newer version (revision {found})"
            )
        if revision == "head" and found == _revisions()[0]:
            return
        with engine.begin() as connection:
            take_turns(connection)
            config = _config()
            config.attributes["connection"] = connection
            if revision == "base":
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)


def take_turns(connection: Connection) -> None:
    """Wait until no other process is between here and its transaction's end; SQLite always does."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_NUMBER})")


def _revision_of(engine: Engine) -> str | None:
    with reading(engine).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "alembic").replace("%", "%%"))
    return config


@cache
def _revisions() -> tuple[str, ...]:
    """Give all that are known, newest first."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(script.revision for script in scripts.walk_revisions())
