"""A search for the parameters of the rankers, on the features that are made already, with a budget.

Random search (Bergstra and Bengio 2012): each trial draws parameters by the seed and its number, and is measured by its
log loss on notes that it was not fitted on. Trial 0 has the parameters that hold without a search.
"""

from __future__ import annotations

import json
import math
import time
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold

from codeassist.ranking.ranker import GROUPS, best_threshold, new_classifier
from training.fitting.context import Options
from training.fitting.features import rows_of_ranker
from training.fitting.learning import options_of
from training.fitting.pool import Pool
from training.fitting.stages import Say, run_stage
from training.fitting.work import WorkFolder, write_piece

MOST_ROWS = 60_000
"""Candidates that a trial is measured on; whole notes, the first in the order of the rows."""
_FOLDS = 3
_LEAST = 20
"""Right candidates, and wrong ones, that a trial needs."""
_CHOICES: dict[str, tuple[float, ...]] = {
    "max_leaf_nodes": (4, 6, 8, 12, 16),
    "min_samples_leaf": (10, 20, 30, 50, 80),
    "l2_regularization": (0.5, 1.0, 2.0, 5.0, 10.0),
    "max_features": (0.2, 0.3, 0.5, 0.8),
}
_RATES = (0.02, 0.12)
_ITERATIONS = (100, 401)


def drawn(seed: int, trial: int) -> dict[str, Any]:
    """The parameters of a trial; those of trial 0 are none."""
    if trial == 0:
        return {}
    chance = np.random.default_rng([seed, trial])
    found: dict[str, Any] = {name: chance.choice(values).item() for name, values in _CHOICES.items()}
    for name in ("max_leaf_nodes", "min_samples_leaf"):
        found[name] = int(found[name])
    found["learning_rate"] = round(float(np.exp(chance.uniform(*np.log(_RATES)))), 4)
    found["max_iter"] = int(chance.integers(*_ITERATIONS))
    return found


def run_trial(task: tuple[Path, tuple[str, int]]) -> None:
    """Measure one trial of one ranker, out of fold."""
    folder, (group, trial) = task
    options = options_of(folder)
    rows = rows_of_ranker(folder, group, options.seed)
    kept = np.isin(rows.group, rows.group[:MOST_ROWS]) if len(rows.target) > MOST_ROWS else slice(None)
    matrix, target, weight, groups = rows.matrix[kept], rows.target[kept], rows.weight[kept], rows.group[kept]
    result: dict[str, Any] = {"trial": trial, "parameters": drawn(options.seed, trial), "log_loss": math.inf, "f1": 0.0}
    if min(target.sum(), (1 - target).sum()) >= _LEAST and len(np.unique(groups)) >= _FOLDS:
        out = np.zeros(len(target))
        for train, test in GroupKFold(_FOLDS).split(matrix, target, groups):
            model = new_classifier(options.seed, len(train), not options.audited_labels)
            model.set_params(**result["parameters"]).fit(matrix[train], target[train], weight[train])
            out[test] = model.predict_proba(matrix[test])[:, 1]
        coded = out >= best_threshold(out, target, 0)
        result["log_loss"] = float(log_loss(target, out, sample_weight=weight))
        result["f1"] = float(2 * target[coded].sum() / (coded.sum() + target.sum()))
    write_piece(folder, _piece(group, trial), {"result.json": json.dumps(result).encode()})


def search(work: WorkFolder, pool: Pool, options: Options, say: Say) -> dict[str, Any]:
    """Try parameters for each ranker until the trials or the minutes are used up, and keep the best. A search by
    trials gives the same result each time; one by minutes depends on the machine."""
    found = {}
    for group in GROUPS:
        if not work.has(f"searched/{group}"):
            trials = _by_trials(work, pool, group, options, say)
            best = min(trials, key=lambda t: (t["log_loss"], t["trial"]))
            record = {"trials": len(trials), "best": best, "without": trials[0]}
            write_piece(work.folder, f"searched/{group}", {"result.json": json.dumps(record).encode()})
            work.finish(f"searched/{group}")
        found[group] = json.loads((work.folder / "searched" / group / "result.json").read_bytes())
    return found


def _by_trials(work: WorkFolder, pool: Pool, group: str, options: Options, say: Say) -> list[dict[str, Any]]:
    minutes = options.search_minutes / len(GROUPS)
    ends = time.monotonic() + 60 * minutes
    done = 0
    what = f"search: {group}"
    if options.search_trials:
        done = options.search_trials + 1
        run_stage(work, pool, run_trial, {_piece(group, t): (group, t) for t in range(done)}, what, say)
    else:
        for t in count():
            run_stage(work, pool, run_trial, {_piece(group, t): (group, t)}, what, say)
            done = t + 1
            if time.monotonic() > ends:
                break
    return [json.loads((work.folder / _piece(group, t) / "result.json").read_bytes()) for t in range(done)]


def _piece(group: str, trial: int) -> str:
    return f"search/{group}-{trial:04}"


def parameters_found(folder: Path, group: str) -> dict[str, Any] | None:
    """The best parameters of a search, if there was one."""
    found = folder / "searched" / group / "result.json"
    if not found.is_file():
        return None
    parameters: dict[str, Any] = json.loads(found.read_bytes())["best"]["parameters"]
    return parameters
