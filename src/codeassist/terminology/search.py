"""Search of codes by text: codes, titles, synonyms, abbreviations and misspellings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from codeassist.terminology.layout import SYSTEM_NUMBERS, Strings
from codeassist.terminology.leaf import LeafPicker
from codeassist.terminology.phrases import PhraseKind
from codeassist.terminology.plainness import SIDES, departure
from codeassist.terminology.spelling import Speller
from codeassist.terminology.store import SearchHit, Store
from codeassist.terminology.words import content_stems, phrase_key

_CODE = re.compile(r"^[A-Za-z0-9]{2,3}\.?[A-Za-z0-9]{0,5}$")
_JOINED = {"xray": ("x", "ray"), "covid19": ("covid", "19")}
"""Words that notes write in one and titles in two."""
_DECIDED, _TITLE, _CATALOGUED = 1.25, 1.248, 1.26
"""A line of the lexicon is a decision, a title a coincidence of words, a catalogue's synonym a name."""
_AMBIGUOUS, _GUESSED, _MISSPELT, _SIDED, _CATEGORY = 0.1, 0.1, 0.08, 0.08, 0.05
_DEFAULT_LEAF = 0.02
"""What the code that a category defaults to gains over its siblings."""
_PLAINER = 0.006
"""By how much a leaf must be plainer than the one picked to go before it: more than one word."""
_MOST_BELOW, _MOST_READ = 6, 64
_SYSTEM_WEIGHT = np.array([1.0, 0.93, 0.97, 0.96, 0.0])
_KIND_WEIGHT = np.ones(len(PhraseKind))
_KIND_WEIGHT[PhraseKind.SHORT] = 0.9
_SPECIAL = (
    (b"O", 0.9, "pregnant pregnancy gestation gestational labor delivery partum postpartum obstetric maternal"),
    (b"P", 0.92, "newborn neonatal infant fetus fetal baby birth perinatal"),
    (b"VWXY", 0.85, "accident fall fell injured collision assault struck exposure driver cause passenger bite adverse"),
    (b"Z", 0.95, "history family screening encounter status exposure care examination checkup physical aftercare"),
)
"""Chapters of special circumstances: initials of their codes, weight, and words of a query that lift it."""


class Searcher:
    """Scores documents (titles, inclusion terms, synonyms) by the weight of the query's words that they hold."""

    def __init__(self, store: Store) -> None:
        self._store = store
        folder = store.folder
        self._words = Strings(folder, "search_word").all()
        self._number = {w: i for i, w in enumerate(self._words)}
        self._sorted = np.array(self._words)
        self._pointer, self._document = _load(folder, "search_pointer"), _load(folder, "search_document")
        self._row, self._kind = _load(folder, "document_row"), _load(folder, "document_kind")
        self._idf, self._weight = _load(folder, "search_idf"), _load(folder, "document_weight")
        self._leaves = LeafPicker(store)
        self._speller = Speller(self._words, np.diff(self._pointer))
        self._category = ~np.asarray(store.billable)
        self._category[store.parent[store.parent >= 0]] = True
        initial = np.ascontiguousarray(store.key).view("S1").reshape(len(store.key), -1)[:, 0]
        code = np.asarray(store.system) == SYSTEM_NUMBERS["icd-10-cm"]
        self._special = [
            (code & np.isin(initial, [bytes([b]) for b in letters]), weight, frozenset(content_stems(words)))
            for letters, weight, words in _SPECIAL
        ]

    def find(self, text: str, system: str | None, day: int, limit: int) -> list[SearchHit]:
        """Hits for ``text``, best first; see :meth:`Store.search`."""
        text = text.strip()[:200]
        if not text:
            return []
        stems = [s for stem in content_stems(text) for s in _JOINED.get(stem, (stem,))]
        scores: dict[int, float] = {}
        for hits in (
            self._by_code(text, system, day, limit),
            self._by_phrase(stems, system, day),
            self._by_words(stems, system, day, limit),
        ):
            for row, score in hits:
                scores[row] = max(scores.get(row, 0), score)
        best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:limit]
        store = self._store
        return [SearchHit(store.system_name(r), store.code(r), store.title(r), _shown(s)) for r, s in best]

    def _by_code(self, text: str, system: str | None, day: int, limit: int) -> list[tuple[int, float]]:
        if not _CODE.match(text) or not any(c.isdigit() for c in text):
            return []
        valid = self._store.valid(day)
        hits: list[tuple[int, float]] = []
        for name in [system] if system else [s for s in SYSTEM_NUMBERS if SYSTEM_NUMBERS[s] < 4]:
            rows = self._store.prefix(name, text)
            exact = self._store.row(name, text)
            if exact is not None:
                hits.append((exact, 2.0 if valid[exact] else 1.9))
            found = [r for r in rows[: limit * 4] if valid[r] and r != exact][:limit]
            hits += [(r, 1.5 - 0.001 * i) for i, r in enumerate(found)]
        return hits

    # -- the whole text as a phrase ----------------------------------------------------------------

    def _by_phrase(self, stems: list[str], system: str | None, day: int) -> list[tuple[int, float]]:
        """Codes for which the whole text is a known phrase, if need be spelt rightly or without its side."""
        hits = [h for row, score in self._phrases(stems, system) for h in self._leaf(row, stems, day, score)]
        if not hits:
            for near in self._respelt(stems):
                for row, score in self._phrases(near, system):
                    hits += self._leaf(row, near, day, score - _MISSPELT)
                if hits:
                    break
        plain = [s for s in stems if s not in SIDES]
        if not hits and len(plain) < len(stems):
            for row, score in self._phrases(plain, system):
                hits += self._sided(row, stems, day, score - _SIDED)
        return hits

    def _phrases(self, stems: Sequence[str], system: str | None) -> Iterator[tuple[int, float]]:
        table = self._store.phrases
        key = np.uint64(phrase_key(stems))
        low, high = (int(np.searchsorted(table.key, key, side)) for side in ("left", "right"))
        for i in range(low, high):
            row, kind = int(table.row[i]), int(table.kind[i])
            if row < 0 or (system and self._store.system_name(row) != system):
                continue
            score = _DECIDED if PhraseKind.NAME <= kind <= PhraseKind.PROCEDURE else _TITLE
            score = _CATALOGUED if kind == PhraseKind.CATALOGUE else score
            yield row, score - _AMBIGUOUS * (int(table.context[i]) > 0) - _GUESSED * (kind >= PhraseKind.VARIANT)

    def _leaf(self, row: int, stems: Sequence[str], day: int, score: float) -> Iterator[tuple[int, float]]:
        """The codes that a phrase's row leads to: itself, the leaf a category defaults to and the plainest others, or,
        for a code that has become a category, what stands below it now."""
        store, query = self._store, set(stems)
        leaf = self._leaves.pick(row, query, day)
        loss = departure(store.title(leaf.row), query) if leaf is not None else 1.0
        if leaf is not None:
            yield leaf.row, score - loss
        if leaf is None or not store.billable[row]:
            valid = store.valid(day)
            below = [r for r in store.subtree(row)[:_MOST_READ] if valid[r] and r != row]
            ranked = sorted((departure(store.title(r), query), r) for r in below)
            for i, (other, r) in enumerate(ranked[:_MOST_BELOW]):
                plainer = i == 0 and other + _PLAINER < loss < 1.0
                yield r, score - other - (0 if plainer else _CATEGORY)

    def _sided(self, row: int, stems: Sequence[str], day: int, score: float) -> Iterator[tuple[int, float]]:
        """The plainest codes near ``row`` that name the side that the text names."""
        store, query = self._store, set(stems)
        parent = int(store.parent[row])
        top = row if not store.billable[row] or parent < 0 or store.system[parent] != store.system[row] else parent
        valid = store.valid(day)
        sides = query & SIDES
        for r in store.subtree(top)[:_MOST_READ]:
            title = store.title(r)
            if valid[r] and sides <= set(content_stems(title)):
                yield r, score - departure(title, query)

    def _respelt(self, stems: list[str]) -> Iterator[list[str]]:
        """The text with its unknown words replaced by near ones, one word's readings at a time."""
        unknown = [i for i, s in enumerate(stems) if s not in self._number and len(s) > 3 and s.isalpha()]
        near = {i: [w for w, _ in self._speller.near(stems[i])] for i in unknown}
        if not unknown or not all(near.values()):
            return
        for turn in range(max(len(words) for words in near.values())):
            yield [near[i][min(turn, len(near[i]) - 1)] if i in near else s for i, s in enumerate(stems)]

    # -- its words ---------------------------------------------------------------------------------

    def _by_words(self, stems: list[str], system: str | None, day: int, limit: int) -> list[tuple[int, float]]:
        if not stems:
            return []
        gain, wanted = self._gain(stems)
        found = np.flatnonzero(gain > 0.35 * wanted)
        rows = self._row[found]
        systems = self._store.system[rows]
        mask = (self._store.valid(day)[rows] | self._category[rows]) & (systems < 4)
        if system:
            mask &= systems == SYSTEM_NUMBERS[system]
        found, rows = found[mask], rows[mask]
        if not len(found):
            return []
        gain = gain[found]
        score = gain / max(wanted, 1e-6) * (0.7 + 0.3 * np.minimum(1, gain / np.maximum(self._weight[found], 1e-6)))
        score *= _SYSTEM_WEIGHT[self._store.system[rows]] * _KIND_WEIGHT[self._kind[found]]
        words = set(stems)
        for chapter, weight, lifted in self._special:
            if not words & lifted:
                score = np.where(chapter[rows], score * weight, score)
        most = limit * 4
        if len(score) > most:
            top = np.argpartition(-score, most)[:most]
            score, rows = score[top], rows[top]
        hits = []
        valid = self._store.valid(day)
        for i in np.argsort(-score, kind="stable"):
            row, value = int(rows[i]), float(score[i])
            if not valid[row]:
                leaf = self._leaves.pick(row, words, day)
                if leaf is None:
                    continue
                row, value = leaf.row, value + _DEFAULT_LEAF
            hits.append((row, min(value, 0.999) - departure(self._store.title(row), words)))
        return hits

    def _gain(self, stems: list[str]) -> tuple[np.ndarray, float]:
        """For every document, the weight of the text's words that it holds, and the weight of them all."""
        total = np.zeros(len(self._row), dtype=np.float32)
        wanted = 0.0
        for i, stem in enumerate(dict.fromkeys(stems)):
            choices = self._readings(stem, last=i == len(stems) - 1)
            if not choices:
                wanted += 8.0
                continue
            wanted += max(float(self._idf[n]) * w for n, w in choices)
            if len(choices) == 1:
                n, w = choices[0]
                total[self._document[self._pointer[n] : self._pointer[n + 1]]] += self._idf[n] * w
                continue
            best = np.zeros(len(self._row), dtype=np.float32)
            for n, w in choices:
                documents = self._document[self._pointer[n] : self._pointer[n + 1]]
                best[documents] = np.maximum(best[documents], self._idf[n] * w)
            total += best
        return total, wanted

    def _readings(self, stem: str, last: bool) -> list[tuple[int, float]]:
        """Index words that a query word may mean, with how sure: itself, a longer word it begins, a near spelling."""
        exact = self._number.get(stem)
        if exact is not None and not (last and len(stem) < 4):
            return [(exact, 1.0)]
        readings = {exact: 1.0} if exact is not None else {}
        if last and len(stem) >= 2:
            low = int(np.searchsorted(self._sorted, stem))
            for n in range(low, min(low + 60, len(self._words))):
                if not self._words[n].startswith(stem):
                    break
                readings.setdefault(n, 0.6)
        if exact is None and len(stem) > 3:
            for word, distance in self._speller.near(stem):
                n = self._number[word]
                readings[n] = max(readings.get(n, 0), 0.9 if distance == 1 else 0.8)
        return list(readings.items())


def _load(folder: Path, name: str) -> np.ndarray:
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))


def _shown(score: float) -> float:
    """A score as :class:`SearchHit` gives it, from 0 to 1: an exact code or name is near 1, words alone below 0.8."""
    return round(min(1.0, score * 0.8 if score <= 1.0 else 0.8 + 0.2 * (score - 1.0)), 4)
