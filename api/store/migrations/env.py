"""How Alembic runs a migration: in the transaction that the caller has begun."""

from __future__ import annotations

from alembic import context

from api.store import accounts, shadow  # noqa: F401  their tables belong to the metadata
from api.store.base import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
