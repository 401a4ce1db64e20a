"""The path of a note: read, propose, rank, rule, suggest."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from codeassist.composition import composition
from codeassist.details import Details
from codeassist.evidence import EvidencePicker, assertion_at
from codeassist.nlp.annotations import STATUSES
from codeassist.nlp.reading import NoteReader, ReadDocument, ReadNote
from codeassist.note import Document, Note
from codeassist.observing import Observer, laps
from codeassist.proposing import LabelSpace, Proposer
from codeassist.ranking.explain import explain
from codeassist.ranking.features import COLUMN, Candidates
from codeassist.ranking.ranker import group_of
from codeassist.ranking.settling import settle
from codeassist.ranking.tiers import held_back
from codeassist.registry import chosen_release
from codeassist.release import Release, load_release
from codeassist.result import (
    Alternative,
    Assertion,
    CodingResult,
    Discarded,
    ModelId,
    Reason,
    Suggestion,
    Tier,
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
from codeassist.visits import Visit, assess_visit
from codeassist.visits.tables import visit_codes

FLOOR = 0.005
"""Least probability of a candidate that is shown."""
MOST = {"diagnosis": 18, "procedure": 12}
"""Most suggestions of each ranker."""
AUDITED_FLOOR = 0.0005
AUDITED_MOST = {"diagnosis": 120, "procedure": 80}
"""The same for a model of a site's own labels, where notes hold many codes."""
VISIT_FLOOR, VISIT_CEILING = 0.05, 0.9
"""Least and greatest probability of the assessed visit: a note that tells of a visit is hardly ever without the chance
that one is coded, and even where one is, the level may be another."""
_MOST_VISIT_EVIDENCE = 12
_EXPLAINED = 15
_INTEGRAL = "it belongs to a condition that the note names, and is not coded beside it (guideline I.B.5)"
_LEFT_OUT = {
    "negated": "the note says that it is absent",
    "historical": "it is past history",
    "family": "it is said of somebody else",
    "hypothetical": "it is only a possibility to watch for",
    "possible": "it is uncertain, and uncertain diagnoses are not coded in this setting (guideline IV.H)",
}


@dataclass(slots=True)
class _Ranked:
    """The candidates of a note on a day with their probabilities: which are of each ranker's group, which may be
    suggested (``keep``) or are a visit's levels, and the picker of their evidence."""

    read: ReadNote
    found: Candidates
    day: int
    probability: np.ndarray
    of_group: dict[str, np.ndarray]
    keep: np.ndarray
    levels: np.ndarray
    evidence: EvidencePicker


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
        self._details = Details(store)
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
        suggestions = self._with_visit(ranked, self._suggestions(ranked))
        discarded = self._discarded(ranked, {(s.system, s.code) for s in suggestions})
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

    def _ranked(self, read: ReadNote, found: Candidates, day: int) -> _Ranked:
        keep = self._usable(found, read.note, day)
        diagnoses = np.array([group_of(system) == "diagnosis" for system, _ in found.keys], dtype=bool)
        of_group = {"diagnosis": diagnoses, "procedure": ~diagnoses}
        probability = np.zeros(len(found.ids))
        for group, ranker in self.release.rankers.items():
            mine = of_group[group] & keep
            probability[mine] = ranker.probability(found.matrix[mine])
        levels = keep & self._visit_candidates(found)
        evidence = EvidencePicker(read, found)
        return _Ranked(read, found, day, probability, of_group, keep & ~levels, levels, evidence)

    def _suggestions(self, ranked: _Ranked) -> tuple[Suggestion, ...]:
        found, keys, probability = ranked.found, ranked.found.keys, ranked.probability.tolist()
        order: list[int] = []
        audited = self.release.audited_labels
        likely = ranked.keep & (ranked.probability >= (AUDITED_FLOOR if audited else FLOOR))
        for group, most in (AUDITED_MOST if audited else MOST).items():
            mine = np.flatnonzero(ranked.of_group[group] & likely)
            order += sorted(mine.tolist(), key=lambda i: (-probability[i], keys[i]))[:most]
        order.sort(key=lambda i: (-probability[i], keys[i]))
        reasons = self._reasons(found, order)
        coded = self._coded(found, probability, order)
        valid = self.terminology.valid(ranked.day)
        out: list[Suggestion] = []
        for i in order:
            system, key = keys[i]
            candidate = int(found.ids[i])
            inside = candidate < len(self.terminology)
            listed = inside and bool(valid[candidate])
            threshold = self.release.rankers[group_of(system)].threshold
            tier: Tier = "code" if i in coded else "candidate"
            if (
                tier == "candidate"
                and not audited
                and found.matrix[i, COLUMN["integral"]] > 2
                and probability[i] < threshold / 2
            ):
                continue  # shown as discarded, with the condition that it belongs to
            out.append(
                Suggestion(
                    system=system,  # type: ignore[arg-type]
                    code=self.terminology.code(candidate) if inside else self._unlisted(system, key)[0],
                    display=self.terminology.title(candidate) if inside else self._unlisted(system, key)[1],
                    probability=round(probability[i], 4),
                    rank=len(out) + 1,
                    tier=tier,
                    evidence=ranked.evidence.pick(i),
                    explanation=(*self._composed(ranked.read, found, i, system), *reasons.get(i, ())),
                    alternatives=self._details.alternatives(candidate, ranked.day) if listed else (),
                    specificity=self._details.specificity(candidate, ranked.day) if listed else (),
                    listed=listed,
                )
            )
        return tuple(out)

    def _unlisted(self, system: str, key: str) -> tuple[str, str]:
        """How a code is written that only the training data knows, and its title where the site gives one."""
        own = self.site.own(system, key) if self.site is not None else None
        return (own.local, own.title) if own is not None else (dotted(system, key), "(known from audited notes only)")

    def _composed(self, read: ReadNote, found: Candidates, i: int, system: str) -> tuple[Reason, ...]:
        return composition(read, found, i, self.terminology) if system == "icd-10-pcs" else ()

    def _coded(self, found: Candidates, probability: list[float], order: list[int]) -> set[int]:
        """Candidates of tier ``code``: likely enough, of a group that the site reports, and settled among each other.
        A site's own labels are taken as they are."""
        keys = found.keys
        chosen = {i for i in order if probability[i] >= self.release.rankers[group_of(keys[i][0])].threshold}
        if self.release.audited_labels:
            return chosen
        reported = settings().reported_groups
        chosen = {i for i in chosen if not held_back(*keys[i], reported)}
        number = {keys[i][1]: i for i in chosen}
        replaced = {k for k, i in number.items() if found.matrix[i, COLUMN["replaced"]] > 0}
        unspecified = {k for k, i in number.items() if found.matrix[i, COLUMN["is_unspecified"]] > 0}
        losing = settle({k: probability[i] for k, i in number.items()}, replaced, unspecified)
        return chosen - {number[k] for k in losing}

    def _reasons(self, found: Candidates, order: list[int]) -> dict[int, tuple[Reason, ...]]:
        out: dict[int, tuple[Reason, ...]] = {}
        for group, ranker in self.release.rankers.items():
            mine = [i for i in order[:_EXPLAINED] if group_of(found.keys[i][0]) == group]
            out.update(zip(mine, explain(ranker, found.matrix[mine]), strict=True) if mine else ())
        return out

    def _visit_candidates(self, found: Candidates) -> np.ndarray:
        """Candidates that are levels of a visit: these are assessed, not suggested from words. A site's own labels are
        taken as they are."""
        if self.release.audited_labels:
            return np.zeros(len(found.ids), dtype=bool)
        codes = visit_codes()
        return np.array([system == "cpt" and key in codes for system, key in found.keys], dtype=bool)

    def _with_visit(self, ranked: _Ranked, suggestions: tuple[Suggestion, ...]) -> tuple[Suggestion, ...]:
        """The suggestions with the visit that the note is about, where its setting reports CPT."""
        read, found, levels = ranked.read, ranked.found, ranked.levels
        if self.release.audited_labels or read.note.setting == "inpatient":
            return suggestions
        rows = found.ids.tolist()
        likely = dict(zip(rows, ranked.probability.tolist(), strict=True))
        visit = assess_visit(read, found.hits, self.terminology, likely)
        row = self.terminology.row("cpt", visit.code) if visit else None
        if visit is None or row is None or not self.terminology.valid(ranked.day)[row]:
            return suggestions
        # the ranker tells apart badly which level a visit has, but well whether one is coded at all: the chances that
        # it gives to the levels, of which at most one is coded, add up to the chance that the visit is
        chance = min(max(float(ranked.probability[levels].sum()), VISIT_FLOOR), VISIT_CEILING)
        mine = [i for i in np.flatnonzero(levels).tolist() if rows[i] == row]
        reasons = self._reasons(found, mine).get(mine[0], ()) if mine else ()
        suggestion = self._visit(ranked.evidence, visit, row, round(chance, 4), reasons)
        merged = sorted((*suggestions, suggestion), key=lambda s: -s.probability)
        return tuple(s if s.rank == rank else replace(s, rank=rank) for rank, s in enumerate(merged, 1))

    def _visit(
        self, evidence: EvidencePicker, visit: Visit, row: int, chance: float, reasons: tuple[Reason, ...]
    ) -> Suggestion:
        """The suggestion of an assessed visit: its elements as the first reasons, its neighbours as alternatives."""
        store = self.terminology
        threshold = self.release.rankers["procedure"].threshold
        held = held_back("cpt", visit.code, settings().reported_groups)
        neighbours = [(n, store.row("cpt", n.code)) for n in visit.alternatives]
        chosen = () if visit.chosen_by == "decision making" else (Reason("visit", f"chosen by {visit.chosen_by}", 0.0),)
        elements = tuple(Reason(f"mdm_{e.name}", str(e), 0.0) for e in visit.elements)
        passages = (*visit.passages, *(p for e in visit.elements for p in e.passages))
        return Suggestion(
            system="cpt",
            code=store.code(row),
            display=store.title(row),
            probability=chance,
            rank=1,
            tier="candidate" if held or chance < threshold else "code",
            evidence=evidence.at(passages)[:_MOST_VISIT_EVIDENCE],
            explanation=(*elements, *chosen, *reasons),
            alternatives=tuple(
                Alternative(store.code(r), store.title(r), n.why) for n, r in neighbours if r is not None
            ),
        )

    def _discarded(self, ranked: _Ranked, suggested: set[tuple[str, str]]) -> tuple[Discarded, ...]:
        """Codes that the note mentions but does not assert, by the most frequent reason."""
        found = ranked.found
        counts = found.matrix[:, [COLUMN[f"mentions_{s}"] for s in STATUSES]]
        asserted, others = counts[:, 0] > 0, counts[:, 1:]
        integral = (found.matrix[:, COLUMN["integral"]] > 0) & asserted
        left_out = integral | (~asserted & (others.max(axis=1, initial=0) > 0))
        left_out &= ranked.keep & ~(found.matrix[:, COLUMN["match_nested"]] > 0)
        out = []
        for i in np.flatnonzero(left_out).tolist():
            system, _ = found.keys[i]
            row = int(found.ids[i])
            code = self.terminology.code(row)
            if (system, code) in suggested:
                continue
            status = STATUSES[int(np.argmax(others[i])) + 1]
            reason = _INTEGRAL if integral[i] else _LEFT_OUT[status]
            title, evidence = self.terminology.title(row), ranked.evidence.pick(i)
            out.append(Discarded(system, code, title, reason, evidence))  # type: ignore[arg-type]
        return tuple(out)

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


def dotted(system: str, key: str) -> str:
    """A code as it is written on a claim."""
    return f"{key[:3]}.{key[3:]}" if system == "icd-10-cm" and len(key) > 3 else key


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
