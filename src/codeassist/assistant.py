"""The path of a note: read, propose, rank, rule, suggest."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from codeassist.choice import Choice, Ranked
from codeassist.evidence import EvidencePicker, assertion_at
from codeassist.nlp.reading import NoteReader, ReadDocument, ReadNote
from codeassist.note import Document, Note
from codeassist.observing import Observer, laps
from codeassist.proposing import LabelSpace, Proposer
from codeassist.ranking.features import COLUMN, Candidates
from codeassist.ranking.ranker import group_of
from codeassist.registry import chosen_release
from codeassist.release import Release, load_release
from codeassist.result import (
    Assertion,
    CodingResult,
    ModelId,
    Suggestion,
)
from codeassist.rules.case import Case
from codeassist.rules.encounter import CodedLine, Encounter
from codeassist.rules.engine import Review, RuleEngine
from codeassist.rules.queries import BETWEEN, Query, draft_queries, in_documents
from codeassist.settings import settings
from codeassist.site import Site, read_site, with_site
from codeassist.terminology.access import open_store
from codeassist.terminology.phrases import PhraseKind
from codeassist.terminology.store import Store, normal_key
from codeassist.visits.tables import visit_codes


def site_of(release: Release) -> Site | None:
    """The site's own parts: the copy in the release, else the folder of the settings, else ``None``."""
    folder = release.site or settings().site_dir
    return read_site(folder) if folder is not None else None


class CodeAssistant:
    """Suggests codes for notes with one model release over one terminology index."""

    def __init__(self, store: Store, release: Release) -> None:
        self.site = site = site_of(release)
        if site is not None:
            store = with_site(store, site)
        learned = release.phrases
        store = store.with_phrases(learned.key, learned.code, learned.words, PhraseKind.INDEX)
        self.terminology = store
        self.release = release
        self._space = LabelSpace(store, release.labels)
        self._proposer = Proposer(store, self._space, release.shares, release.audited_labels)
        self._reader = NoteReader(store)
        self._choice = Choice(store, release, site)
        self._rules = RuleEngine(store, settings().rules)
        self.observer: Observer | None = None

    @property
    def model(self) -> ModelId:
        """Which release this is; its version names the site's folder where the release has no copy of it."""
        found = self.release.id
        if self.site is None or self.release.site is not None:
            return found
        return replace(found, version=f"{found.version}+site.{self.site.sha256[:8]}")

    @property
    def releases(self) -> dict[str, str]:
        """The edition of each code system."""
        return dict(self.terminology.releases)

    def suggest(self, note: Note) -> CodingResult:
        """Ranked codes for a note or encounter, with evidence and findings.

        Raises :class:`~codeassist.errors.NoteTooLarge` or :class:`~codeassist.errors.InputError`.
        """
        note.check_length(settings().max_characters)
        day = self.terminology.day(note.date_of_service)
        lap = laps(self.observer)
        read = self._reader(note)
        lap("read")
        found = self._propose(read, day)
        lap("propose")
        ranked = self._ranked(read, found, day)
        lap("rank")
        suggestions = self._choice.suggestions(ranked)
        discarded = self._choice.discarded(ranked, {(s.system, s.code) for s in suggestions})
        lap("explain")
        findings, suggestions = self._rules.review(note, suggestions, self._places(found, suggestions))
        lap("rules")
        return CodingResult(
            note.id,
            note.setting,
            note.date_of_service,
            self.model,
            self.releases,
            suggestions,
            discarded,
            findings,
        )

    def suggest_many(self, notes: Iterable[Note]) -> Iterator[CodingResult]:
        """:meth:`suggest` for each note in turn."""
        for note in notes:
            yield self.suggest(note)

    def check(self, encounter: Encounter) -> Review:
        """What the rules say of an encounter's codes, and the order that they propose."""
        return self._rules.check(encounter)

    def assertion(self, text: str, start: int, end: int) -> Assertion:
        """What ``text`` says of its span ``start`` to ``end``: the status, and the cue that says so.

        A cue inside the span does not govern it. Raises ``ValueError`` when the span is not in the text.
        """
        if not 0 <= start < end <= len(text):
            raise ValueError(f"no span {start} to {end} in a text of {len(text)} characters")
        return self._assertion(self._reader.document(Document(text)), start, end)

    def queries(self, note: Note, result: CodingResult) -> tuple[Query, ...]:
        """Drafts of queries to the physician, where the note is short of what the codes of tier ``code`` in ``result``
        need (:func:`~codeassist.rules.queries.draft_queries`); quotations are placed in the note, or in the document
        that they name."""
        text = BETWEEN.join(d.text for d in note.parts)
        lines = tuple(
            CodedLine(s.system, s.code, s.poa, s.modifiers, s.units, s.diagnoses, s.evidence)
            for s in result.suggestions
            if s.tier == "code" and s.listed
        )
        case = Case(Encounter(lines, note.setting, note.date_of_service, note.patient, text), self.terminology)
        part = self._reader.document(Document(text))
        drafts = draft_queries(case, lambda start, end: self._assertion(part, start, end).status == "present")
        return in_documents(drafts, note.documents) if note.documents else drafts

    def _assertion(self, part: ReadDocument, start: int, end: int) -> Assertion:
        tokens = np.flatnonzero((part.notes.end > start) & (part.notes.start < end))
        tokens = tokens[~(part.notes.punctuation | part.notes.space)[tokens]]
        if not len(tokens):
            return Assertion()
        cues = np.array([part.notes.cues[c][0] if c >= 0 else -1 for c in part.notes.cue[tokens].tolist()])
        status = np.where(np.isin(cues, tokens), 0, part.notes.status[tokens])
        token = int(tokens[int(np.argmax(status != 0))]) if (status != 0).any() else int(tokens[0])
        return assertion_at(part, token)

    def _propose(self, read: ReadNote, day: int) -> Candidates:
        taught = self._proposer.taught(read, self.release.lessons)
        return self._proposer.candidates(read, day, taught)

    def _usable(self, found: Candidates, note: Note, day: int) -> np.ndarray:
        """Candidates that may be suggested: valid on the day (unless the labels are a site's own), and of a code
        system that the setting reports (ICD-10-PCS for inpatients, CPT and HCPCS otherwise)."""
        store = self.terminology
        n = len(store)
        keep = np.zeros(len(found.ids), dtype=bool)
        inside = found.ids < n
        keep[inside] = store.valid(day)[found.ids[inside]]
        if self.release.audited_labels:
            return keep | np.isin(found.ids, self._space.ids)
        system = np.full(len(found.ids), 0)
        system[inside] = store.system[found.ids[inside]]
        inpatient = note.setting == "inpatient"
        return np.asarray(keep & np.where(inpatient, system <= 1, (system != 1) & (system <= 3)))

    def _ranked(self, read: ReadNote, found: Candidates, day: int) -> Ranked:
        keep = self._usable(found, read.note, day)
        diagnoses = np.array([group_of(system) == "diagnosis" for system, _ in found.keys], dtype=bool)
        of_group = {"diagnosis": diagnoses, "procedure": ~diagnoses}
        probability = np.zeros(len(found.ids))
        for group, ranker in self.release.rankers.items():
            mine = of_group[group] & keep
            probability[mine] = ranker.probability(found.matrix[mine])
        levels = keep & self._visit_candidates(found)
        evidence = EvidencePicker(read, found)
        return Ranked(read, found, day, probability, of_group, keep & ~levels, levels, evidence)

    def _visit_candidates(self, found: Candidates) -> np.ndarray:
        """Candidates that are levels of a visit: these are assessed, not suggested from words. A site's own labels are
        taken as they are."""
        if self.release.audited_labels:
            return np.zeros(len(found.ids), dtype=bool)
        codes = visit_codes()
        return np.array([system == "cpt" and key in codes for system, key in found.keys], dtype=bool)

    def _places(self, found: Candidates, suggestions: tuple[Suggestion, ...]) -> dict[str, tuple[float, float]]:
        """Where the assessment names each suggested code (0 to 1; 2 where it does not), combinations before their
        parts."""
        place = found.matrix[:, COLUMN["assessment_place"]].tolist()
        combines = found.matrix[:, COLUMN["combines"]].tolist()
        number = {key: i for i, key in enumerate(found.keys)}
        out = {}
        for s in suggestions:
            i = number.get((s.system, normal_key(s.code)))
            if i is not None:
                out[s.code] = (place[i] if place[i] >= 0 else 2.0, -combines[i])
        return out


def load(model: str | Path | None = None) -> CodeAssistant:
    """The assistant with the release in the folder ``model``; unless one is named here or in the settings, with the
    registry's promoted release, and where there is none with the shipped one.

    Builds the terminology index on the first call on a machine. What is alive by then (modules, model, tables) lives as
    long as the process, and is taken out of the garbage collector's rounds, which would stop a note for a tenth of a
    second now and then. Raises
    :class:`~codeassist.errors.ModelError` or :class:`~codeassist.errors.TerminologyError`.
    """
    release = load_release(*((Path(model), None) if model is not None else chosen_release()))
    assistant = CodeAssistant(open_store(), release)
    gc.freeze()
    return assistant


__all__ = ["CodeAssistant", "load"]
