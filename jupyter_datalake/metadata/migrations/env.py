"""Runs migrations on the connection that `metadata.migrating` hands over."""

from alembic import context

from jupyter_datalake.metadata.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # The caller's transaction holds all steps, so an interrupted migration leaves nothing behind.
    transactional_ddl=False,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
