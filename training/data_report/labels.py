"""Likely label errors: codes that neither the note, nor the terminology, nor other notes support.

Two steps, both out of fold. The ranker's own features, learnt on the other notes, give each code of a note its
probability. Then a classifier learns to tell the codes that coders gave from codes of other notes put in their place,
by that probability, by what its category and chapter have in the note, by how far the words of its title stand in the
evidence and in the note, and by whether sentences like its evidence were evidence for it. What it takes for a code of
another note is a likely error.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from codeassist.candidates.likeness import text_counts
from codeassist.proposing import LabelSpace
from codeassist.ranking.features import FeatureExtractor
from codeassist.ranking.ranker import GROUPS, fit_ranker
from codeassist.release import LearnedPhrases
from codeassist.terminology.store import Store
from codeassist.terminology.words import content_stems
from training.accuracy.errors import group as chapter_of
from training.audited import AuditedCode, AuditedNote
from training.fit import prepare
from training.fitting.context import Options
from training.fitting.features import rows_of_ranker
from training.fitting.folds import FOLDS
from training.fitting.learning import learnt
from training.fitting.pool import Pool
from training.fitting.work import WorkFolder, load

Code = tuple[str, str]
LEAST_NOTES = 30
"""Below so many notes nothing can be learnt out of fold."""
WRONG = 0.3
"""From this score on a code is listed as a likely error."""
MISSING = 0.9
"""From this probability on a code that the note lacks is listed."""
_SWAPS = 4
_LEAST_RIVAL = 0.1
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class LikelyWrong:
    """A code of a note (both by number) with its score, 0 to 1, and the probability that the ranker gave it."""

    note: int
    code: int
    score: float
    probability: float


@dataclass(frozen=True, slots=True)
class LikelyMissing:
    """A code that a note lacks, and its probability."""

    note: int
    code: Code
    probability: float


@dataclass(slots=True)
class _Support:
    """What supports codes in one note: probability by code, and the best by category and chapter; the fifth of the
    notes that it was learnt without; and for the evidence of each of its codes what sentences like it were evidence
    for, a score for each of ``labels``."""

    probability: dict[Code, float]
    category: dict[Code, float]
    chapter: dict[str, float]
    words: frozenset[str]
    fold: int = 0
    like: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    labels: dict[Code, int] = field(default_factory=dict)


def likely_errors(
    notes: Sequence[AuditedNote], store: Store, seed: int, progress: Progress = lambda stage, done, total: None
) -> tuple[list[LikelyWrong], list[LikelyMissing]]:
    """Likely wrong and likely missing codes of the notes, the likeliest first; none of fewer than
    :data:`LEAST_NOTES`. The same notes and seed give the same lists."""
    if len(notes) < LEAST_NOTES:
        return [], []
    support, missing = _probabilities(notes, store, seed, progress)
    progress("likely errors", 0, 1)
    return _wrong(notes, support, store, seed), missing


def _probabilities(
    notes: Sequence[AuditedNote], store: Store, seed: int, progress: Progress
) -> tuple[list[_Support], list[LikelyMissing]]:
    """Of every note the calibrated probability of each candidate, by lessons and a ranker that have
    not seen the note; and the codes that are likely and missing."""
    support = [_Support({}, {}, {}, _words(n)) for n in notes]
    gold = [{(c.system, c.key) for c in n.codes} for n in notes]
    missing = []
    nothing = LearnedPhrases(np.zeros(0, dtype=np.uint64), np.zeros(0, dtype="S10"), np.zeros(0, dtype=np.uint8))
    options = Options(audited_labels=True, seed=seed)
    with (
        tempfile.TemporaryDirectory(prefix="codeassist-labels-") as folder,
        WorkFolder(Path(folder), {}) as work,
        Pool(1) as pool,
    ):
        found = prepare(work, notes, store, nothing, options, pool, lambda stage: progress(stage, 0, 1))
        _resemble(notes, support, work.folder, found.labels)
        features = FeatureExtractor(store, LabelSpace(store, found.labels).extra)
        for group in GROUPS:
            progress(f"ranker: {group}", 0, 1)
            rows = rows_of_ranker(work.folder, group, seed)
            if not FOLDS <= rows.target.sum() <= len(rows.target) - FOLDS:
                continue  # too few right ones, or wrong ones, to tell them apart
            _, probability = fit_ranker(rows.matrix, rows.target, rows.group, 0, seed)
            for i, candidate, p in zip(rows.note.tolist(), rows.id.tolist(), probability.tolist(), strict=True):
                code = features.key(candidate)
                _add(support[i], code, p)
                if p >= MISSING and code not in gold[i]:
                    missing.append(LikelyMissing(i, code, p))
    return support, sorted(missing, key=lambda m: (-m.probability, m.note, m.code))


def _resemble(notes: Sequence[AuditedNote], support: list[_Support], folder: Path, labels: Sequence[Code]) -> None:
    """Enter which fold each note is in, and what its evidence resembles by what the other folds teach."""
    fold = np.asarray(load(folder, "folds", "fold"))
    for f in np.unique(fold).tolist():
        sentences = learnt(folder, f)[1].sentences
        number = {labels[label]: i for i, label in enumerate(sentences.labels.tolist())}
        for i in np.flatnonzero(fold == f).tolist():
            text = notes[i].note.text
            said = [" ".join(text[max(0, s) : max(0, e)] for s, e in c.evidence) for c in notes[i].codes]
            support[i].fold, support[i].labels = f, number
            support[i].like = sentences.scores(text_counts(said))


def _add(support: _Support, code: Code, probability: float) -> None:
    support.probability[code] = probability
    stem, chapter = (code[0], code[1][:3]), chapter_of(code)
    support.category[stem] = max(support.category.get(stem, 0.0), probability)
    support.chapter[chapter] = support.chapter.get(chapter, 0.0) + probability


def _words(audited: AuditedNote) -> frozenset[str]:
    return frozenset(w for d in audited.note.parts for w in content_stems(d.text))


def _evidence_words(audited: AuditedNote, code: AuditedCode) -> frozenset[str]:
    text = audited.note.text
    return frozenset(w for start, end in code.evidence for w in content_stems(text[max(0, start) : max(0, end)]))


class _Pairs:
    """What speaks for a code in a note, as numbers."""

    def __init__(self, notes: Sequence[AuditedNote], support: list[_Support], store: Store) -> None:
        self._notes, self._support, self._store = notes, support, store
        self._titles: dict[Code, list[list[str]]] = {}
        present: dict[str, int] = {}
        for s in support:
            for word in s.words:
                present[word] = present.get(word, 0) + 1
        self._weight = {w: math.log(1 + len(notes) / n) for w, n in present.items()}
        self._unseen = math.log(1 + 2 * len(notes))
        shares: dict[Code, set[int]] = {}
        for i, note in enumerate(notes):
            for c in note.codes:
                shares.setdefault((c.system, c.key), set()).add(i)
        self._having = shares
        self._said: dict[Code, dict[int, frozenset[str]]] = {}
        self._own: list[dict[Code, frozenset[str]]] = []
        self._place: list[dict[Code, int]] = []
        for i, note in enumerate(notes):
            self._own.append({(c.system, c.key): _evidence_words(note, c) for c in note.codes})
            self._place.append({(c.system, c.key): j for j, c in enumerate(note.codes)})
            for code, words in self._own[-1].items():
                self._said.setdefault(code, {})[i] = words
        self._stems: dict[tuple[int, str, str], list[int]] = {}
        for fold, labels in {s.fold: s.labels for s in support}.items():
            for (system, key), number in labels.items():
                self._stems.setdefault((fold, system, key[:3]), []).append(number)

    def __call__(self, note: int, code: Code, instead_of: Code, origin: int | None = None) -> list[float]:
        """The numbers for ``code`` in the place of ``instead_of``, which may be the same.

        ``origin`` is the note that the code was taken from: it counts as one that no longer has it, for else a code
        that was really put elsewhere would differ from one that was put there to learn from.
        """
        s = self._support[note]
        evidence = self._own[note][instead_of]
        titles = self._titles_of(code)
        apart = {note, origin}
        others = len(self._having.get(code, set()) - apart) / len(self._notes)
        setting = self._notes[note].note.setting
        return [
            s.probability.get(code, -0.1),
            s.category.get((code[0], code[1][:3]), -0.1),
            s.chapter.get(chapter_of(code), 0.0),
            max((self._found(t, evidence) for t in titles), default=-1.0) if evidence else -1.0,
            max((self._found(t, s.words) for t in titles), default=-1.0),
            max((self._found(t, s.words, most=True) for t in titles), default=-1.0),
            others,
            self._covered(evidence, self._words_elsewhere(apart, code)),
            self._covered(evidence, {w for t in titles for w in t}),
            self._rival(note, evidence, self._own[note].keys() - {instead_of}, code),
            *self._likeness(note, code, instead_of),
            float(("outpatient", "inpatient", "emergency").index(setting)),
            float(("icd-10-cm", "icd-10-pcs", "cpt", "hcpcs").index(code[0])),
            float(code[0] == "icd-10-cm" and code[1][0] in "VWXYZ"),
        ]

    def _likeness(self, note: int, code: Code, instead_of: Code) -> tuple[float, float, float]:
        """How like evidence of the code the evidence is; the same less that of the likeliest code that the note does
        not have; and how like evidence of its category. Below zero where nothing was learnt or there is no evidence."""
        s = self._support[note]
        if not s.labels or not self._own[note][instead_of]:
            return -1.0, -1.0, -1.0
        scores = s.like[self._place[note][instead_of]]
        own = s.labels.get(code)
        score = 0.0 if own is None else float(scores[own])
        kept = [s.labels[c] for c in (self._own[note].keys() - {instead_of}) | {code} if c in s.labels]
        rivals = scores.copy()
        rivals[kept] = 0.0
        stem = self._stems.get((s.fold, code[0], code[1][:3]), [])
        return score, score - float(rivals.max()), float(scores[stem].sum())

    def _titles_of(self, code: Code) -> list[list[str]]:
        """The words of the code's title, of its category's, and of its inclusion terms."""
        if code not in self._titles:
            titles = []
            row = self._store.row(*code)
            while row is not None and row >= 0 and self._store.system_name(row) == code[0]:
                titles.append(self._store.title(row))
                titles += self._store.notes(row).get("inclusion", ())
                if self._store.code(row).replace(".", "") == code[1][:3]:
                    break
                row = int(self._store.parent[row])
            self._titles[code] = [w for w in (content_stems(t) for t in titles) if w]
        return self._titles[code]

    def _words_elsewhere(self, apart: set[int | None] | set[int], code: Code) -> set[str]:
        """Words that were evidence for the code in other notes than those."""
        return {w for i, words in self._said.get(code, {}).items() if i not in apart for w in words}

    def _covered(self, evidence: frozenset[str], words: set[str]) -> float:
        """The share of the evidence, by weight, that is among ``words``; below zero without evidence."""
        weights = {w: self._weight.get(w, self._unseen) for w in evidence}
        return sum(v for w, v in weights.items() if w in words) / sum(weights.values()) if weights else -1.0

    def _rival(self, note: int, evidence: frozenset[str], kept: set[Code], code: Code) -> float:
        """How well the likeliest code that the note does not have would fit the same evidence."""
        best = 0.0
        for other, p in self._support[note].probability.items():
            if p > max(best, _LEAST_RIVAL) and other not in kept and other != code:
                words = {w for t in self._titles_of(other) for w in t} | self._words_elsewhere({note}, other)
                best = max(best, p * max(0.0, self._covered(evidence, words)))
        return best

    def _found(self, title: list[str], words: frozenset[str], most: bool = False) -> float:
        weights = {w: self._weight.get(w, self._unseen) for w in title}
        found = [v for w, v in weights.items() if w in words]
        return max(found, default=0.0) if most else sum(found) / sum(weights.values())


def _wrong(notes: Sequence[AuditedNote], support: list[_Support], store: Store, seed: int) -> list[LikelyWrong]:
    pairs = _Pairs(notes, support, store)
    rng = np.random.default_rng(seed)
    # from notes of the same fold: what a note of another one taught about its code was learnt for this note
    pool: dict[tuple[int, str], list[tuple[Code, int]]] = {}
    for i, note in enumerate(notes):
        for c in note.codes:
            pool.setdefault((support[i].fold, c.system), []).append(((c.system, c.key), i))
    real, swapped, place, swapped_note = [], [], [], []
    for i, note in enumerate(notes):
        own = {(c.system, c.key) for c in note.codes}
        for j, c in enumerate(note.codes):
            code = (c.system, c.key)
            real.append(pairs(i, code, code))
            place.append((i, j))
            candidates = pool[support[i].fold, c.system]
            for k in rng.integers(0, len(candidates), _SWAPS).tolist():
                other, origin = candidates[k]
                if other not in own:
                    swapped.append(pairs(i, other, code, origin))
                    swapped_note.append(i)
    if not swapped:
        return []
    matrix = np.array(real + swapped)
    target = np.array([0] * len(real) + [1] * len(swapped))
    # a swap counts for as little as swaps are rare among labels: the score is then a probability at that rate
    weight = np.where(target == 1, _RATE * len(real) / len(swapped), 1.0)
    fold = np.array([i for i, _ in place] + swapped_note) % FOLDS
    score = np.zeros(len(real))
    with threadpool_limits(1):
        for f in range(FOLDS):
            model = HistGradientBoostingClassifier(
                learning_rate=0.05,
                max_iter=150,
                max_leaf_nodes=8,
                min_samples_leaf=20,
                monotonic_cst=_SIGNS,
                random_state=seed,
                early_stopping=False,
            )
            model.fit(matrix[fold != f], target[fold != f], weight[fold != f])
            mine = np.flatnonzero(fold[: len(real)] == f)
            if len(mine):
                score[mine] = model.predict_proba(matrix[mine])[:, 1]
    found = [
        LikelyWrong(i, j, float(s), max(0.0, row[0]))
        for (i, j), s, row in zip(place, score, real, strict=True)
        if s >= WRONG
    ]
    return sorted(found, key=lambda w: (-w.score, w.note, w.code))


_RATE = 0.05
"""Share of labels that is taken for wrong before anything is known."""
_SIGNS = [-1, -1, -1, -1, -1, -1, 0, -1, -1, 1, -1, -1, -1, 0, 0, 0]
"""What speaks for a code never makes it likelier to be wrong."""
