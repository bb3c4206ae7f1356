"""What Alembic runs: the product hands in a connection, the `alembic` command has none."""

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from dashboard.config import settings_or_exit
from dashboard.storage import tables
from dashboard.storage.database import database_url, open_database


def run(connection: Connection) -> None:
    """Run the migrations that were asked for on a connection."""
    assert tables.ApiKey.metadata is SQLModel.metadata  # noqa: S101 - the import fills it
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, transactional_ddl=True
    )
    with context.begin_transaction():
        context.run_migrations()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    run(handed_in)
else:
    with open_database(database_url(settings_or_exit())).begin() as own:
        run(own)
