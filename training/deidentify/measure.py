"""Recall and precision of the rules on notes whose identifiers are marked.

A marked note writes ``[[kind:quote]]``; notes are divided by a line ``---``. Run as
``python -m training.deidentify.measure FILE``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.deidentify.kinds import KINDS, Identifier
from training.deidentify.texts import find_identifiers

_MARK = re.compile(r"\[\[(\w+):(.*?)\]\]", re.S)


@dataclass(slots=True)
class Score:
    """Identifiers marked and those wholly covered by findings of any kind; findings, and those that meet a mark."""

    marked: int = 0
    covered: int = 0
    found: int = 0
    meeting: int = 0

    @property
    def recall(self) -> float:
        """Share of the marked identifiers of which no letter or digit is left."""
        return self.covered / self.marked if self.marked else 1.0

    @property
    def precision(self) -> float:
        """Share of the findings that touch a marked identifier."""
        return self.meeting / self.found if self.found else 1.0


def read_marked(path: Path) -> list[tuple[str, list[Identifier]]]:
    """Each note's text without the marks, and what they mark."""
    out = []
    text = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    for raw in re.split(r"^---$", text, flags=re.M):
        plain, marks, last = "", [], 0
        for m in _MARK.finditer(raw.strip()):
            plain += raw.strip()[last : m.start()]
            if m[1] not in KINDS:
                raise ValueError(f"unknown kind {m[1]!r}")
            marks.append(Identifier(len(plain), len(plain) + len(m[2]), m[1]))
            plain, last = plain + m[2], m.end()
        out.append((plain + raw.strip()[last:], marks))
    return out


def measure(notes: Sequence[tuple[str, Sequence[Identifier]]]) -> tuple[dict[str, Score], list[str]]:
    """Scores by kind and of ``all``; and what was missed or taken wrongly, in words."""
    scores: dict[str, Score] = {kind: Score() for kind in (*KINDS, "all")}
    told = []
    for text, marks in notes:
        found = find_identifiers(text)
        gone = {i for f in found for i in range(f.start, f.end)}
        for mark in marks:
            left = [i for i in range(mark.start, mark.end) if text[i].isalnum() and i not in gone]
            for kind in (mark.kind, "all"):
                scores[kind].marked += 1
                scores[kind].covered += not left
            if left:
                told.append(f"missed {mark.kind}: {text[mark.start : mark.end]!r}")
        for f in found:
            meets = any(f.start < m.end and m.start < f.end for m in marks)
            for kind in (f.kind, "all"):
                scores[kind].found += 1
                scores[kind].meeting += meets
            if not meets:
                told.append(f"wrongly {f.kind}: {text[f.start : f.end]!r}")
    return scores, told


def main() -> None:
    scores, told = measure(read_marked(Path(sys.argv[1])))
    print("| kind | marked | recall | found | precision |\n|---|---|---|---|---|")
    for kind, s in scores.items():
        if s.marked or s.found:
            print(f"| {kind} | {s.marked} | {s.recall:.3f} | {s.found} | {s.precision:.3f} |")
    print("\n".join(told), file=sys.stderr)


if __name__ == "__main__":
    main()
