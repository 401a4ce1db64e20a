"""How Alembic runs a migration: in the transaction that the caller has begun."""

from __future__ import annotations

from alembic import context

import api.store.shadow  # noqa: F401 - a table that nothing else may have named yet
from api.store.base import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
