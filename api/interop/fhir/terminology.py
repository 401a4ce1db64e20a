"""``CodeSystem/$lookup``, ``CodeSystem/$validate-code`` and ``ValueSet/$expand`` on the code systems held here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from api.errors import Problem
from api.interop.fhir.reading import day_of
from api.interop.fhir.systems import NAMES, URLS, coding, system_of
from codeassist.result import System
from codeassist.terminology.store import CodeEntry, Store

MOST_EXPANDED = 1000
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?$"
"""A date, or a dateTime that names its day, as FHIR R4 writes them."""
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A code as a request names it."""

    system: System
    code: str
    display: str | None


def asked(values: Values) -> Asked:
    """The code that ``code`` and ``system`` (or ``url``), ``coding`` or ``codeableConcept`` name. Raises
    :class:`Problem`."""
    named = values.get("coding")
    concept = values.get("codeableConcept")
    if named is None and isinstance(concept, dict):
        codings = [c for c in concept.get("coding", []) if isinstance(c, dict)]
        named = next((c for c in codings if system_of(str(c.get("system", "")))), codings[0] if codings else {})
    if named is not None:
        if not isinstance(named, dict):
            raise Problem("invalid-request", "coding is a Coding with system and code.")
        values = {"system": named.get("system"), "code": named.get("code"), "display": named.get("display")}
    code, url = values.get("code"), values.get("system") or values.get("url")
    if not isinstance(code, str) or not isinstance(url, str):
        raise Problem("invalid-request", "Give code and system, or a coding that has both.")
    return Asked(known_system(url), code, values.get("display"))


def known_system(url: str) -> System:
    """The code system of an address. Raises the problem ``unknown-code``."""
    system = system_of(url)
    if system is None:
        raise Problem(
            "unknown-code", f"The code system {url[:200]!r} is not held here: {', '.join(URLS.values())} are."
        )
    return system


def on_day(values: Values) -> date:
    """The day that ``date`` names, or today. Raises the problem ``invalid-request``."""
    if values.get("date") is None:
        return date.today()
    value = values["date"]
    day = day_of(value) if isinstance(value, str) and re.fullmatch(DATE, value) else None
    if day is None:
        raise Problem("invalid-request", "date is a day such as 2026-03-02.")
    return day


def lookup(store: Store, values: Values) -> dict[str, Any]:
    """The Parameters that ``$lookup`` answers with. Raises the problem ``unknown-code``."""
    sought = asked(values)
    entry = store.get(sought.system, sought.code)
    if entry is None:
        raise Problem("unknown-code", f"{NAMES[sought.system]} has no code {sought.code[:40]!r} here.")
    active = _in_force(entry, on_day(values))
    parameters: list[Values] = [
        {"name": "name", "valueString": NAMES[sought.system]},
        {"name": "version", "valueString": store.releases.get(sought.system, "unknown")},
        {"name": "display", "valueString": entry.display or entry.code},
        *_property("inactive", "valueBoolean", not active),
        *_property("billable", "valueBoolean", entry.billable),
    ]
    for name, day in (("effectiveDate", entry.valid_from), ("deprecationDate", entry.valid_to)):
        if day is not None:
            parameters += _property(name, "valueDateTime", day.isoformat())
    if entry.parent is not None and not entry.parent.startswith("chapter"):
        parameters += _property("parent", "valueCode", entry.parent)
    for child in entry.children:
        parameters += _property("child", "valueCode", child)
    return {"resourceType": "Parameters", "parameter": parameters}


def validate_code(store: Store, values: Values) -> dict[str, Any]:
    """The Parameters that ``$validate-code`` answers with: a wrong code is an answer, and no error."""
    sought, day = asked(values), on_day(values)
    entry = store.get(sought.system, sought.code)
    message = _objection(entry, sought, day)
    result = message is None
    if entry is not None and message is None and not entry.billable:
        message = f"{entry.code} is a category: on a claim use a code below it."
    parameters: list[Values] = [{"name": "result", "valueBoolean": result}]
    if message is not None:
        parameters.append({"name": "message", "valueString": message})
    if entry is not None and entry.display:
        parameters.append({"name": "display", "valueString": entry.display})
    return {"resourceType": "Parameters", "parameter": parameters}


def expand(store: Store, values: Values, now: datetime) -> dict[str, Any]:
    """The ValueSet that ``$expand`` answers with: billable codes of one or more systems on a day, by ``filter``.

    ``url`` is a code system's address, alone or followed by ``?fhir_vs``, or ``valueSet`` composes whole systems or
    lists of codes. Raises :class:`Problem`.
    """
    day = on_day(values)
    count, offset = _number(values, "count", 100, MOST_EXPANDED), _number(values, "offset", 0, 10_000_000)
    text = values.get("filter")
    found: list[tuple[System, int]] = []
    for system, codes in _includes(values):
        found += [(system, row) for row in _rows(store, system, codes, text, day)]
    page = found[offset : offset + count]
    contains = [coding(system, store.code(row), store.title(row)) for system, row in page]
    parameter: list[Values] = [{"name": "offset", "valueInteger": offset}, {"name": "count", "valueInteger": count}]
    parameter.append({"name": "date", "valueDateTime": day.isoformat()})
    parameter += [{"name": "filter", "valueString": text}] if text else []
    for system in dict.fromkeys(s for s, _ in _includes(values)):
        edition = f"{URLS[system]}|{store.releases.get(system, 'unknown')}"
        parameter.append({"name": "version", "valueUri": edition})
    expansion: Values = {
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "total": len(found),
        "offset": offset,
        "parameter": parameter,
    }
    if contains:
        expansion["contains"] = contains
    return {"resourceType": "ValueSet", "status": "active", "expansion": expansion}


def _includes(values: Values) -> list[tuple[System, list[str] | None]]:
    composed = values.get("valueSet")
    if composed is None:
        url = values.get("url")
        if not isinstance(url, str):
            raise Problem("invalid-request", "Give url, the address of a code system, or valueSet.")
        return [(known_system(url.split("?", 1)[0]), None)]
    try:
        rows = composed["compose"]["include"]
        found = [(known_system(row["system"]), _listed(row)) for row in rows]
        unknown = "exclude" in composed["compose"] or any("filter" in row or "valueSet" in row for row in rows)
    except (KeyError, TypeError, AttributeError):
        raise Problem(
            "invalid-request", "valueSet.compose.include is a list of systems, each with concepts or whole."
        ) from None
    if unknown:
        raise Problem(
            "invalid-request", "valueSet composes systems or lists of their codes; exclude and filter are not read."
        )
    return found


def _listed(row: Values) -> list[str] | None:
    return [str(c["code"]) for c in row["concept"]] if "concept" in row else None


def _rows(store: Store, system: System, codes: list[str] | None, text: object, day: date) -> list[int]:
    valid = store.valid(store.day(day))
    if codes is not None:
        rows = [row for code in codes if (row := store.row(system, code)) is not None and valid[row]]
        words = str(text or "").lower().split()
        return [r for r in rows if all(w in f"{store.code(r)} {store.title(r)}".lower() for w in words)]
    if text:
        hits = store.search(str(text)[:200], system=system, on=day, limit=MOST_EXPANDED)
        found = [row for hit in hits if (row := store.row(system, hit.code)) is not None]
        return [row for row in found if valid[row]]
    low, high = store.system_range(system)
    return [low + int(i) for i in np.flatnonzero(valid[low:high])]


def _objection(entry: CodeEntry | None, sought: Asked, day: date) -> str | None:
    name = NAMES[sought.system]
    if entry is None:
        return f"{name} has no code {sought.code[:40]!r} here."
    if not _in_force(entry, day):
        return f"{entry.code} is not valid on {day.isoformat()}."
    if isinstance(sought.display, str) and sought.display.casefold() != entry.display.casefold():
        return f"The display of {entry.code} is {entry.display!r}."
    return None


def _in_force(entry: CodeEntry, day: date) -> bool:
    after = entry.valid_from is None or entry.valid_from <= day
    return after and (entry.valid_to is None or day <= entry.valid_to)


def _property(name: str, kind: str, value: object) -> list[Values]:
    return [{"name": "property", "part": [{"name": "code", "valueCode": name}, {"name": "value", kind: value}]}]


def _number(values: Values, name: str, default: int, most: int) -> int:
    value = values.get(name, default)
    written = isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value)
    number = int(value) if written or (isinstance(value, int) and not isinstance(value, bool)) else -1
    if not 0 <= number <= most:
        raise Problem("invalid-request", f"{name} is a whole number from 0 to {most:,}.")
    return number
