"""Triggers by which the database itself refuses to change the audit trail, whoever asks through SQL.

They keep faults and careless hands away; who owns the database can drop them. Then the chain of hashes tells.
"""

from __future__ import annotations

MESSAGE = "the audit trail is append-only"
_SQLITE = (
    f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    # INSERT OR REPLACE deletes without asking the trigger of deletes
    "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE number = NEW.number)"
    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
)
_POSTGRESQL = (
    f"CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
)


def protect(dialect: str) -> tuple[str, ...]:
    """The statements that put the triggers on the table ``audit``, for ``sqlite`` or ``postgresql``."""
    return _SQLITE if dialect == "sqlite" else _POSTGRESQL


def release(dialect: str) -> tuple[str, ...]:
    """The statements that take them off again, as a site does before it moves its trail to another database."""
    if dialect == "sqlite":
        return tuple(f"DROP TRIGGER audit_no_{name}" for name in ("update", "delete", "replace"))
    return ("DROP TRIGGER audit_no_change ON audit", "DROP FUNCTION audit_append_only()")
