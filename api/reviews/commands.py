"""``codeassist export``: submitted reviews as files, from the database, without a running service."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from api.reviews import exports
from api.reviews.final import Final
from api.reviews.worklist import Filters
from api.settings import ApiSettings
from api.store.audit import Releases
from api.store.database import Database
from codeassist.registry import chosen_release
from codeassist.release import check_release
from codeassist.settings import read_settings
from codeassist.terminology.access import open_store

app = typer.Typer()
export_app = typer.Typer(no_args_is_help=True, help="Submitted reviews as files.")
app.add_typer(export_app, name="export")
Out = Annotated[Path | None, typer.Option("--out", help="file to write; standard output unless given")]


@export_app.callback()
def export() -> None:
    """Submitted reviews as files."""


@export_app.command("audited", epilog="Example: `codeassist export audited --out site.jsonl`")
def export_audited(out: Out = None) -> None:
    """Audited notes as JSON Lines, as `codeassist train --audited` reads them."""
    _export("audited", exports.audited, out)


@export_app.command("codes", epilog="Example: `codeassist export codes --out codes.csv`")
def export_codes(out: Out = None) -> None:
    """Final codes as CSV, one code a line."""
    _export("codes", exports.final_codes, out)


def _export(name: str, write: Callable[[Iterator[Final]], Iterator[str]], out: Path | None) -> None:
    """Write what is submitted now; the audit trail has it before the first line is written. A file is readable by its
    owner alone, and there as a whole or not at all."""
    folder, _ = chosen_release()
    manifest, sha256 = check_release(folder)
    model = {"name": manifest["name"], "version": manifest["version"], "sha256": sha256}
    releases = Releases(model, open_store().releases)
    database = Database(read_settings(ApiSettings).database_url)
    database.require()
    try:
        user = getpass.getuser()
        until = exports.record_export(database, user, name, Filters(), releases)
        lines = write(exports.submitted(database, user, Filters(), until))
        if out is None:
            sys.stdout.writelines(lines)
            return
        beside = out.with_name(f"{out.name}.{os.getpid()}.new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.writelines(lines)
        os.replace(beside, out)
    finally:
        database.close()
