"""Reads an encounter's code list from arguments or JSON, and writes a review as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from codeassist.errors import InputError
from codeassist.note import note_from_record
from codeassist.result import SYSTEMS, finding_record
from codeassist.rules.encounter import CodedLine, Encounter
from codeassist.rules.engine import Review
from codeassist.terminology.store import Store, normal_key

MOST_CODES = 1000
_WORD = re.compile(
    r"(?:(?P<system>[^:]*):)?(?P<code>[^/*=]*)(?:\*(?P<units>\d+))?(?:/(?P<poa>[^=]*))?(?:=(?P<diagnoses>.*))?",
    re.DOTALL,
)
_MODIFIERS = re.compile(r"(?P<code>\w{5})(?P<modifiers>(?:-\w\w)+)")


def encounter_from_arguments(codes: Sequence[str], store: Store, facts: Mapping[str, Any]) -> Encounter:
    """An encounter from words ``[SYSTEM:]CODE[-MODIFIER...][*UNITS][/POA][=DIAGNOSIS,...]``.

    ``cpt:99213-25=I10,E11.9`` is an office visit with modifier 25, linked to two diagnoses. Raises :class:`InputError`.
    """
    return encounter_from_record({"codes": [_word(word) for word in codes]}, store, facts)


def _word(word: str) -> dict[str, Any]:
    match = _WORD.fullmatch(word.strip())
    if match is None:
        raise InputError(f"{word!r} is not [SYSTEM:]CODE[-MODIFIER][*UNITS][/POA][=DIAGNOSIS,...]")
    code, modifiers = match["code"], ""
    with_modifiers = _MODIFIERS.fullmatch(code.strip())
    if with_modifiers:
        code, modifiers = with_modifiers["code"], with_modifiers["modifiers"]
    return {
        "system": match["system"] or None,
        "code": code,
        "poa": match["poa"] or None,
        "modifiers": modifiers.split("-")[1:],
        "units": int(match["units"]) if match["units"] else None,
        "diagnoses": [d for d in (match["diagnoses"] or "").split(",") if d],
    }


def encounter_from_record(record: Any, store: Store, facts: Mapping[str, Any] | None = None) -> Encounter:
    """An encounter from JSON: ``{"setting"?, "date_of_service"?, "patient"?, "codes": [{"system"?, "code", "poa"?,
    "modifiers"?, "units"?, "diagnoses"?}], "text"?}``; ``facts`` stand in for what the record leaves out, and ``text``
    is the note, for the rules that read it. Raises :class:`InputError` that names the field."""
    if isinstance(record, list):
        record = {"codes": record}
    if not isinstance(record, Mapping) or not isinstance(record.get("codes"), list):
        raise InputError("an encounter is an object with 'codes', a list")
    if len(record["codes"]) > MOST_CODES:
        raise InputError(f"{len(record['codes']):,} codes are more than one encounter can have ({MOST_CODES:,})")
    facts = facts or {}
    patient = record.get("patient") or {"age": facts.get("age"), "sex": facts.get("sex")}
    note = note_from_record(
        {
            "text": record.get("text") or "",
            "setting": record.get("setting") or facts.get("setting"),
            "date_of_service": record.get("date_of_service") or facts.get("date_of_service"),
            "patient": patient,
        }
    )
    lines = tuple(_line(c, store) for c in record["codes"])
    return Encounter(lines, note.setting, note.date_of_service, note.patient, note.text)


def _line(item: Any, store: Store) -> CodedLine:
    if isinstance(item, str):
        item = {"code": item}
    if not isinstance(item, Mapping) or not isinstance(item.get("code"), str) or not item["code"].strip():
        raise InputError("each code is an object with 'code', and 'system' where it is not clear")
    code = item["code"].strip()
    system = item.get("system") or system_of(code, store)
    if system not in SYSTEMS:
        raise InputError(f"unknown code system {system!r}: use {', '.join(SYSTEMS)}")
    row = store.row(system, code)
    units = item.get("units")
    if units is not None and (isinstance(units, bool) or not isinstance(units, int) or units < 1):
        raise InputError(f"'units' must be a whole number from 1, not {units!r}")
    return CodedLine(
        system,
        store.code(row) if row is not None else code.upper(),
        _poa(item.get("poa")),
        tuple(m.strip().upper() for m in _words(item, "modifiers")),
        units,
        tuple(_as_coded(d, store) for d in _words(item, "diagnoses")),
    )


def _poa(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, (str, int)) or isinstance(value, bool) or len(str(value).strip()) > 10:
        raise InputError("'poa' is one of Y, N, U, W and 1")
    return str(value).strip().upper()


def _words(item: Mapping[str, Any], name: str) -> list[str]:
    values = item.get(name) or []
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise InputError(f"'{name}' is a list of texts")
    return values


def _as_coded(code: str, store: Store) -> str:
    """A linked diagnosis as its own line is written."""
    code = code.strip()
    row = store.row("icd-10-cm", code)
    return store.code(row) if row is not None else code.upper()


def system_of(code: str, store: Store) -> str:
    """The system that a code most likely belongs to: the first that has it, else by its form."""
    key = normal_key(code)
    for system in SYSTEMS:
        if store.row(system, key) is not None:
            return system
    if len(key) == 7 and "." not in code:
        return "icd-10-pcs"
    if len(key) == 5 and key[:4].isdigit():
        return "cpt"
    return "icd-10-cm"


def review_record(review: Review) -> dict[str, Any]:
    """A review as the JSON of the design."""
    return {
        "findings": [finding_record(f) for f in review.findings],
        "sequence": [{"code": c, "reason": r} for c, r in review.sequence],
        "rules": list(review.rules),
        "editions": review.editions,
    }
