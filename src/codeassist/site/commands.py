"""``codeassist site check``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from codeassist.errors import InputError

app = typer.Typer()
site_app = typer.Typer(no_args_is_help=True, help="A site's own terms, headings, cues and codes.")
app.add_typer(site_app, name="site")


@site_app.callback()
def site() -> None:
    """A site's own terms, headings, cues and codes."""


@site_app.command("check", epilog="Example: `codeassist site check our-hospital`")
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the site's folder")],
    format: Annotated[str, typer.Option("--format", help="text or json", metavar="text|json")] = "text",
) -> None:
    """Check every line of a site's folder. The exit status is 1 when a line can't be used."""
    from codeassist.site.checking import check_site
    from codeassist.terminology.access import open_store

    if format not in ("text", "json"):
        raise InputError(f"--format must be text or json, not {format!r}")
    found = check_site(folder, open_store())
    if format == "json":
        typer.echo(json.dumps([asdict(p) for p in found], ensure_ascii=False, indent=1))
    else:
        for p in found:
            typer.echo(f"{p.file}, line {p.line}: {p.level}: {p.message}")
        errors = sum(p.level == "error" for p in found)
        typer.echo(f"{errors} errors, {len(found) - errors} warnings")
    if any(p.level == "error" for p in found):
        raise typer.Exit(1)
