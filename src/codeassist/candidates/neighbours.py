"""A whole-note linear classifier in its dual form: which labels notes with the same words have had.

Kernel ridge regression on TF-IDF cosines (scikit-learn's ``KernelRidge`` gives the dual coefficients), one
output a label. The dual keeps it small when labels outnumber notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.kernel_ridge import KernelRidge

from codeassist.candidates.associations import association_keys
from codeassist.nlp.annotations import Content

BUCKETS = 1 << 18


def note_counts(contents: Sequence[Content]) -> np.ndarray:
    """Bucket numbers of a note's words and adjacent pairs, with repetitions."""
    buckets = []
    for content in contents:
        if len(content.value):
            keys = association_keys(content)
            buckets.append(keys.key[(keys.last - keys.first) < 2] % np.uint64(BUCKETS))
    return np.concatenate(buckets).astype(np.int64) if buckets else np.zeros(0, dtype=np.int64)


@dataclass(slots=True)
class Neighbours:
    """Training notes as TF-IDF rows (CSR, unit length), the inverse document frequencies, and for every training
    note and label the dual coefficient."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    idf: np.ndarray
    dual: np.ndarray

    def scores(self, counts: np.ndarray) -> np.ndarray:
        """The score of every label for a note, given :func:`note_counts`."""
        if not len(counts) or not len(self.dual):
            return np.zeros(self.dual.shape[1] if self.dual.ndim == 2 else 0, dtype=np.float32)
        bucket, number = np.unique(counts, return_counts=True)
        values = (1 + np.log(number)) * self.idf[bucket]
        norm = np.sqrt((values**2).sum()) or 1.0
        vector = np.zeros(BUCKETS, dtype=np.float32)
        vector[bucket] = values / norm
        products = np.asarray(self.data) * vector[self.indices]
        sums = np.concatenate([[0.0], np.cumsum(products, dtype=np.float64)])
        similarity = sums[self.indptr[1:]] - sums[self.indptr[:-1]]
        return np.asarray(similarity.astype(np.float32) @ self.dual.astype(np.float32))


def no_neighbours() -> Neighbours:
    """Neighbours that score no label."""
    empty = np.zeros(0, dtype=np.float32)
    return Neighbours(
        empty,
        np.zeros(0, dtype=np.int32),
        np.zeros(1, dtype=np.int64),
        empty,
        np.zeros((0, 0), dtype=np.float16),
    )


def learn_neighbours(counts: Sequence[np.ndarray], labels: np.ndarray, alpha: float = 0.4) -> Neighbours:
    """Fit on the counts of notes and their 0/1 label matrix (notes by labels)."""
    rows, columns, values = [], [], []
    for i, c in enumerate(counts):
        bucket, number = np.unique(c, return_counts=True)
        rows.append(np.full(len(bucket), i))
        columns.append(bucket)
        values.append(1 + np.log(number))
    matrix = sparse.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(len(counts), BUCKETS)
    )
    present = np.asarray((matrix > 0).sum(axis=0)).ravel()
    idf = (np.log((1 + len(counts)) / (1 + present)) + 1).astype(np.float32)
    matrix = matrix @ sparse.diags(idf)
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    matrix = sparse.csr_matrix(sparse.diags(1 / np.maximum(norms, 1e-9)) @ matrix)
    kernel = (matrix @ matrix.T).toarray()
    ridge = KernelRidge(alpha=alpha, kernel="precomputed").fit(kernel, labels)
    return Neighbours(
        matrix.data.astype(np.float32),
        matrix.indices.astype(np.int32),
        matrix.indptr.astype(np.int64),
        idf,
        np.asarray(ridge.dual_coef_, dtype=np.float16),
    )
