"""The scope `control`: keys that have `trade` get it."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

api_key = sa.table("api_key", sa.column("id", sa.Integer), sa.column("scopes", sa.String))


def upgrade() -> None:
    """Give the scope to keys that may trade: until now everybody had what it stands for."""
    _change(lambda scopes: scopes | {"control"} if "trade" in scopes else scopes)


def downgrade() -> None:
    """Take the scope from all keys."""
    _change(lambda scopes: scopes - {"control"})


def _change(changed: Callable[[set[str]], set[str]]) -> None:
    connection = op.get_bind()
    for key_id, text in connection.execute(sa.select(api_key.c.id, api_key.c.scopes)).all():
        scopes = " ".join(sorted(changed(set(text.split()))))
        connection.execute(sa.update(api_key).where(api_key.c.id == key_id).values(scopes=scopes))
