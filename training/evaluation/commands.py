"""``codeassist evaluate``."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from codeassist.errors import InputError


def evaluate(
    model: Annotated[Path, typer.Option("--model", help="folder of a model release")],
    audited: Annotated[Path, typer.Option("--audited", help="audited notes that the model has not seen")],
    report: Annotated[
        Path | None, typer.Option("--report", help="folder for report.html, report.md and metrics.json")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="compare with this release: a registry name, 'shipped', a folder")
    ] = None,
) -> None:
    """Measure a model release on audited notes, with intervals; --report writes everything."""
    from codeassist.assistant import load
    from codeassist.progress import track
    from training.audited import read_audited
    from training.evaluation.measuring import against as compared_with
    from training.evaluation.measuring import evaluate as measured
    from training.fingerprint import data_record
    from training.metrics import render
    from training.registry.compare import seen_in_training
    from training.registry.folder import open_registry
    from training.registry.promotion import open_assistant
    from training.registry.rendering import render_comparison

    if report is not None and importlib.util.find_spec("matplotlib") is None:
        raise InputError("the report needs matplotlib: install codeassist with its extra 'report'")
    notes = list(read_audited(audited))
    if not notes:
        raise InputError(f"{audited} has no audited notes")
    other = open_assistant(open_registry(), against) if against is not None else None
    assistant = load(model)
    release = assistant.release
    trained_on_these = seen_in_training(release.manifest, [data_record(audited, "")["sha256"]])
    if trained_on_these:
        typer.echo("the release was trained on these notes: its figures say nothing", err=True)
    results = list(track((assistant.suggest(n.note) for n in notes), len(notes), "notes"))
    seen = release.frequency()
    found = measured(notes, results, seen)
    typer.echo(render({s: {name: v.value for name, v in by.items()} for s, by in found.systems.items()}))
    second = None
    if other is not None and against is not None:
        theirs = list(track((other.suggest(n.note) for n in notes), len(notes), against))
        second = compared_with(against, theirs, found, notes)
        typer.echo(render_comparison(against, model.name, second.compared))
        for system, test in second.mcnemar.items():
            told = f"only {against} right {test.only_first}, only {model.name} right {test.only_second}, p {test.p:.4f}"
            typer.echo(f"McNemar, {system}: {told}")
    if report is not None:
        from training.evaluation.report import Subject, write_report

        title = f"{release.id.name} {release.id.version} ({release.id.sha256[:12]})"
        page = write_report(report, Subject(title, audited.name, trained_on_these), found, second, seen)
        typer.echo(f"report: {page}")
