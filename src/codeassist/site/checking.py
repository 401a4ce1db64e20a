"""Every line of a site's folder checked, before it is trained with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from codeassist.errors import InputError
from codeassist.nlp.annotations import STATUSES
from codeassist.nlp.assertion.assertion import cues
from codeassist.nlp.sections.sections import heading_kinds
from codeassist.result import SYSTEMS
from codeassist.site.reading import Row, entry_of, rows
from codeassist.site.targets import lexicon_row, meant_rows
from codeassist.terminology.phrases import LEXICON_KINDS
from codeassist.terminology.store import Store
from codeassist.terminology.words import MAX_PHRASE_WORDS, content_stems

_NO_STATUS = ("end", "end_negated", "none")
_LONGEST_REACH = 200


@dataclass(frozen=True, slots=True)
class SiteProblem:
    """What is wrong with a line: an ``error`` keeps the folder from being used, a ``warning`` says what it changes."""

    file: str
    line: int
    level: Literal["error", "warning"]
    message: str


def check_site(folder: Path, store: Store, on: date | None = None) -> list[SiteProblem]:
    """Everything that is wrong or worth knowing, by file and line. ``on`` is the day on which codes must be valid
    (today unless given). Raises :class:`InputError` when there is no such folder."""
    day = store.day(on or date.today())
    out: list[SiteProblem] = []
    seen: dict[tuple[str, str], int] = {}
    every = list(rows(folder))
    own = {tuple(content_stems(r.cells["term"])) for r in every if r.file == "lexicon.tsv" and r.cells}
    for row in every:
        if row.wrong is not None:
            out.append(SiteProblem(row.file, row.line, "error", row.wrong))
            continue
        first = next(iter(row.cells.values()))
        name = row.cells["headings"] if row.file == "sections.tsv" else first
        before = seen.setdefault((row.file, name.lower()), row.line)
        if not name:
            out.append(SiteProblem(row.file, row.line, "error", "the first column is empty"))
            continue
        if before != row.line:
            out.append(SiteProblem(row.file, row.line, "warning", f"{name!r} stands in line {before} too"))
        out += _CHECKS[row.file](row, store, day, own)
    return out


def _lexicon(row: Row, store: Store, day: int, own: set[tuple[str, ...]]) -> Iterator[SiteProblem]:
    cells = row.cells
    if cells["kind"] not in LEXICON_KINDS:
        yield _error(row, f"unknown kind {cells['kind']!r}: use {', '.join(LEXICON_KINDS)}")
    if cells["system"] not in SYSTEMS:
        yield _error(row, f"unknown system {cells['system']!r}: use {', '.join(SYSTEMS)}")
        return
    yield from _phrase(row, cells["term"])
    try:
        target = lexicon_row(entry_of(row), store)
    except InputError as error:
        yield _error(row, str(error))
        return
    below = store.subtree(target)
    valid = store.valid(day)
    if not valid[below.start : below.stop].any():
        yield _error(row, f"{cells['code']} has no code that is valid on the day")
    elif not cells["code"].endswith("-") and not valid[target]:
        yield _error(row, f"{cells['code']} is not billable: name a code, or a stem with a dash ({cells['code']}-)")
    meant = meant_rows(cells["term"], store)
    if meant and meant != [target]:
        names = ", ".join(store.code(r) if r >= 0 else store.patterns[-1 - r] for r in meant[:4])
        yield _warning(row, f"{cells['term']!r} stands for {names} without this line, and will no longer")
    elif meant:
        yield _warning(row, f"{cells['term']!r} stands for {cells['code']} without this line already")


def _abbreviations(row: Row, store: Store, day: int, own: set[tuple[str, ...]]) -> Iterator[SiteProblem]:
    short, meaning = row.cells["abbreviation"], row.cells["meaning"]
    yield from _phrase(row, short)
    meant = meant_rows(meaning, store)
    if not meant and tuple(content_stems(meaning)) not in own:
        yield _error(row, f"{meaning!r} is no term of the terminology or of lexicon.tsv")
    now = meant_rows(short, store)
    if now and now != meant:
        names = ", ".join(store.code(r) if r >= 0 else store.patterns[-1 - r] for r in now[:4])
        yield _warning(row, f"{short!r} stands for {names} without this line, and will no longer")


def _phrase(row: Row, text: str) -> Iterator[SiteProblem]:
    stems = content_stems(text)
    if not stems:
        yield _error(row, f"{text!r} has no word that can be looked for")
    elif len(stems) > MAX_PHRASE_WORDS:
        yield _error(row, f"{text!r} has {len(stems)} words: {MAX_PHRASE_WORDS} are the most")
    elif len(stems) == 1 and len(stems[0]) < 2:
        yield _error(row, f"{text!r} is a single letter: every such letter of a note would be one")


def _sections(row: Row, store: Store, day: int, own: set[tuple[str, ...]]) -> Iterator[SiteProblem]:
    known = heading_kinds()
    if row.cells["kind"] not in set(known.values()):
        yield _error(row, f"unknown kind {row.cells['kind']!r}: use {', '.join(sorted(set(known.values())))}")
    for heading in row.cells["headings"].lower().split("|"):
        if not heading.strip():
            yield _error(row, "a heading is empty")
        elif known.get(heading.strip(), row.cells["kind"]) != row.cells["kind"]:
            yield _warning(row, f"{heading.strip()!r} opens {known[heading.strip()]} without this line")


def _cues(row: Row, store: Store, day: int, own: set[tuple[str, ...]]) -> Iterator[SiteProblem]:
    cells = row.cells
    if cells["status"] not in (*STATUSES[1:], *_NO_STATUS):
        yield _error(row, f"unknown status {cells['status']!r}: use {', '.join((*STATUSES[1:], *_NO_STATUS))}")
    if cells["direction"] not in ("forward", "backward"):
        yield _error(row, f"unknown direction {cells['direction']!r}: use forward or backward")
    if not cells["reach"].isdigit() or int(cells["reach"]) > _LONGEST_REACH:
        yield _error(row, f"the reach must be a number of tokens up to {_LONGEST_REACH}, not {cells['reach']!r}")
    mine = cells["cue"].lower()
    ours = cues().get(mine if cells["direction"] == "forward" else f"{mine} <")
    if ours is not None and ours.status != cells["status"]:
        yield _warning(row, f"{mine!r} is {ours.status} without this line, and will no longer be")


def _local_codes(row: Row, store: Store, day: int, own: set[tuple[str, ...]]) -> Iterator[SiteProblem]:
    cells = row.cells
    if cells["system"] not in SYSTEMS:
        yield _error(row, f"unknown system {cells['system']!r}: use {', '.join(SYSTEMS)}")
        return
    if store.row(cells["system"], cells["local"]) is not None:
        yield _error(row, f"{cells['local']} is a code of {cells['system']} itself")
    if not cells["code"]:
        if not cells["title"]:
            yield _error(row, "a code that only the site knows needs a title")
        return
    target = store.row(cells["system"], cells["code"])
    if target is None:
        yield _error(row, f"{cells['code']} is in no release of {cells['system']}")
    elif not store.valid(day)[target]:
        yield _error(row, f"{cells['code']} is not billable on the day")


_CHECKS = {
    "abbreviations.tsv": _abbreviations,
    "lexicon.tsv": _lexicon,
    "sections.tsv": _sections,
    "cues.tsv": _cues,
    "local_codes.tsv": _local_codes,
}


def _error(row: Row, message: str) -> SiteProblem:
    return SiteProblem(row.file, row.line, "error", message)


def _warning(row: Row, message: str) -> SiteProblem:
    return SiteProblem(row.file, row.line, "warning", message)
