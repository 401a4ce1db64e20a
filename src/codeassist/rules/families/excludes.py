"""Codes that the tabular keeps apart: Excludes1 and Excludes2 notes, which hold for all that is below them."""

from __future__ import annotations

from collections.abc import Iterator

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.family import read_rules
from codeassist.rules.tables import read_table
from codeassist.terminology.instructions import Instruction, Instructions, Kind

RULES = read_rules("excludes")
_UNDECIDED = frozenset((owner, target) for owner, target, _ in read_table("excludes_undecided", 3))
_ASKING: tuple[Kind, ...] = ("code_first", "use_additional_code", "code_also")


def check_excludes(case: Case) -> Iterator[Finding]:
    """Each pair under an Excludes1 note once; of Excludes2 notes at categories and codes, one for each category."""
    lines = tuple({line.row: line for line in case.diagnoses if line.row >= 0}.values())
    if len(lines) < 2:
        return
    notes, rows = case.store.instructions, [line.row for line in lines]
    found: set[frozenset[int]] = set()
    for i, j, note in notes.links(rows, "excludes1"):
        pair = frozenset((i, j))
        if pair not in found and _decides(case, note, rows[i]) and not _asked_for(notes, rows[i], rows[j]):
            found.add(pair)
            yield _excludes1(case, note, *(lines[k] for k in sorted(pair)))
    told: set[str] = set()
    for i, j, note in notes.links(rows, "excludes2", groups=False):
        category = case.store.code(note.owner)[:3]
        pair = frozenset((i, j))
        status = lines[i].key[0] == lines[j].key[0] == "Z"  # status codes stand side by side as a matter of course
        if category in told or pair in found or status or note.names(rows[i]):
            continue
        if not _asked_for(notes, rows[i], rows[j]):
            told.add(category)
            yield _excludes2(case, note, *(lines[k] for k in sorted(pair)))


def _decides(case: Case, note: Instruction, row: int) -> bool:
    """Whether the note parts the two codes: not when it names the code that it holds for, or leaves the matter open."""
    if note.conditional or note.names(row):
        return False
    owner = case.store.code(note.owner)
    return not any((owner, target) in _UNDECIDED for target in note.written)


def _asked_for(notes: Instructions, first: int, second: int) -> bool:
    """Whether the tabular asks for one of the codes at the other, and so permits the pair."""
    return any(notes.between(a, b, kind) for kind in _ASKING for a, b in ((first, second), (second, first)))


def _excludes1(case: Case, note: Instruction, first: Line, second: Line) -> Finding:
    return RULES["excludes1"].finding(
        f"{first.code} and {second.code} are not coded together: the tabular excludes one at the other",
        [first.code, second.code],
        f"keep {first.code} or {second.code}, whichever the record supports; both only when the two conditions are "
        "unrelated and the record says so (I.A.12.a)",
        f"Excludes1 at {case.store.code(note.owner)}: {note.text}",
    )


def _excludes2(case: Case, note: Instruction, first: Line, second: Line) -> Finding:
    return RULES["excludes2"].finding(
        f"neither of {first.code} and {second.code} includes the other: both stand only when the patient has both",
        [first.code, second.code],
        f"keep {first.code} and {second.code} when the record supports each of them",
        f"Excludes2 at {case.store.code(note.owner)}: {note.text}",
    )
