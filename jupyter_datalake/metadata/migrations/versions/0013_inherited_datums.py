"""inherited datums: what a job did not look at is in a manifest; datums are found by place."""

from alembic import op
import sqlalchemy as sa


revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("inherited", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("datums_root", sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(sa.Column("joined_root", sa.LargeBinary(length=32), nullable=True))
    with op.batch_alter_table("datums", schema=None) as batch_op:
        batch_op.add_column(sa.Column("place", sa.LargeBinary(length=16), nullable=True))
        batch_op.create_index("ix_datums_place", ["job_id", "place"], unique=False)
    with op.batch_alter_table("datum_results", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("current", sa.Boolean(), nullable=False, server_default=sa.false())
        )
