"""The data report: everything that is counted and found, as one value, as JSON and as text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from codeassist.progress import track
from codeassist.terminology.store import Store
from training.data_report.codes import check_codes
from training.data_report.duplicates import Sketches, check_duplicates
from training.data_report.labels import LEAST_NOTES, Progress, likely_errors
from training.data_report.personal import check_personal
from training.data_report.places import Places
from training.data_report.problems import KINDS, Problem, written
from training.data_report.reading import Placed, read_placed
from training.data_report.spool import Problems

SEED = 20260401
_SHOWN = 20
"""How many problems of a kind the text shows; the JSON has all."""


@dataclass(slots=True)
class Report:
    """Counts of the notes, every problem, and of how many notes the labels were examined, of how many to train on."""

    counts: dict[str, Any]
    problems: Problems
    examined: int = 0
    examinable: int = 0

    @property
    def errors(self) -> int:
        """How many problems are errors."""
        return sum(n for kind, n in self.problems.counts.items() if KINDS[kind][0] == "error")

    def as_record(self) -> dict[str, Any]:
        """For JSON, without the problems (:meth:`write`)."""
        return {
            "counts": self.counts,
            "labels_examined": self.examined,
            "labels_examinable": self.examinable,
            "errors": self.errors,
        }

    def write(self, file: TextIO) -> None:
        """Write all of it as one JSON object, a problem a line."""
        head = json.dumps(self.as_record(), ensure_ascii=False, indent=1)
        file.write(head.removesuffix("\n}") + ',\n "problems": [')
        for i, problem in enumerate(self.problems):
            file.write(("," if i else "") + "\n  " + json.dumps(_record(problem), ensure_ascii=False))
        file.write("\n ]\n}\n")


def _record(p: Problem) -> dict[str, Any]:
    names = ("kind", "level", "file", "line", "note", "message")
    score = {"score": round(p.score, 4)} if p.score is not None else {}
    return {**{n: getattr(p, n) for n in names}, **score}


def make_report(
    audited: Sequence[Path],
    test: Sequence[Path],
    store: Store,
    most_labels: int,
    progress: Progress = lambda stage, done, total: None,
) -> Report:
    """Read everything once, as a stream, and examine it. Likely label errors are sought in at most ``most_labels`` of
    the notes to train on, drawn by chance when there are more. Raises :class:`~codeassist.errors.InputError` for a file
    that is not there.
    """
    problems, places, sketches = Problems(), Places(), Sketches()
    tallies = {"train": _Tally(), "test": _Tally()}
    sample = _Sample(most_labels)
    for placed in track(_notes(audited, test, problems), None, "notes"):
        problems.extend(check_codes(placed, store))
        problems.extend(check_personal(placed))
        tallies["test" if placed.test else "train"].add(placed)
        places.add(placed)
        text = "\n".join(d.text for d in placed.audited.note.parts)
        sketches.add(text)
        if placed.audited.codes and not placed.test and text.strip():
            sample.add(placed)
    problems.extend(places.single_examples())
    problems.extend(check_duplicates(places, sketches))
    report = Report({name: t.as_record() for name, t in tallies.items()}, problems, examinable=sample.seen)
    _label_errors(sample.notes(), store, report, progress)
    return report


def _notes(audited: Sequence[Path], test: Sequence[Path], problems: Problems) -> Iterator[Placed]:
    for paths, is_test in ((audited, False), (test, True)):
        for path in paths:
            yield from read_placed(path, is_test, problems)


class _Sample:
    """At most so many notes of a stream, each with the same chance (Vitter 1985, algorithm R)."""

    def __init__(self, most: int) -> None:
        self._most, self._rng = most, np.random.default_rng(SEED)
        self._kept: list[tuple[int, Placed]] = []
        self.seen = 0

    def add(self, placed: Placed) -> None:
        if len(self._kept) < self._most:
            self._kept.append((self.seen, placed))
        elif self._most:
            at = int(self._rng.integers(0, self.seen + 1))
            if at < self._most:
                self._kept[at] = (self.seen, placed)
        self.seen += 1

    def notes(self) -> list[Placed]:
        """Those drawn, in the order of the stream."""
        return [placed for _, placed in sorted(self._kept, key=lambda k: k[0])]


def _label_errors(notes: Sequence[Placed], store: Store, report: Report, progress: Progress) -> None:
    if len(notes) < LEAST_NOTES:
        return
    report.examined = len(notes)
    wrong, missing = likely_errors([n.audited for n in notes], store, SEED, progress)
    for w in wrong:
        placed = notes[w.note]
        code = placed.audited.codes[w.code]
        message = f"{written(code.system, code.key)} is likely wrong ({w.score:.2f}; by the ranker {w.probability:.2f})"
        report.problems.append(placed.problem("likely-wrong", message, w.code, w.score))
    for m in missing:
        message = f"{written(*m.code)} seems to be missing ({m.probability:.2f})"
        report.problems.append(notes[m.note].problem("likely-missing", message, score=m.probability))


class _Tally:
    """Notes and codes, by code system, setting, specialty and coder."""

    def __init__(self) -> None:
        self._notes = 0
        self._codes: Counter[tuple[str, str]] = Counter()
        self._by: dict[str, Counter[str]] = {n: Counter() for n in ("setting", "specialty", "coder")}

    def add(self, placed: Placed) -> None:
        self._notes += 1
        self._codes.update((c.system, c.key) for c in placed.audited.codes)
        note = placed.audited.note
        for name, value in (("setting", note.setting), ("specialty", note.specialty), ("coder", placed.coder)):
            self._by[name][value or "not given"] += 1

    def as_record(self) -> dict[str, Any]:
        systems: Counter[str] = Counter()
        for (system, _), times in self._codes.items():
            systems[system] += times
        return {
            "notes": self._notes,
            "codes": self._codes.total(),
            "different_codes": len(self._codes),
            "codes_by_system": _most_first(systems),
            **{f"notes_by_{name}": _most_first(counts) for name, counts in self._by.items()},
        }


def _most_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda p: (-p[1], p[0])))


def render(report: Report, shown: int | None = _SHOWN) -> Iterator[str]:
    """The report as lines of text; of each kind of problem the first ``shown``, or with ``None`` all."""
    for name, c in report.counts.items():
        if c["notes"]:
            yield f"{name}: {c['notes']:,} notes, {c['codes']:,} codes, {c['different_codes']:,} different ones"
            for by in ("codes_by_system", "notes_by_setting", "notes_by_specialty", "notes_by_coder"):
                yield f"  {by.replace('_', ' ')}: " + ", ".join(f"{k} {v:,}" for k, v in c[by].items())
    if report.examined:
        of = f", drawn by chance from {report.examinable:,}" if report.examined < report.examinable else ""
        yield f"labels examined: those of {report.examined:,} notes{of}"
    else:
        yield f"labels were not examined (that takes at least {LEAST_NOTES} notes with codes, and --label-notes)"
    for kind, (level, title) in KINDS.items():
        number = report.problems.counts[kind]
        if number:
            yield f"\n{level}: {number:,} × {title}"
            for p in report.problems.of(kind, shown):
                yield f"  {p.file}:{p.line}{f' ({p.note})' if p.note else ''} {p.message}"
            if shown is not None and number > shown:
                yield f"  … and {number - shown:,} more: --format json, or --out, has all"
    yield f"\n{report.errors:,} errors, {len(report.problems) - report.errors:,} other problems"
