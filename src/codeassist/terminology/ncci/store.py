"""Which NCCI tables this machine holds: the shipped ones in the index, and a site's imports beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from codeassist.errors import TerminologyError
from codeassist.terminology.imported import Imported
from codeassist.terminology.layout import Strings
from codeassist.terminology.ncci.build import ADD_ONS, EDITIONS, PAIRS
from codeassist.terminology.ncci.layout import AddOns, Pairs, Table, Units
from codeassist.terminology.ncci.tables import AddOnTable, PairTable, UnitTable

FOLDER = Path("imports") / "ncci"
"""Where imports lie in the cache: a folder of arrays for each table and edition."""
HEAD = "head.json"
TABLES: dict[str, type[Table]] = {
    "pairs-hospital": Pairs,
    "pairs-practitioner": Pairs,
    "units-hospital": Units,
    "units-practitioner": Units,
    "units-supplier": Units,
    "add-ons": AddOns,
}
"""The tables that can be imported, by name."""
_WHOLE = 0.9


@dataclass(frozen=True, slots=True)
class Held:
    """An imported edition of a table: its first day (yyyymmdd), the files that it was read from by part, its rows."""

    folder: Path
    table: str
    edition: str
    first_day: int
    rows: int
    files: dict[int, Imported]


class Ncci:
    """The tables in use: an import goes before what is shipped."""

    def __init__(self, index: Path, imports: Path) -> None:
        names = Strings(index, EDITIONS)
        shipped = PairTable(f"hospital {names[0]}, codes of the starter catalogues", Pairs.open(index, PAIRS))
        try:
            opened = _opened(imports)
        except OSError:  # an import replaced one of them while it was read
            opened = _opened(imports)
        pairs = {h.table: PairTable(_name(h), rows) for h, rows in opened if isinstance(rows, Pairs)}
        self.hospital = pairs.get("pairs-hospital", shipped)
        """Pairs of outpatient hospital claims."""
        self.practitioner = pairs.get("pairs-practitioner")
        """Pairs of professional claims, where they were imported."""
        add_ons = [AddOnTable(h.edition, rows) for h, rows in opened if isinstance(rows, AddOns)]
        self.add_ons = add_ons[-1] if add_ons else AddOnTable(names[1], AddOns.open(index, ADD_ONS))
        """Add-on codes and their primary codes."""
        self._units = [
            (h.table.partition("-")[2], h.first_day, UnitTable(_name(h), rows))
            for h, rows in opened
            if isinstance(rows, Units)
        ]

    def units(self, kind: str, day: int) -> UnitTable | None:
        """The unit limits of ``hospital``, ``practitioner`` or ``supplier`` that were in force on ``day`` (yyyymmdd):
        the last imported edition that had begun, or ``None``."""
        found = None
        for name, first, table in self._units:
            if name == kind and first <= day:
                found = table
        return found


def _opened(imports: Path) -> list[tuple[Held, Table]]:
    return [(h, TABLES[h.table].open(h.folder)) for h in in_use(held_in(imports))]


def _name(held: Held) -> str:
    return f"{held.table.partition('-')[2]} {held.edition}"


def held_in(imports: Path) -> list[Held]:
    """The imported editions in a folder, oldest first.

    Raises :class:`TerminologyError` when a folder there is not one that an import wrote.
    """
    found = [_head(path) for path in imports.glob(f"*/{HEAD}")] if imports.is_dir() else []
    return sorted(found, key=lambda h: (h.table, h.first_day, h.rows, h.folder.name))


def _head(path: Path) -> Held:
    try:
        head = json.loads(path.read_text(encoding="utf-8"))
        files = {int(part): Imported(**record) for part, record in head["files"].items()}
        if head["table"] not in TABLES:
            raise ValueError
        return Held(path.parent, head["table"], head["edition"], head["first_day"], head["rows"], files)
    except (ValueError, TypeError, KeyError):
        raise TerminologyError(
            f"imports/ncci/{path.parent.name} in the cache is damaged: delete it and import its source again"
        ) from None


def in_use(held: list[Held]) -> list[Held]:
    """The editions that answer: of pairs and add-on codes the newest that is whole, as each holds those before it;
    of unit limits all, for they state no days.

    CMS publishes the pairs in parts: an edition with less than nine tenths of another's rows still lacks some.
    """
    out = [h for h in held if h.table.startswith("units")]
    for table in TABLES.keys() - {h.table for h in out}:
        mine = [h for h in held if h.table == table]
        most = max((h.rows for h in mine), default=0)
        out += [h for h in mine if h.rows >= _WHOLE * most][-1:]
    return out


__all__ = ["Held", "Ncci", "held_in", "in_use"]
