"""quota: the sum of what packs take, kept so that it costs nothing to ask."""

from alembic import op


revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM epochs WHERE name = 'stored'")
    op.execute(
        "INSERT INTO epochs (name, number)"
        " SELECT 'stored', CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM packs"
    )
