"""How Alembic runs a migration: in the transaction that the caller has begun."""

from __future__ import annotations

from alembic import context

from api.store import accounts  # noqa: F401  its tables belong to the metadata
from api.store.base import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
