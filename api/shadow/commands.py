"""``codeassist shadow report``."""

from __future__ import annotations

import json

import typer

from api.settings import ApiSettings
from api.shadow.report import shadow_report
from api.store.database import Database
from codeassist.settings import read_settings

app = typer.Typer()
shadow_app = typer.Typer(no_args_is_help=True, help="A candidate release that scores live notes unseen.")
app.add_typer(shadow_app, name="shadow")


@shadow_app.callback()
def shadow() -> None:
    """A candidate release that scores live notes unseen."""


@shadow_app.command("report", epilog="Example: `codeassist shadow report`")
def report() -> None:
    """What each candidate release made of live notes, and what coders decided, as JSON."""
    database = Database(read_settings(ApiSettings).database_url)
    database.require()
    database.upgrade()
    try:
        typer.echo(json.dumps(shadow_report(database), indent=1))
    finally:
        database.close()
