"""observed accesses: which process, kernel, notebook and cell opened what through a mount."""

from alembic import op
import sqlalchemy as sa


revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "observers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("kernel_id", sa.Text(), nullable=True),
        sa.Column("notebook", sa.Text(), nullable=True),
        sa.Column("cell", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observers")),
    )
    op.create_table(
        "accesses",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("observer_id", sa.String(length=32), nullable=False),
        sa.Column("repo", sa.String(length=200), nullable=False),
        sa.Column("commit_id", sa.String(length=64), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=True),
        sa.Column("opens", sa.BigInteger(), nullable=False),
        sa.Column("first_ns", sa.BigInteger(), nullable=False),
        sa.Column("last_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["observer_id"], ["observers.id"], name=op.f("fk_accesses_observer_id")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_accesses")),
    )
    with op.batch_alter_table("accesses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accesses_observer_id"), ["observer_id"])
        batch_op.create_index(batch_op.f("ix_accesses_last_ns"), ["last_ns"])
