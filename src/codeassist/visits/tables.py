"""Reads the tables of this package; each is described at its head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

from codeassist.visits.visit import ElementName, Level


@dataclass(frozen=True, slots=True)
class FamilyCode:
    """One line of ``families.tsv``."""

    code: str
    levels: tuple[Level, ...]
    minutes: int | None
    age: int | None


def _rows(name: str, columns: int) -> list[list[str]]:
    """The lines of a table under its head, filled up to ``columns`` fields."""
    text = (resources.files(__package__) / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split("\t") + [""] * columns)[:columns] for line in lines[1:]]


@cache
def cue_forms() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Kind, name and forms of each cue."""
    return tuple((kind, name, tuple(forms.split("|"))) for kind, name, forms in _rows("cues.tsv", 3))


@cache
def drug_names() -> tuple[frozenset[str], tuple[str, ...]]:
    """Names of prescription drugs, and the ends by which others are known."""
    names = {n for _, listed in _rows("drugs.tsv", 2) for n in listed.split("|")}
    return frozenset(n for n in names if not n.startswith("-")), tuple(n[1:] for n in names if n.startswith("-"))


@cache
def problem_classes() -> dict[str, str]:
    """Prefix of an ICD-10-CM key to the class of its problems."""
    return {p: kind for kind, prefixes, _ in _rows("problems.tsv", 3) for p in prefixes.split("|")}


@cache
def problem_class(key: str) -> str:
    """The class of a condition by the longest prefix of its key (no dot); ``none`` for what is no problem.

    >>> problem_class("E119"), problem_class("E1165"), problem_class("Z23")
    ('chronic', 'worsening', 'none')
    """
    classes = problem_classes()
    return next((classes[key[:n]] for n in range(len(key), 0, -1) if key[:n] in classes), "none")


@cache
def families() -> dict[str, tuple[FamilyCode, ...]]:
    """The codes of each family of visits, in the order of their levels or ages."""
    out: dict[str, list[FamilyCode]] = {}
    for family, code, levels, minutes, age in _rows("families.tsv", 5):
        out.setdefault(family, []).append(
            FamilyCode(
                code,
                tuple(Level[n.upper()] for n in levels.split("|")) if levels != "-" else (),
                int(minutes) if minutes != "-" else None,
                int(age) if age != "-" else None,
            )
        )
    return {family: tuple(codes) for family, codes in out.items()}


@cache
def visit_codes() -> frozenset[str]:
    """All codes of the families, those that are never assessed included: a visit has at most one of them."""
    return frozenset(c.code for codes in families().values() for c in codes)


@cache
def requirements() -> dict[tuple[ElementName, Level], str]:
    """What a level asks of an element, in words."""
    return {
        (element, Level[level.upper()]): needs  # type: ignore[misc]
        for element, level, needs in _rows("requirements.tsv", 3)
    }


@cache
def note_type_says(note_type: str) -> str:
    """What a note's type says of the visit, by the first word of ``note_types.tsv`` that it holds; empty if nothing.

    >>> note_type_says("Operative Note"), note_type_says("progress")
    ('none', 'visit')
    """
    name = note_type.lower().replace("_", " ")
    return next((says for word, says in _rows("note_types.tsv", 2) if word in name), "")
