"""observed jobs: which datum of which job opened a file of a lazy input."""

from alembic import op
import sqlalchemy as sa


revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("observers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("job_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("datum", sa.BigInteger(), nullable=True))
        batch_op.create_index(batch_op.f("ix_observers_job_id"), ["job_id"], unique=False)
