"""Where the errors lie: by chapter, by how often training saw the code, by stage, and within a category."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from training.accuracy.figures import FIRST, Counts, by_code
from training.accuracy.judging import Code, Judged

STAGES = ("never a candidate", "ranked low", "below threshold")
"""Why a gold code was missed: nothing proposed it; it is not among the first 15 of its kind (diagnoses, procedures);
or it is, without tier ``code``."""
FREQUENCIES = {"0": 0, "1": 1, "2 to 4": 4, "5 to 9": 9, "10 to 19": 19, "20 and more": 10**9}
"""Classes of how many training notes had a code, by the most that falls into each."""
_NAMES = {"icd-10-pcs": "ICD-10-PCS", "cpt": "CPT", "hcpcs": "HCPCS"}


def _chapters() -> tuple[list[str], list[str]]:
    lines = Path(__file__).with_name("chapters.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith(("#", "first\t"))]
    return [first for first, _ in pairs], [name for _, name in pairs]


_FIRST, _NAME = _chapters()


def group(code: Code) -> str:
    """The chapter of an ICD-10-CM code, or the system of a procedure.

    >>> group(("icd-10-cm", "D509")), group(("icd-10-pcs", "0DTJ4ZZ"))
    ('Blood', 'ICD-10-PCS')
    """
    system, key = code
    return _NAMES.get(system) or _NAME[max(0, bisect_right(_FIRST, key) - 1)]


def groups() -> list[str]:
    """Every group, in the order of the code systems."""
    return [*_NAME, *_NAMES.values()]


def counts_by_group(notes: Iterable[Judged]) -> dict[str, Counts]:
    """Counts at tier ``code`` by :func:`group`, those that occur, in the order of :func:`groups`."""
    found: dict[str, Counts] = {}
    for code, counts in by_code(notes).items():
        found[group(code)] = found.get(group(code), Counts()) + counts
    return {g: found[g] for g in groups() if g in found}


def counts_by_frequency(notes: Iterable[Judged], seen: Mapping[Code, int]) -> dict[str, Counts]:
    """Counts at tier ``code`` by the number of training notes that had the code (``seen``)."""
    out = dict.fromkeys(FREQUENCIES, Counts())
    for code, counts in by_code(notes).items():
        name = next(n for n, most in FREQUENCIES.items() if seen.get(code, 0) <= most)
        out[name] += counts
    return out


def stages(note: Judged, candidates: frozenset[Code]) -> dict[Code, str]:
    """The stage (of :data:`STAGES`) at which each missed gold code was lost."""
    out = {}
    for diagnoses in (True, False):
        mine = [r for r in note.ranked if (r.code[0] == "icd-10-cm") == diagnoses]
        first = {r.code for r in mine[:FIRST]}
        coded = {r.code for r in mine if r.coded}
        shown = {r.code for r in mine}
        for code in note.gold - coded:
            if (code[0] == "icd-10-cm") == diagnoses:
                known = code in candidates or code in shown
                out[code] = STAGES[0] if not known else STAGES[2] if code in first else STAGES[1]
    return out


def misses_by_group(notes: Iterable[Judged]) -> dict[str, Counter[str]]:
    """How many gold codes of each group were missed at each stage."""
    found: dict[str, Counter[str]] = {}
    for note in notes:
        for code, stage in note.missed.items():
            found.setdefault(group(code), Counter())[stage] += 1
    return {g: found[g] for g in groups() if g in found}


def confusions(notes: Sequence[Judged], most: int) -> list[tuple[str, str, str, int]]:
    """The most frequent pairs of a missed code and a false one that share a category (three characters), as
    (system, gold, suggested, notes)."""
    found: Counter[tuple[str, str, str]] = Counter()
    for note in notes:
        false = [r.code for r in note.ranked if r.coded and not r.right]
        coded = {r.code for r in note.ranked if r.coded}
        for system, key in note.gold - coded:
            found.update((system, key, k) for s, k in false if s == system and k[:3] == key[:3])
    # Numbers of CPT and HCPCS have no category of three characters.
    pairs = [(*pair, n) for pair, n in found.items() if pair[0] in ("icd-10-cm", "icd-10-pcs")]
    return sorted(pairs, key=lambda p: (-p[3], p))[:most]
