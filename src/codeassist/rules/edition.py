"""Whether an edition of the code systems was in force on the date of service."""

from __future__ import annotations

from collections.abc import Iterator

from codeassist.result import Finding
from codeassist.rules.encounter import Encounter
from codeassist.terminology.store import Store


def check_edition(encounter: Encounter, store: Store) -> Iterator[Finding]:
    """A warning when the date lies outside every edition held, and the nearest one was used."""
    if store.covers(encounter.date_of_service):
        return
    day = str(store.day(encounter.date_of_service))
    yield Finding(
        rule="edition.date-of-service",
        level="warning",
        message=f"no edition held here was in force on {encounter.date_of_service.isoformat()}; "
        f"codes are those of {day[:4]}-{day[4:6]}-{day[6:]}, the nearest day covered",
        reference="ICD-10-CM guidelines, section I: codes are valid by date of service or discharge",
        fix="check the date of service, or import the edition of that year",
        overridable=True,
    )
