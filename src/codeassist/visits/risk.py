"""Risk: what the plan does, or decides not to do, to the patient."""

from __future__ import annotations

from spacy.strings import StringStore

from codeassist.visits.found import NEGATED, POSSIBLE, PRESENT, Cue, Findings
from codeassist.visits.tables import drug_names
from codeassist.visits.visit import Element, Level, Passage

_SHORTEST_NAME = 6
"""Letters that a word must have for its end to tell a drug."""
_NEAR = 6
"""Tokens between a controlled drug and the word that it goes by vein."""
_MOST_NAMED = 3


def treatment_risk(found: Findings) -> Element:
    """The element, from the assessment and plan."""
    for level, cues in ((Level.HIGH, _high(found)), (Level.MODERATE, _moderate(found)), (Level.LOW, _low(found))):
        if cues:
            by_name: dict[str, list[Cue]] = {}
            for cue in cues:
                by_name.setdefault(cue.name, []).append(cue)
            said = "; ".join(
                f"{name}: {', '.join(dict.fromkeys(found.words(c.at) for c in mine[:_MOST_NAMED]))}"
                for name, mine in by_name.items()
            )
            return Element("risk", level, said, tuple(c.at for mine in by_name.values() for c in mine[:_MOST_NAMED]))
    return Element("risk", Level.STRAIGHTFORWARD, "no treatment beyond advice is stated")


def _high(found: Findings) -> list[Cue]:
    kinds = ["hospital", "emergency_surgery", "dnr"]
    if found.read.note.setting == "emergency":
        kinds.append("hospital_here")
    cues = found.assessed(*kinds)
    toxic = found.assessed("toxic")
    if toxic:
        monitored = [c for c in found.cues("monitored") if c.status != NEGATED and found.inside(c.at)]
        cues += toxic if any(_beside(found, t, m) for t in toxic for m in monitored) else []
    veins = found.assessed("parenteral")
    cues += [
        c
        for c in found.assessed("controlled")
        if any(v.at.part == c.at.part and -2 <= v.at.first - c.at.last <= _NEAR for v in veins)
    ]
    return cues


def _beside(found: Findings, one: Cue, other: Cue) -> bool:
    return one.at.part == other.at.part and abs(found.sentence(one.at) - found.sentence(other.at)) <= 1


def _moderate(found: Findings) -> list[Cue]:
    drugs = _drugs(found)
    if not drugs:
        drugs = found.assessed("rx")
    if not drugs:
        free = {(c.at.part, found.sentence(c.at)) for c in found.cues("low")}
        drugs = [
            Cue("rx", "prescription drug management", c.at, c.status)
            for c in found.assessed("dose")
            if (c.at.part, found.sentence(c.at)) not in free
        ]
    return [*drugs, *found.assessed("major"), *found.assessed("social")]


def _drugs(found: Findings) -> list[Cue]:
    """Prescription drugs that the plan names, as cues."""
    over_the_counter = {(c.at.part, i) for c in found.cues("low") for i in range(c.at.first, c.at.last)}
    out = []
    for p in found.parts:
        part = found.read.parts[p]
        strings = part.doc.vocab.strings
        lower, status = part.notes.lower, part.notes.status
        tokens = found.tokens(p)
        for i, value in zip(tokens.tolist(), lower[tokens].tolist(), strict=True):
            named = _is_drug(value, strings)
            if named and status[i] in (PRESENT, POSSIBLE) and (p, i) not in over_the_counter:
                out.append(Cue("rx", "prescription drug management", Passage(p, i, i + 1), int(status[i])))
    return out


_KNOWN: dict[int, bool] = {}
_MOST_KNOWN = 200_000


def _is_drug(value: int, strings: StringStore) -> bool:
    """Whether a token's word is a prescription drug's name, by its hash; words come again and again."""
    known = _KNOWN.get(value)
    if known is None:
        names, ends = drug_names()
        word = strings[value]
        known = word in names or (len(word) >= _SHORTEST_NAME and word.endswith(ends) and word.isalpha())
        if len(_KNOWN) < _MOST_KNOWN:
            _KNOWN[value] = known
    return known


def _low(found: Findings) -> list[Cue]:
    return found.assessed("low")
