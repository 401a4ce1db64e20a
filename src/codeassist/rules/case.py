"""An encounter as the rule families see it: each line looked up once in the release of its day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from codeassist.rules.encounter import CodedLine, Encounter
from codeassist.terminology.store import Store, normal_key


@dataclass(frozen=True, slots=True)
class Line:
    """A coded line with its place in the claim (from 0), key (no dot) and row in the store (below 0: not in it).

    ``valid`` says that the code is billable and in force on the day of the encounter.
    """

    place: int
    coded: CodedLine
    key: str
    row: int
    valid: bool

    @property
    def system(self) -> str:
        """The code system."""
        return self.coded.system

    @property
    def code(self) -> str:
        """The code as it is written on a claim."""
        return self.coded.code


class Case:
    """An encounter, the terminology, and the encounter's lines by kind."""

    def __init__(self, encounter: Encounter, store: Store) -> None:
        self.encounter = encounter
        self.store = store
        self.day = store.day(encounter.date_of_service)
        """The date of service as yyyymmdd, moved into the days that the editions cover."""
        valid = store.valid(self.day)
        lines = []
        for place, coded in enumerate(encounter.codes):
            row = store.row(coded.system, coded.code)
            key = normal_key(coded.code)
            if row is None:
                lines.append(Line(place, coded, key, -1, False))
            else:
                lines.append(Line(place, coded, key, row, bool(valid[row])))
        self.lines = tuple(lines)

    @cached_property
    def diagnoses(self) -> tuple[Line, ...]:
        """The ICD-10-CM lines, in the claim's order."""
        return tuple(line for line in self.lines if line.system == "icd-10-cm")

    @cached_property
    def procedures(self) -> tuple[Line, ...]:
        """The ICD-10-PCS lines."""
        return tuple(line for line in self.lines if line.system == "icd-10-pcs")

    @cached_property
    def services(self) -> tuple[Line, ...]:
        """The CPT and HCPCS lines."""
        return tuple(line for line in self.lines if line.system in ("cpt", "hcpcs"))

    @cached_property
    def keys(self) -> frozenset[str]:
        """The diagnoses' codes without their dots."""
        return frozenset(line.key for line in self.diagnoses)

    @property
    def inpatient(self) -> bool:
        """Whether the encounter is a hospital stay."""
        return self.encounter.setting == "inpatient"

    def title(self, line: Line) -> str:
        """The title of a line's code, or nothing when no release held here has it."""
        return self.store.title(line.row) if line.row >= 0 else ""
