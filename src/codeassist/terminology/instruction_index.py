"""Parses the tabular's instructional notes and writes them as arrays beside the code table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from codeassist.errors import TerminologyError
from codeassist.terminology.codes import Code
from codeassist.terminology.instruction_rows import Ranges, Resolver, merged
from codeassist.terminology.instruction_targets import Target, UnreadableCondition, looks_like_code, scope, targets
from codeassist.terminology.instructions import CONDITIONAL, EXAMPLES, KINDS, Kind
from codeassist.terminology.layout import GROUPS, IndexWriter
from codeassist.terminology.sources.tables import data_folder

_STARTS: Mapping[str, re.Pattern[str]] = {
    "use_additional_code": re.compile(r"(?:external )?(?:cause )?codes?\b|place of occurrence"),
    "code_also": re.compile(r",? ?if applicable"),
}
"""How a further instruction of a kind begins, where one code has several; other lines go on with the list."""
_CONDITIONAL = re.compile(r"\b(?:if|any|when|where|presence of)\b")
_CONDITIONAL_SECOND = re.compile(rf"{_CONDITIONAL.pattern}|\bassociated\b")
"""A code that comes second is left to the circumstances by "associated" too."""
_UNLESS = re.compile(r"\bunless\b")
_EXAMPLES = re.compile(r"\bsuch as\b")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a note prints and how it is to be read; ``read_as`` is empty where the code exists in no release."""

    owner: str
    printed: str
    read_as: str
    reason: str


@dataclass(slots=True)
class Parsed:
    """One note with its target ranges of rows, before it is written.

    It holds below the row ``at``: its owner, or a part of what is below it where the note restricts itself.
    """

    at: int
    owner: int
    kind: Kind
    text: str
    written: tuple[str, ...]
    ranges: Ranges
    flags: int


@dataclass(slots=True)
class Report:
    """Lines of notes by kind: with targets, headings of lists, text only; and the lines that could not be read."""

    with_targets: Counter[str] = field(default_factory=Counter)
    headings: Counter[str] = field(default_factory=Counter)
    text_only: Counter[str] = field(default_factory=Counter)
    unread: list[tuple[str, str, str]] = field(default_factory=list)
    """Owner, kind and text."""
    dropped: list[Reading] = field(default_factory=list)
    """Readings that say that a printed code is in no release."""


def read_readings() -> list[Reading]:
    """The tabular's slips and how they are read (``tabular/readings.tsv``)."""
    out = []
    path = data_folder("tabular") / "readings.tsv"
    for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            row = line.split("\t")
            if len(row) != 4 or not row[3]:
                raise TerminologyError(f"{path.name} line {n}: owner, printed, read as, reason")
            out.append(Reading(row[0], row[1], "" if row[2] == "-" else row[2], row[3]))
    return out


def parse_instructions(codes: Sequence[Code], categories: Sequence[str]) -> tuple[list[Parsed], Report]:
    """Every note of the release by owner and kind, and what was read of them.

    ``codes`` are the index's rows in order, ``categories`` the three-character categories in the tabular's order.
    """
    resolver, report = Resolver(codes, categories), Report()
    readings: dict[str, list[Reading]] = {}
    for reading in read_readings():
        readings.setdefault(reading.owner, []).append(reading)
    notes: list[Parsed] = []
    for row, code in enumerate(codes):
        if code.system in ("icd-10-cm", GROUPS):
            for kind in KINDS:
                lines = code.notes.get(kind, ())
                own = readings.get(code.key, [])
                for group in _groups(kind, lines):
                    notes += _note(row, code.key, kind, group, own, resolver, report)
    return notes, report


def _groups(kind: Kind, lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines of a code's notes, one list for each note. Each line of an Excludes list is a note of its own."""
    if kind.startswith("excludes"):
        for line in lines:
            yield [line]
        return
    group: list[str] = []
    start = _STARTS.get(kind)
    for line in lines:
        if group and start is not None and start.match(line):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _note(
    row: int, owner: str, kind: Kind, lines: list[str], readings: list[Reading], resolver: Resolver, report: Report
) -> Iterator[Parsed]:
    ranges: list[tuple[int, int]] = []
    written: list[str] = []
    places = [row]
    for line in lines:
        text = _corrected(line, readings, report)
        for target, rows in _line(owner, kind, line, text, resolver, report):
            ranges += rows
            written.append(target.written)
        restricted = [r for target in scope(text) for r in resolver.ranges(target)]
        if restricted:
            places = resolver.tops(merged(restricted))
    if kind.startswith("excludes") and _is_heading(lines[0]) and not ranges:
        return
    text = _joined(lines)
    for at in places:
        yield Parsed(
            at, row, kind, text, tuple(dict.fromkeys(written)), merged(ranges), _flags(kind, lines, bool(ranges))
        )


def _corrected(line: str, readings: list[Reading], report: Report) -> str:
    for reading in readings:
        if reading.printed in line:
            line = line.replace(reading.printed, reading.read_as)
            if not reading.read_as:
                report.dropped.append(reading)
    return line


def _line(
    owner: str, kind: Kind, line: str, text: str, resolver: Resolver, report: Report
) -> list[tuple[Target, Ranges]]:
    """The targets of one line, read as ``text``, with their rows; the line is entered into the report."""
    try:
        found = [(t, resolver.ranges(t)) for t in targets(text)]
    except UnreadableCondition:
        found = []
    unread = any(not rows for _, rows in found) or (not found and looks_like_code(text))
    if unread:
        report.unread.append((owner, kind, line))
    elif found:
        report.with_targets[kind] += 1
    elif _is_heading(line):
        report.headings[kind] += 1
    else:
        report.text_only[kind] += 1
    return [(target, rows) for target, rows in found if rows]


def _is_heading(line: str) -> bool:
    return line.rstrip().endswith((":", "such as"))


def _joined(lines: list[str]) -> str:
    """A note in one line: its heading, then the list."""
    lines = [line.strip(" ,") for line in lines]
    if len(lines) > 1 and _is_heading(lines[0]):
        return f"{lines[0]} {'; '.join(lines[1:])}"
    return "; ".join(lines)


def _flags(kind: Kind, lines: list[str], codes: bool) -> int:
    head, rest = lines[0], lines[1:]
    if kind.startswith("excludes"):
        return CONDITIONAL * bool(_UNLESS.search(head)) | EXAMPLES * (not codes)
    conditional = bool((_CONDITIONAL if kind == "code_first" else _CONDITIONAL_SECOND).search(head)) or (
        bool(rest) and _is_heading(head) and all(_CONDITIONAL.search(line) for line in rest)
    )
    return CONDITIONAL * conditional | EXAMPLES * (not codes or bool(_EXAMPLES.search(head)))


def write_instructions(writer: IndexWriter, codes: Sequence[Code], categories: Sequence[str]) -> None:
    """Parse the notes of ``codes`` and write them, ordered by owner, for :class:`Instructions`."""
    notes, _ = parse_instructions(codes, categories)
    notes.sort(key=lambda n: n.at)
    numbers: dict[Ranges, int] = {}
    sets = [numbers.setdefault(n.ranges, len(numbers)) if n.ranges else -1 for n in notes]
    writer.array("instruction_at", np.array([n.at for n in notes], dtype=np.int32))
    writer.array("instruction_owner", np.array([n.owner for n in notes], dtype=np.int32))
    writer.array("instruction_kind", np.array([KINDS.index(n.kind) for n in notes], dtype=np.uint8))
    writer.array("instruction_flags", np.array([n.flags for n in notes], dtype=np.uint8))
    writer.array("instruction_set", np.array(sets, dtype=np.int32))
    writer.strings("instruction_text", [n.text for n in notes])
    writer.strings("instruction_written", ["\t".join(n.written) for n in notes])
    lengths = [len(ranges) for ranges in numbers]
    flat = [r for ranges in numbers for r in ranges]
    writer.array("instruction_set_start", np.concatenate(([0], np.cumsum(lengths))).astype(np.int32))
    writer.array("instruction_low", np.array([low for low, _ in flat], dtype=np.int32))
    writer.array("instruction_high", np.array([high for _, high in flat], dtype=np.int32))
    _write_edges(writer, numbers)


def _write_edges(writer: IndexWriter, numbers: Mapping[Ranges, int]) -> None:
    """The rows at which a target set begins or ends, and the sets that hold from each of them to the next."""
    edges = sorted({row for ranges in numbers for pair in ranges for row in pair})
    members: list[list[int]] = [[] for _ in edges]
    place = {row: i for i, row in enumerate(edges)}
    for ranges, number in numbers.items():
        for low, high in ranges:
            for i in range(place[low], place[high]):
                members[i].append(number)
    writer.array("instruction_edge", np.array(edges, dtype=np.int32))
    writer.array("instruction_edge_start", np.concatenate(([0], np.cumsum([len(m) for m in members]))).astype(np.int32))
    writer.array("instruction_edge_set", np.array([n for m in members for n in m], dtype=np.int32))
