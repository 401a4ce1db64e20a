"""The path from a read note to ranked candidates, shared by serving and training."""

from __future__ import annotations

import numpy as np

from codeassist.candidates.associations import AssociationHits, Associations, find_associations
from codeassist.candidates.mentioned import MentionedCodes, MentionHits
from codeassist.candidates.neighbours import Neighbours, note_counts
from codeassist.nlp.reading import ReadNote
from codeassist.ranking.features import Candidates, FeatureExtractor, Taught
from codeassist.terminology.leaf import LeafPicker
from codeassist.terminology.store import Store

LEAST_PRECISION = 0.08
"""Least precision of the surest n-gram that makes a label a candidate on its own, in a site's own model."""
LEAST_PRECISION_ELSEWHERE = 0.5
"""The same for a model that is used on other sites' notes, where few associations carry over."""
NEIGHBOUR_CANDIDATES = 100
LEAST_NEIGHBOUR = 0.005
"""How many labels the whole-note classifier may propose for a note, and the least score of one."""


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
        self._shares = shares
        self._audited = audited_labels
        self.leaves = LeafPicker(store)
        self._mentioned = MentionedCodes(store, self.leaves)
        self.features = FeatureExtractor(store, space.extra)
        order = np.argsort(space.ids, kind="stable")
        self._share_ids = space.ids[order]
        self._share_values = shares[order].astype(np.float32)

    def mention_hits(self, read: ReadNote, day: int) -> MentionHits:
        """Codes that the mentions of a note stand for."""
        return self._mentioned(read, day)

    def taught(self, read: ReadNote, associations: Associations, neighbours: Neighbours, labels: np.ndarray) -> Taught:
        """What the audited notes say of this note; ``labels`` numbers the outputs of ``neighbours``."""
        contents = [p.content for p in read.parts]
        found = find_associations(associations, contents)
        scores = neighbours.scores(note_counts(contents)) if len(labels) else np.zeros(0, dtype=np.float32)
        top = np.argsort(-scores, kind="stable")[:NEIGHBOUR_CANDIDATES]
        top = top[scores[top] > LEAST_NEIGHBOUR]
        least = LEAST_PRECISION if self._audited else LEAST_PRECISION_ELSEWHERE
        found = _enough(found, labels[top], len(self.space.labels), least)
        found.label = self.space.ids[found.label]
        return Taught(found, self.space.ids[labels[top]], scores[top], self._share_ids, self._share_values)

    def candidates(self, read: ReadNote, day: int, taught: Taught, hits: MentionHits | None = None) -> Candidates:
        """All candidates of a note with their features."""
        hits = hits if hits is not None else self.mention_hits(read, day)
        if not self._audited:
            _only_valid(taught, self.store, day)
        return self.features(read, hits, taught)


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
    keep = good(taught.score_ids)
    taught.score_ids, taught.scores = taught.score_ids[keep], taught.scores[keep]
