"""The commands of training and of the registry, added to ``codeassist`` through the entry-point group."""

from __future__ import annotations

import importlib.util
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from codeassist.errors import InputError
from training.data_report.commands import data_report
from training.deidentify.commands import deidentify
from training.evaluation.commands import evaluate
from training.learning.commands import drift, teach
from training.registry.commands import app as models_app

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "spacy", "joblib")


app = typer.Typer(help="Train and measure model releases.")
app.add_typer(models_app, name="models")
app.command("evaluate", epilog="Example: `codeassist evaluate --model out/model --audited test.jsonl`")(evaluate)
app.command("deidentify", epilog="Example: `codeassist deidentify site.jsonl out.jsonl --key site.key`")(deidentify)
app.command("teach", epilog="Example: `codeassist teach waiting.jsonl order.jsonl --most 50`")(teach)
app.command("drift", epilog="Example: `codeassist drift --audited march.jsonl --report drift.json`")(drift)
app.command("data-report", epilog="Example: `codeassist data-report --audited site.jsonl --strict`")(data_report)


@app.command("train", epilog="Example: `codeassist train --audited site.jsonl --out out/model --labels audited`")
def train(
    audited: Annotated[
        list[Path], typer.Option("--audited", help="JSON Lines of audited notes, or a folder of note files")
    ],
    out: Annotated[Path, typer.Option("--out", help="folder of the new release")],
    labels: Annotated[
        str, typer.Option(help="terminology: codes of the releases only; audited: every code of the notes")
    ] = "terminology",
    terms: Annotated[list[Path] | None, typer.Option("--terms", help="term files to learn phrases from")] = None,
    name: Annotated[str, typer.Option(help="name of the release")] = "site",
    version: Annotated[str, typer.Option(help="version of the release")] = "1",
    seed: Annotated[int, typer.Option(help="the same seed gives the same release")] = 20260401,
    licence: Annotated[str, typer.Option(help="licence of the training data, for the manifest")] = "not stated",
    card: Annotated[Path | None, typer.Option(help="Markdown to append to the model card: figures, limits")] = None,
) -> None:
    """Train a model release on audited notes."""
    from codeassist.drift import profile_of
    from codeassist.nlp.reading import NoteReader
    from codeassist.progress import track
    from codeassist.release import MANIFEST, save_release
    from codeassist.settings import settings
    from codeassist.site import with_site
    from codeassist.terminology.access import open_store
    from codeassist.terminology.phrases import PhraseKind
    from training.audited import read_audited
    from training.card import write_card
    from training.dataset import label_list, make_examples
    from training.fingerprint import data_record
    from training.fit import fit
    from training.site import checked_site, localised
    from training.terms import learn_terms

    if card is not None and not card.is_file():
        raise InputError(f"there is no file {card}")
    if labels not in ("terminology", "audited"):
        raise InputError(f"--labels must be terminology or audited, not {labels!r}")
    if out.parent.resolve() == settings().registry_dir.resolve() and (out / MANIFEST).is_file():
        # a service may have its files mapped, and the log names it by its hash
        raise InputError(f"the registry has a release {out.name} already: give another --out")
    started = time.monotonic()
    notes = [n for path in audited for n in read_audited(path)]
    if len(notes) < 10:
        raise InputError(f"{len(notes)} audited notes are too few to train on: give at least 10")
    site = checked_site(settings().site_dir)
    store = with_site(open_store(), site) if site is not None else open_store()
    notes = [localised(n, site) for n in notes] if site is not None else notes
    phrases = learn_terms(terms or [], store)
    extended = store.with_phrases(phrases.key, phrases.code, phrases.words, PhraseKind.INDEX)
    whole = labels == "audited"
    found = label_list(notes, extended, whole)
    examples = list(track(make_examples(notes, NoteReader(extended), extended, found), len(notes), "reading notes"))
    fitted = fit(examples, found, extended, whole, seed, _report)
    save_release(
        out,
        name=name,
        version=version,
        labels=found,
        shares=fitted.shares,
        audited_labels=whole,
        associations=fitted.associations,
        neighbours=fitted.neighbours,
        neighbour_labels=fitted.neighbour_labels,
        phrases=phrases,
        rankers=fitted.rankers,
        site=site.folder if site is not None else None,
        profile=profile_of((n.note, [(c.system, c.key) for c in n.codes]) for n in notes).as_record(),
        facts={
            "seed": seed,
            "data": [data_record(p, licence) for p in audited],
            "terms": [data_record(p, "US government work or CC0: see the card") for p in terms or []],
            "notes": len(notes),
            "site": {"sha256": site.sha256} if site is not None else None,
            "libraries": {"python": platform.python_version(), **{n: metadata.version(n) for n in _LIBRARIES}},
            "terminology": store.releases,
            "metrics": {"out_of_fold": fitted.metrics},
        },
    )
    write_card(out, card.read_text(encoding="utf-8") if card else "")
    typer.echo(f"trained on {len(notes)} notes in {time.monotonic() - started:.0f} s: {out}")


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


def _report(stage: str, done: int, total: int) -> None:
    typer.echo(f"{stage} ({done + 1}/{total})", err=True)
