"""``$suggest-codes``: documents in, suggested codes as resources out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from api.errors import Problem
from api.interop.fhir.attachments import Source
from api.interop.fhir.reading import Chart, Read, chart_of, current, extract, read_contents
from api.interop.fhir.resources import Collected
from api.interop.fhir.writing import Coded, bundle
from api.store.base import now
from codeassist.note import Note, note_from_record

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant


async def read_documents(found: Collected, source: Source) -> list[Read]:
    """The content of the current documents among the resources. Raises :class:`Problem`."""
    documents = found.of_type("DocumentReference")
    if not documents:
        raise Problem("invalid-input", "There is no DocumentReference here.")
    return await read_contents(current(documents), source)


def suggested(chart: Chart, note: Note, record: Mapping[str, Any], candidates: bool = False) -> Coded:
    """Suggestions of tier ``code``, and where asked for the candidates too, as what FHIR resources are made of.

    ``record`` is a result as JSON.
    """
    items = [s for s in record["suggestions"] if candidates or s["tier"] == "code"]
    return Coded(
        id=record["id"],
        setting=record["setting"],
        date_of_service=record["date_of_service"],
        model=record["model"],
        terminology=record["terminology"],
        items=items,
        documents=note.parts,
        facts=chart.facts(),
    )


def suggest_codes(found: Collected, read: list[Read], assistant: CodeAssistant, limit: int) -> dict[str, Any]:
    """The Bundle for the documents read; ``includeCandidates`` among the parameters adds the candidates."""
    chart = chart_of(found, [extract(r) for r in read])
    note = note_from_record(chart.record())
    note.check_length(limit)
    result = assistant.suggest(note).as_record()
    return bundle(suggested(chart, note, result, found.parameters.get("includeCandidates") is True), now())


def codes_of(resources: Iterable[Any]) -> set[tuple[str, str]]:
    """System addresses and codes of Conditions that stand: neither refuted, entered in error, resolved nor inactive."""
    found: set[tuple[str, str]] = set()
    for resource in resources:
        if resource["resourceType"] != "Condition":
            continue
        if _status(resource, "verificationStatus") & {"refuted", "entered-in-error"}:
            continue
        if _status(resource, "clinicalStatus") & {"inactive", "resolved", "remission"}:
            continue
        for coding in resource.get("code", {}).get("coding", []):
            if "system" in coding and "code" in coding:
                found.add((coding["system"], coding["code"]))
    return found


def _status(resource: Any, name: str) -> set[str]:
    return {c.get("code") for c in resource.get(name, {}).get("coding", [])}
