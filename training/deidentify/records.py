"""Audited notes of JSON Lines without what names a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from codeassist.errors import InputError
from training.audited import audited_from_record
from training.deidentify.dates import OLDEST
from training.deidentify.surrogates import Surrogates
from training.deidentify.texts import Rewritten, kinds_of, rewrite

KEPT = ("setting", "note_type", "specialty", "weight")
KEPT_OF_CODES = ("system", "code", "sequence", "poa", "modifiers", "units", "diagnoses", "origin", "instead_of", "core")
"""Fields that are carried over as they are. What stands in no list here, or is made anew below, is left out."""


class Deidentifier:
    """Rewrites audited records with one secret key; ``counts`` tells how many identifiers of each kind were found."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.counts: Counter[str] = Counter()

    def __call__(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record with new text, dates, ids and offsets. Raises :class:`InputError` where it is no audited note."""
        note = audited_from_record(record).note
        patient = note.patient.id or f"note {note.id}"
        surrogates, everyone = Surrogates(self._key, patient), Surrogates(self._key, "")
        texts = {d.id: rewrite(d.text, surrogates, note.date_of_service) for d in note.parts}
        for text in texts.values():
            self.counts.update(kinds_of(text.found))
        out: dict[str, Any] = {"id": surrogates.token("note", note.id)}
        out |= {name: record[name] for name in KEPT if record.get(name) is not None}
        names = {d.id: surrogates.token("document", d.id) for d in note.parts}
        if note.documents:
            out["documents"] = [
                {"id": names[d.id], "text": texts[d.id].text, **({"note_type": d.note_type} if d.note_type else {})}
                for d in note.documents
            ]
        else:
            out["text"] = texts[note.id].text
        if record.get("date_of_service"):
            out["date_of_service"] = _moved(note.date_of_service, surrogates.days).isoformat()
        out["patient"] = _patient(note.patient.age, note.patient.sex, note.patient.id, everyone)
        first = next(iter(texts))
        out["codes"] = [_code(c, texts, names, first) for c in record["codes"]]
        if record.get("rejected"):
            out["rejected"] = [{k: r[k] for k in ("system", "code")} for r in record["rejected"]]
        if record.get("coder"):
            out["coder"] = everyone.token("coder", str(record["coder"]))
        return out


def _moved(day: date, days: int) -> date:
    try:
        return day + timedelta(days)
    except OverflowError:
        raise InputError(f"the date of service {day} can't be moved") from None


def _patient(age: float | None, sex: str | None, id: str | None, everyone: Surrogates) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if age is not None:
        out["age"] = min(age, OLDEST) if age > OLDEST - 1 else age
    if sex is not None:
        out["sex"] = sex
    if id is not None:
        out["id"] = everyone.token("patient", id)
    return out


def _code(
    code: Mapping[str, Any], texts: Mapping[str, Rewritten], names: Mapping[str, str], first: str
) -> dict[str, Any]:
    out = {name: code[name] for name in KEPT_OF_CODES if code.get(name) is not None}
    spans = []
    for e in code.get("evidence") or ():
        document = str(e["document"]) if e.get("document") else first
        if document not in texts:
            continue  # evidence of a document that is not there
        start, end = texts[document].span(int(e["start"]), int(e["end"]))
        spans.append({"start": start, "end": end, **({"document": names[document]} if e.get("document") else {})})
    if spans:
        out["evidence"] = spans
    return out
