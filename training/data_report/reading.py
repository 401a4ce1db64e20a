"""Audited notes with the places where they, their codes and their lines of text stand; what can't be read is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codeassist.errors import InputError
from training.audited import AuditedNote, audited_from_record, is_note_folder, read_note_file, read_records
from training.data_report.problems import Problem
from training.data_report.spool import Problems


@dataclass(frozen=True, slots=True)
class Placed:
    """An audited note and where it stands. ``test``: it belongs to a test set. ``code_lines`` and ``text_line`` are
    given where codes and text have lines of their own."""

    audited: AuditedNote
    file: str
    line: int
    test: bool
    coder: str | None = None
    code_lines: tuple[int, ...] = ()
    text_line: int | None = None

    def problem(self, kind: str, message: str, code: int | None = None, score: float | None = None) -> Problem:
        """A problem of this note, or of one of its codes (by number)."""
        line = self.line if code is None else self.line_of(code)
        return Problem(kind, self.file, line, self.audited.note.id, message, score)

    def line_of(self, code: int) -> int:
        """The line of a code, by number; that of the note where codes have none."""
        return self.code_lines[code] if code < len(self.code_lines) else self.line


def read_placed(path: Path, test: bool, problems: Problems) -> Iterator[Placed]:
    """The notes of a file or folder; what can't be read, and evidence that does not fit, goes to ``problems``.

    Raises :class:`InputError` when there is no such file.
    """
    if is_note_folder(path):
        for file in sorted(path.rglob("*.md")):
            name = file.relative_to(path).as_posix()
            try:
                yield _placed_file(file, name, test)
            except (InputError, UnicodeDecodeError, KeyError, TypeError) as error:
                kind = "evidence" if "the evidence" in str(error) else "unreadable"
                message = (
                    "a quote of the evidence is not in the text" if kind == "evidence" else _without_name(error, file)
                )
                problems.append(Problem(kind, name, 1, file.stem, message))
        return
    for number, record in read_records(path):
        try:
            if isinstance(record, InputError):
                raise record
            audited = audited_from_record(record)
        except InputError as error:
            problems.append(Problem("unreadable", path.name, number, "", str(error)))
            continue
        coder = record.get("coder")
        placed = Placed(audited, path.name, number, test, str(coder) if coder else None)
        problems.extend(_evidence(placed, record))
        yield placed


def _placed_file(file: Path, name: str, test: bool) -> Placed:
    audited = read_note_file(file)
    lines = file.read_text(encoding="utf-8").split("\n")
    ends = [i for i, line in enumerate(lines) if line == "+++"]
    tables = [i for i in range(ends[1]) if lines[i].strip() == "[[codes]]"]
    codes = tuple(
        next((j + 1 for j in range(i, ends[1]) if lines[j].startswith("code ") or lines[j].startswith("code=")), i + 1)
        for i in tables
    )
    return Placed(audited, name, 1, test, None, codes, ends[1] + 2)


def _without_name(error: Exception, file: Path) -> str:
    return str(error).removeprefix(f"{file.name}: ") or type(error).__name__


def _evidence(placed: Placed, record: Mapping[str, Any]) -> Iterator[Problem]:
    """Spans outside of the text, or of the document that they name, and spans that are not the quote beside them."""
    texts = {d.id: d.text for d in placed.audited.note.parts}
    first = next(iter(texts.values()))
    for j, code in enumerate(record["codes"]):
        for span in code.get("evidence") or ():
            text = texts.get(str(span["document"])) if span.get("document") else first
            start, end = int(span["start"]), int(span["end"])
            named = f"evidence {start} to {end} of {code['code']}"
            if text is None:
                yield placed.problem("evidence", f"{named} is of a document that is not there", j)
            elif not 0 <= start < end <= len(text):
                yield placed.problem("evidence", f"{named} is outside of the text ({len(text)} characters)", j)
            elif isinstance(span.get("text"), str) and span["text"] != text[start:end]:
                yield placed.problem("evidence", f"{named} is not the text that is quoted with it", j)
            elif not text[start:end].strip():
                yield placed.problem("evidence", f"{named} is blank", j)
