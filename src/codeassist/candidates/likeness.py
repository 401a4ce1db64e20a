"""Linear classifiers of texts in their dual form: which codes notes, and sentences, with the same words have had.

Kernel ridge regression on TF-IDF cosines, one output a label. The dual keeps it small when labels outnumber texts.
Notes are told by their words and adjacent pairs; sentences by these and by the letters within their words, so that a
misspelt or inflected word still resembles itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse
from sklearn.feature_extraction.text import HashingVectorizer

from codeassist.candidates.associations import association_keys
from codeassist.nlp.annotations import Content
from codeassist.nlp.reading import ReadDocument

BUCKETS = 1 << 18
NOTE_PENALTY, SENTENCE_PENALTY = 0.4, 1.0
"""Ridge penalties, from cross-validation on audited notes."""
_BLOCK = 500
_WORDS = HashingVectorizer(
    n_features=BUCKETS, alternate_sign=False, norm=None, token_pattern=r"\w+", ngram_range=(1, 2)
)
_LETTERS = HashingVectorizer(
    n_features=BUCKETS, alternate_sign=False, norm=None, analyzer="char_wb", ngram_range=(3, 5)
)


def note_counts(contents: Sequence[Content]) -> np.ndarray:
    """Bucket numbers of a note's words and adjacent pairs, with repetitions."""
    buckets = []
    for content in contents:
        if len(content.value):
            keys = association_keys(content)
            buckets.append(keys.key[(keys.last - keys.first) < 2] % np.uint64(BUCKETS))
    return np.concatenate(buckets).astype(np.int64) if buckets else np.zeros(0, dtype=np.int64)


def sentence_spans(part: ReadDocument) -> list[tuple[int, int]]:
    """Start and end of every sentence of a document, as offsets into its text."""
    notes = part.notes
    if not len(notes):
        return []
    first = np.flatnonzero(np.diff(notes.sentence, prepend=-1))
    last = np.append(first[1:], len(notes)) - 1
    return list(zip(notes.start[first].tolist(), notes.end[last].tolist(), strict=True))


def sentence_counts(part: ReadDocument) -> list[np.ndarray]:
    """For every sentence of a document the bucket numbers of its words, adjacent pairs and runs of three to five
    letters, with repetitions."""
    return text_counts([part.document.text[start:end] for start, end in sentence_spans(part)])


def text_counts(texts: Sequence[str]) -> list[np.ndarray]:
    """The same of texts that are like sentences."""
    if not texts:
        return []
    counts = _WORDS.transform(texts) + _LETTERS.transform(texts)
    counts.sort_indices()
    rows = np.split(np.repeat(counts.indices, counts.data.astype(np.int64)), _ends(counts)[:-1])
    return [row.astype(np.int64) for row in rows]


def _ends(counts: sparse.csr_matrix) -> np.ndarray:
    """Where each row ends among the buckets with repetitions."""
    return np.asarray(np.concatenate([[0], np.cumsum(counts.data)])[counts.indptr[1:]], dtype=np.int64)


@dataclass(slots=True)
class Likeness:
    """Training texts as unit TF-IDF vectors, by bucket (``indptr`` and ``indices`` give the texts that hold one, CSR),
    the inverse document frequencies, for every text and output the dual coefficient, and the label of every output."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    idf: np.ndarray
    dual: np.ndarray
    labels: np.ndarray

    def scores(self, counts: Sequence[np.ndarray]) -> np.ndarray:
        """The score of every output for texts of the given bucket numbers, as texts by outputs."""
        if not len(self.labels) or not len(counts):
            return np.zeros((len(counts), len(self.labels)), dtype=np.float32)
        texts = _unit_rows(_term_frequencies(counts), self.idf)
        shape = (BUCKETS, len(self.dual))
        postings = sparse.csr_matrix((self.data, self.indices, self.indptr), shape=shape, copy=False)
        return np.asarray((texts @ postings).toarray() @ self.dual.astype(np.float32, copy=False))


def no_likeness() -> Likeness:
    """Likeness to nothing: it has no output."""
    empty, none = np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int32)
    return Likeness(empty, none, np.zeros(1, dtype=np.int32), empty, np.zeros((0, 0), dtype=np.float32), none)


def learn_likeness(
    counts: Sequence[np.ndarray], gold: Sequence[np.ndarray], labels: np.ndarray, penalty: float
) -> Likeness:
    """Fit on texts of the given bucket numbers and the label numbers of each; ``labels`` (sorted) get an output."""
    frequencies = _term_frequencies(counts)
    present = np.bincount(frequencies.indices, minlength=BUCKETS)
    idf = (np.log((1 + len(counts)) / (1 + present)) + 1).astype(np.float32)
    rows = _unit_rows(frequencies, idf)
    target = np.zeros((len(counts), len(labels)), dtype=np.float32)
    for i, mine in enumerate(gold):
        at = np.searchsorted(labels, mine)
        inside = labels[np.minimum(at, len(labels) - 1)] == mine
        target[i, at[inside]] = 1
    dual = _ridge(rows, target, penalty)
    postings = rows.T.tocsr()
    postings.sort_indices()
    return Likeness(
        postings.data.astype(np.float32),
        postings.indices.astype(np.int32),
        postings.indptr.astype(np.int32),
        idf,
        dual,
        labels.astype(np.int32),
    )


def _ridge(rows: sparse.csr_matrix, target: np.ndarray, penalty: float) -> np.ndarray:
    """The dual coefficients, as scikit-learn's ``KernelRidge`` gives them, in half its memory: the kernel is made by
    blocks, of which only those at and below the diagonal are read, and solved in its place."""
    count = rows.shape[0]
    kernel = np.empty((count, count), dtype=np.float32, order="F")  # a C-ordered one would be copied by LAPACK
    for start in range(0, count, _BLOCK):
        block = rows[start : start + _BLOCK]
        kernel[start:, start : start + block.shape[0]] = (rows[start:] @ block.T).toarray()
    kernel[np.diag_indices(count)] += np.float32(penalty)
    factor = linalg.cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
    return np.ascontiguousarray(linalg.cho_solve(factor, target, check_finite=False), dtype=np.float32)


def _term_frequencies(counts: Sequence[np.ndarray]) -> sparse.csr_matrix:
    """Texts by buckets: one plus the logarithm of how often each occurs."""
    lengths = [len(c) for c in counts]
    rows = np.repeat(np.arange(len(counts)), lengths)
    cells, times = np.unique(rows * np.int64(BUCKETS) + np.concatenate(counts), return_counts=True)
    values = (1 + np.log(times)).astype(np.float32)
    return sparse.csr_matrix((values, (cells // BUCKETS, cells % BUCKETS)), shape=(len(counts), BUCKETS))


def _unit_rows(frequencies: sparse.csr_matrix, idf: np.ndarray) -> sparse.csr_matrix:
    """Rows weighted by ``idf``, of length one."""
    weighted = frequencies.copy()
    weighted.data *= idf[weighted.indices]
    rows = np.repeat(np.arange(weighted.shape[0]), np.diff(weighted.indptr))
    norms = np.sqrt(np.bincount(rows, weights=weighted.data**2, minlength=weighted.shape[0]))
    weighted.data /= np.maximum(norms, 1e-9)[rows]
    return weighted
