"""Runs the rule families over a list of codes, and proposes its order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from codeassist.note import Note
from codeassist.result import Finding, Suggestion
from codeassist.rules.case import Case
from codeassist.rules.encounter import CodedLine, Encounter
from codeassist.rules.families.necessity import propose_links
from codeassist.rules.policy import policy_of
from codeassist.rules.registry import FAMILIES
from codeassist.rules.sequencing import propose_order
from codeassist.terminology.store import Store

_RANK = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Review:
    """Findings (errors first), the proposed order with a reason for each code, the families that ran, and the editions
    of everything that they read."""

    findings: tuple[Finding, ...]
    sequence: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]
    editions: dict[str, str]


class RuleEngine:
    """The rule families over one terminology store; ``levels`` is a site's ``[rules]`` table.

    Raises :class:`~codeassist.errors.InputError` when that table names a rule or a level that does not exist.
    """

    def __init__(self, store: Store, levels: Mapping[str, Any] | None = None) -> None:
        self._store = store
        self._policy = policy_of(levels or {}, FAMILIES)
        self._families = tuple(f for f in FAMILIES.values() if self._policy.runs(f))

    def check(self, encounter: Encounter) -> Review:
        """Everything that the rules say of an encounter's codes."""
        case = Case(encounter, self._store)
        editions = dict(self._store.releases)
        for family in self._families:
            editions.update(family.editions(case))
        order = propose_order(case)
        return Review(self._findings(case), tuple(order), tuple(f.name for f in self._families), editions)

    def _findings(self, case: Case) -> tuple[Finding, ...]:
        """What the families say of a case, errors first."""
        findings = []
        for family in self._families:
            findings += [f for found in family.check(case) if (f := self._policy.applied(found)) is not None]
        findings.sort(key=lambda f: _RANK[f.level])
        return tuple(findings)

    def review(
        self, note: Note, suggestions: tuple[Suggestion, ...], places: Mapping[str, tuple[float, float]]
    ) -> tuple[tuple[Finding, ...], tuple[Suggestion, ...]]:
        """Findings on the suggestions of tier ``code``, and all suggestions with their sequence; services
        without a linked diagnosis get those that usually support them.

        ``places`` says where the note names each code: the order in which a physician lists the problems is the order
        from which sequencing starts. The findings are those of the proposed order.
        """
        coded = [s for s in suggestions if s.tier == "code" and s.listed]
        coded.sort(key=lambda s: (places.get(s.code, (2.0, 0.0)), s.rank))
        lines = tuple(CodedLine(s.system, s.code, s.poa, s.modifiers, s.units, s.diagnoses, s.evidence) for s in coded)
        text = "\n\n".join(part.text for part in note.parts)
        encounter = Encounter(lines, note.setting, note.date_of_service, note.patient, text)
        place = {code: i for i, (code, _) in enumerate(propose_order(Case(encounter, self._store)), 1)}
        lines = tuple(sorted(lines, key=lambda line: place[line.code]))
        case = Case(replace(encounter, codes=lines), self._store)
        links = propose_links(case)
        if links:
            lines = tuple(replace(line, diagnoses=links.get(i, line.diagnoses)) for i, line in enumerate(lines))
            case = Case(replace(encounter, codes=lines), self._store)
        findings = self._findings(case)
        linked = {(line.system, line.code): line.diagnoses for line in lines}
        numbered = tuple(
            replace(s, sequence=place[s.code], diagnoses=linked[s.system, s.code])
            if s.tier == "code" and s.code in place
            else s
            for s in suggestions
        )
        return findings, numbered
