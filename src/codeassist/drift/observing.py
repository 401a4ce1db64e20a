"""What is observed of one note: only counts and classes, so that the note itself need not be kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from codeassist.drift.profile import CLASSES, NUMBERS, Profile, code_class, number_class, section_kinds
from codeassist.note import Note
from codeassist.terminology.store import normal_key


@dataclass(frozen=True, slots=True)
class Observed:
    """One note of a day. ``classes`` are those of each measure; ``probabilities`` those of the codes of tier ``code``;
    ``accepted`` how many of them were among the final codes, ``None`` where nothing was decided yet."""

    day: date
    classes: Mapping[str, tuple[str, ...]]
    probabilities: tuple[float, ...]
    accepted: int | None = None


def observe(
    profile: Profile,
    day: date,
    note: Note,
    result: Mapping[str, Any],
    final: Collection[tuple[str, str]] | None = None,
) -> Observed:
    """What ``result`` (a :meth:`~codeassist.result.CodingResult.as_record`) makes of a note, and ``final`` codes, as
    (system, code), of it."""
    suggested = [s for s in result["suggestions"] if s["tier"] == "code"]
    codes = [(s["system"], normal_key(s["code"])) for s in suggested]
    numbers = (sum(len(d.text) for d in note.parts), profile.unknown_share(note), len(codes))
    specialty = note.specialty or "not given"
    known = profile.counts["specialty"]
    found = (
        section_kinds(note),
        (note.setting,),
        (specialty if specialty in known else "other",),
        tuple(code_class(*c) for c in codes),
    )
    classes = dict(zip(CLASSES, found, strict=True))
    classes |= {n: (number_class(profile.edges[n], v),) for n, v in zip(NUMBERS, numbers, strict=True)}
    accepted = None
    if final is not None:
        accepted = len(set(codes) & {(s, normal_key(c)) for s, c in final})
    return Observed(day, classes, tuple(float(s["probability"]) for s in suggested), accepted)
