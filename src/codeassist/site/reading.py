"""The files of a site's folder, line by line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from codeassist.errors import InputError
from codeassist.terminology.sources.tables import LEXICON_COLUMNS, LexiconEntry
from codeassist.terminology.store import normal_key

FILES: Mapping[str, tuple[str, ...]] = {
    "abbreviations.tsv": ("abbreviation", "meaning", "context", "remark"),
    "lexicon.tsv": LEXICON_COLUMNS,
    "sections.tsv": ("kind", "headings"),
    "cues.tsv": ("cue", "status", "direction", "reach"),
    "local_codes.tsv": ("local", "system", "code", "title"),
}
"""The files that a folder may have, each with its columns. Lines that begin with ``#`` are remarks."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file: where it stands, and its cells by column. ``wrong`` tells why it has none."""

    file: str
    line: int
    cells: Mapping[str, str] = field(default_factory=dict)
    wrong: str | None = None

    @property
    def where(self) -> str:
        """File and line for a message."""
        return f"{self.file}, line {self.line}"


@dataclass(frozen=True, slots=True)
class LocalCode:
    """A site's own code. With ``code`` it means that code of ``system``; without, only the site knows it."""

    local: str
    system: str
    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Site:
    """A site's folder as read. ``sha256`` is over its files; ``headings`` are by heading in lower case; cues are text,
    status, whether they govern forward, and reach."""

    folder: Path
    sha256: str
    abbreviations: tuple[tuple[str, str, tuple[str, ...]], ...]
    lexicon: tuple[LexiconEntry, ...]
    headings: Mapping[str, str]
    cues: tuple[tuple[str, str, bool, int], ...]
    local_codes: tuple[LocalCode, ...]

    def meaning(self, system: str, code: str) -> tuple[str, str] | None:
        """The code, as (system, code), that a local one stands for, or ``None``."""
        found = self.own(system, normal_key(code))
        return (found.system, found.code) if found is not None and found.code else None

    def own(self, system: str, key: str) -> LocalCode | None:
        """The site's code of this key (as :func:`~codeassist.terminology.store.normal_key` makes it), or ``None``."""
        return next((c for c in self.local_codes if c.system == system and normal_key(c.local) == key), None)


def rows(folder: Path) -> Iterator[Row]:
    """Every line of every file, and each thing that can't be read as a row with ``wrong``.

    Raises :class:`InputError` when there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder} of a site's own parts")
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix not in (".tsv", ".txt", ".csv"):
            continue
        if path.name not in FILES:
            yield Row(path.name, 1, wrong=f"no such file is known: there are {', '.join(FILES)}")
            continue
        yield from _rows(path, FILES[path.name])


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        yield Row(path.name, 1, wrong=f"the file is not UTF-8 (byte {error.start})")
        return
    header = False
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [c.strip() for c in line.split("\t")]
        if not header:
            header = True
            if tuple(cells) != columns:
                yield Row(path.name, number, wrong=f"the columns must be {', '.join(columns)}, divided by tabs")
                return
        elif len(cells) > len(columns) or len(cells) < _least(columns):
            yield Row(path.name, number, wrong=f"{len(cells)} columns, not {len(columns)}")
        else:
            yield Row(path.name, number, dict(zip(columns, [*cells, *[""] * len(columns)], strict=False)))


def _least(columns: tuple[str, ...]) -> int:
    """Context and remark may be left out at the end of a line."""
    return len([c for c in columns if c not in ("context", "remark", "title")])


def read_site(folder: Path) -> Site:
    """The site's folder. Raises :class:`InputError` with the file and line of the first thing that can't be read;
    what the codes and terms of the lines are worth, :func:`~codeassist.site.checking.check_site` tells."""
    found: dict[str, list[Row]] = {name: [] for name in FILES}
    for row in rows(folder):
        if row.wrong is not None:
            raise InputError(f"{row.where}: {row.wrong}: see `codeassist site check {folder}`")
        found[row.file].append(row)
    try:
        cues = tuple(_cue(r) for r in found["cues.tsv"])
    except ValueError as error:
        raise InputError(str(error)) from None
    headings = {
        h.strip().lower(): r.cells["kind"] for r in found["sections.tsv"] for h in r.cells["headings"].split("|")
    }
    return Site(
        folder,
        fingerprint(folder),
        tuple((r.cells["abbreviation"], r.cells["meaning"], _context(r)) for r in found["abbreviations.tsv"]),
        tuple(entry_of(r) for r in found["lexicon.tsv"]),
        {h: kind for h, kind in headings.items() if h},
        cues,
        tuple(LocalCode(*(r.cells[c] for c in FILES[r.file])) for r in found["local_codes.tsv"]),
    )


def _context(row: Row) -> tuple[str, ...]:
    return tuple(w.strip().lower() for w in row.cells["context"].split("|") if w.strip())


def entry_of(row: Row) -> LexiconEntry:
    c = row.cells
    return LexiconEntry(c["term"], c["system"], c["code"], c["kind"], _context(row), c["remark"], row.where)


def _cue(row: Row) -> tuple[str, str, bool, int]:
    c = row.cells
    if not c["reach"].isdigit() or c["direction"] not in ("forward", "backward"):
        raise ValueError(f"{row.where}: a cue needs the direction forward or backward, and a reach in tokens")
    return c["cue"].lower(), c["status"], c["direction"] == "forward", int(c["reach"])


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and contents of the known files."""
    digest = hashlib.sha256()
    for name in FILES:
        path = folder / name
        if path.is_file():
            content = path.read_bytes()
            digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()
