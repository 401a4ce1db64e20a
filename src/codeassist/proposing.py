"""The path from a read note to ranked candidates, shared by serving and training."""

from __future__ import annotations

from copy import copy

import numpy as np

from codeassist.candidates.associations import AssociationHits, find_associations
from codeassist.candidates.lessons import Lessons
from codeassist.candidates.likeness import Likeness, note_counts, sentence_counts
from codeassist.candidates.mentioned import MentionedCodes, MentionHits
from codeassist.nlp.reading import ReadNote
from codeassist.ranking.features import Candidates, FeatureExtractor, Scores, Taught, no_scores
from codeassist.terminology.leaf import LeafPicker
from codeassist.terminology.store import Store

LEAST_PRECISION = 0.08
"""Least precision of the surest n-gram that makes a label a candidate on its own, in a site's own model."""
LEAST_PRECISION_ELSEWHERE = 0.5
"""The same for a model that is used on other sites' notes, where few associations carry over."""
LIKE_CANDIDATES = 100
LEAST_NOTE_SCORE, LEAST_SENTENCE_SCORE = 0.005, 0.05
"""How many labels the classifiers of notes and of sentences may each propose for a note, and the least score of one."""


class LabelSpace:
    """Maps a release's labels to candidate ids: rows of the store, or numbers beyond it for codes that only the
    audited notes know."""

    def __init__(self, store: Store, labels: list[tuple[str, str]]) -> None:
        self.labels = labels
        extra: list[tuple[str, str]] = []
        ids = np.zeros(len(labels), dtype=np.int64)
        for i, (system, code) in enumerate(labels):
            row = store.row(system, code)
            if row is None:
                ids[i] = len(store) + len(extra)
                extra.append((system, code))
            else:
                ids[i] = row
        self.ids = ids
        self.extra = tuple(extra)


class Proposer:
    """Candidates of a note with their features, from the terminology and from what audited notes taught."""

    def __init__(self, store: Store, space: LabelSpace, shares: np.ndarray, audited_labels: bool) -> None:
        self.store = store
        self.space = space
        self._audited = audited_labels
        self.leaves = LeafPicker(store)
        self._mentioned = MentionedCodes(store, self.leaves)
        self.features = FeatureExtractor(store, space.extra)
        order = np.argsort(space.ids, kind="stable")
        self._share_ids = space.ids[order]
        self._share_values = shares[order].astype(np.float32)

    def with_shares(self, shares: np.ndarray) -> Proposer:
        """The same with other shares of the labels: what it remembers of the terminology is used by both."""
        other = copy(self)
        other._share_values = shares[np.argsort(self.space.ids, kind="stable")].astype(np.float32)
        return other

    def mention_hits(self, read: ReadNote, day: int) -> MentionHits:
        """Codes that the mentions of a note stand for."""
        return self._mentioned(read, day)

    def taught(self, read: ReadNote, lessons: Lessons) -> Taught:
        """What the audited notes say of this note."""
        contents = [p.content for p in read.parts]
        found = find_associations(lessons.associations, contents)
        notes, sentences = _note_scores(lessons.notes, read), _sentence_scores(lessons.sentences, read)
        least = LEAST_PRECISION if self._audited else LEAST_PRECISION_ELSEWHERE
        proposed = np.concatenate([notes.ids[notes.proposed], sentences.ids[sentences.proposed]])
        found = _enough(found, proposed, len(self.space.labels), least)
        found.label = self.space.ids[found.label]
        for scores in (notes, sentences):
            scores.ids = self.space.ids[scores.ids]
        return Taught(found, notes, sentences, self._share_ids, self._share_values)

    def candidates(self, read: ReadNote, day: int, taught: Taught, hits: MentionHits | None = None) -> Candidates:
        """All candidates of a note with their features."""
        hits = hits if hits is not None else self.mention_hits(read, day)
        if not self._audited:
            _only_valid(taught, self.store, day)
        return self.features(read, hits, taught)


def _note_scores(likeness: Likeness, read: ReadNote) -> Scores:
    """What the whole note looks like; only labels that it proposes have a score."""
    if not len(likeness.labels):
        return no_scores()
    score = likeness.scores([note_counts([p.content for p in read.parts])])[0]
    top = _top(score, LEAST_NOTE_SCORE)
    return Scores(likeness.labels[top], score[top], score[top], np.ones(len(top), dtype=bool))


def _sentence_scores(likeness: Likeness, read: ReadNote) -> Scores:
    """What the sentences look like: for each label its best sentence, and the sum over the sentences."""
    rows = [row for part in read.parts for row in sentence_counts(part)] if len(likeness.labels) else []
    if not rows:
        return no_scores()
    score = likeness.scores(rows)
    best = score.max(axis=0)
    proposed = np.zeros(len(best), dtype=bool)
    proposed[_top(best, LEAST_SENTENCE_SCORE)] = True
    return Scores(likeness.labels, best, np.maximum(score, 0).sum(axis=0), proposed)


def _top(score: np.ndarray, least: float) -> np.ndarray:
    order = np.argsort(-score, kind="stable")[:LIKE_CANDIDATES]
    return np.asarray(order[score[order] > least])


def _enough(found: AssociationHits, proposed: np.ndarray, labels: int, least: float) -> AssociationHits:
    """Leave out labels that nothing supports well: no sure n-gram, and not what the whole note looks like."""
    best = np.zeros(labels, dtype=np.float32)
    np.maximum.at(best, found.label, found.precision)
    best[proposed] = np.where(best[proposed] > 0, 1, 0)
    keep = best[found.label] >= least
    return AssociationHits(*(getattr(found, f)[keep] for f in found.__slots__))


def _only_valid(taught: Taught, store: Store, day: int) -> None:
    """Leave out what the audited notes teach of codes that are not billable on the day."""
    valid = store.valid(day)
    n = len(store)

    def good(ids: np.ndarray) -> np.ndarray:
        out = ids < n
        out[out] = valid[ids[out]]
        return out

    keep = good(taught.hits.label)
    h = taught.hits
    taught.hits = AssociationHits(*(getattr(h, f)[keep] for f in h.__slots__))
    for scores in (taught.notes, taught.sentences):
        scores.proposed &= good(scores.ids)
