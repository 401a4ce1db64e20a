"""The classifier over the features, its calibration, and the thresholds of the tiers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import GroupKFold

GROUPS = ("diagnosis", "procedure")
"""Each has a ranker of its own: ICD-10-CM, and the three procedure systems."""


def group_of(system: str) -> str:
    """Which ranker ranks a code system."""
    return "diagnosis" if system == "icd-10-cm" else "procedure"


@dataclass(slots=True)
class Ranker:
    """A scikit-learn classifier, an isotonic calibration as two arrays, and the least probability of tier ``code``."""

    classifier: HistGradientBoostingClassifier
    knots: np.ndarray
    values: np.ndarray
    threshold: float

    def probability(self, matrix: np.ndarray) -> np.ndarray:
        """The calibrated chance, 0 to 1, that a coder accepts each candidate."""
        if not len(matrix):
            return np.zeros(0)
        raw = self.classifier.predict_proba(matrix)[:, 1]
        return calibrate(raw, self.knots, self.values)


def calibrate(raw: np.ndarray, knots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The isotonic map, with a little of the raw score kept so that no two candidates tie by it."""
    return np.clip(np.interp(raw, knots, values) * 0.999 + raw * 0.001, 0.0, 1.0)


def new_classifier(seed: int, rows: int) -> HistGradientBoostingClassifier:
    """The classifier before it is fitted; smaller leaves where there is little to learn from."""
    return HistGradientBoostingClassifier(
        learning_rate=0.06,
        max_iter=260,
        max_leaf_nodes=15,
        min_samples_leaf=20 if rows > 20_000 else 10,
        l2_regularization=2.0,
        max_features=0.5,
        random_state=seed,
        early_stopping=False,
    )


def fit_ranker(
    matrix: np.ndarray, target: np.ndarray, note: np.ndarray, missed: int, seed: int, weight: np.ndarray | None = None
) -> tuple[Ranker, np.ndarray]:
    """Fit on candidates of audited notes.

    ``target`` is 1 where the coder has the code, ``note`` numbers the notes (folds never share one), ``missed``
    counts gold codes that were no candidate. Calibration and threshold come from the out-of-fold scores, which
    are returned with the ranker.
    """
    folds = min(5, len(np.unique(note)))
    out = np.zeros(len(target))
    for train, test in GroupKFold(folds).split(matrix, target, note):
        model = new_classifier(seed, len(train))
        model.fit(matrix[train], target[train], None if weight is None else weight[train])
        out[test] = model.predict_proba(matrix[test])[:, 1]
    isotonic = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(out, target)
    knots = np.asarray(isotonic.X_thresholds_, dtype=np.float64)
    values = np.asarray(isotonic.y_thresholds_, dtype=np.float64)
    probability = calibrate(out, knots, values)
    final = new_classifier(seed, len(target)).fit(matrix, target, weight)
    return Ranker(final, knots, values, best_threshold(probability, target, missed)), probability


def best_threshold(probability: np.ndarray, target: np.ndarray, missed: int) -> float:
    """The probability from which coding gives the best micro-F1, gold codes that were missed counted in."""
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(target[order])
    gold = target.sum() + missed
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + max(gold, 1))
    return float(probability[order[int(np.argmax(f1))]]) if len(order) else 0.5
