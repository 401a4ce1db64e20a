"""Runs the rule families over a list of codes, and proposes its order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from codeassist.note import Note
from codeassist.result import Finding, Suggestion
from codeassist.rules.encounter import CodedLine, Encounter
from codeassist.rules.registry import FAMILIES
from codeassist.rules.sequencing import propose_order
from codeassist.terminology.store import Store


@dataclass(frozen=True, slots=True)
class Review:
    """Findings, the proposed order with a reason for each code, the families that ran, and their editions."""

    findings: tuple[Finding, ...]
    sequence: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]
    editions: dict[str, str]


class RuleEngine:
    """The rule families over one terminology store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def check(self, encounter: Encounter) -> Review:
        """Everything that the rules say of an encounter's codes."""
        findings = [f for family in FAMILIES.values() for f in family(encounter, self._store)]
        order = propose_order(encounter, self._store)
        return Review(tuple(findings), tuple(order), tuple(FAMILIES), dict(self._store.releases))

    def review(
        self, note: Note, suggestions: tuple[Suggestion, ...], places: Mapping[str, tuple[float, float]]
    ) -> tuple[tuple[Finding, ...], tuple[Suggestion, ...]]:
        """Findings on the suggestions of tier ``code``, and all suggestions with their sequence.

        ``places`` says where the note names each code: the order in which a physician lists the problems is the order
        from which sequencing starts.
        """
        coded = [s for s in suggestions if s.tier == "code" and s.listed]
        coded.sort(key=lambda s: (places.get(s.code, (2.0, 0.0)), s.rank))
        lines = tuple(CodedLine(s.system, s.code, s.poa) for s in coded)
        review = self.check(Encounter(lines, note.setting, note.date_of_service, note.patient))
        place = {code: i for i, (code, _) in enumerate(review.sequence, 1)}
        numbered = tuple(
            replace(s, sequence=place[s.code]) if s.tier == "code" and s.code in place else s for s in suggestions
        )
        return review.findings, numbered
