"""history: messages of tags, what a move of a ref needs to be undone, and search by metadata."""

from alembic import op
import sqlalchemy as sa

from jupyter_datalake.metadata.facts import facts_of


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("refs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("message", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("created_by", sa.Text(), nullable=True))
    with op.batch_alter_table("ref_moves", schema=None) as batch_op:
        batch_op.add_column(sa.Column("details", sa.JSON(), nullable=True))
    with op.batch_alter_table("commits", schema=None) as batch_op:
        batch_op.create_index("ix_commits_time", ["time_ns", "id"], unique=False)
    facts = op.create_table(
        "commit_facts",
        sa.Column("fact", sa.LargeBinary(length=32), nullable=False),
        sa.Column("commit_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["commit_id"],
            ["commits.id"],
            name=op.f("fk_commit_facts_commit_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("fact", "commit_id", name=op.f("pk_commit_facts")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("commit_facts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_commit_facts_commit_id"), ["commit_id"], unique=False)
    _find_by_metadata(facts)


def _find_by_metadata(facts: sa.Table) -> None:
    """Enter the metadata of the commits that are there."""
    commits = sa.table("commits", sa.column("id", sa.String), sa.column("metadata", sa.JSON))
    connection = op.get_bind()
    after = ""
    while rows := connection.execute(
        sa.select(commits.c.id, commits.c.metadata)
        .where(commits.c.id > after)
        .order_by(commits.c.id)
        .limit(1000)
    ).all():
        after = rows[-1].id
        found = [
            {"fact": fact, "commit_id": row.id} for row in rows for fact in facts_of(row.metadata)
        ]
        if found:
            connection.execute(facts.insert(), found)
