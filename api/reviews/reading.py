"""Makes a decision as it was sent into one that can be kept: codes as the release writes them, quotes of the note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.reviews.coding import Coding, Key
from api.reviews.errors import DecisionImpossible, NotInRelease
from codeassist.note import Note
from codeassist.terminology.store import Store


def read_decision(kind: str, sent: Mapping[str, Any], coding: Coding, note: Note, store: Store) -> dict[str, Any]:
    """The details of a decision.

    Raises :class:`NotInRelease` for a code to be added that no edition has, and :class:`DecisionImpossible` for
    evidence outside the note. Codes that were suggested are known, whether or not a release has them.
    """
    details = dict(sent)
    if kind == "reordered":
        details["order"] = [_known(item, coding, store) for item in sent["order"]]
        return details
    if kind == "added":
        details |= _titled(sent, store)
        if "evidence" in sent:
            details["evidence"] = _evidence(sent["evidence"], note)
        return details
    details |= _known(sent, coding, store)
    if kind == "replaced":
        by = _titled(sent["by"], store)
        details |= {"display": by.pop("display"), "by": by}
    if kind == "linked":
        details["diagnoses"] = [written("icd-10-cm", code, store) for code in sent["diagnoses"]]
    return details


def _known(item: Mapping[str, Any], coding: Coding, store: Store) -> dict[str, Any]:
    """What was offered as it was offered; any other code as the release writes it."""
    sent: Key = (item["system"], item["code"])
    if sent in coding.offered:
        return {"system": sent[0], "code": sent[1]}
    return {"system": sent[0], "code": written(*sent, store)}


def _titled(item: Mapping[str, Any], store: Store) -> dict[str, Any]:
    code = written(item["system"], item["code"], store)
    row = store.row(item["system"], code)
    assert row is not None
    return {"system": item["system"], "code": code, "display": store.title(row)}


def written(system: str, code: str, store: Store) -> str:
    """The code as the release writes it. Raises :class:`NotInRelease`."""
    row = store.row(system, code)
    if row is None:
        raise NotInRelease(f"no edition of {system} in the index has the code {code!r}")
    return store.code(row)


def _evidence(spans: Sequence[Mapping[str, Any]], note: Note) -> list[dict[str, Any]]:
    texts = {part.id: part.text for part in note.parts}
    out = []
    for span in spans:
        document = span.get("document")
        if document is None and len(texts) > 1:
            raise DecisionImpossible("evidence in an encounter of several documents names its document")
        text = texts.get(document) if note.documents and document is not None else note.parts[0].text
        if text is None or not 0 <= span["start"] < span["end"] <= len(text):
            raise DecisionImpossible(f"the note has no span {span['start']} to {span['end']} here")
        quote = text[span["start"] : span["end"]]
        found = {"start": span["start"], "end": span["end"], "text": quote, "section": "", "assertion": _PRESENT}
        out.append(found if document is None else {**found, "document": document})
    return out


_PRESENT = {"status": "present"}
"""What a coder codes from is taken as asserted."""
