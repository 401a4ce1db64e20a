"""From ranked candidates to what a coder sees: codes, candidates and discarded ones, and what is said of each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from codeassist.composition import composition
from codeassist.details import Details
from codeassist.evidence import EvidencePicker
from codeassist.nlp.annotations import STATUSES
from codeassist.nlp.reading import ReadNote
from codeassist.ranking.explain import explain
from codeassist.ranking.features import COLUMN, Candidates
from codeassist.ranking.ranker import group_of
from codeassist.ranking.settling import settle
from codeassist.ranking.tiers import held_back
from codeassist.release import Release
from codeassist.result import Alternative, Discarded, Reason, Suggestion, Tier
from codeassist.settings import settings
from codeassist.site import Site
from codeassist.terminology.store import Store
from codeassist.visits import Visit, assess_visit

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
class Ranked:
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


@dataclass(frozen=True, slots=True)
class _CodedVisit:
    """A visit with the row of its code, its chance, and the candidate of that code where the ranker has one."""

    visit: Visit
    row: int
    chance: float
    candidates: tuple[int, ...]


class Choice:
    """Chooses what is shown of a note's candidates, with one model release over one terminology index."""

    def __init__(self, store: Store, release: Release, site: Site | None) -> None:
        self.terminology = store
        self.release = release
        self.site = site
        self._details = Details(store)

    def suggestions(self, ranked: Ranked) -> tuple[Suggestion, ...]:
        """The likeliest candidates of each ranker and the visit that the note is about, likeliest first."""
        found, keys, probability = ranked.found, ranked.found.keys, ranked.probability.tolist()
        audited = self.release.audited_labels
        order = self._likeliest(ranked)
        visit = self._visit_of(ranked)
        reasons = self._reasons(found, [*order[:_EXPLAINED], *(visit.candidates if visit else ())])
        coded = self._coded(found, probability, order)
        valid = self.terminology.valid(ranked.day)
        ahead = self._visit(ranked.evidence, visit, reasons) if visit else None
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
            chance = round(probability[i], 4)
            if ahead is not None and ahead.probability > chance:
                out.append(replace(ahead, rank=len(out) + 1))
                ahead = None
            out.append(
                Suggestion(
                    system=system,  # type: ignore[arg-type]
                    code=self.terminology.code(candidate) if inside else self._unlisted(system, key)[0],
                    display=self.terminology.title(candidate) if inside else self._unlisted(system, key)[1],
                    probability=chance,
                    rank=len(out) + 1,
                    tier=tier,
                    evidence=ranked.evidence.pick(i),
                    explanation=(*self._composed(ranked.read, found, i, system), *reasons.get(i, ())),
                    alternatives=self._details.alternatives(candidate, ranked.day) if listed else (),
                    specificity=self._details.specificity(candidate, ranked.day) if listed else (),
                    listed=listed,
                )
            )
        if ahead is not None:
            out.append(replace(ahead, rank=len(out) + 1))
        return tuple(out)

    def _visit_of(self, ranked: Ranked) -> _CodedVisit | None:
        """The visit that the note is about, where its setting reports CPT."""
        read, found, levels = ranked.read, ranked.found, ranked.levels
        if self.release.audited_labels or read.note.setting == "inpatient":
            return None
        rows = found.ids.tolist()
        likely = dict(zip(rows, ranked.probability.tolist(), strict=True))
        visit = assess_visit(read, found.hits, self.terminology, likely)
        row = self.terminology.row("cpt", visit.code) if visit else None
        if visit is None or row is None or not self.terminology.valid(ranked.day)[row]:
            return None
        # the ranker tells apart badly which level a visit has, but well whether one is coded at all: the chances that
        # it gives to the levels, of which at most one is coded, add up to the chance that the visit is
        chance = min(max(float(ranked.probability[levels].sum()), VISIT_FLOOR), VISIT_CEILING)
        mine = tuple(i for i in np.flatnonzero(levels).tolist() if rows[i] == row)
        return _CodedVisit(visit, row, round(chance, 4), mine[:1])

    def discarded(self, ranked: Ranked, suggested: set[tuple[str, str]]) -> tuple[Discarded, ...]:
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

    def _likeliest(self, ranked: Ranked) -> list[int]:
        keys, probability = ranked.found.keys, ranked.probability.tolist()
        audited = self.release.audited_labels
        likely = ranked.keep & (ranked.probability >= (AUDITED_FLOOR if audited else FLOOR))
        order: list[int] = []
        for group, most in (AUDITED_MOST if audited else MOST).items():
            mine = np.flatnonzero(ranked.of_group[group] & likely)
            order += sorted(mine.tolist(), key=lambda i: (-probability[i], keys[i]))[:most]
        return sorted(order, key=lambda i: (-probability[i], keys[i]))

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

    def _reasons(self, found: Candidates, candidates: list[int]) -> dict[int, tuple[Reason, ...]]:
        out: dict[int, tuple[Reason, ...]] = {}
        for group, ranker in self.release.rankers.items():
            mine = [i for i in candidates if group_of(found.keys[i][0]) == group]
            out.update(zip(mine, explain(ranker, found.matrix[mine]), strict=True) if mine else ())
        return out

    def _visit(
        self, evidence: EvidencePicker, coded: _CodedVisit, reasons: dict[int, tuple[Reason, ...]]
    ) -> Suggestion:
        """The suggestion of an assessed visit: its elements as the first reasons, its neighbours as alternatives."""
        visit, row = coded.visit, coded.row
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
            probability=coded.chance,
            rank=1,
            tier="candidate" if held or coded.chance < threshold else "code",
            evidence=evidence.at(passages)[:_MOST_VISIT_EVIDENCE],
            explanation=(*elements, *chosen, *(r for i in coded.candidates for r in reasons.get(i, ()))),
            alternatives=tuple(
                Alternative(store.code(r), store.title(r), n.why) for n, r in neighbours if r is not None
            ),
        )


def dotted(system: str, key: str) -> str:
    """A code as it is written on a claim."""
    return f"{key[:3]}.{key[3:]}" if system == "icd-10-cm" and len(key) > 3 else key
