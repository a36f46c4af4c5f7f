"""What garbage collection, retention and limits need."""

from alembic import op
import sqlalchemy as sa


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("repos", sa.Column("deleted_ns", sa.BigInteger(), nullable=True))
    op.add_column("repos", sa.Column("limit_bytes", sa.BigInteger(), nullable=True))
    op.add_column("packs", sa.Column("retired_ns", sa.BigInteger(), nullable=True))
    op.add_column(
        "packs", sa.Column("rewrite", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("blobs", sa.Column("condemned", sa.BigInteger(), nullable=True))
    op.create_index("ix_refs_commit_id", "refs", ["commit_id"])
    op.create_index("ix_ref_moves_old_commit_id", "ref_moves", ["old_commit_id"])
    op.create_index("ix_ref_moves_new_commit_id", "ref_moves", ["new_commit_id"])
    op.create_table(
        "removed_commits",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("repo_id", _KEY, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name=op.f("fk_removed_commits_repo_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removed_commits")),
    )
    op.create_index("ix_removed_commits_repo_id", "removed_commits", ["repo_id"])
    op.create_table(
        "retention",
        sa.Column("repo_id", _KEY, nullable=False),
        sa.Column("branch", sa.String(length=200), nullable=False),
        sa.Column("keep_last", sa.Integer(), nullable=True),
        sa.Column("keep_for_s", sa.BigInteger(), nullable=True),
        sa.Column("keep_tagged", sa.Boolean(), nullable=False),
        sa.Column("keep_inputs", sa.Boolean(), nullable=False),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name=op.f("fk_retention_repo_id")),
        sa.PrimaryKeyConstraint("repo_id", "branch", name=op.f("pk_retention")),
    )
    op.create_table(
        "pins",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("roots", sa.LargeBinary(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pins")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pins_owner", "pins", ["owner"])
    epochs = op.create_table(
        "epochs",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_epochs")),
    )
    op.bulk_insert(epochs, [{"name": "collection", "number": 0}])
    op.create_table(
        "strangers",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("seen_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_strangers")),
    )
    op.create_table(
        "collections",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=False),
        sa.Column("condemned_ns", sa.BigInteger(), nullable=True),
        sa.Column("finished_ns", sa.BigInteger(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
        sqlite_autoincrement=True,
    )
