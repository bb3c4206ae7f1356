"""A database for each test: SQLite, and PostgreSQL where one is or can be started."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dashboard.config import load_settings
from dashboard.storage.database import database_url, migrate, open_database
from dashboard.storage.repository import Repository
from tests.postgres_server import PostgresServer, missing

POSTGRES_VARIABLE = "LIVETAPE_TEST_POSTGRES_URL"
"""Names an empty database that tests may fill and clear, in place of one that they start."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the address of an empty PostgreSQL database, or skip."""
    named = os.environ.get(POSTGRES_VARIABLE)
    if named:
        yield named
        return
    if reason := missing():
        pytest.skip(f"{POSTGRES_VARIABLE} names no database, and {reason}")
    with PostgresServer() as running:
        yield running.url


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Give an engine on a database without tables."""
    changed: dict[str, object] = {"data_dir": tmp_path / "data"}
    if request.param == "postgresql":
        changed["db_url"] = request.getfixturevalue("postgres_url")
    opened = open_database(database_url(load_settings().model_copy(update=changed)))
    if request.param == "postgresql":
        migrate(opened, "base")
    yield opened
    if request.param == "postgresql":
        migrate(opened, "base")
    opened.dispose()


@pytest.fixture
def repository(engine: Engine) -> Repository:
    """Give a repository on a database with its tables."""
    migrate(engine)
    return Repository(engine)
