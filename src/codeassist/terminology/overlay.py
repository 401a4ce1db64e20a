"""A site's imported editions laid over the shipped ones: titles, notes, and the days on which codes are valid."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from codeassist.terminology.codes import ALWAYS, FOREVER, UNTITLED, Code
from codeassist.terminology.imported import CODE_KINDS, Imported, Row, imports_of, read_rows
from codeassist.terminology.layout import GROUPS
from codeassist.terminology.sources.icd10pcs_tables import TableRow
from codeassist.terminology.words import content_stems


class Overlay:
    """The codes of one system while editions are laid over them, oldest first.

    ``titled`` is the first day of the edition whose titles the codes have now, ``boundaries`` the first days
    of all editions held: an edition's list is complete up to the next one.
    """

    def __init__(self, system: str, codes: Iterable[Code], titled: int, boundaries: Iterable[int]) -> None:
        self.system = system
        self.codes: dict[tuple[str, str], Code] = {(c.system, c.key): c for c in codes}
        self._titled = dict.fromkeys((k for k, c in self.codes.items() if c.title != UNTITLED), titled)
        self._boundaries = sorted(set(boundaries))
        self._known: set[str] = set()
        self._stems_with_7th: set[str] = set()
        self._know([c.key for c in self.codes.values() if c.billable])
        self._applied: set[int] = set()

    def apply(self, head: Imported, rows: Iterable[Row]) -> None:
        """Lay one edition over the codes."""
        day = head.first_day
        listed: set[str] = set()
        for code in self._listed(head, rows):
            self._merge(code, day, head.kind)
            if code.billable and code.system == self.system:
                listed.add(code.key)
        later = next((b for b in self._boundaries if b > day), FOREVER)
        for place, code in self.codes.items():
            missing = code.billable and code.key not in listed and code.first <= day <= code.last
            if missing and (later == FOREVER or code.last < later):
                self.codes[place] = replace(code, last=previous_day(day))
        self._know(listed)
        self._applied.add(day)

    def _know(self, keys: Iterable[str]) -> None:
        self._known.update(keys)
        self._stems_with_7th.update(key[:-1] for key in keys if len(key) == 7)

    def _merge(self, new: Code, day: int, kind: str) -> None:
        place = new.system, new.key
        old = self.codes.get(place)
        composed = kind == "icd-10-pcs-tables"
        if old is None:
            self.codes[place] = new
            self._titled[place] = 0 if composed else day
            return
        titled = self._titled.get(place)
        changed = old
        if titled is None or (day >= titled and not composed):
            changed = self._retitled(old, new, day, kind)
            self._titled[place] = 0 if composed else day
        elif not composed and not same_title(old.title, new.title):
            former = (f"in {_iso(day)[:7]}: {new.title}", *old.notes.get("former_title", ()))
            changed = replace(old, notes={**old.notes, "former_title": former})
        if new.billable and (not old.billable or self.system == "hcpcs"):
            changed = replace(changed, billable=True, first=new.first, last=new.last)
        elif new.billable and old.last < day:
            # a code that comes back: one span of days is held, that of now
            first = old.first if old.last == previous_day(day) else day
            changed = replace(changed, first=first, last=FOREVER)
        elif new.billable and old.first > day:
            changed = replace(changed, first=day)
        self.codes[place] = changed

    def _retitled(self, old: Code, new: Code, day: int, kind: str) -> Code:
        """``old`` with the title and notes of a newer edition, and a note of the title that it had."""
        titled = self._titled.get((old.system, old.key), 0)
        notes = dict(new.notes) if kind == "icd-10-cm-tabular" else {**old.notes, **new.notes}
        same = old.title != UNTITLED and same_title(old.title, new.title)
        former = old.notes.get("former_title", ())
        if 0 < titled < day and not same:
            former = (f"until {_iso(previous_day(day))}: {old.title}", *former)
        if former:
            notes["former_title"] = former
        return replace(
            old,
            title=old.title if same and self.system.startswith("icd") else new.title,
            source=new.source,
            notes=notes,
            parent=new.parent or old.parent,
            parent_system=new.parent_system if new.parent else old.parent_system,
            expanded=new.expanded or old.expanded,
        )

    def _listed(self, head: Imported, rows: Iterable[Row]) -> Iterator[Code]:
        source = f"imported: {head.source}"
        for row in rows:
            if head.kind == "icd-10-pcs-tables":
                for key, title in TableRow(tuple(row["axes"])).codes():
                    yield Code(self.system, key, title, head.first_day, FOREVER, True, f"composed of labels: {source}")
            elif head.kind == "icd-10-cm-tabular":
                code = self._tabular(row, head.first_day, source)
                if code is not None:
                    yield code
            elif "code" in row:
                yield self._catalogued(row, head, source)

    def _tabular(self, row: Row, day: int, source: str) -> Code | None:
        notes = {kind: tuple(texts) for kind, texts in row.get("notes", {}).items()}
        if row["level"] != "code":
            return Code(GROUPS, row["code"], row["title"], *ALWAYS, False, source, row["parent"], notes=notes)
        key, expanded = row["code"], bool(row.get("expanded"))
        if expanded and key not in self._known and key[:-1] in self._stems_with_7th:
            return None  # a 7th character that this code does not take
        old = self.codes.get((self.system, key))
        if expanded and old is not None and old.last < previous_day(day):
            return None
        parent = row["parent"] or ""
        group = "-" in parent
        days = (day, FOREVER) if row["billable"] else ALWAYS
        above, above_system = (parent, GROUPS) if group else (parent.replace(".", ""), None)
        title, billable = row["title"], row["billable"]
        return Code(self.system, key, title, *days, billable, source, above, above_system, expanded, notes)

    def _catalogued(self, row: Row, head: Imported, source: str) -> Code:
        key: str = row["code"]
        billable = bool(row.get("billable", True))
        first, last = (head.first_day, FOREVER) if billable else ALWAYS
        if head.system in ("hcpcs", "cpt"):
            # a first import tells nothing of when its codes began; a second one does
            unknown = head.first_day if self._applied - {head.first_day} else 0
            first, last = row.get("first") or unknown, row.get("last") or FOREVER
            return Code(self.system, key, row["title"], first, last, billable, source)
        return Code(self.system, key, row["title"], first, last, billable, source, self._above(key))

    def _above(self, key: str) -> str | None:
        if self.system != "icd-10-cm" or (self.system, key) in self.codes:
            return None
        return next((key[:n] for n in range(len(key) - 1, 2, -1) if (self.system, key[:n]) in self.codes), None)


def lay_over(system: str, codes: Iterable[Code], titled: int, boundaries: Iterable[int], imports: Path) -> list[Code]:
    """The codes of ``system`` after all its imports."""
    heads = [i for i in imports_of(imports) if i.system == system and i.kind in CODE_KINDS]
    if not heads:
        return list(codes)
    overlay = Overlay(system, codes, titled, [*boundaries, *(i.first_day for i in heads)])
    for head in heads:
        overlay.apply(head, read_rows(imports, head))
    return list(overlay.codes.values())


def previous_codes(imports: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    """ICD-10 code to the ICD-9-CM codes that the imported equivalence mappings join with it."""
    found: dict[tuple[str, str], list[str]] = {}
    for head in imports_of(imports):
        if head.kind.startswith("gem-"):
            for row in read_rows(imports, head):
                text = f"ICD-9-CM {_icd9(row['previous'], head.system)}{' (approximate)' if row['approximate'] else ''}"
                found.setdefault((head.system, row["code"]), []).append(text)
    return {place: tuple(dict.fromkeys(texts)) for place, texts in found.items()}


def _icd9(code: str, system: str) -> str:
    whole = 2 if system == "icd-10-pcs" else 4 if code.startswith("E") else 3
    return f"{code[:whole]}.{code[whole:]}" if len(code) > whole else code


def same_title(a: str, b: str) -> bool:
    """Whether two titles say the same, whatever their punctuation, accents, spelling and "NOS" tails.

    >>> same_title("Sezary disease", "Sézary disease"), same_title("Gout, unspecified", "Gout of the foot")
    (True, False)
    """
    return _plain(a) == _plain(b)


def _plain(title: str) -> list[str]:
    text = "".join(c for c in unicodedata.normalize("NFKD", title) if not unicodedata.combining(c))
    return [s for s in content_stems(text.split("/")[0] if "NOS" in text else text) if s != "unspecified"]


def previous_day(day: int) -> int:
    """The day before ``day``, both yyyymmdd."""
    before = date(day // 10000, day // 100 % 100, day % 100) - timedelta(days=1)
    return before.year * 10000 + before.month * 100 + before.day


def _iso(day: int) -> str:
    return f"{day // 10000:04}-{day // 100 % 100:02}-{day % 100:02}"
