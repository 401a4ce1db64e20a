"""The commands of training and of the registry, added to ``codeassist`` through the entry-point group."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from codeassist.errors import InputError
from training.curve import learning_curve
from training.data_report.commands import data_report
from training.deidentify.commands import deidentify
from training.evaluation.commands import evaluate
from training.learning.commands import drift, teach
from training.registry.commands import app as models_app
from training.splitting import split
from training.train import train

app = typer.Typer(help="Train and measure model releases.")
app.add_typer(models_app, name="models")
app.command("data-report", epilog="Example: `codeassist data-report --audited site.jsonl --strict`")(data_report)


app.command("train", epilog="Example: `codeassist train --audited site.jsonl --out out/model --labels audited`")(train)
app.command("learning-curve", epilog="Example: `codeassist learning-curve --audited a.jsonl --test b.jsonl --out out`")(
    learning_curve
)
app.command("split", epilog="Example: `codeassist split --audited site.jsonl --out out/site --by patient`")(split)
app.command("evaluate", epilog="Example: `codeassist evaluate --model out/model --audited test.jsonl`")(evaluate)
app.command("deidentify", epilog="Example: `codeassist deidentify site.jsonl out.jsonl --key site.key`")(deidentify)
app.command("teach", epilog="Example: `codeassist teach waiting.jsonl order.jsonl --most 50`")(teach)
app.command("drift", epilog="Example: `codeassist drift --audited march.jsonl --report drift.json`")(drift)


@app.command("accuracy", epilog="Example: `codeassist accuracy --shared ../shared --report out/accuracy`")
def accuracy(
    shared: Annotated[
        Path | None,
        typer.Option("--shared", envvar="CODEASSIST_SHARED", help="folder of the corpora; ../shared of the checkout"),
    ] = None,
    report: Annotated[Path, typer.Option("--report", help="folder of the report and of the model trained for it")] = (
        Path("out/accuracy")
    ),
    model: Annotated[
        Path | None, typer.Option("--model", help="release to measure on US notes; the shipped one unless given")
    ] = None,
    skip_training: Annotated[
        bool, typer.Option("--skip-training", help="measure CodiEsp with the model that an earlier run left there")
    ] = False,
) -> None:
    """Measure everything that has a bar, and write a report. What is missing is named, and the rest measured."""
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError("the report needs matplotlib: install codeassist with its extra 'report'")
    from codeassist.settings import settings
    from training.accuracy.bars import read_bars, render, rows
    from training.accuracy.measuring import CHECKOUT, measure_all
    from training.accuracy.report import write_report

    bars, corpora = read_bars(), shared if shared is not None else CHECKOUT.parent / "shared"
    site = report / "codiesp-model"
    source = corpora / str(bars.sets["codiesp"].trained_on)
    if not skip_training and source.is_file():
        train([source], site, labels="audited", name="codiesp", licence="CC BY 4.0")
    trained = site if site.is_dir() and (skip_training or source.is_file()) else None
    measured = measure_all(bars, corpora, model or settings().model_dir, trained)
    table = rows(bars, measured.reached, measured.missing)
    typer.echo(render(table))
    typer.echo(f"report: {write_report(report, bars, table, measured)}")
