"""``codeassist audit`` and ``codeassist database``."""

from __future__ import annotations

import typer
from sqlalchemy.exc import SQLAlchemyError

from api.settings import ApiSettings
from api.store.database import Database, open_database
from api.store.errors import DatabaseError
from api.store.verify import end_of, verify
from codeassist.settings import read_settings

app = typer.Typer()
audit_app = typer.Typer(no_args_is_help=True, help="The record of who did what.")
database_app = typer.Typer(no_args_is_help=True, help="The database of notes, reviews and the audit trail.")
app.add_typer(audit_app, name="audit")
app.add_typer(database_app, name="database")


@audit_app.callback()
def audit() -> None:
    """The record of who did what."""


@audit_app.command("verify", epilog="Example: `codeassist audit verify`")
def verify_audit() -> None:
    """Check that no record was changed, removed or moved. Exit status 1 when one was, 0 when the trail is whole."""
    database = Database(read_settings(ApiSettings).database_url)
    database.require()
    faults = 0
    try:
        with database.reading() as session:
            for fault in verify(session):
                faults += 1
                typer.echo(fault.message)
            number, digest = end_of(session)
    except SQLAlchemyError:
        raise DatabaseError("the audit trail can't be read") from None
    finally:
        database.close()
    if faults:
        typer.echo(f"the audit trail is not whole: {faults} {'fault' if faults == 1 else 'faults'}", err=True)
        raise typer.Exit(1)
    typer.echo(f"the audit trail is whole: {number} records, the last with hash {digest}")


@database_app.callback()
def database() -> None:
    """The database of notes, reviews and the audit trail."""


@database_app.command("upgrade", epilog="Example: `codeassist database upgrade`")
def upgrade() -> None:
    """Bring the database up to date; the service does the same when it starts."""
    opened = open_database(read_settings(ApiSettings).database_url)
    opened.close()
    typer.echo(f"the database is up to date: {opened.url.render_as_string(hide_password=True)}")
