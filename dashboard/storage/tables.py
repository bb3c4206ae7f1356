"""What the database holds: users, their API keys, and the sessions of the page.

A key or a session is stored as its digest alone. Times are nanoseconds UTC.
`alembic/versions` makes these tables; a test compares the two.
"""

from sqlalchemy import BigInteger, Index, text
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
