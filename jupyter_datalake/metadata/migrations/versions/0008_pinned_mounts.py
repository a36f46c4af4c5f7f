"""pinned mounts: the commit that a view which follows no branch stays at."""

from alembic import op
import sqlalchemy as sa


revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("mounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("commit_id", sa.String(length=64), nullable=True))
