"""One forest from two: a site's own, and the one of the release that it began from."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from codeassist.ranking.forest import LEAVES, Forest


def blend(
    own: np.ndarray, prior: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None
) -> tuple[float, float, float]:
    """How much the log-odds of a site's ranker (out of fold) and of the prior one count, and a constant to add: the
    weights of a logistic regression. A weight below zero is taken for none."""
    model = LogisticRegression(C=1e3).fit(np.column_stack([own, prior]), target, weight)
    a, b = model.coef_[0]
    for one, column in ((a, 1), (b, 0)):
        if one < 0:
            single = LogisticRegression(C=1e3).fit((own, prior)[column].reshape(-1, 1), target, weight)
            kept = max(0.0, float(single.coef_[0, 0]))
            return (0.0, kept, float(single.intercept_[0])) if column else (kept, 0.0, float(single.intercept_[0]))
    return float(a), float(b), float(model.intercept_[0])


def joined(own: Forest, prior: Forest, weights: tuple[float, float, float]) -> Forest:
    """The forest whose log-odds are the weighted sum of both forests' and the constant."""
    a, b, constant = weights
    inner = max(len(own.feature), len(prior.feature))

    def together(name: str, fill: float) -> np.ndarray:
        parts = []
        for forest in (own, prior):
            values = np.asarray(getattr(forest, name))
            # an inner node that no value passes, and that leaves every leaf, changes nothing
            padding = np.full((inner - len(values), values.shape[1]), fill, dtype=values.dtype)
            parts.append(np.concatenate([values, padding]))
        return np.concatenate(parts, axis=1)

    return Forest(
        feature=together("feature", 0),
        threshold=together("threshold", np.inf),
        mask=together("mask", (1 << LEAVES) - 1),
        leaf=np.concatenate([own.leaf * a, prior.leaf * b]),
        baseline=a * own.baseline + b * prior.baseline + constant,
    )
