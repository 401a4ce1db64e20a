"""The classifier over the features, its calibration, and the thresholds of the tiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from codeassist.ranking.blending import blend, joined
from codeassist.ranking.features import COLUMN, FEATURES
from codeassist.ranking.forest import LEAVES, Forest, forest_of

_ENOUGH_FOR_ISOTONIC = 3000
_AS_GOOD = 0.005
GROUPS = ("diagnosis", "procedure")
"""Each has a ranker of its own: ICD-10-CM, and the three procedure systems."""


def group_of(system: str) -> str:
    """Which ranker ranks a code system."""
    return "diagnosis" if system == "icd-10-cm" else "procedure"


@dataclass(slots=True)
class Ranker:
    """A scikit-learn classifier as arrays, an isotonic calibration as two arrays, and the least probability of tier
    ``code``."""

    forest: Forest
    knots: np.ndarray
    values: np.ndarray
    threshold: float

    def probability(self, matrix: np.ndarray) -> np.ndarray:
        """The calibrated chance, 0 to 1, that a coder accepts each candidate."""
        if not len(matrix):
            return np.zeros(0)
        return calibrate(self.forest.probability(matrix), self.knots, self.values)


def fit_calibration(raw: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A calibration map as knots and values: isotonic where there is much to learn from, else Platt's sigmoid."""
    if target.sum() >= _ENOUGH_FOR_ISOTONIC:
        isotonic = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, target)
        return np.asarray(isotonic.X_thresholds_, float), np.asarray(isotonic.y_thresholds_, float)
    knots = np.linspace(0.0005, 0.9995, 400)
    platt = LogisticRegression(C=1e6).fit(_log_odds(raw), target)
    return knots, np.asarray(platt.predict_proba(_log_odds(knots))[:, 1])


def _log_odds(probability: np.ndarray) -> np.ndarray:
    clipped = np.clip(probability, 1e-5, 1 - 1e-5)
    return np.asarray(np.log(clipped / (1 - clipped))).reshape(-1, 1)


def calibrate(raw: np.ndarray, knots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The isotonic map, with a little of the raw score kept so that no two candidates tie by it."""
    return np.asarray(np.clip(np.interp(raw, knots, values) * 0.999 + raw * 0.001, 0.0, 1.0))


def new_classifier(seed: int, rows: int, general: bool) -> HistGradientBoostingClassifier:
    """The classifier before it is fitted; smaller and monotonic where it must carry over to other notes."""
    if general:
        signs = [1 if f in _RISING else -1 if f in _FALLING else 0 for f in FEATURES]
        return HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=180,
            max_leaf_nodes=8,
            min_samples_leaf=30,
            l2_regularization=2.0,
            max_features=0.3,
            monotonic_cst=signs,
            random_state=seed,
            early_stopping=False,
        )
    return HistGradientBoostingClassifier(
        learning_rate=0.06,
        max_iter=260,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=20 if rows > 20_000 else 10,
        l2_regularization=2.0,
        max_features=0.5,
        random_state=seed,
        early_stopping=False,
    )


IDENTITY = ("chapter", "code_letter", "code_depth", "is_unspecified", "attributes_open")
"""Features that tell codes, or unspecified codes, apart by themselves. With few notes a ranker learns from them which
codes its notes happen to hold, so a model for other sites leaves them out."""
_RISING = (
    "mentions_assessment",
    "mentions_admission",
    "mentions_present",
    "match_words",
    "attributes_matched",
    "opens_line",
    "opens_assessment_line",
    "fills_line",
    "treated_nearby",
    "combines",
    "taught_best",
    "taught_sentence",
    "taught_note",
    "taught_assessment",
    "taught_asserted",
    "taught_agrees",
    "note_score",
    "sentence_score",
    "sentence_total",
    "label_share",
    "beats_sibling",
)
_FALLING = (
    "mentions_negated",
    "mentions_family",
    "mentions_hypothetical",
    "match_nested",
    "replaced",
    "match_readings",
    "category_rank",
    "mentions_ros",
    "mentions_aside",
    "integral",
)


def fit_ranker(
    matrix: np.ndarray,
    target: np.ndarray,
    note: np.ndarray,
    missed: int,
    seed: int,
    weight: np.ndarray | None = None,
    general: bool = False,
    prior: Forest | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> tuple[Ranker, np.ndarray]:
    """Fit on candidates of audited notes.

    ``target`` is 1 where the coder has the code, ``note`` numbers the notes (folds never share one), ``missed``
    counts gold codes that were no candidate. A ``general`` ranker is for notes of other sites: it leaves out
    :data:`IDENTITY` and moves only upwards with what speaks for a code. Calibration and threshold come from the
    out-of-fold scores, which are returned with the ranker. ``prior`` is the forest of another release that has not
    seen these notes: what it says counts as much as helps out of fold. ``parameters`` are the classifier's own.
    """
    if general:
        matrix = matrix.copy()
        matrix[:, [COLUMN[name] for name in IDENTITY]] = 0
    folds = min(5, len(np.unique(note)))
    out = np.zeros(len(target))
    with threadpool_limits(1):  # sums in one order: the same seed gives the same bytes on any number of cores
        for train, test in GroupKFold(folds).split(matrix, target, note):
            model = new_classifier(seed, len(train), general).set_params(**parameters or {})
            model.fit(matrix[train], target[train], None if weight is None else weight[train])
            out[test] = model.predict_proba(matrix[test])[:, 1]
        final = new_classifier(seed, len(target), general).set_params(**parameters or {}).fit(matrix, target, weight)
    forest = forest_of(final)
    if prior is not None:
        own, before = _log_odds(out).ravel(), prior.log_odds(matrix)
        weights = blend(own, before, target, weight)
        out = expit(weights[0] * own + weights[1] * before + weights[2])
        forest = joined(forest, prior, weights)
    knots, values = fit_calibration(out, target)
    probability = calibrate(out, knots, values)
    return Ranker(forest, knots, values, best_threshold(probability, target, missed)), probability


def best_threshold(probability: np.ndarray, target: np.ndarray, missed: int) -> float:
    """The probability from which coding gives the best micro-F1, gold codes that were missed counted in.

    The curve is flat around its top, and where exactly the top lies is chance: the middle of the stretch that comes
    within :data:`_AS_GOOD` of it is steadier from one sample of notes to the next.
    """
    if not len(probability):
        return 0.5
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(target[order])
    gold = target.sum() + missed
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + max(gold, 1))
    good = probability[order[f1 >= f1.max() - _AS_GOOD]]
    return float((good.min() + good.max()) / 2)
