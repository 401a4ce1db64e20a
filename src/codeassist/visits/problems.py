"""Problems addressed: the conditions that the assessment asserts, and what it says of their course."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from codeassist.candidates.integral import integral_to
from codeassist.candidates.mentioned import MentionHits
from codeassist.terminology.store import Store
from codeassist.visits.found import PRESENT, Findings
from codeassist.visits.tables import problem_class
from codeassist.visits.visit import Element, Level, Passage

_LEAST_LIKELY = 0.03
"""Chance of being coded below which a reading of a mention is passed over."""
_NEAR = 1
"""A course is told of the problem before it at most this many sentences away."""
_LONG_LASTING = ("chronic", "worsening")
_WORDS = {
    "threat": ("threat to life or to a function of the body", "threats to life or to a function of the body"),
    "severe": ("chronic condition severely worse", "chronic conditions severely worse"),
    "worsening": ("chronic condition worse or not at goal", "chronic conditions worse or not at goal"),
    "undiagnosed": ("new problem of unclear outlook", "new problems of unclear outlook"),
    "systemic": ("acute illness of the whole body", "acute illnesses of the whole body"),
    "complicated": ("complicated injury", "complicated injuries"),
    "chronic": ("stable chronic condition", "stable chronic conditions"),
    "uncomplicated": ("acute uncomplicated problem", "acute uncomplicated problems"),
    "minor": ("minor problem", "minor problems"),
}
"""Classes from the weightiest to the lightest, in a coder's words, for one and for several."""
_WEIGHTS = {kind: i for i, kind in enumerate(_WORDS)}
_LEVEL = {
    "threat": Level.HIGH,
    "severe": Level.HIGH,
    "worsening": Level.MODERATE,
    "undiagnosed": Level.MODERATE,
    "systemic": Level.MODERATE,
    "complicated": Level.MODERATE,
    "chronic": Level.LOW,
    "uncomplicated": Level.LOW,
    "minor": Level.STRAIGHTFORWARD,
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(slots=True)
class Problem:
    """A condition that the visit addresses: its category, the code that stands for it, its class and its passages."""

    category: str
    code: str
    kind: str
    passages: list[Passage]


def problems_addressed(
    found: Findings, hits: MentionHits, store: Store, likely: Mapping[int, float] | None = None
) -> Element:
    """The element, from the asserted conditions of the assessment and plan, or where they name none, of the text.

    ``likely`` is the chance of each row to be coded, where it is known: unlikely readings are passed over.
    """
    problems = _kept(
        _problems(found, hits, store, likely, found.inside)
        or _problems(found, hits, store, likely, lambda at: not found.aside(at))
    )
    for problem, courses in zip(problems, _courses(found, problems), strict=True):
        problem.kind = _after_course(problem.kind, courses)
    problems = [p for p in problems if p.kind != "none"]
    by_kind: dict[str, list[Problem]] = {}
    for problem in problems:
        by_kind.setdefault(problem.kind, []).append(problem)
    level = max((_LEVEL[k] for k in by_kind), default=Level.STRAIGHTFORWARD)
    if len(by_kind.get("chronic", ())) >= 2:
        level = max(level, Level.MODERATE)
    if len(by_kind.get("minor", ())) >= 2:
        level = max(level, Level.LOW)
    order = [k for k in _WORDS if k in by_kind]
    said = "; ".join(_said(k, by_kind[k]) for k in order)
    passages = tuple(p.passages[0] for k in order for p in by_kind[k])
    return Element("problems", level, said or "no problem is stated in the assessment", passages)


def _said(kind: str, problems: list[Problem]) -> str:
    n = len(problems)
    number = _NUMBERS[n] if n < len(_NUMBERS) else str(n)
    return f"{number} {_WORDS[kind][n > 1]}: {', '.join(p.code for p in problems)}"


def _problems(
    found: Findings,
    hits: MentionHits,
    store: Store,
    likely: Mapping[int, float] | None,
    inside: Callable[[Passage], bool],
) -> list[Problem]:
    """One problem a category of the asserted mentions; a mention of several readings counts once."""
    by_category: dict[str, Problem] = {}
    taken: dict[tuple[int, int], str] = {}
    columns = (hits.part, hits.mention, hits.row, hits.combined)
    chosen = np.flatnonzero((hits.combined != 1) & (store.system[hits.row] == 0))
    for p, m, row, combined in zip(*(a[chosen].tolist() for a in columns), strict=True):
        if likely is not None and combined == 0 and likely.get(row, 0.0) < _LEAST_LIKELY:
            continue
        mentions = found.notes(p).mentions
        if p not in found.parts or mentions is None or mentions.nested[m]:
            continue
        at = Passage(p, int(mentions.start[m]), int(mentions.end[m]))
        if not inside(at) or found.notes(p).status[at.first] != PRESENT:
            continue
        key = store.key[row].decode()
        kind = problem_class(key)
        category = key[:3]
        if kind == "none" or taken.setdefault((p, at.first), category) != category:
            continue
        problem = by_category.get(category)
        if problem is None:
            by_category[category] = Problem(category, store.code(row), kind, [at])
            continue
        problem.passages.append(at)
        if _weight(kind) < _weight(problem.kind):
            problem.kind, problem.code = kind, store.code(row)
    return list(by_category.values())


def _weight(kind: str) -> int:
    return _WEIGHTS[kind]


def _kept(problems: list[Problem]) -> list[Problem]:
    """Without the symptoms that belong to a condition beside them."""
    keys = {p.code.replace(".", ""): 1.0 for p in problems}
    integral = integral_to(keys)
    return [p for p in problems if p.code.replace(".", "") not in integral]


def _courses(found: Findings, problems: list[Problem]) -> list[set[str]]:
    """What the note says of the course of each problem: a cue speaks of the nearest problem before it in its sentence,
    else of the first one after it there, else of the one in the sentence before."""
    out: list[set[str]] = [set() for _ in problems]
    places = sorted((at.part, at.first, i) for i, p in enumerate(problems) for at in p.passages)
    if not places:
        return out
    sentences = [int(found.notes(part).sentence[first]) for part, first, _ in places]
    starts = [(part, first) for part, first, _ in places]
    for cue in found.cues("course"):
        if cue.status != PRESENT or not found.inside(cue.at):
            continue
        sentence = found.sentence(cue.at)
        offset, after = bisect_left(starts, (cue.at.part, -1)), bisect_left(starts, (cue.at.part, cue.at.last))
        place = after - 1
        here = place >= offset and sentences[place] == sentence
        if not here and after < len(starts) and starts[after][0] == cue.at.part and sentences[after] == sentence:
            place, here = after, True
        if here or (place >= offset and 0 <= sentence - sentences[place] <= _NEAR):
            out[places[place][2]].add(cue.name)
    return out


def _after_course(kind: str, courses: set[str]) -> str:
    """The class of a problem once its course is known."""
    if "elsewhere" in courses and not courses & {"worse", "changed", "severe"}:
        return "none"
    if kind in _LONG_LASTING:
        if "severe" in courses:
            return "severe"
        if courses & {"worse", "new", "changed"}:
            return "worsening"
        return kind
    if kind == "uncomplicated":
        if "uncertain" in courses:
            return "undiagnosed"
        if "systemic" in courses:
            return "systemic"
    if kind == "systemic" and "severe" in courses:
        return "threat"
    if kind == "undiagnosed" and "stable" in courses and "uncertain" not in courses:
        return "uncomplicated"
    return kind
