"""What the terminology of this machine holds: editions, sources, counts and imports."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from codeassist.terminology.access import open_store
from codeassist.terminology.editions import SHIPPED
from codeassist.terminology.imported import Imported, imports_of
from codeassist.terminology.ncci.importing import ncci_imports
from codeassist.terminology.ncci.store import FOLDER


@dataclass(frozen=True, slots=True)
class TerminologyStatus:
    """Editions in use, versions of the carriers, billable codes by system on ``day``, and the site's imports."""

    index: Path
    day: date
    covered: bool
    editions: dict[str, str]
    carriers: dict[str, str]
    counts: dict[str, int]
    untitled: dict[str, int]
    imports: tuple[Imported, ...]

    def as_record(self) -> dict[str, Any]:
        """The JSON form."""
        return {**asdict(self), "index": str(self.index), "day": self.day.isoformat()}


def terminology_status(cache_dir: Path, on: date | None = None) -> TerminologyStatus:
    """The state of the index under ``cache_dir``, which is built if it is not there.

    ``covered`` tells whether an edition held is in force on ``on`` (today unless given); ``untitled``
    counts valid codes of which only the dates are known.
    """
    from codeassist.terminology.codes import UNTITLED

    day = on or date.today()
    store = open_store(cache_dir)
    valid = store.valid(store.day(day))
    counts, untitled = {}, {}
    for system in SHIPPED:
        low, high = store.system_range(system)
        counts[system] = store.count(system, day)
        untitled[system] = sum(1 for r in range(low, high) if valid[r] and store.title(r) == UNTITLED)
    return TerminologyStatus(
        store.folder,
        day,
        store.covers(day),
        dict(store.releases),
        dict(store.meta["carriers"]),
        counts,
        untitled,
        (*imports_of(cache_dir / "imports"), *ncci_imports(cache_dir / FOLDER)),
    )
