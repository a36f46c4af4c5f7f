"""trigger alarms: when to look whether an input's trigger has come to hold by time."""

from alembic import op
import sqlalchemy as sa


revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trigger_alarms",
        sa.Column(
            "pipeline_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("next_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pipeline_id"], ["pipelines.id"], name=op.f("fk_trigger_alarms_pipeline_id")
        ),
        sa.PrimaryKeyConstraint("pipeline_id", "name", name=op.f("pk_trigger_alarms")),
    )
    with op.batch_alter_table("trigger_alarms", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trigger_alarms_next_ns"), ["next_ns"], unique=False)
