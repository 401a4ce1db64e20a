"""The figures of parts of the notes: by chapter, setting, specialty and coder, and by how often training saw a code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from training.accuracy.errors import FREQUENCIES, group, groups
from training.accuracy.judging import Code, Judged
from training.audited import AuditedNote
from training.evaluation.bootstrap import Bootstrap, Interval
from training.metrics import counted

NOTE_PARTS: dict[str, Callable[[AuditedNote], str | None]] = {
    "setting": lambda n: n.note.setting,
    "specialty": lambda n: n.note.specialty,
    "coder": lambda n: n.coder,
}


@dataclass(frozen=True, slots=True)
class Part:
    """Precision, recall and F1 at tier ``code`` of a part: how many notes and gold codes it has."""

    notes: int
    codes: int
    figures: dict[str, Interval]


def by_chapter(judged: Sequence[Judged], draws: Bootstrap) -> dict[str, Part]:
    """Parts by chapter of ICD-10-CM, and by system for procedures."""
    found = _code_parts(judged, group, draws)
    return {g: found[g] for g in groups() if g in found}


def by_note(notes: Sequence[AuditedNote], judged: Sequence[Judged], draws: Bootstrap) -> dict[str, dict[str, Part]]:
    """Parts by what is known of the note; a kind of which nothing is known is left out."""
    counts = np.array([_counts(n.gold, {r.code for r in n.ranked if r.coded}) for n in judged])
    out: dict[str, dict[str, Part]] = {}
    for kind, of in NOTE_PARTS.items():
        names = [of(n) for n in notes]
        for name in sorted({n for n in names if n}):
            mine = np.array([n == name for n in names])
            rows = counts * mine[:, None]
            part = Part(int(mine.sum()), int(rows[:, 2].sum()), draws.intervals(rows, counted))
            out.setdefault(kind, {})[name] = part
    return out


def by_frequency(judged: Sequence[Judged], seen: Mapping[Code, int], draws: Bootstrap) -> dict[str, Part]:
    """Parts by the number of training notes that had the code, with macro figures beside the micro ones."""

    def band(code: Code) -> str:
        return next(name for name, most in FREQUENCIES.items() if seen.get(code, 0) <= most)

    found = _code_parts(judged, band, draws)
    out = {}
    for name in FREQUENCIES:
        if name in found:
            mine = [_only(n, lambda c, name=name: band(c) == name) for n in judged]  # type: ignore[misc]
            part = found[name]
            out[name] = Part(part.notes, part.codes, {**part.figures, **macro(mine, draws)})
    return out


def _code_parts(judged: Sequence[Judged], of: Callable[[Code], str], draws: Bootstrap) -> dict[str, Part]:
    rows: dict[str, np.ndarray] = {}
    for i, note in enumerate(judged):
        coded = {r.code for r in note.ranked if r.coded}
        for code in note.gold | coded:
            row = rows.setdefault(of(code), np.zeros((len(judged), 3)))
            row[i] += (code in note.gold & coded, code in coded, code in note.gold)
    return {
        name: Part(int((r[:, 2] > 0).sum()), int(r[:, 2].sum()), draws.intervals(r, counted))
        for name, r in rows.items()
    }


def _only(note: Judged, wanted: Callable[[Code], bool]) -> Judged:
    return Judged(frozenset(filter(wanted, note.gold)), tuple(r for r in note.ranked if wanted(r.code)))


def macro(judged: Sequence[Judged], draws: Bootstrap) -> dict[str, Interval]:
    """Means over the codes that the notes were coded with, each code counting the same."""
    numbers: dict[Code, int] = {}
    for note in judged:
        for code in sorted(note.gold):
            numbers.setdefault(code, len(numbers))
    if not numbers:
        return {}
    place, column = [], []
    for i, note in enumerate(judged):
        for which, codes in enumerate(_sets(note)):
            mine = [numbers[c] for c in codes if c in numbers]
            place += [i] * len(mine)
            column += [which * len(numbers) + n for n in mine]
    shape = (len(judged), 3 * len(numbers))
    rows = csr_matrix((np.ones(len(place)), (place, column)), shape=shape)

    def measure(sums: np.ndarray) -> dict[str, np.ndarray]:
        table = np.moveaxis(np.reshape(sums, (*sums.shape[:-1], 3, -1)), -2, -1)
        drawn = table[..., 2] > 0
        figures = counted(table)
        return {f"macro_{k}": (v * drawn).sum(axis=-1) / np.maximum(1, drawn.sum(axis=-1)) for k, v in figures.items()}

    return draws.intervals(rows, measure)


def _sets(note: Judged) -> tuple[Iterable[Code], Iterable[Code], Iterable[Code]]:
    coded = {r.code for r in note.ranked if r.coded}
    return coded & note.gold, coded, note.gold


def _counts(gold: frozenset[Code], coded: set[Code]) -> tuple[int, int, int]:
    return len(coded & gold), len(coded), len(gold)
