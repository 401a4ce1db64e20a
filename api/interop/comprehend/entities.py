"""Suggestions as the entities of InferICD10CM.

An entity is a span that carries a diagnosis; entities do not overlap. Offsets count Unicode code points, as AWS's do.
A concept's score is its calibrated probability; of a code that is left out (absent, family, history) it is how well
the code fits the words, because it has no probability. An entity's score is that of its best concept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from codeassist.nlp.attributes.attributes import find_attributes
from codeassist.nlp.tokenizer import shared_english
from codeassist.result import CodingResult, Evidence
from codeassist.terminology.store import Store

SYSTEM = "icd-10-cm"
MOST_CONCEPTS = 5
CATEGORY, TYPE = "MEDICAL_CONDITION", "DX_NAME"
TRAITS = {
    "negated": "NEGATION",
    "family": "PERTAINS_TO_FAMILY",
    "hypothetical": "HYPOTHETICAL",
    "possible": "LOW_CONFIDENCE",
}
ATTRIBUTES = {"acuity": "ACUITY", "laterality": "DIRECTION", "severity": "QUALITY", "stage": "QUALITY"}
FAMILY_HISTORY = frozenset({"Z80", "Z81", "Z82", "Z83", "Z84"})
NEAR = 25
"""How many characters away from its entity an attribute may stand, in the same line."""
_UNFITTING = 0.5
"""The score of a code that is left out and that a search for its words does not find."""


@dataclass(slots=True)
class _Entity:
    start: int
    end: int
    status: str
    concepts: dict[str, tuple[str, float]] = field(default_factory=dict)

    @property
    def score(self) -> float:
        return max(score for _, score in self.concepts.values())


def entities(text: str, result: CodingResult, store: Store) -> list[dict[str, Any]]:
    """The entities in the order of the text, numbered from 0."""
    found: list[_Entity] = []
    for code, title, score, evidence in _coded(result, store):
        for span in _outermost(evidence):
            _place(found, span, code, title, score)
    found.sort(key=lambda entity: entity.start)
    attributes = _attributes(text, found)
    return [_record(text, number, entity, attributes.get(number, [])) for number, entity in enumerate(found)]


def _coded(result: CodingResult, store: Store) -> Iterator[tuple[str, str, float, tuple[Evidence, ...]]]:
    """Codes with their scores: suggestions by rank, then what was left out."""
    for suggestion in result.suggestions:
        if suggestion.system == SYSTEM:
            yield suggestion.code, suggestion.display, suggestion.probability, suggestion.evidence
    for left in result.discarded:
        if left.system == SYSTEM:
            hits = store.search(left.evidence[0].text[:200], system=SYSTEM) if left.evidence else []
            score = next((hit.score for hit in hits if hit.code == left.code), _UNFITTING)
            yield left.code, left.display, score, left.evidence


def _outermost(evidence: Iterable[Evidence]) -> list[Evidence]:
    """The spans that lie in no longer one."""
    kept: list[Evidence] = []
    for span in sorted(evidence, key=lambda e: (e.start - e.end, e.start)):
        if not any(k.start <= span.start and span.end <= k.end for k in kept):
            kept.append(span)
    return kept


def _place(found: list[_Entity], span: Evidence, code: str, title: str, score: float) -> None:
    """Add a concept to the entity that its span overlaps, or else make one of it."""
    entity = next((e for e in found if e.start < span.end and span.start < e.end), None)
    if entity is None:
        entity = _Entity(span.start, span.end, span.assertion.status)
        found.append(entity)
    entity.concepts.setdefault(code, (title, score))


def _record(text: str, number: int, entity: _Entity, attributes: list[dict[str, Any]]) -> dict[str, Any]:
    best = sorted(entity.concepts.items(), key=lambda item: -item[1][1])[:MOST_CONCEPTS]
    return {
        "Id": number,
        "Text": text[entity.start : entity.end],
        "Category": CATEGORY,
        "Type": TYPE,
        "Score": entity.score,
        "BeginOffset": entity.start,
        "EndOffset": entity.end,
        "Attributes": attributes,
        "Traits": [{"Name": name, "Score": entity.score} for name in _traits(entity.status, best[0][0])],
        "ICD10CMConcepts": [{"Description": title, "Code": code, "Score": score} for code, (title, score) in best],
    }


def _traits(status: str, code: str) -> list[str]:
    """What kind of condition it is, by its chapter, and what the note says of it."""
    if not code.startswith("R"):
        kind = "DIAGNOSIS"
    else:
        kind = "SIGN" if code[1:3] >= "70" else "SYMPTOM"  # R70 to R99: findings without a diagnosis
    said = "family" if code[:3] in FAMILY_HISTORY else status
    return [kind, *([TRAITS[said]] if said in TRAITS else [])]


def _attributes(text: str, found: list[_Entity]) -> dict[int, list[dict[str, Any]]]:
    """The attributes that stand in or near an entity, by its number: each belongs to the nearest one of its line."""
    doc = shared_english().tokenizer(text)
    out: dict[int, list[dict[str, Any]]] = {}
    for attribute in find_attributes(doc):
        kind = ATTRIBUTES.get(attribute.kind)
        span = doc[attribute.start : attribute.end]
        near = sorted(
            (max(e.start - span.end_char, span.start_char - e.end, 0), number)
            for number, e in enumerate(found)
            if "\n" not in text[min(e.start, span.start_char) : max(e.end, span.end_char)]
        )
        if kind is None or not near or near[0][0] > NEAR:
            continue
        number = near[0][1]
        out.setdefault(number, []).append(
            {
                "Type": kind,
                "Score": found[number].score,
                "RelationshipScore": found[number].score,
                "RelationshipType": "QUALITY" if kind == "QUALITY" else "OVERLAP",
                "Id": len(found) + sum(map(len, out.values())),
                "BeginOffset": span.start_char,
                "EndOffset": span.end_char,
                "Text": span.text,
                "Traits": [],
                "Category": TYPE,
            }
        )
    return out
