"""``codeassist data-report``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from codeassist.errors import InputError


def data_report(
    audited: Annotated[list[Path], typer.Option("--audited", help="notes to train on, in any form that train reads")],
    test: Annotated[list[Path] | None, typer.Option("--test", help="the same, to measure on")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="folder for data-report.json and data-report.txt")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="exit with 1 when there is any error")] = False,
    label_notes: Annotated[
        int, typer.Option("--label-notes", min=0, help="most notes to seek label errors in; 0 leaves it out")
    ] = 1000,
    format: Annotated[str, typer.Option("--format", help="text or json", metavar="text|json")] = "text",
) -> None:
    """What is wrong with audited notes, by file and line, before a model is trained on them."""
    from codeassist.terminology.access import open_store
    from training.data_report.report import make_report, render

    if format not in ("text", "json"):
        raise InputError(f"--format must be text or json, not {format!r}")
    report = make_report(audited, test or (), open_store(), label_notes, _progress)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        with (out / "data-report.json").open("w", encoding="utf-8") as file:
            report.write(file)
        with (out / "data-report.txt").open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in render(report, shown=None))
    if format == "json":
        report.write(sys.stdout)
    else:
        for line in render(report):
            typer.echo(line)
    if strict and report.errors:
        raise typer.Exit(1)


def _progress(stage: str, done: int, total: int) -> None:
    typer.echo(f"{stage} ({done + 1}/{total})", err=True)
