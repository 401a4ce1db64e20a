"""The data report: everything that is counted and found, as one value, as JSON and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from codeassist.progress import track
from codeassist.terminology.store import Store
from training.data_report.codes import check_codes, single_examples
from training.data_report.duplicates import check_duplicates
from training.data_report.labels import LEAST_NOTES, Progress, likely_errors
from training.data_report.personal import check_personal
from training.data_report.problems import KINDS, Problem, written
from training.data_report.reading import Placed, read_placed

SEED = 20260401
_SHOWN = 20
"""How many problems of a kind the text shows; the JSON has all."""


@dataclass(slots=True)
class Report:
    """Counts of the notes, every problem, and of how many notes the labels were examined."""

    counts: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)
    examined: int = 0

    @property
    def errors(self) -> int:
        """How many problems are errors."""
        return sum(p.level == "error" for p in self.problems)

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        problems = [
            {
                "kind": p.kind,
                "level": p.level,
                "file": p.file,
                "line": p.line,
                "note": p.note,
                "message": p.message,
                **({"score": round(p.score, 4)} if p.score is not None else {}),
            }
            for p in self.problems
        ]
        return {"counts": self.counts, "labels_examined": self.examined, "errors": self.errors, "problems": problems}


def make_report(
    audited: Sequence[Path],
    test: Sequence[Path],
    store: Store,
    most_labels: int,
    progress: Progress = lambda stage, done, total: None,
) -> Report:
    """Read everything and examine it. Likely label errors are sought in at most ``most_labels`` of the notes to train
    on, drawn by chance when there are more. Raises :class:`~codeassist.errors.InputError` for a file that is not there.
    """
    problems: list[Problem] = []
    notes: list[Placed] = []
    for paths, is_test in ((audited, False), (test, True)):
        for path in paths:
            notes += read_placed(path, is_test, problems)
    for placed in track(notes, len(notes), "notes"):
        problems += check_codes(placed, store)
        problems += check_personal(placed)
    problems += single_examples(notes)
    problems += check_duplicates(notes)
    report = Report(count(notes), problems)
    _label_errors([n for n in notes if not n.test], store, most_labels, report, progress)
    order = {kind: i for i, kind in enumerate(KINDS)}
    problems.sort(key=lambda p: (order[p.kind], -(p.score or 0.0), p.file, p.line))
    return report


def _label_errors(notes: list[Placed], store: Store, most: int, report: Report, progress: Progress) -> None:
    readable = [n for n in notes if n.audited.codes and any(d.text.strip() for d in n.audited.note.parts)]
    if len(readable) > most:
        chosen = np.sort(np.random.default_rng(SEED).choice(len(readable), most, replace=False))
        readable = [readable[i] for i in chosen.tolist()]
    if len(readable) < LEAST_NOTES:
        return
    report.examined = len(readable)
    wrong, missing = likely_errors([n.audited for n in readable], store, SEED, progress)
    for w in wrong:
        placed = readable[w.note]
        code = placed.audited.codes[w.code]
        message = f"{written(code.system, code.key)} is likely wrong ({w.score:.2f}; by the ranker {w.probability:.2f})"
        report.problems.append(placed.problem("likely-wrong", message, w.code, w.score))
    for m in missing:
        message = f"{written(*m.code)} seems to be missing ({m.probability:.2f})"
        report.problems.append(readable[m.note].problem("likely-missing", message, score=m.probability))


def count(notes: Sequence[Placed]) -> dict[str, Any]:
    """Notes and codes of the training and test sets, by code system, setting, specialty and coder."""
    out: dict[str, Any] = {}
    for name, test in (("train", False), ("test", True)):
        mine = [n for n in notes if n.test == test]
        codes = [c for n in mine for c in n.audited.codes]
        out[name] = {
            "notes": len(mine),
            "codes": len(codes),
            "different_codes": len({(c.system, c.key) for c in codes}),
            "codes_by_system": _counted(c.system for c in codes),
            "notes_by_setting": _counted(n.audited.note.setting for n in mine),
            "notes_by_specialty": _counted(n.audited.note.specialty for n in mine),
            "notes_by_coder": _counted(n.coder for n in mine),
        }
    return out


def _counted(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(v or "not given" for v in values).items(), key=lambda p: (-p[1], p[0])))


def render(report: Report, shown: int = _SHOWN) -> str:
    """The report as text; of each kind of problem the first ``shown``."""
    lines = []
    for name, c in report.counts.items():
        if c["notes"]:
            lines.append(f"{name}: {c['notes']:,} notes, {c['codes']:,} codes, {c['different_codes']:,} different ones")
            for by in ("codes_by_system", "notes_by_setting", "notes_by_specialty", "notes_by_coder"):
                lines.append(f"  {by.replace('_', ' ')}: " + ", ".join(f"{k} {v:,}" for k, v in c[by].items()))
    if report.examined:
        lines.append(f"labels examined: those of {report.examined:,} notes")
    else:
        lines.append(
            f"labels were not examined (that takes at least {LEAST_NOTES} notes with codes, and --label-notes)"
        )
    for kind, (level, title) in KINDS.items():
        mine = [p for p in report.problems if p.kind == kind]
        if mine:
            lines += ["", f"{level}: {len(mine):,} × {title}"]
            lines += [f"  {p.file}:{p.line}{f' ({p.note})' if p.note else ''} {p.message}" for p in mine[:shown]]
            if len(mine) > shown:
                lines.append(f"  … and {len(mine) - shown:,} more: --format json, or --out, has all")
    lines += ["", f"{report.errors:,} errors, {len(report.problems) - report.errors:,} other problems"]
    return "\n".join(lines)
