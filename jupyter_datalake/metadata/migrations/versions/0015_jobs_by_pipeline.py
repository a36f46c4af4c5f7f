"""jobs by pipeline: the newest ones of a pipeline are found without looking at the others."""

from alembic import op


revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_jobs_pipeline", "jobs", ["pipeline_id", "number"], unique=False)
