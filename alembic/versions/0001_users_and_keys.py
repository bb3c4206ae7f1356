"""Users, API keys and page sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user_account.id"), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.String(100), nullable=False),
        sa.Column("ts_created", sa.BigInteger(), nullable=False),
        sa.Column("ts_last_used", sa.BigInteger()),
        sa.Column("ts_revoked", sa.BigInteger()),
    )
    op.create_index("ix_api_key_user_id", "api_key", ["user_id"])
    unrevoked = sa.text("ts_revoked IS NULL")
    op.create_index(
        "uq_api_key_name_unrevoked",
        "api_key",
        ["name"],
        unique=True,
        sqlite_where=unrevoked,
        postgresql_where=unrevoked,
    )
    op.create_table(
        "page_session",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("api_key_id", sa.Integer(), sa.ForeignKey("api_key.id"), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("ts_expires", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_page_session_api_key_id", "page_session", ["api_key_id"])


def downgrade() -> None:
    """Drop the three tables, and all keys with them."""
    op.drop_table("page_session")
    op.drop_table("api_key")
    op.drop_table("user_account")
