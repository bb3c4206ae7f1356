import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel

from dashboard.config import load_settings
from dashboard.core.errors import StorageError
from dashboard.storage import tables
from dashboard.storage.api_keys import create_key
from dashboard.storage.database import FILE_NAME, database_url, migrate, open_database, reading
from dashboard.storage.repository import Repository
from tests.live_server import ROOT, free_port

TABLES = {
    each.__tablename__
    for each in (
        *(tables.User, tables.ApiKey, tables.PageSession),
        *(tables.StrategyVersion, tables.Runner, tables.RunnerBars, tables.ClosedTrade),
    )
}


def made(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_migrations_make_the_tables_that_the_code_knows_and_take_them_back(engine: Engine) -> None:
    assert made(engine) == set()
    migrate(engine)
    assert made(engine) == TABLES
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, SQLModel.metadata) == []
    migrate(engine)
    migrate(engine, "base")
    assert made(engine) == set()
    migrate(engine)
    assert made(engine) == TABLES


def test_processes_that_start_together_migrate_once(engine: Engine) -> None:
    engines = [open_database(engine.url.render_as_string(hide_password=False)) for _ in range(6)]
    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(migrate, engines))
    for each in engines:
        each.dispose()
    assert made(engine) == TABLES


def test_a_migration_that_fails_leaves_nothing_behind(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE closed_trade (id INTEGER)")  # the last one
    with pytest.raises(StorageError, match="closed_trade"):
        migrate(engine)
    assert made(engine) == {"closed_trade"}
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE closed_trade")


def test_a_database_of_a_newer_version_is_refused_by_name(engine: Engine) -> None:
    migrate(engine)
    change_revision(engine, "9999")
    with pytest.raises(StorageError, match=r"made by a newer version \(revision 9999\)"):
        migrate(engine)
    change_revision(engine, "0003")


@pytest.fixture
def earlier(engine: Engine) -> Engine:
    """Give a database of before the scope `control`, with one key for each set of scopes."""
    to_revision(engine, command.upgrade, "0001")
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO user_account (name) VALUES ('owner')")
        for number, scopes in enumerate(("stream", "stream trade", "trade"), start=1):
            connection.execute(
                text(
                    "INSERT INTO api_key (user_id, name, prefix, digest, scopes, ts_created)"
                    " SELECT id, :name, 'lt_', :name, :scopes, 1 FROM user_account"
                ),
                {"name": f"key {number}", "scopes": scopes},
            )
    return engine


def to_revision(engine: Engine, move: Callable[[Config, str], None], revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "alembic"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        move(config, revision)


def scopes(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT scopes FROM api_key ORDER BY id")))


def test_keys_that_may_trade_get_control_and_lose_it_on_the_way_back(earlier: Engine) -> None:
    migrate(earlier)
    assert scopes(earlier) == ["stream", "control stream trade", "control trade"]
    to_revision(earlier, command.downgrade, "0001")
    assert scopes(earlier) == ["stream", "stream trade", "trade"]


def test_no_scope_of_a_newer_version_is_left_to_an_earlier_one(earlier: Engine) -> None:
    migrate(earlier)
    key = create_key(Repository(earlier), "robot", now=2, scopes=["stream", "control"])
    assert key
    to_revision(earlier, command.downgrade, "0001")
    assert scopes(earlier)[-1] == "stream"


def change_revision(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    settings = load_settings().model_copy(update={"data_dir": tmp_path / "new" / "data"})
    engine = open_database(database_url(settings))
    assert not settings.data_dir.exists()
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
        made = {
            each.name: stat.S_IMODE(each.stat().st_mode) for each in settings.data_dir.iterdir()
        }
    engine.dispose()
    assert made == dict.fromkeys((FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"), 0o600)


def test_a_file_of_an_earlier_version_is_changed_to_write_ahead(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / FILE_NAME}"
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as earlier:
        earlier.execute("PRAGMA journal_mode = DELETE")
        earlier.execute("CREATE TABLE kept (id INTEGER)")
        earlier.execute("BEGIN IMMEDIATE")
        during = open_database(url)
        with reading(during).begin() as connection:  # it works beside one that writes
            assert inspect(connection).get_table_names() == ["kept"]
            assert mode(connection) == "delete"
        during.dispose()
        earlier.execute("COMMIT")
    after = open_database(url)
    with after.begin() as connection:
        assert inspect(connection).get_table_names() == ["kept"]
        assert mode(connection) == "wal"
    after.dispose()


def test_what_another_process_writes_is_seen_by_one_with_several_connections(
    tmp_path: Path,
) -> None:
    engine = open_database(f"sqlite:///{tmp_path / FILE_NAME}")
    migrate(engine)
    repository = Repository(engine)
    with engine.begin(), reading(engine).begin():  # so there are two, for later too
        pass
    for name in ("laptop", "phone", "robot"):
        subprocess.run(
            [sys.executable, "-m", "dashboard.keys", "create", name],
            cwd=ROOT,
            env=os.environ | {"DASHBOARD_DATA_DIR": str(tmp_path)},
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert repository.all_keys()[-1].name == name
    engine.dispose()


def mode(connection: Connection) -> str:
    return connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()


def test_no_error_shows_a_statements_values(engine: Engine) -> None:
    with pytest.raises(SQLAlchemyError) as caught, engine.begin() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:it)"), {"it": "lt_secret"})
    assert "nowhere" in str(caught.value)
    assert "lt_secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("no database" * 100)
    engine = open_database(f"sqlite:///{tmp_path / FILE_NAME}")
    with pytest.raises(StorageError, match="file is not a database") as caught:
        migrate(engine)
    assert "\n" not in str(caught.value)
    engine.dispose()


def test_a_server_that_does_not_answer_is_an_error_without_the_password() -> None:
    url = f"postgresql://me:secret@127.0.0.1:{free_port()}/livetape"
    settings = load_settings().model_copy(update={"db_url": url})
    engine = open_database(database_url(settings))
    with pytest.raises(StorageError, match="refused") as caught:
        migrate(engine)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    engine.dispose()


def test_the_alembic_command_uses_the_same_settings(engine: Engine, tmp_path: Path) -> None:
    named = {"DASHBOARD_DATA_DIR": str(tmp_path / "data")}
    if engine.dialect.name == "postgresql":
        url = engine.url.set(drivername="postgresql")
        named["DASHBOARD_DB_URL"] = url.render_as_string(hide_password=False)
    for direction, revision in (("upgrade", "head"), ("downgrade", "base")):
        subprocess.run(
            [sys.executable, "-m", "alembic", direction, revision],
            cwd=ROOT,
            env=os.environ | named,
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert made(engine) == (TABLES if direction == "upgrade" else set())
