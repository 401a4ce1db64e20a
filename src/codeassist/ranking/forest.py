"""Gradient-boosted trees as arrays, evaluated for all rows and trees at once.

scikit-learn's ``HistGradientBoostingClassifier`` is trained with at most 16 leaves a tree, so that a tree's
live leaves fit a 16-bit mask: every inner node whose test fails clears the leaves of its left side, and the
lowest bit left is the leaf reached (QuickScorer: Lucchese et al. 2015). Arrays can be mapped and shared, and
nothing is unpickled to serve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

LEAVES = 16
_ALL = np.uint16(0xFFFF)
_BLOCK = 256
"""Rows evaluated together: keeps the working set in the cache."""


def _lowest_bits() -> np.ndarray:
    values = np.arange(1 << 16, dtype=np.uint32)
    low = np.zeros(1 << 16, dtype=np.uint8)
    low[1:] = np.log2(values[1:] & -values[1:].astype(np.int64)).astype(np.uint8)
    return low


_LOWEST = _lowest_bits()


@dataclass(slots=True)
class Forest:
    """Trees by inner nodes: feature, threshold (a value above it goes right) and the mask of leaves that stay, each of
    shape (inner nodes of the largest tree, trees); leaf values of shape (trees, 16) in log-odds; and the baseline."""

    feature: np.ndarray
    threshold: np.ndarray
    mask: np.ndarray
    leaf: np.ndarray
    baseline: float

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """The raw score of each row of a float32 matrix."""
        out = np.empty(len(matrix), dtype=np.float64)
        trees = self.feature.shape[1]
        base = np.arange(trees, dtype=np.int32) * LEAVES
        leaf = self.leaf.reshape(-1)
        for start in range(0, len(matrix), _BLOCK):
            rows = np.ascontiguousarray(matrix[start : start + _BLOCK].T)
            live = np.full((trees, rows.shape[1]), _ALL, dtype=np.uint16)
            for node in range(self.feature.shape[0]):
                right = rows[self.feature[node]] > self.threshold[node][:, None]
                live &= np.where(right, self.mask[node][:, None], _ALL)
            reached = _LOWEST[live] + base[:, None]
            out[start : start + _BLOCK] = leaf[reached].sum(axis=0)
        return out + self.baseline

    def probability(self, matrix: np.ndarray) -> np.ndarray:
        """The uncalibrated probability of each row."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.log_odds(matrix))))


def forest_of(classifier: HistGradientBoostingClassifier) -> Forest:
    """The arrays of a fitted classifier; raises ``ValueError`` when a tree has more than 16 leaves."""
    trees = [stage[0].nodes for stage in classifier._predictors]
    feature = np.zeros((LEAVES - 1, len(trees)), dtype=np.int16)
    threshold = np.full((LEAVES - 1, len(trees)), np.inf, dtype=np.float32)
    mask = np.full((LEAVES - 1, len(trees)), _ALL, dtype=np.uint16)
    leaf = np.zeros((len(trees), LEAVES), dtype=np.float64)
    for t, nodes in enumerate(trees):
        inner: list[tuple[int, int]] = []
        count = _leaves(nodes, 0, 0, leaf[t], inner)
        if count > LEAVES:
            raise ValueError(f"a tree has {count} leaves, more than {LEAVES}")
        for i, (node, left_leaves) in enumerate(inner):
            feature[i, t] = nodes[node]["feature_idx"]
            threshold[i, t] = _at_most(float(nodes[node]["num_threshold"]))
            mask[i, t] = _ALL & ~np.uint16(left_leaves)
    used = max((int(np.isfinite(threshold[:, t]).sum()) for t in range(len(trees))), default=0)
    feature, threshold, mask = feature[:used], threshold[:used], mask[:used]
    return Forest(feature, threshold, mask, leaf, float(classifier._baseline_prediction.ravel()[0]))


def _leaves(nodes: np.ndarray, node: int, first: int, values: np.ndarray, inner: list[tuple[int, int]]) -> int:
    """Number the leaves below ``node`` from ``first`` on, left to right; returns the number after the last."""
    if nodes[node]["is_leaf"]:
        if first < LEAVES:
            values[first] = nodes[node]["value"]
        return first + 1
    place = len(inner)
    inner.append((node, 0))
    middle = _leaves(nodes, int(nodes[node]["left"]), first, values, inner)
    inner[place] = (node, sum(1 << i for i in range(first, min(middle, LEAVES))))
    return _leaves(nodes, int(nodes[node]["right"]), middle, values, inner)


def _at_most(value: float) -> np.float32:
    """The largest float32 that does not exceed ``value``: float32 features then compare as they did in training."""
    single = np.float32(value)
    return single if float(single) <= value else np.nextafter(single, np.float32(-np.inf))
