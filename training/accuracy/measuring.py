"""Measures every set that is at hand, and says which are not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import training
from codeassist.assistant import CodeAssistant, load
from codeassist.progress import track
from training.accuracy.bars import Bars, MeasuredSet
from training.accuracy.candidates import CandidateFinder
from training.accuracy.cases import negation_f1, wrong_terms
from training.accuracy.errors import stages
from training.accuracy.figures import figures
from training.accuracy.judging import Code, GoldNote, Judged, judge, read_gold

CHECKOUT = Path(training.__file__).parents[1]


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A set of notes after judging, with the name of the release and how often its training notes had each code."""

    notes: tuple[Judged, ...]
    release: str
    seen: dict[Code, int]


@dataclass(slots=True)
class Measured:
    """All figures by (set, measure), why a set has none, and what the report needs beyond them."""

    reached: dict[tuple[str, str], float | None] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    judged: dict[str, JudgedSet] = field(default_factory=dict)
    wrong_terms: list[tuple[str, str, str]] = field(default_factory=list)
    terminology: dict[str, str] = field(default_factory=dict)


def lacking(found: MeasuredSet, checkout: Path, shared: Path, trained: Path | None) -> str | None:
    """Why a set can't be measured: its file, or the model trained for it, is not there."""
    if not found.path(checkout, shared).exists():
        return f"there is no {found.shared or found.checkout} in the {'shared folder' if found.shared else 'checkout'}"
    if found.trained_on and trained is None:
        return f"no model was trained on {found.trained_on}"
    return None


def measure_all(
    bars: Bars, shared: Path, model: Path | None = None, trained: Path | None = None, checkout: Path = CHECKOUT
) -> Measured:
    """Measure every set of ``bars`` that is at hand.

    ``model`` is the release to measure (the shipped one unless given), ``trained`` the one for the sets with
    ``trained_on``; without it those are missing.
    """
    out = Measured()
    assistant = load(model)
    out.terminology = assistant.releases
    for name, found in bars.sets.items():
        path, why = found.path(checkout, shared), lacking(found, checkout, shared, trained)
        if why:
            out.missing[name] = why
        elif found.kind == "assertion":
            out.reached[name, "negation_f1"] = negation_f1(assistant, path)
        elif found.kind == "terms":
            out.wrong_terms, total = wrong_terms(assistant.terminology, path)
            out.reached[name, "first_right"] = 1 - len(out.wrong_terms) / total if total else None
        else:
            out.judged[name] = judge_notes(read_gold(path), load(trained) if found.trained_on else assistant, found)
            out.reached |= {(name, m): value for m, value in figures(out.judged[name].notes).items()}
    return out


def judge_notes(gold: Iterable[GoldNote], assistant: CodeAssistant, on: MeasuredSet) -> JudgedSet:
    """Suggest codes for every note and hold them against its gold."""
    finder = CandidateFinder(assistant)
    notes, judged = list(gold), []
    for note in track(notes, len(notes), on.title):
        plain = judge(note, assistant.suggest(note.audited.note), on.core)
        right = {r.code for r in plain.ranked if r.coded and r.right}
        candidates = finder(note.audited.note) if plain.gold - right else frozenset()
        judged.append(Judged(plain.gold, plain.ranked, stages(plain, candidates)))
    release = assistant.model
    return JudgedSet(
        tuple(judged), f"{release.name} {release.version} ({release.sha256[:12]})", assistant.release.frequency()
    )
