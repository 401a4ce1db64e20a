"""``codeassist train``."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codeassist.errors import InputError

if TYPE_CHECKING:
    from codeassist.site import Site
    from training.audited import AuditedNote
    from training.fit import Fitted

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "spacy", "joblib")
_MOST_WORKERS = 2


def train(
    audited: Annotated[
        list[Path],
        typer.Option("--audited", help="JSON Lines, CSV, Parquet, a folder of note files, or CodiEsp's or MDACE's"),
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
    from_release: Annotated[
        str | None,
        typer.Option(help="begin from what a release knows: shipped, one of the registry, or a folder"),
    ] = None,
    search: Annotated[float, typer.Option(min=0, help="minutes to search for parameters of the rankers")] = 0.0,
    search_trials: Annotated[int, typer.Option(min=0, help="the same by trials: the same result each time")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="processes; 0 for as many as there are cores, two at most")] = 0,
    restart: Annotated[bool, typer.Option("--restart", help="drop what a training that did not end has left")] = False,
) -> None:
    """Train a model release on audited notes. Killed and started again, it goes on where it was."""
    from codeassist.release import MANIFEST
    from codeassist.settings import settings
    from training.fingerprint import data_record
    from training.fit import fit
    from training.fitting.context import Options
    from training.fitting.pool import Pool
    from training.fitting.prior import prior_release, with_phrases
    from training.fitting.work import WorkFolder
    from training.registry.folder import open_registry
    from training.site import checked_site, store_of_site
    from training.terms import learn_terms

    if card is not None and not card.is_file():
        raise InputError(f"there is no file {card}")
    if labels not in ("terminology", "audited"):
        raise InputError(f"--labels must be terminology or audited, not {labels!r}")
    if out.parent.resolve() == settings().registry_dir.resolve() and (out / MANIFEST).is_file():
        # a service may have its files mapped, and the log names it by its hash
        raise InputError(f"the registry has a release {out.name} already: give another --out")
    if search and search_trials:
        raise InputError("give --search or --search-trials, not both")
    started = time.monotonic()
    site = checked_site(settings().site_dir)
    store = store_of_site(site)
    prior = open_registry().path(from_release).absolute() if from_release else None
    facts = {
        "seed": seed,
        "data": [data_record(p, licence) for p in audited],
        "terms": [data_record(p, "US government work or CC0: see the card") for p in terms or []],
        "libraries": {"python": platform.python_version(), **{n: metadata.version(n) for n in _LIBRARIES}},
        "terminology": store.releases,
        **({"site": {"sha256": site.sha256}} if site else {}),
        **({"from_release": _identity(prior)} if prior else {}),
        **({"mention_detectors": list(settings().mention_detectors)} if settings().mention_detectors else {}),
    }
    options = Options(labels == "audited", seed, str(prior) if prior else None, search_trials, search)
    with (
        WorkFolder(out.absolute().with_name(f"{out.name}.work"), _plan(facts, options), restart) as work,
        Pool(workers or min(_MOST_WORKERS, os.cpu_count() or 1)) as pool,
    ):
        if work.resumed:
            _say(f"going on with {work.resumed} pieces that are finished")
        phrases = learn_terms(terms or [], store)
        if prior:
            phrases = with_phrases(phrases, prior_release(str(prior)))
        try:
            fitted = fit(work, _notes(audited, site), store, phrases, options, pool, _say)
        except InputError:
            work.remove()  # notes that can't be trained on have to change: nothing could go on from here
            raise
        _say("writing the release")
        _save(out, fitted, name, version, options.audited_labels, phrases, facts, site, _profile(work.folder))
        from training.card import write_card

        write_card(out, card.read_text(encoding="utf-8") if card else "")
        work.remove()
    typer.echo(f"trained on {fitted.seen['notes']} notes in {time.monotonic() - started:.0f} s: {out}")


def _plan(facts: dict[str, Any], options: Any) -> dict[str, Any]:
    """What the pieces of a training depend on: with anything else they are of no use."""
    from dataclasses import asdict

    from codeassist.ranking.features import FEATURES
    from training.fitting.survey import SHARD

    return {**facts, "options": asdict(options), "features": list(FEATURES), "shard": SHARD}


def _identity(folder: Path) -> dict[str, Any]:
    from codeassist.release import check_release
    from codeassist.settings import settings
    from training.fingerprint import lineage_record

    manifest, sha256 = check_release(folder, settings().trusted_keys)
    return lineage_record(manifest, sha256)


def _notes(paths: Sequence[Path], site: Site | None) -> Iterator[AuditedNote]:
    from training.audited import read_audited
    from training.site import localised

    for path in paths:
        for note in read_audited(path):
            yield note if site is None else localised(note, site)


def _profile(folder: Path) -> dict[str, Any]:
    """What the notes of a work folder are like, read once more as a stream."""
    from codeassist.drift import profile_of
    from training.fitting.survey import shard_notes, surveyed

    notes = (n for shard in range(surveyed(folder).shards) for n in shard_notes(folder, shard))
    return profile_of((n.note, [(c.system, c.key) for c in n.codes]) for n in notes).as_record()


def _save(
    out: Path,
    fitted: Fitted,
    name: str,
    version: str,
    audited_labels: bool,
    phrases: Any,
    facts: dict[str, Any],
    site: Site | None,
    profile: dict[str, Any],
) -> None:
    from codeassist.release import save_release
    from training.fingerprint import environment_record

    save_release(
        out,
        name=name,
        version=version,
        labels=fitted.labels,
        shares=fitted.shares,
        audited_labels=audited_labels,
        lessons=fitted.lessons,
        phrases=phrases,
        rankers=fitted.rankers,
        site=site.folder if site else None,
        profile=profile,
        facts={
            **facts,
            "environment": environment_record(),
            "notes": fitted.seen["notes"],
            "seen": fitted.seen,
            **({"search": fitted.searches} if fitted.searches else {}),
            **({"kept_rankers": list(fitted.kept)} if fitted.kept else {}),
            "metrics": {"out_of_fold": fitted.metrics},
        },
    )


def _say(stage: str) -> None:
    typer.echo(stage, err=True)
