"""Import of the official files into a site's index: read, check, build aside, then swap."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from codeassist.errors import TerminologyError
from codeassist.terminology.archives import is_archive, unpack
from codeassist.terminology.build import build_index, find_index
from codeassist.terminology.editions import COVERED_UNTIL, edition_days, shipped_codes
from codeassist.terminology.imported import CODE_KINDS, Imported, imports_of, write_import
from codeassist.terminology.kinds import KNOWN, MINIMUM_ROWS, Reading, read_published
from codeassist.terminology.ncci import importing as ncci
from codeassist.terminology.ncci.store import FOLDER as NCCI_FOLDER

_FIT_SLACK = 25
"""Codes by which an edition may differ from the dates held here before another edition is looked for."""
_MONTHS = {"jan": 1, "apr": 4, "jul": 7, "oct": 10}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import took in: its head lines, the members of a zip that were left out, the index that holds it.

    ``index`` is ``None`` where no index was built yet and none is needed, as for NCCI edits.
    """

    imports: tuple[Imported, ...]
    skipped: tuple[str, ...]
    index: Path | None

    def text(self) -> str:
        """The report for a terminal: one line an import, one for what was left out."""
        lines = [f"imported {i.source}: {i.kind}, edition {i.edition}, {i.rows:,} records" for i in self.imports]
        return "\n".join([*lines, *([f"left out: {', '.join(self.skipped)}"] if self.skipped else [])])


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    sha256: str
    reading: Reading | ncci.Edits


def import_file(
    path: Path,
    cache_dir: Path,
    effective: date | None = None,
    minimum: int | None = None,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> ImportReport:
    """Import one published file, or a zip of some; see :func:`import_files`."""
    return import_files([path], cache_dir, effective, minimum, progress)


def import_files(
    paths: Iterable[Path],
    cache_dir: Path,
    effective: date | None = None,
    minimum: int | None = None,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> ImportReport:
    """Import published files, all of them or none, and build the index that holds them.

    A file is told by its content. ``effective`` is the first day of its edition where the file does not
    state it, or states it wrongly; ``minimum`` replaces the number of records below which a file counts
    as cut short (:data:`codeassist.terminology.kinds.MINIMUM_ROWS`), for extracts.

    Raises :class:`TerminologyError`, and leaves imports and index as they were, when a file is damaged, not
    one of those known here, of an edition other than the one it claims, or when the index can't be built.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(cache_dir), tempfile.TemporaryDirectory(prefix="importing-", dir=cache_dir) as scratch:
        sources: list[_Source] = []
        skipped: list[str] = []
        for number, path in enumerate(paths):
            found, left = _read(path, Path(scratch) / f"unpacked-{number}")
            sources += found
            skipped += left
        heads: dict[str, tuple[Imported, Reading]] = {}
        edits: list[tuple[ncci.Edits, Imported]] = []
        for source in sources:
            if isinstance(source.reading, ncci.Edits):
                edits.append(
                    (source.reading, ncci.head_of(source.reading, source.name, source.sha256, effective, minimum))
                )
                continue
            head = _checked(source, source.reading, effective, minimum)
            seen = heads.get(head.file_name)
            if seen is None or head.rows > seen[0].rows:  # the same list twice, as text and as workbook
                heads[head.file_name] = head, source.reading
        staged = Path(scratch) / "imports"
        staged.mkdir()
        current = cache_dir / "imports"
        staged_edits = ncci.stage(edits, Path(scratch), cache_dir / NCCI_FOLDER)
        for old in imports_of(current):
            if old.file_name not in heads:
                os.link(current / old.file_name, staged / old.file_name)
        for head, reading in heads.values():
            write_import(staged, head, reading.rows)
        index = build_index(cache_dir, progress, imports=staged) if heads else find_index(cache_dir)
        _swap(staged, current, list(heads), Path(scratch))
        ncci.swap(staged_edits, cache_dir / NCCI_FOLDER)
        taken = (*(head for head, _ in heads.values()), *(head for _, head in edits))
        return ImportReport(taken, tuple(skipped), index)


@contextmanager
def _one_at_a_time(cache_dir: Path) -> Iterator[None]:
    with (cache_dir / "import.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _swap(staged: Path, current: Path, names: list[str], scratch: Path) -> None:
    """Move new imports in place of the old; should a move fail, put the old ones back."""
    current.mkdir(exist_ok=True)
    kept = scratch / "kept"
    kept.mkdir()
    for name in names:
        if (current / name).exists():
            os.link(current / name, kept / name)
    try:
        for name in names:
            os.replace(staged / name, current / name)
    except OSError as error:
        for name in names:
            if (kept / name).exists():
                os.replace(kept / name, current / name)
            else:
                (current / name).unlink(missing_ok=True)
        raise TerminologyError(f"the import could not be stored ({error.strerror}); nothing was changed") from None


def _read(path: Path, scratch: Path) -> tuple[list[_Source], list[str]]:
    """The known files at ``path``, and the names of a zip's members that are none."""
    if not path.is_file():
        raise TerminologyError(f"there is no file {path}")
    archive = is_archive(path)
    reading = None if archive else _published(path)
    if reading is not None:
        return [_Source(path.name, _sha256(path), reading)], []
    if not archive:
        raise TerminologyError(f"{path.name} is not a file that can be imported; expected {KNOWN}")
    found: list[_Source] = []
    skipped: list[str] = []
    edits: set[str] = set()
    for member in sorted(unpack(path, scratch), key=lambda m: m.suffix.lower() == ".xlsx"):
        reading = None if member.stem.lower() in edits else _member(member, path.name)  # as text before as workbook
        if reading is None:
            skipped.append(member.name)
        else:
            if isinstance(reading, ncci.Edits):
                edits.add(member.stem.lower())
            found.append(_Source(f"{path.name}: {member.name}", _sha256(member), reading))
    if not found:
        held = ", ".join(skipped) or "nothing"
        raise TerminologyError(f"{path.name} holds no file that can be imported (it holds {held}); expected {KNOWN}")
    return found, skipped


def _member(member: Path, archive: str) -> Reading | ncci.Edits | None:
    """A zip's member, unless it is a list of changes, a notice or a picture of what is imported."""
    other = member.suffix.lower() not in (".txt", ".xml", ".xlsx", ".tab", ".tsv", ".csv", "")
    if other or member.stat().st_size == 0 or re.search(r"addend|readme|layout|conversion|correct", member.name, re.I):
        return None
    return _published(member, archive)


def _published(path: Path, archive: str = "") -> Reading | ncci.Edits | None:
    edits = ncci.read_edits(path, archive)
    return read_published(path) if edits is None else edits


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(source: _Source, reading: Reading, effective: date | None, minimum: int | None) -> Imported:
    """The head line for a file; raises :class:`TerminologyError` for too few records or a doubtful edition."""
    least = MINIMUM_ROWS[reading.kind] if minimum is None else minimum
    if len(reading.rows) < least:
        raise TerminologyError(
            f"{source.name} has {len(reading.rows)} records of {reading.kind}; a whole file has at least {least}: "
            "is it cut short?"
        )
    first = _first_day(source, reading, effective)
    return Imported(
        kind=reading.kind,
        system=reading.system,
        edition=f"{first:%Y-%m}",
        effective=first.isoformat(),
        source=source.name,
        sha256=source.sha256,
        rows=len(reading.rows),
        imported=date.today().isoformat(),
    )


def _first_day(source: _Source, reading: Reading, effective: date | None) -> date:
    stated = [effective] if effective else _stated_days(source, reading)
    if reading.kind not in CODE_KINDS or reading.system not in ("icd-10-cm", "icd-10-pcs"):
        if not stated:
            raise _no_edition(source)
        return stated[0]
    misfit = _misfits(reading, stated)
    best = min(misfit, key=lambda day: (misfit[day], day), default=None)
    if not stated:
        if best is None or misfit[best] > _FIT_SLACK:
            raise _no_edition(source)
        return best
    day = stated[0]
    if len(stated) > 1 and day in misfit:  # the year's first half, unless the second fits better
        october, april = misfit[day], misfit.get(stated[1])
        update = april is None and best == day and october > _FIT_SLACK
        day = stated[1] if update or (april is not None and april < october) else day
    if best is not None and day in misfit and misfit[day] > max(_FIT_SLACK, 2 * misfit[best]):
        raise TerminologyError(
            f"{source.name}: its codes are not those of the edition of {day}, which it is said to be "
            f"({misfit[day]} differ); they fit the edition of {best} ({misfit[best]} differ). "
            "Is it another year's file? Its first day can be given with --effective"
        )
    return day


def _no_edition(source: _Source) -> TerminologyError:
    return TerminologyError(
        f"{source.name} does not state its edition: give its first day, such as --effective 2026-10-01"
    )


def _stated_days(source: _Source, reading: Reading) -> list[date]:
    """First days that the file's content or, failing that, its name allows. Both halves of a fiscal year when
    it names the year only; ICD-10 years begin in October, those of CPT and HCPCS in January."""
    name = source.name.rsplit(": ", 1)[-1].lower()
    if reading.first_day:
        return [date.fromisoformat(str(reading.first_day))]
    year = reading.year
    if year is None:
        named = re.search(r"(?<!\d)(20\d\d)(?!\d)", name)
        if named is None:
            return []
        year = named[1]
    if not reading.system.startswith("icd"):
        return [date(int(year), 1, 1)]
    month = re.search(r"(?<![a-z])(apr|oct|jan|jul)[a-z]*(?![a-z])", name)
    if month and month[1] != "oct":
        return [date(int(year), _MONTHS[month[1]], 1)]
    october = date(int(year) - 1, 10, 1)
    return [october] if month or reading.kind not in CODE_KINDS else [october, date(int(year), 4, 1)]


def _misfits(reading: Reading, stated: list[date]) -> dict[date, int]:
    """First day of the editions held here, and of those stated while the dates held last, to the number of codes
    by which the file differs from these dates. Empty for extracts, which can't be compared.
    """
    last = date.fromisoformat(str(COVERED_UNTIL))
    days = sorted({*edition_days(reading.system), *(d for d in stated if d <= last)})
    here = reading.codes()
    # not every 7th character that a tabular list spells out is valid
    doubtful = {r["code"] for r in reading.rows if r.get("expanded")}
    out = {}
    for day in days:
        there = shipped_codes(reading.system, day)
        if 2 * len(here) < len(there):
            return {}
        out[day] = len((here ^ there) - (doubtful - there))
    return out
