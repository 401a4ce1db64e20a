"""Features of every candidate of a note, as one matrix.

Each column is named in :data:`FEATURES`, in words that a coder would use; the classifier, the explanation and
the model card all speak of them by these names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from spacy.strings import hash_string

from codeassist.candidates.associations import AssociationHits
from codeassist.candidates.integral import integral_to
from codeassist.candidates.mentioned import MentionHits
from codeassist.nlp.annotations import STATUSES
from codeassist.nlp.reading import ReadNote
from codeassist.note import SETTINGS
from codeassist.ranking.groups import ASSESSMENT, GROUP_NAMES, GROUP_OF, TREATMENT_WORDS
from codeassist.terminology.phrases import PhraseKind
from codeassist.terminology.store import Store

_KINDS = (
    ("title", (PhraseKind.TITLE,)),
    ("inclusion", (PhraseKind.INCLUSION,)),
    ("name", (PhraseKind.NAME, PhraseKind.EPONYM, PhraseKind.LAY, PhraseKind.ADJECTIVE, PhraseKind.MISSPELLING)),
    ("abbreviation", (PhraseKind.ABBREVIATION,)),
    ("finding", (PhraseKind.FINDING, PhraseKind.LAB)),
    ("drug", (PhraseKind.DRUG,)),
    ("status", (PhraseKind.STATUS, PhraseKind.HISTORY)),
    ("procedure", (PhraseKind.PROCEDURE, PhraseKind.CATALOGUE)),
    ("variant", (PhraseKind.VARIANT, PhraseKind.SHORT)),
    ("index", (PhraseKind.INDEX,)),
)
_KIND_COLUMN = np.zeros(len(PhraseKind), dtype=np.int64)
for _i, (_, _members) in enumerate(_KINDS):
    for _member in _members:
        _KIND_COLUMN[_member] = _i

SECTION_FEATURES = tuple(f"mentions_{g}" for g in GROUP_NAMES)
STATUS_FEATURES = tuple(f"mentions_{s}" for s in STATUSES)
KIND_FEATURES = tuple(f"match_{k}" for k, _ in _KINDS)
MENTION_FEATURES = (
    *SECTION_FEATURES,
    *STATUS_FEATURES,
    *KIND_FEATURES,
    "match_words",
    "match_readings",
    "match_nested",
    "attributes_matched",
    "attributes_open",
    "opens_line",
    "opens_assessment_line",
    "treated_nearby",
    "first_place",
    "last_place",
    "assessment_place",
    "fills_line",
    "beside_condition",
    "combines",
    "replaced",
)
ASSOCIATION_FEATURES = (
    "taught_best",
    "taught_best_words",
    "taught_best_count",
    "taught_sentence",
    "taught_note",
    "taught_sentences",
    "taught_assessment",
    "taught_asserted",
    "taught_agrees",
    "taught_share",
    "note_score",
    "note_rank",
    "sentence_score",
    "sentence_total",
    "sentence_rank",
    "label_share",
)
CODE_FEATURES = ("chapter", "code_letter", "is_symptom", "is_factor", "is_external", "is_status", "is_unspecified")
NOTE_FEATURES = ("setting", "note_words", "has_assessment", "assessment_codes", "assessment_conditions", "candidates")
SIBLING_FEATURES = ("category_rank", "category_size", "beats_sibling", "code_depth", "integral", "integral_gap")
FEATURES = (*MENTION_FEATURES, *ASSOCIATION_FEATURES, *CODE_FEATURES, *NOTE_FEATURES, *SIBLING_FEATURES)
COLUMN = {name: i for i, name in enumerate(FEATURES)}
_LAST = 999
"""The rank of what has no score."""
_MENTION_COLUMNS = len(MENTION_FEATURES)
_NO_PLACE = 99
"""Above all places and counts of which a feature takes the least."""
_OF_CONDITIONS = np.ones(256, dtype=bool)
"""By first letter of an ICD-10-CM code: neither a symptom (R) nor a cause (V to Y) nor a status (Z)."""
_OF_CONDITIONS[list(b"RVWXYZ")] = False
_TREATMENT = np.sort(np.array([hash_string(w) for w in TREATMENT_WORDS], dtype=np.uint64))


@dataclass(slots=True)
class Candidates:
    """The candidates of a note: ids (rows of the store, or beyond it labels that only the training data knows),
    system and code without dot of each, their feature matrix, and the mention hits and association hits that concern
    each."""

    ids: np.ndarray
    keys: list[tuple[str, str]]
    matrix: np.ndarray
    hits: MentionHits
    hit_candidate: np.ndarray
    associations: AssociationHits
    association_candidate: np.ndarray


@dataclass(slots=True)
class Scores:
    """Scores of some ids by likeness to audited texts, their totals over the texts, and which are candidates by it."""

    ids: np.ndarray
    best: np.ndarray
    total: np.ndarray
    proposed: np.ndarray


def no_scores() -> Scores:
    """Scores of no id."""
    empty = np.zeros(0, dtype=np.float32)
    return Scores(np.zeros(0, dtype=np.int64), empty, empty, np.zeros(0, dtype=bool))


@dataclass(slots=True)
class Taught:
    """What audited notes say of this note: association hits whose labels are candidate ids, the scores of the whole
    note and of its sentences, and the share of audited notes that had each id."""

    hits: AssociationHits
    notes: Scores
    sentences: Scores
    share_ids: np.ndarray
    shares: np.ndarray


class FeatureExtractor:
    """Computes :class:`Candidates`; holds what depends on the terminology only."""

    def __init__(self, store: Store, extra: tuple[tuple[str, str], ...] = ()) -> None:
        self._store = store
        self.extra = extra
        self._codes: dict[int, np.ndarray] = {}
        self._keys: dict[int, tuple[str, str]] = {}

    def key(self, candidate: int) -> tuple[str, str]:
        """System and code without dot of a candidate id."""
        n = len(self._store)
        if candidate >= n:
            return self.extra[candidate - n]
        found = self._keys.get(candidate)
        if found is None:
            found = self._store.system_name(candidate), self._store.key[candidate].decode()
            self._keys[candidate] = found
        return found

    def __call__(self, read: ReadNote, hits: MentionHits, taught: Taught) -> Candidates:
        proposed = [s.ids[s.proposed] for s in (taught.notes, taught.sentences)]
        ids = np.unique(np.concatenate([hits.row, taught.hits.label, *proposed]).astype(np.int64))
        keys = [self.key(c) for c in ids.tolist()]
        matrix = np.zeros((len(ids), len(FEATURES)), dtype=np.float32)
        at = np.searchsorted(ids, hits.row)
        if len(hits):
            self._mention_features(read, hits, at, matrix)
        taught_at = np.searchsorted(ids, taught.hits.label)
        self._taught_features(read, hits, at, taught, taught_at, ids, matrix)
        self._code_features(ids, matrix)
        self._note_features(read, ids, matrix)
        self._sibling_features(keys, matrix)
        return Candidates(ids, keys, matrix, hits, at, taught.hits, taught_at)

    def _mention_features(self, read: ReadNote, hits: MentionHits, at: np.ndarray, matrix: np.ndarray) -> None:
        columns = _hit_columns(read, hits, self._store)
        for names, values in (
            (SECTION_FEATURES, columns.group),
            (STATUS_FEATURES, columns.status),
            (KIND_FEATURES, columns.kind),
        ):
            first, width = COLUMN[names[0]], len(names)
            counts = np.bincount(at * width + values, minlength=len(matrix) * width)
            matrix[:, first : first + width] = counts.reshape(-1, width)
        # what the best mention is like counts over those that are asserted, or over all where none is
        weight = np.where((columns.status == 0) | (columns.status == 2), 1.0, 0.5)
        greatest = {
            "match_words": columns.words * weight,
            "attributes_matched": hits.matched,
            "opens_line": columns.opens_line,
            "opens_assessment_line": columns.opens_line & (columns.group == ASSESSMENT),
            "treated_nearby": columns.treated,
            "last_place": columns.place,
            "fills_line": columns.fills,
            "combines": hits.combined == 1,
            "replaced": hits.combined == 2,
        }
        assessed = (columns.group == ASSESSMENT) & (columns.status == 0)
        least = {
            "match_readings": hits.readings,
            "match_nested": columns.nested,
            "attributes_open": hits.open,
            "first_place": columns.place,
            "beside_condition": columns.beside,
            "assessment_place": np.where(assessed, columns.place, _NO_PLACE),
        }
        order = np.argsort(at, kind="stable")
        starts = np.flatnonzero(np.diff(at[order], prepend=-1))
        mentioned = at[order[starts]][:, None]
        table = np.stack([*greatest.values()], axis=1).astype(np.float32)[order]
        matrix[mentioned, [COLUMN[n] for n in greatest]] = np.maximum.reduceat(table, starts, axis=0)
        table = np.stack([*least.values()], axis=1).astype(np.float32)[order]
        lowest = np.minimum.reduceat(table, starts, axis=0)
        places = [COLUMN[n] for n in least]
        matrix[:, places] = -1
        matrix[mentioned, places] = np.where(lowest >= _NO_PLACE, -1, lowest)

    def _taught_features(
        self,
        read: ReadNote,
        hits: MentionHits,
        at: np.ndarray,
        taught: Taught,
        taught_at: np.ndarray,
        ids: np.ndarray,
        matrix: np.ndarray,
    ) -> None:
        found = taught.hits
        if len(found):
            sentence, group, status = _association_places(read, found)
            column = COLUMN["taught_best"]
            np.maximum.at(matrix[:, column], taught_at, found.precision)
            best = found.precision >= matrix[taught_at, column] - 1e-6
            np.maximum.at(matrix[:, COLUMN["taught_best_words"]], taught_at[best], found.words[best].astype(np.float32))
            np.maximum.at(matrix[:, COLUMN["taught_best_count"]], taught_at[best], found.count[best].astype(np.float32))
            # one best match a sentence and label, then how sure the sentences make it together
            code = taught_at.astype(np.int64) * (int(sentence.max()) + 1) + sentence
            order = np.lexsort((-found.precision, code))
            first = np.concatenate([[True], np.diff(code[order]) != 0])
            starts = np.flatnonzero(first)
            logs = np.log1p(-np.minimum(found.precision[order], 0.99))
            noisy = 1 - np.exp(np.add.reduceat(logs, starts))
            label = taught_at[order][starts]
            np.maximum.at(matrix[:, COLUMN["taught_sentence"]], label, noisy.astype(np.float32))
            np.add.at(matrix[:, COLUMN["taught_note"]], label, noisy.astype(np.float32))
            np.add.at(matrix[:, COLUMN["taught_sentences"]], label, (noisy > 0.3).astype(np.float32))
            assessed = group[order][starts] == ASSESSMENT
            np.maximum.at(matrix[:, COLUMN["taught_assessment"]], label[assessed], noisy[assessed].astype(np.float32))
            asserted = status[order][starts] == 0
            np.maximum.at(matrix[:, COLUMN["taught_asserted"]], label[asserted], noisy[asserted].astype(np.float32))
            if len(hits):
                mention_sentence = _mention_sentences(read, hits)
                width = max(int(sentence.max()), int(mention_sentence.max())) + 1
                both = np.isin(
                    label.astype(np.int64) * width + sentence[order][starts],
                    at.astype(np.int64) * width + mention_sentence,
                )
                np.maximum.at(matrix[:, COLUMN["taught_agrees"]], label[both], noisy[both].astype(np.float32))
            total = matrix[:, COLUMN["taught_note"]].sum() or 1.0
            matrix[:, COLUMN["taught_share"]] = matrix[:, COLUMN["taught_note"]] / total
        for name, scores in (("note", taught.notes), ("sentence", taught.sentences)):
            matrix[:, COLUMN[f"{name}_score"]] = _values_at(ids, scores.ids, scores.best)
            rank = np.zeros(len(scores.ids), dtype=np.float32)
            rank[np.argsort(-scores.best, kind="stable")] = np.arange(1, len(rank) + 1)
            matrix[:, COLUMN[f"{name}_rank"]] = _values_at(ids, scores.ids, np.minimum(rank, _LAST), default=_LAST)
        matrix[:, COLUMN["sentence_total"]] = _values_at(ids, taught.sentences.ids, taught.sentences.total)
        matrix[:, COLUMN["label_share"]] = _values_at(ids, taught.share_ids, taught.shares)

    def _code_features(self, ids: np.ndarray, matrix: np.ndarray) -> None:
        first = COLUMN["chapter"]
        for i, candidate in enumerate(ids.tolist()):
            row = self._codes.get(candidate)
            if row is None:
                row = self._codes[candidate] = self._describe(candidate)
            matrix[i, first : first + len(CODE_FEATURES)] = row

    def _describe(self, candidate: int) -> np.ndarray:
        system, key = self.key(candidate)
        title = self._store.title(candidate).lower() if candidate < len(self._store) else ""
        number = {"icd-10-cm": 0, "icd-10-pcs": 30, "cpt": 60, "hcpcs": 90}[system]
        letter = ord(key[0]) - 48
        chapter = number + (ord(key[0]) - 65 if system in ("icd-10-cm", "hcpcs") else letter if letter < 10 else 10)
        cm = system == "icd-10-cm"
        return np.array(
            [
                chapter,
                (ord(key[1]) - 48 if len(key) > 1 else 0) + (ord(key[2]) - 48 if len(key) > 2 else 0) / 50,
                cm and key[0] == "R",
                cm and key[0] == "Z",
                cm and key[0] in "VWXY",
                cm and (key.startswith(("Z79", "Z8", "Z9", "Z91", "Z72", "F17"))),
                "unspecified" in title,
            ],
            dtype=np.float32,
        )

    def _note_features(self, read: ReadNote, ids: np.ndarray, matrix: np.ndarray) -> None:
        kinds = {s.kind for part in read.parts for s in part.notes.sections}
        assessed = (matrix[:, COLUMN["mentions_assessment"]] > 0) & (matrix[:, COLUMN["mentions_present"]] > 0)
        conditions = assessed & (matrix[:, COLUMN["is_symptom"]] == 0) & (matrix[:, COLUMN["chapter"]] < 25)
        values = {
            "setting": SETTINGS.index(read.note.setting),
            "note_words": sum(len(p.content.value) for p in read.parts),
            "has_assessment": bool(kinds & {"assessment", "assessment_plan", "diagnosis", "postoperative_diagnosis"}),
            "assessment_codes": assessed.sum(),
            "assessment_conditions": conditions.sum(),
            "candidates": len(ids),
        }
        for name, value in values.items():
            matrix[:, COLUMN[name]] = value

    def _sibling_features(self, keys: list[tuple[str, str]], matrix: np.ndarray) -> None:
        """How a candidate stands among those of its category (three characters, or a PCS table)."""
        if not keys:
            return
        categories: dict[tuple[str, str], int] = {}
        category = np.array([categories.setdefault((s, k[:3]), len(categories)) for s, k in keys])
        strength = (
            matrix[:, COLUMN["match_words"]]
            + 0.5 * matrix[:, COLUMN["attributes_matched"]]
            + 2 * matrix[:, COLUMN["taught_sentence"]]
            + 0.3 * matrix[:, COLUMN["mentions_assessment"]]
            + matrix[:, COLUMN["note_score"]]
        )
        order = np.lexsort((-strength, category))
        sorted_category = category[order]
        starts = np.concatenate([[0], np.flatnonzero(np.diff(sorted_category)) + 1])
        sizes = np.diff(np.append(starts, len(order)))
        rank = np.arange(len(order)) - np.repeat(starts, sizes)
        matrix[order, COLUMN["category_rank"]] = rank
        matrix[order, COLUMN["category_size"]] = np.repeat(sizes, sizes)
        best = strength[order][np.repeat(starts, sizes)]
        second = np.full(len(starts), 0.0)
        second[sizes > 1] = strength[order][starts[sizes > 1] + 1]
        gap = np.where(rank == 0, best - np.repeat(second, sizes), strength[order] - best)
        matrix[order, COLUMN["beats_sibling"]] = gap
        matrix[:, COLUMN["code_depth"]] = [len(k) for _, k in keys]
        self._integral_features(keys, matrix)

    def _integral_features(self, keys: list[tuple[str, str]], matrix: np.ndarray) -> None:
        """Whether the note asserts a condition that a symptom belongs to, and how much more strongly (I.B.5)."""
        present = matrix[:, COLUMN["mentions_present"]] > 0
        strength = np.where(
            present,
            1 + 2 * (matrix[:, COLUMN["mentions_assessment"]] > 0) + matrix[:, COLUMN["opens_assessment_line"]],
            0,
        )
        number = {k: i for i, (s, k) in enumerate(keys) if s == "icd-10-cm" and strength[i] > 0}
        for symptom, (_, other) in integral_to({k: float(strength[i]) for k, i in number.items()}).items():
            i = number[symptom]
            matrix[i, COLUMN["integral"]] = other
            matrix[i, COLUMN["integral_gap"]] = other - strength[i]


_PRESENT, _POSSIBLE = STATUSES.index("present"), STATUSES.index("possible")
_CONFIRMED_ONLY = (b"B20", b"Z21", b"U071", b"A925", b"J09", b"J10")
"""HIV, COVID-19, Zika and identified influenza are coded only when confirmed (guidelines I.C.1.a, f, g; I.C.10.c)."""


def _confirmed_only(store: Store, row: np.ndarray) -> np.ndarray:
    keys = store.key[row]
    return np.asarray(np.any([np.char.startswith(keys, c) for c in _CONFIRMED_ONLY], axis=0))


@dataclass(slots=True)
class _HitColumns:
    group: np.ndarray
    status: np.ndarray
    kind: np.ndarray
    words: np.ndarray
    nested: np.ndarray
    opens_line: np.ndarray
    treated: np.ndarray
    place: np.ndarray
    fills: np.ndarray
    beside: np.ndarray


def _hit_columns(read: ReadNote, hits: MentionHits, store: Store) -> _HitColumns:
    n = len(hits)
    out = _HitColumns(*(np.zeros(n, dtype=t) for t in ("i4", "i4", "i4", "f4", "f4", "?", "f4", "f4", "f4", "f4")))
    for p, part in enumerate(read.parts):
        mine = hits.part == p
        if not mine.any():
            continue
        notes, mentions = part.notes, part.notes.mentions
        assert mentions is not None
        m = hits.mention[mine]
        start = mentions.start[m]
        groups = np.array([GROUP_OF[s.kind] for s in notes.sections])
        out.group[mine] = groups[notes.section[start]]
        out.status[mine] = notes.status[start]
        if read.note.setting == "inpatient":
            likely = mine & (out.status == _POSSIBLE)
            out.status[likely & ~_confirmed_only(store, hits.row)] = _PRESENT
        out.kind[mine] = _KIND_COLUMN[store.phrases.kind[mentions.phrase[m]]]
        out.words[mine] = mentions.words[m]
        out.nested[mine] = mentions.nested[m]
        out.opens_line[mine] = _opens_line(
            part.notes.sentence, part.notes.punctuation | notes.space, start, notes.lower
        )
        treated = _treated_sentences(notes.lower, notes.sentence)
        out.treated[mine] = treated[notes.sentence[start]]
        out.place[mine] = start / max(1, len(notes))
        sentence = notes.sentence[start]
        size = np.bincount(part.content.segment, minlength=int(notes.sentence[-1]) + 1)
        out.fills[mine] = np.where(out.status[mine] == 0, mentions.words[m] / np.maximum(size[sentence], 1), 0)
        out.beside[mine] = _beside_condition(hits.row[mine], sentence, out, mine, store)
    return out


def _beside_condition(
    row: np.ndarray, sentence: np.ndarray, columns: _HitColumns, mine: np.ndarray, store: Store
) -> np.ndarray:
    """How many other conditions, not symptoms, the sentence of each mention asserts (at most three)."""
    condition = (store.system[row] == 0) & _OF_CONDITIONS[_letters(store.key[row])]
    counts = condition & (columns.status[mine] == 0) & (columns.nested[mine] == 0)
    pairs = np.unique(sentence[counts].astype(np.int64) * len(store) + row[counts])
    number = np.bincount(pairs // len(store), minlength=int(sentence.max()) + 1 if len(sentence) else 1)
    return np.asarray(np.minimum(number[sentence] - counts, 3))


def _letters(keys: np.ndarray) -> np.ndarray:
    """The first byte of each key."""
    return keys.view(np.uint8).reshape(len(keys), keys.itemsize)[:, 0]


def _opens_line(sentence: np.ndarray, skip: np.ndarray, start: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Whether a token is among the first two words of its sentence, list numbers and marks aside."""
    words = np.concatenate([[0], np.cumsum(~skip)])
    first = np.searchsorted(sentence, sentence[start], side="left")
    return np.asarray(words[start] - words[first] <= 2)


def _treated_sentences(lower: np.ndarray, sentence: np.ndarray) -> np.ndarray:
    """For each sentence, whether it or one of the three after it speaks of treatment."""
    n = int(sentence[-1]) + 1 if len(sentence) else 0
    own = np.zeros(n + 4, dtype=bool)
    at = np.minimum(np.searchsorted(_TREATMENT, lower), len(_TREATMENT) - 1)
    own[sentence[_TREATMENT[at] == lower]] = True
    return own[:n] | own[1 : n + 1] | own[2 : n + 2] | own[3 : n + 3]


_SENTENCES = 1 << 20


def _association_places(read: ReadNote, found: AssociationHits) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sentence (unique over the documents), section group and status of each association hit."""
    sentence = np.zeros(len(found), dtype=np.int64)
    group = np.zeros(len(found), dtype=np.int64)
    status = np.zeros(len(found), dtype=np.int64)
    offset = 0
    for p, part in enumerate(read.parts):
        mine = found.part == p
        token = part.content.token[found.first[mine]]
        sentence[mine] = part.notes.sentence[token] + offset
        group[mine] = np.array([GROUP_OF[s.kind] for s in part.notes.sections])[part.notes.section[token]]
        status[mine] = part.notes.status[part.content.token[found.last[mine]]]
        offset += int(part.notes.sentence[-1]) + 1 if len(part.notes) else 0
    return sentence, group, status


def _mention_sentences(read: ReadNote, hits: MentionHits) -> np.ndarray:
    sentence = np.zeros(len(hits), dtype=np.int64)
    offset = 0
    for p, part in enumerate(read.parts):
        mine = hits.part == p
        mentions = part.notes.mentions
        assert mentions is not None
        sentence[mine] = part.notes.sentence[mentions.start[hits.mention[mine]]] + offset
        offset += int(part.notes.sentence[-1]) + 1 if len(part.notes) else 0
    return sentence


def _values_at(ids: np.ndarray, keys: np.ndarray, values: np.ndarray, default: float = 0.0) -> np.ndarray:
    """``values`` of ``keys`` (unique, in any order) at ``ids`` (sorted), ``default`` elsewhere."""
    out = np.full(len(ids), default, dtype=np.float32)
    if len(keys):
        at = np.searchsorted(ids, keys)
        inside = at < len(ids)
        inside[inside] = ids[at[inside]] == keys[inside]
        out[at[inside]] = values[inside]
    return out
