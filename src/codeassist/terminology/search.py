"""Search of codes by text: codes, titles, synonyms, abbreviations and misspellings."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from codeassist.terminology.layout import SYSTEM_NUMBERS, Strings
from codeassist.terminology.leaf import LeafPicker
from codeassist.terminology.phrases import PhraseKind
from codeassist.terminology.store import SearchHit, Store
from codeassist.terminology.words import content_stems, phrase_key

_CODE = re.compile(r"^[A-Za-z0-9]{2,3}\.?[A-Za-z0-9]{0,5}$")
_EXACT = 1.0
_DEFAULT_LEAF = 0.02
"""What the code that a category defaults to gains over its siblings."""
_SYSTEM_WEIGHT = np.array([1.0, 0.93, 0.97, 0.96, 0.0])
_KIND_WEIGHT = np.ones(len(PhraseKind))
_KIND_WEIGHT[PhraseKind.SHORT] = 0.9


class Searcher:
    """Scores documents (titles, inclusion terms, synonyms) by the weight of the query's words that they hold."""

    def __init__(self, store: Store) -> None:
        self._store = store
        folder = store.folder
        self._words = Strings(folder, "search_word").all()
        self._number = {w: i for i, w in enumerate(self._words)}
        load = lambda name: np.load(folder / f"{name}.npy", mmap_mode="r")  # noqa: E731
        self._pointer, self._document = load("search_pointer"), load("search_document")
        self._row, self._kind = load("document_row"), load("document_kind")
        self._idf, self._weight = np.asarray(load("search_idf")), np.asarray(load("document_weight"))
        self._leaves = LeafPicker(store)
        self._correct = lru_cache(maxsize=4096)(self._nearest_words)
        self._long_words = [w for w in self._words if len(w) > 3 and w.isalpha()]

    def find(self, text: str, system: str | None, day: int, limit: int) -> list[SearchHit]:
        """Hits for ``text``, best first; see :meth:`Store.search`."""
        text = text.strip()[:200]
        if not text:
            return []
        scores: dict[int, float] = {}
        for row, score in self._by_code(text, system, day, limit):
            scores[row] = max(scores.get(row, 0), score)
        for row, score in self._by_phrase(text, system, day):
            scores[row] = max(scores.get(row, 0), score)
        for row, score in self._by_words(text, system, day, limit):
            scores[row] = max(scores.get(row, 0), score)
        best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:limit]
        store = self._store
        return [SearchHit(store.system_name(r), store.code(r), store.title(r), round(s, 4)) for r, s in best]

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

    def _by_phrase(self, text: str, system: str | None, day: int) -> list[tuple[int, float]]:
        """Codes for which the whole text is a known phrase; a category gives the leaf it defaults to."""
        table = self._store.phrases
        stems = content_stems(text)
        key = np.uint64(phrase_key(stems))
        low, high = (int(np.searchsorted(table.key, key, side)) for side in ("left", "right"))
        hits = []
        for i in range(low, high):
            row = int(table.row[i])
            if row < 0 or (system and self._store.system_name(row) != system):
                continue
            kind = int(table.kind[i])
            # a lexicon line is a decision, a title a coincidence of words, an ambiguous reading a guess
            score = _EXACT + (0.25 if PhraseKind.NAME <= kind <= PhraseKind.PROCEDURE else 0.2)
            score -= 0.1 * (int(table.context[i]) > 0) + 0.1 * (kind >= PhraseKind.VARIANT)
            leaf = self._leaves.pick(row, set(stems), day)
            if leaf is None:
                if not self._store.billable[row]:
                    hits.append((row, score - 0.05))
                continue
            hits.append((leaf.row, score))
        return hits

    def _by_words(self, text: str, system: str | None, day: int, limit: int) -> list[tuple[int, float]]:
        stems = content_stems(text)
        if not stems:
            return []
        total = np.zeros(len(self._row), dtype=np.float32)
        wanted = 0.0
        for i, stem in enumerate(dict.fromkeys(stems)):
            choices = self._readings(stem, last=i == len(stems) - 1)
            if not choices:
                wanted += 8.0
                continue
            wanted += max(float(self._idf[n]) * w for n, w in choices)
            gained: dict[int, float] = {}
            if len(choices) == 1:
                n, w = choices[0]
                documents = self._document[self._pointer[n] : self._pointer[n + 1]]
                total[documents] += self._idf[n] * w
                continue
            best = np.zeros(len(self._row), dtype=np.float32)
            for n, w in choices:
                documents = self._document[self._pointer[n] : self._pointer[n + 1]]
                best[documents] = np.maximum(best[documents], self._idf[n] * w)
            total += best
            del gained
        found = np.flatnonzero(total > 0.35 * wanted)
        if not len(found):
            return []
        rows = self._row[found]
        mask = self._store.valid(day)[rows] | ~np.asarray(self._store.billable[rows])
        if system:
            mask &= self._store.system[rows] == SYSTEM_NUMBERS[system]
        mask &= self._store.system[rows] < 4
        found, rows = found[mask], rows[mask]
        gain = total[found]
        score = gain / max(wanted, 1e-6) * (0.7 + 0.3 * np.minimum(1, gain / np.maximum(self._weight[found], 1e-6)))
        score *= _SYSTEM_WEIGHT[self._store.system[rows]] * _KIND_WEIGHT[self._kind[found]]
        top = np.argsort(-score, kind="stable")[: limit * 6]
        hits = []
        words = set(stems)
        for i in top:
            row, value = int(rows[i]), float(score[i])
            if not self._store.billable[row]:
                leaf = self._leaves.pick(row, words, day)
                if leaf is None:
                    continue
                row, value = leaf.row, value + _DEFAULT_LEAF
            hits.append((row, min(value, 0.999)))
        return hits

    def _readings(self, stem: str, last: bool) -> list[tuple[int, float]]:
        """Index words that a query word may mean, with how sure: itself, a longer word it begins, a near spelling."""
        exact = self._number.get(stem)
        if exact is not None and not (last and len(stem) < 4):
            return [(exact, 1.0)]
        readings = [(exact, 1.0)] if exact is not None else []
        if last and len(stem) >= 2:
            low = np.searchsorted(self._sorted_words, stem)
            for n in range(int(low), min(int(low) + 60, len(self._words))):
                if not self._words[n].startswith(stem):
                    break
                if n != exact:
                    readings.append((n, 0.6))
        if not readings and len(stem) > 3:
            readings = [(self._number[w], weight) for w, weight in self._correct(stem)]
        return readings

    @property
    def _sorted_words(self) -> np.ndarray:
        if self._word_array is None:
            self._word_array = np.array(self._words)
        return self._word_array

    _word_array: np.ndarray | None = None

    def _nearest_words(self, word: str) -> tuple[tuple[str, float], ...]:
        cutoff = 1 if len(word) < 6 else 2
        near = process.extract(
            word, self._long_words, scorer=DamerauLevenshtein.distance, score_cutoff=cutoff, limit=8
        )
        if not near:
            return ()
        closest = min(d for _, d, _ in near)
        return tuple((w, 0.9 if d == 1 else 0.8) for w, d, _ in near if d == closest)
