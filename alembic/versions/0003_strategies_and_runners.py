"""Strategies, runners with their windows, and closed trades."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the four tables."""
    op.create_table(
        "strategy_version",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("ts_created", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("name", "version", name="uq_strategy_version"),
    )
    op.create_table(
        "runner",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("runner_id", sa.String(64), nullable=False, unique=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("ts_created", sa.BigInteger(), nullable=False),
        sa.Column("ts_alive", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("position", sa.Text()),
        sa.Column("realized_pnl", sa.Float(), nullable=False),
        sa.Column("entry_fees", sa.Float(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("indicators", sa.LargeBinary(), nullable=False),
        sa.Column("stats", sa.Text(), nullable=False),
        sa.Column("bars", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "runner_bars",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "runner_key",
            sa.Integer(),
            sa.ForeignKey("runner.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("bars", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_runner_bars_runner_key", "runner_bars", ["runner_key"])
    op.create_table(
        "closed_trade",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("runner_id", sa.String(64), nullable=False),
        sa.Column("exchange", sa.String(100), nullable=False),
        sa.Column("symbol", sa.String(100), nullable=False),
        sa.Column("strategy_name", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(8), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=False),
        sa.Column("entry_price", sa.Float(), nullable=False),
        sa.Column("exit_price", sa.Float(), nullable=False),
        sa.Column("ts_entry", sa.BigInteger(), nullable=False),
        sa.Column("ts_exit", sa.BigInteger(), nullable=False),
        sa.Column("realized_pnl", sa.Float(), nullable=False),
        sa.Column("fees", sa.Float(), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_closed_trade_runner_id", "closed_trade", ["runner_id"])


def downgrade() -> None:
    """Drop the four tables, and all that runners have done with them."""
    op.drop_table("closed_trade")
    op.drop_table("runner_bars")
    op.drop_table("runner")
    op.drop_table("strategy_version")
