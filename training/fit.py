"""Fits a release: lessons and rankers, the rankers on features made out of fold.

Every stage leaves pieces in a work folder (:mod:`training.fitting.work`); what is there already is not done again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from codeassist.candidates.lessons import Lessons
from codeassist.errors import InputError
from codeassist.ranking.forest import Forest
from codeassist.ranking.ranker import FOLDS, GROUPS, Examples, Ranker, ranker_of
from codeassist.release import LearnedPhrases
from codeassist.terminology.store import Store
from training.audited import AuditedNote
from training.fitting.context import Options, save_options
from training.fitting.features import Rows, make_rows, ranked_notes, rows_of_ranker, shards_with_rows
from training.fitting.folds import make_folds, variants
from training.fitting.learning import associate_range, learn_variant, learnt, options_of
from training.fitting.pool import Pool
from training.fitting.prior import prior_release
from training.fitting.reading import MOST_COMPARED, piece, read_shard
from training.fitting.search import parameters_found, search
from training.fitting.stages import Say, run_stage
from training.fitting.survey import Survey, survey
from training.fitting.work import WorkFolder, load, write_piece

_TREES = ("feature", "threshold", "mask", "leaf")
_LEAST = 5
"""Right candidates, and wrong ones, that a ranker needs."""


@dataclass(slots=True)
class Fitted:
    """What a release is made of, how its rankers did out of fold, and how much of the notes each part has seen.

    ``kept`` names the rankers that are those of the release before, because the notes were too few to fit one.
    """

    labels: list[tuple[str, str]]
    shares: np.ndarray
    lessons: Lessons
    rankers: dict[str, Ranker]
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    searches: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)


def fit(
    work: WorkFolder,
    notes: Iterable[AuditedNote],
    store: Store,
    phrases: LearnedPhrases,
    options: Options,
    pool: Pool,
    say: Say = lambda stage: None,
) -> Fitted:
    """Fit everything on ``notes``, which are read once, as a stream; the same notes, options and versions give the
    same release, on any number of workers and however often it was interrupted. Raises :class:`InputError` for notes
    that nothing can be learnt from."""
    found = prepare(work, notes, store, phrases, options, pool, say)
    searches = {}
    if options.search_trials or options.search_minutes:
        searches = search(work, pool, options, say)
    parts = {_part(g, p): (g, p) for g in GROUPS for p in range(FOLDS + 1)}
    run_stage(work, pool, fit_part, parts, "trees of the rankers", say)
    run_stage(work, pool, fit_group, {f"ranker/{g}": g for g in GROUPS}, "rankers", say)
    rankers, metrics, kept = {}, {}, []
    before = prior_release(options.prior).rankers if options.prior else {}
    for group in GROUPS:
        ranker, figures = load_ranker(work.folder, group)
        if ranker is not None:
            rankers[group], metrics[group] = ranker, figures
            continue
        say(f"{group} codes: too few of the notes' codes, or of others, were candidates to fit a ranker")
        if group in before:
            say(f"{group} codes: the ranker of the release that the training begins from stays")
            rankers[group] = before[group]
            kept.append(group)
    if not metrics:
        raise InputError(
            f"nothing can be learnt from these notes: at least {_LEAST} of their codes, of two patients or more, and "
            f"{_LEAST} codes that they do not have, must be candidates"
        )
    last = learnt(work.folder, variants(work.folder) - 1)
    return Fitted(found.labels, *last, rankers, metrics, tuple(kept), searches, _seen(found, metrics, options))


def prepare(
    work: WorkFolder,
    notes: Iterable[AuditedNote],
    store: Store,
    phrases: LearnedPhrases,
    options: Options,
    pool: Pool,
    say: Say = lambda stage: None,
) -> Survey:
    """Everything before the rankers: the notes read, associations learnt, features made."""
    folder = work.folder
    save_options(work, options, phrases)
    say("copying the notes")
    known = prior_release(options.prior).labels if options.prior else ()
    found = survey(work, notes, store, options.audited_labels, known)
    run_stage(work, pool, read_shard, {piece(s): s for s in range(found.shards)}, "reading notes", say)
    make_folds(work, found, options.seed)
    ranges = int(load(folder, "folds", "ranges")[0])
    run_stage(work, pool, associate_range, {f"ranges/{r:05}": r for r in range(ranges)}, "associations", say)
    run_stage(work, pool, learn_variant, {f"learnt/{v}": v for v in range(variants(folder))}, "what folds teach", say)
    shards = shards_with_rows(folder, options.seed)
    run_stage(work, pool, make_rows, {f"rows/{s:05}": s for s in shards}, "features out of fold", say)
    return found


def _seen(found: Survey, metrics: dict[str, dict[str, float]], options: Options) -> dict[str, int]:
    rows = {f"candidates_{group}": int(m["candidates"]) for group, m in metrics.items()}
    compared = min(found.notes, MOST_COMPARED) if options.audited_labels else 0
    ranked = len(ranked_notes(found.notes, options.seed))
    return {"notes": found.notes, "ranked_notes": ranked, "compared_notes": compared, **rows}


def fit_part(task: tuple[Path, tuple[str, int]]) -> None:
    """Fit one ranker without one fold, for its scores of that fold's candidates, or at last on all candidates."""
    folder, (group, part) = task
    files: dict[str, np.ndarray | bytes] = {}
    examples = _examples(folder, group, rows_of_ranker(folder, group, options_of(folder).seed))
    if examples is not None and part == FOLDS:
        forest = examples.forest()
        files = {name: getattr(forest, name) for name in _TREES} | {"baseline": np.array(forest.baseline)}
    elif examples is not None and part < examples.folds:
        places, scores = examples.out_of_fold(part)
        files = {"places": places.astype(np.int32), "scores": scores}
    write_piece(folder, _part(group, part), files)


def _part(group: str, part: int) -> str:
    return f"fits/{group}-{part}"


def _examples(folder: Path, group: str, rows: Rows) -> Examples | None:
    """What a ranker is fitted on, unless it is too little."""
    options = options_of(folder)
    right = int(rows.target.sum())
    if min(right, len(rows.target) - right) < _LEAST or len(np.unique(rows.group)) < 2:
        return None
    parameters = parameters_found(folder, group)
    general = not options.audited_labels
    examples = Examples(rows.matrix, rows.target, rows.group, options.seed, rows.weight, general, parameters)
    return examples if examples.both_in_each_fold else None


def fit_group(task: tuple[Path, str]) -> None:
    """Put one ranker together from what was fitted, and write it with its figures."""
    folder, group = task
    options = options_of(folder)
    rows = rows_of_ranker(folder, group, options.seed)
    examples = _examples(folder, group, rows)
    files: dict[str, np.ndarray | bytes] = {"metrics.json": b"{}"}
    if examples is not None:
        out = np.zeros(len(rows.target))
        for part in range(examples.folds):
            out[load(folder, _part(group, part), "places")] = load(folder, _part(group, part), "scores")
        prior = prior_release(options.prior).rankers.get(group) if options.prior else None
        before = prior.forest if prior else None
        ranker, probability = ranker_of(examples, out, _forest(folder, _part(group, FOLDS)), rows.missed, before)
        figures = _figures(rows.target, probability, ranker.threshold, rows.missed)
        files = {name: getattr(ranker.forest, name) for name in _TREES}
        files |= {"knots": ranker.knots, "values": ranker.values, "baseline": np.array(ranker.forest.baseline)}
        files["metrics.json"] = json.dumps(figures).encode()
    write_piece(folder, f"ranker/{group}", files)


def _forest(folder: Path, name: str) -> Forest:
    trees = {part: load(folder, name, part) for part in _TREES}
    return Forest(**trees, baseline=float(load(folder, name, "baseline")))


def load_ranker(folder: Path, group: str) -> tuple[Ranker | None, dict[str, float]]:
    """A ranker that was fitted, and its figures out of fold."""
    name = f"ranker/{group}"
    figures = json.loads((folder / name / "metrics.json").read_bytes())
    if not figures:
        return None, {}
    forest = _forest(folder, name)
    return Ranker(forest, load(folder, name, "knots"), load(folder, name, "values"), figures["threshold"]), figures


def _figures(target: np.ndarray, probability: np.ndarray, threshold: float, missed: int) -> dict[str, float]:
    coded = probability >= threshold
    true = float(target[coded].sum())
    gold = float(target.sum()) + missed
    precision, recall = true / max(1.0, float(coded.sum())), true / max(1.0, gold)
    return {
        "candidates": float(len(target)),
        "candidate_recall": float(target.sum()) / max(1.0, gold),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(1e-9, precision + recall),
        "threshold": threshold,
    }
