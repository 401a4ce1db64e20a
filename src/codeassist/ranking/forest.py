"""Gradient-boosted trees as arrays, evaluated for all rows and trees at once.

scikit-learn's ``HistGradientBoostingClassifier`` is trained with at most 16 leaves a tree, so that a tree's
live leaves fit a 16-bit mask: every inner node whose test fails clears the leaves of its left side, and the
lowest bit left is the leaf reached (QuickScorer: Lucchese et al. 2015). Arrays can be mapped and shared, and
nothing is unpickled to serve.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

LEAVES = 16
_ALL = np.uint16(0xFFFF)
_BITS = 8
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
    _tests: tuple[np.ndarray, np.ndarray, np.ndarray] = field(init=False, repr=False)
    _live: list[np.ndarray] = field(init=False, repr=False)
    _value: np.ndarray | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Trees share most of their tests, which are done once a row: feature and threshold of each, and which one a
        node asks. The answers of up to eight nodes of a tree are the bits of a number, by which ``_live`` has the
        leaves that stay; where a tree has no more nodes, the number leads to the leaf's value at once (``_value``)."""
        pairs = np.stack([self.feature.astype(np.float32).ravel(), self.threshold.ravel()])
        tests, asked = np.unique(pairs, axis=1, return_inverse=True)
        self._tests = tests[0].astype(np.intp), tests[1][:, None], asked.reshape(self.feature.shape)
        self._live = []
        for first in range(0, len(self.mask), _BITS):
            live = np.full((self.mask.shape[1], 1), _ALL)
            for mask in self.mask[first : first + _BITS]:
                live = np.concatenate([live, live & mask[:, None]], axis=1)
            self._live.append(live)
        self._value = None
        if len(self._live) == 1:
            self._value = np.take_along_axis(self.leaf, _LOWEST[self._live[0]].astype(np.intp), axis=1)

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """The raw score of each row of a float32 matrix."""
        out = np.empty(len(matrix), dtype=np.float64)
        trees = np.arange(self.feature.shape[1], dtype=np.int32)[:, None]
        feature, threshold, _ = self._tests
        for start in range(0, len(matrix), _BLOCK):
            rows = np.ascontiguousarray(matrix[start : start + _BLOCK].T)
            right = (rows[feature] > threshold).view(np.uint8)
            if self._value is not None:
                values = _of_tree(self._value, self._answers(right, 0), trees)
            else:
                live = np.full((len(trees), rows.shape[1]), _ALL, dtype=np.uint16)
                for number, table in enumerate(self._live):
                    live &= _of_tree(table, self._answers(right, number), trees)
                values = _of_tree(self.leaf, _LOWEST[live], trees)
            out[start : start + _BLOCK] = values.sum(axis=0)
        return out + self.baseline

    def _answers(self, right: np.ndarray, number: int) -> np.ndarray:
        """The answers of each tree's nodes of one block of eight as bits, of shape (trees, rows)."""
        asked = self._tests[2][number * _BITS : (number + 1) * _BITS]
        bits: np.ndarray = right[asked[0]]
        for bit, test in enumerate(asked[1:], 1):
            bits |= right[test] << np.uint8(bit)
        return bits

    def probability(self, matrix: np.ndarray) -> np.ndarray:
        """The uncalibrated probability of each row."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.log_odds(matrix))))


def _of_tree(table: np.ndarray, column: np.ndarray, trees: np.ndarray) -> np.ndarray:
    """From a table with a row for each tree, the entries in the columns that each tree's row of ``column`` names."""
    return table.reshape(-1)[column + trees * np.int32(table.shape[1])]


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
