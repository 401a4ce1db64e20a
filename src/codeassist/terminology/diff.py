"""What one edition of the code systems changes against another, and which of our own entries that touches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from codeassist.errors import TerminologyError
from codeassist.terminology.codes import UNTITLED
from codeassist.terminology.imported import edition_day
from codeassist.terminology.sources.tables import LexiconEntry, read_catalogue, read_lexicon
from codeassist.terminology.store import Store, normal_key

_UNTIL = re.compile(r"^until (\d{4}-\d{2}-\d{2}): (.*)$", re.S)
_IN = re.compile(r"^in (\d{4}-\d{2}): (.*)$", re.S)
_ALTERNATIVES = re.compile(r"\{([^}]*)\}")
_YEAR = 365
_SHOWN = 6
"""Entries named under a change in the text form."""


@dataclass(frozen=True, slots=True)
class Change:
    """One code that changed: its title (the newer one), what it was called before, the codes that replace it
    below, and the lines of the lexicon and catalogues that lead to it (``file:line: term``)."""

    code: str
    title: str
    was: str = ""
    below: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseDiff:
    """Changes of one code system from one day to another. ``unbillable`` codes became categories."""

    system: str
    old: date
    new: date
    added: tuple[Change, ...]
    retired: tuple[Change, ...]
    renamed: tuple[Change, ...]
    unbillable: tuple[Change, ...]

    def as_record(self) -> dict[str, Any]:
        """The JSON form."""
        return {**asdict(self), "old": self.old.isoformat(), "new": self.new.isoformat()}


def diff_releases(store: Store, old: date | str, new: date | str, system: str = "icd-10-cm") -> ReleaseDiff:
    """Compare what a system holds on two days, or in two editions (``FY2027``, ``2026-10``, ``2026-10-01``).

    A code is renamed when titles of both editions are known: the shipped one and an imported one.
    Raises :class:`TerminologyError` when no edition is held for a day.
    """
    days = [edition_day(d) if isinstance(d, str) else d for d in (old, new)]
    for day in days:
        if not store.covers(day):
            raise TerminologyError(f"no edition in force on {day} is held: import its official files first")
    before, after = (store.valid(store.day(day)) for day in days)
    rows = store.system_range(system)
    part = slice(*rows)
    gone = [int(r) + rows[0] for r in np.flatnonzero(before[part] & ~after[part])]
    fresh = [int(r) + rows[0] for r in np.flatnonzero(after[part] & ~before[part])]
    kept = [int(r) + rows[0] for r in np.flatnonzero(before[part] & after[part])]
    touched = _Touched(system)
    retired: list[Change] = []
    unbillable: list[Change] = []
    for row in gone:
        below = _below(store, row, after) if system == "icd-10-cm" else ()
        change = Change(store.code(row), store.title(row), below=below, touches=touched.by(store.code(row)))
        (unbillable if below else retired).append(change)
    added = [Change(store.code(r), store.title(r), touches=touched.by(store.code(r), stems_only=True)) for r in fresh]
    return ReleaseDiff(
        system,
        days[0],
        days[1],
        tuple(added),
        tuple(retired),
        tuple(_renamed(store, kept, days[0], days[1], touched)),
        tuple(unbillable),
    )


def _below(store: Store, row: int, after: np.ndarray) -> tuple[str, ...]:
    return tuple(store.code(r) for r in store.subtree(row) if r != row and after[r])


def _renamed(store: Store, rows: Iterable[int], old: date, new: date, touched: _Touched) -> Iterable[Change]:
    for row in rows:
        for note in store.notes(row).get("former_title", ()):
            until, within = _UNTIL.match(note), _IN.match(note)
            found = until or within
            last = until is not None and old <= date.fromisoformat(until[1]) < new
            first = within is not None and 0 <= (old - edition_day(within[1])).days < _YEAR
            if found and (last or first):
                code = store.code(row)
                yield Change(code, store.title(row), was=found[2], touches=touched.by(code))
                break


class _Touched:
    """Lines of the lexicon and the starter catalogues by the codes, stems and patterns that they name."""

    def __init__(self, system: str) -> None:
        self._exact: dict[str, list[str]] = {}
        self._stems: dict[str, list[str]] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        for entry in read_lexicon():
            if entry.system == system:
                self._add(entry)
        if system in ("cpt", "hcpcs"):
            for item in read_catalogue(system):
                self._exact.setdefault(item.code, []).append(f"{system}.tsv: {item.description}")

    def _add(self, entry: LexiconEntry) -> None:
        text = f"{entry.line}: {entry.term}"
        if "{" in entry.code:
            self._patterns.append((pattern_codes(entry.code), text))
        elif entry.code.endswith("-"):
            self._stems.setdefault(normal_key(entry.code).rstrip("-"), []).append(text)
        else:
            self._exact.setdefault(normal_key(entry.code), []).append(text)

    def by(self, code: str, stems_only: bool = False) -> tuple[str, ...]:
        """The lines that lead to a code: those that name it (or, for a new code, its category above) and the
        stems and patterns that can end in it."""
        key = normal_key(code)
        found = [] if stems_only else list(self._exact.get(key, ()))
        for n in range(3, len(key) + 1):
            found += self._stems.get(key[:n], ())
            if stems_only and n < len(key):
                found += self._exact.get(key[:n], ())
        found += [text for pattern, text in self._patterns if pattern.match(key)]
        return tuple(found)


def pattern_codes(pattern: str) -> re.Pattern[str]:
    """The codes that a PCS pattern of the lexicon can end in.

    >>> bool(pattern_codes("0DTJ{4=laparoscopic,robotic|0}ZZ").match("0DTJ4ZZ"))
    True
    """
    whole, position = "", 0
    for found in _ALTERNATIVES.finditer(pattern):
        values = [re.escape(a.partition("=")[0].strip()) for a in found[1].split("|")]
        whole += re.escape(pattern[position : found.start()]) + f"(?:{'|'.join(values)})"
        position = found.end()
    return re.compile(f"^{whole}{re.escape(pattern[position:])}$")


def render_text(diff: ReleaseDiff) -> str:
    """The diff as lines for a terminal: a summary, then each change with our entries that it touches."""
    groups = (
        ("added", diff.added),
        ("retired", diff.retired),
        ("renamed", diff.renamed),
        ("no longer billable", diff.unbillable),
    )
    counts = ", ".join(f"{len(changes)} {name}" for name, changes in groups)
    lines = [f"{diff.system}, {diff.old} to {diff.new}: {counts}"]
    for name, changes in groups:
        if changes:
            lines += ["", f"{name} ({len(changes)})"]
        for c in changes:
            lines.append(f"  {c.code}  {c.title if c.title != UNTITLED else '(title not held: import the edition)'}")
            if c.was:
                lines.append(f"      was: {c.was}")
            if c.below:
                lines.append(f"      now: {', '.join(c.below)}")
            lines += [f"      ours: {text}" for text in c.touches[:_SHOWN]]
            if len(c.touches) > _SHOWN:
                lines.append(f"      ours: {len(c.touches) - _SHOWN} more")
    ours = {text for _, changes in groups for c in changes for text in c.touches}
    return "\n".join([*lines, "", f"{len(ours)} entries of the lexicon and catalogues are touched"])
