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


FOLDS = 5
BOOSTERS = 2
"""Classifiers whose mean a ranker for the notes of one site is: which columns a tree may look at is drawn, and the mean
of two drawings puts codes in a better order than one (``codeassist accuracy``, mean average precision on CodiEsp: .601
and .512 for diagnoses and procedures, with one .599 and .507). A general one is smaller and has one."""


@dataclass(slots=True)
class Examples:
    """Candidates of audited notes that a ranker is fitted on.

    ``target`` is 1 where the coder has the code, ``note`` numbers the notes (folds never share one), ``weight`` is how
    much each candidate counts. A ``general`` ranker is for notes of other sites: it leaves out :data:`IDENTITY` and
    moves only upwards with what speaks for a code. ``parameters`` are the classifier's own.
    """

    matrix: np.ndarray
    target: np.ndarray
    note: np.ndarray
    seed: int
    weight: np.ndarray | None = None
    general: bool = False
    parameters: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.general:
            self.matrix = self.matrix.copy()
            self.matrix[:, [COLUMN[name] for name in IDENTITY]] = 0

    @property
    def folds(self) -> int:
        """How many folds the notes make."""
        return min(FOLDS, len(np.unique(self.note)))

    @property
    def both_in_each_fold(self) -> bool:
        """Whether right and wrong candidates are left to fit on when any one fold is taken away."""
        return all(len(np.unique(self.target[train])) > 1 for train, _ in self._splits())

    def out_of_fold(self, fold: int) -> tuple[np.ndarray, np.ndarray]:
        """The places of a fold's candidates, and their scores by a classifier fitted on the other folds."""
        train, test = self._splits()[fold]
        return test, expit(np.mean([m.decision_function(self.matrix[test]) for m in self._fitted(train)], axis=0))

    def forest(self) -> Forest:
        """The trees fitted on all candidates."""
        forest, *others = (forest_of(m) for m in self._fitted(slice(None)))
        for n, other in enumerate(others, 1):
            forest = joined(forest, other, (n / (n + 1), 1 / (n + 1), 0.0))
        return forest

    def _splits(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return list(GroupKFold(self.folds).split(self.matrix, self.target, self.note))

    def _fitted(self, at: np.ndarray | slice) -> list[HistGradientBoostingClassifier]:
        matrix, target = self.matrix[at], self.target[at]
        weight = None if self.weight is None else self.weight[at]
        models = []
        for seed in range(self.seed, self.seed + (1 if self.general else BOOSTERS)):
            model = new_classifier(seed, len(target), self.general).set_params(**self.parameters or {})
            with threadpool_limits(1):  # sums in one order: the same seed gives the same bytes on any number of cores
                models.append(model.fit(matrix, target, weight))
        return models


def fit_ranker(
    matrix: np.ndarray, target: np.ndarray, note: np.ndarray, missed: int, seed: int
) -> tuple[Ranker, np.ndarray]:
    """Fit on :class:`Examples`, one classifier after the other, and put them together by :func:`ranker_of`."""
    examples = Examples(matrix, target, note, seed)
    out = np.zeros(len(target))
    for fold in range(examples.folds):
        places, scores = examples.out_of_fold(fold)
        out[places] = scores
    return ranker_of(examples, out, examples.forest(), missed)


def ranker_of(
    examples: Examples, out: np.ndarray, forest: Forest, missed: int, prior: Forest | None = None
) -> tuple[Ranker, np.ndarray]:
    """A ranker of the trees fitted on all examples, and the probabilities out of fold.

    Calibration and threshold come from ``out``, the scores out of fold; ``missed`` counts gold codes that were no
    candidate. ``prior`` is the forest of another release that has not seen these notes: what it says counts as much as
    helps out of fold.
    """
    if prior is not None:
        own, before = _log_odds(out).ravel(), prior.log_odds(examples.matrix)
        weights = blend(own, before, examples.target, examples.weight)
        out = expit(weights[0] * own + weights[1] * before + weights[2])
        forest = joined(forest, prior, weights)
    knots, values = fit_calibration(out, examples.target)
    probability = calibrate(out, knots, values)
    return Ranker(forest, knots, values, best_threshold(probability, examples.target, missed)), probability


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
