"""seen by: by what means an access was seen; so far all were seen by mounts."""

from alembic import op
import sqlalchemy as sa


revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("accesses", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("seen_by", sa.String(length=200), nullable=False, server_default="mount")
        )
