"""Reads an encounter's code list from arguments or JSON, and writes a review as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from codeassist.errors import InputError
from codeassist.note import note_from_record
from codeassist.result import SYSTEMS, System, finding_record
from codeassist.rules.encounter import CodedLine, Encounter
from codeassist.rules.engine import Review
from codeassist.terminology.store import Store, normal_key

MOST_CODES = 1000
"""Most codes of one encounter."""
MOST_LINKED = 100
"""Most modifiers, and most linked diagnoses, of one code."""
MOST_UNITS = 999_999_999
LONGEST_CODE = 20
"""Longest code, modifier or linked diagnosis, without its blanks."""
_SERVICES: tuple[System, ...] = ("cpt", "hcpcs", "icd-10-cm", "icd-10-pcs")
_WORD = re.compile(
    r"(?:(?P<system>[^:]*):)?(?P<code>[^/*=]*)(?:\*(?P<units>\d{1,9}))?(?:/(?P<poa>[^=]*))?(?:=(?P<diagnoses>.*))?",
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
    lines = []
    for place, item in enumerate(record["codes"], 1):
        try:
            lines.append(_line(item, store))
        except InputError as error:
            raise InputError(f"code {place} of {len(record['codes'])}: {error}") from None
    return Encounter(tuple(lines), note.setting, note.date_of_service, note.patient, note.text)


def _line(item: Any, store: Store) -> CodedLine:
    if isinstance(item, str):
        item = {"code": item}
    if not isinstance(item, Mapping) or not isinstance(item.get("code"), str):
        raise InputError("each code is an object with 'code', and 'system' where it is not clear")
    code = _bare(item["code"], "code")
    if not normal_key(code):
        raise InputError("the 'code' is empty")
    units = item.get("units")
    if units is not None and (isinstance(units, bool) or not isinstance(units, int) or not 1 <= units <= MOST_UNITS):
        raise InputError(f"'units' must be a whole number from 1 to {MOST_UNITS:,}")
    modifiers, diagnoses = _words(item, "modifiers"), _words(item, "diagnoses")
    system = item.get("system") or system_of(code, store, bool(units or modifiers or diagnoses))
    if system not in SYSTEMS:
        raise InputError(f"unknown code system {system!r}: use {', '.join(SYSTEMS)}")
    return CodedLine(
        system,
        _as_coded(code, store, system),
        _poa(item.get("poa")),
        tuple(m.upper() for m in modifiers),
        units,
        tuple(_as_coded(d, store, "icd-10-cm") for d in diagnoses),
    )


def _bare(text: str, name: str) -> str:
    """A code without the blanks around and inside it. Raises :class:`InputError` for what is no code at all."""
    bare = "".join(text.split())
    if len(bare) > LONGEST_CODE or not bare.isprintable():
        raise InputError(f"'{name}' has at most {LONGEST_CODE} printable characters")
    return bare


def _poa(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise InputError("'poa' is one of Y, N, U, W and 1")
    return _bare(str(value), "poa").upper() or None


def _words(item: Mapping[str, Any], name: str) -> list[str]:
    values = item.get(name) or []
    if not isinstance(values, list) or len(values) > MOST_LINKED or not all(isinstance(v, str) for v in values):
        raise InputError(f"'{name}' is a list of at most {MOST_LINKED} texts")
    return [bare for value in values if normal_key(bare := _bare(value, name))]


def _as_coded(code: str, store: Store, system: str) -> str:
    """A code as a claim has it: as the release writes it, and in capitals when no release has it."""
    row = store.row(system, code)
    return store.code(row) if row is not None else code.upper()


def system_of(code: str, store: Store, service: bool = False) -> str:
    """The system of a code that is named without one.

    A code with a dot is ICD-10-CM, which alone writes dots. Any other belongs to the first of ICD-10-CM, ICD-10-PCS,
    CPT and HCPCS that has it, or, when its line has what only a ``service`` has (modifiers, units, linked diagnoses),
    of CPT, HCPCS, ICD-10-CM and ICD-10-PCS: some hundred HCPCS codes are ICD-10-CM codes without their dot. A code
    that none of them has is told by its form.
    """
    if "." in code:
        return "icd-10-cm"
    key = normal_key(code)
    for system in _SERVICES if service else SYSTEMS:
        if store.row(system, key) is not None:
            return system
    if len(key) == 7 and (key[0].isdigit() or store.prefix("icd-10-pcs", key[:3])):
        return "icd-10-pcs"
    if len(key) == 5 and key.isascii() and key[:4].isdigit():
        return "cpt"
    return "hcpcs" if service and len(key) == 5 else "icd-10-cm"


def review_record(review: Review) -> dict[str, Any]:
    """A review as the JSON of the design."""
    return {
        "findings": [finding_record(f) for f in review.findings],
        "sequence": [{"code": c, "reason": r} for c, r in review.sequence],
        "rules": list(review.rules),
        "editions": review.editions,
    }
