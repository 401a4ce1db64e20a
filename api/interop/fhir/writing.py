"""From codes to FHIR resources: Conditions, Procedures, a draft Claim, the text that was read, and Provenance."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from api.interop.fhir.claim import claim
from api.interop.fhir.systems import (
    CANONICAL,
    DECISION,
    EVIDENCE,
    HL7,
    NAMES,
    SUGGESTION,
    URLS,
    coding,
    concept,
)
from codeassist.note import Document
from codeassist.result import System

Item = Mapping[str, Any]
"""A suggestion or a chosen code, as the JSON of the design has it."""
SUPPLIES = frozenset("ABEJKLQV")
"""First letters of HCPCS codes for things rather than services: they stand on the claim, and are no Procedure."""
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, CANONICAL)
_UNKNOWN_PATIENT = {"display": "The patient of the document"}


@dataclass(frozen=True, slots=True)
class Coded:
    """Codes with what they are of: ``final`` when a coder has chosen them, otherwise suggested.

    ``facts`` are those of :meth:`api.interop.fhir.reading.Chart.facts`, as far as they are known.
    """

    id: str
    setting: str
    date_of_service: str
    model: Mapping[str, Any]
    terminology: Mapping[str, str]
    items: Sequence[Item]
    documents: Sequence[Document]
    facts: Mapping[str, Any]
    final: bool = False
    coder: str | None = None

    @property
    def subject(self) -> dict[str, str]:
        """The patient, as the resources refer to them."""
        return {"reference": self.facts["subject"]} if "subject" in self.facts else dict(_UNKNOWN_PATIENT)

    def url(self, *parts: str) -> str:
        """The address of a resource in the Bundle: the same for the same documents and code."""
        texts = [d.text for d in self.documents]
        return uuid.uuid5(_NAMESPACE, "\0".join([self.id, str(self.final), *texts, *parts])).urn


def bundle(coded: Coded, now: datetime) -> dict[str, Any]:
    """A Bundle (collection) of everything that is said of the codes."""
    texts = {d.id: coded.url("text", d.id) for d in coded.documents}
    conditions = [(i, condition(coded, i, texts)) for i in coded.items if i["system"] == "icd-10-cm"]
    services = [i for i in coded.items if i["system"] != "icd-10-cm"]
    procedures = [(i, procedure(coded, i, texts)) for i in services if not _is_supply(i)]
    entries = [(coded.url(i["system"], i["code"]), r) for i, r in (*conditions, *procedures)]
    billed = [i for i in coded.items if i.get("tier", "code") == "code"]
    if billed:
        entries.append((coded.url("claim"), claim(coded, billed, now)))
    entries += [(texts[d.id], _text(coded, d)) for d in coded.documents]
    targets = [url for url, _ in entries]
    entries.append((coded.url("provenance"), _provenance(coded, targets, texts, now)))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": _instant(now),
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }


def condition(coded: Coded, item: Item, texts: Mapping[str, str]) -> dict[str, Any]:
    """A diagnosis: provisional until a coder has chosen it, with the places of the note that it rests on."""
    status = "confirmed" if coded.final else "provisional"
    resource: dict[str, Any] = {"resourceType": "Condition"}
    extension = _facts(item)
    if extension:
        resource["extension"] = extension
    resource |= {
        "clinicalStatus": concept(f"{HL7}/condition-clinical", "active", "Active"),
        "verificationStatus": concept(f"{HL7}/condition-ver-status", status, status.capitalize()),
        "category": [concept(f"{HL7}/condition-category", "encounter-diagnosis", "Encounter Diagnosis")],
        "code": _code(item),
        "subject": coded.subject,
    }
    if "encounter" in coded.facts:
        resource["encounter"] = {"reference": coded.facts["encounter"]}
    evidence = [
        {"extension": [_evidence(e)], **({"detail": [{"reference": url}]} if (url := _place(e, texts)) else {})}
        for e in item["evidence"]
    ]
    return {**resource, "evidence": evidence} if evidence else resource


def procedure(coded: Coded, item: Item, texts: Mapping[str, str]) -> dict[str, Any]:
    """A service or procedure. Whether it was done is for the coder to say: until then its status is unknown."""
    resource: dict[str, Any] = {"resourceType": "Procedure"}
    extension = [*_facts(item), *(_evidence(e, _place(e, texts)) for e in item["evidence"])]
    if extension:
        resource["extension"] = extension
    resource |= {"status": "completed" if coded.final else "unknown", "code": _code(item), "subject": coded.subject}
    if "encounter" in coded.facts:
        resource["encounter"] = {"reference": coded.facts["encounter"]}
    resource["performedDateTime"] = coded.date_of_service
    reasons = [{"reference": coded.url("icd-10-cm", code)} for code in item.get("diagnoses", ()) if _held(coded, code)]
    return {**resource, "reasonReference": reasons} if reasons else resource


def _held(coded: Coded, code: str) -> bool:
    return any(i["system"] == "icd-10-cm" and i["code"] == code for i in coded.items)


def _is_supply(item: Item) -> bool:
    return item["system"] == "hcpcs" and item["code"][:1] in SUPPLIES


def _code(item: Item) -> dict[str, Any]:
    made: dict[str, Any] = {"coding": [coding(cast("System", item["system"]), item["code"], item["display"])]}
    return {**made, "text": item["display"]} if item["display"] else made


def _facts(item: Item) -> list[dict[str, Any]]:
    """The extension that says where a suggestion stands, or how a chosen code came to be."""
    if "probability" in item:
        parts = [
            {"url": "probability", "valueDecimal": item["probability"]},
            {"url": "rank", "valuePositiveInt": item["rank"]},
            {"url": "tier", "valueCode": item["tier"]},
        ]
        return [{"url": SUGGESTION, "extension": parts}]
    return [{"url": DECISION, "valueCode": item["origin"]}] if "origin" in item else []


def _evidence(evidence: Mapping[str, Any], document: str | None = None) -> dict[str, Any]:
    """The extension for one span: code points of the text/plain DocumentReference of the same Bundle."""
    parts: list[dict[str, Any]] = [
        {"url": "start", "valueUnsignedInt": evidence["start"]},
        {"url": "end", "valueUnsignedInt": evidence["end"]},
        {"url": "text", "valueString": evidence["text"]},
        {"url": "assertion", "valueCode": evidence["assertion"]["status"]},
    ]
    if evidence["section"]:
        parts.append({"url": "section", "valueString": evidence["section"]})
    if document is not None:
        parts.append({"url": "document", "valueReference": {"reference": document}})
    return {"url": EVIDENCE, "extension": parts}


def _place(evidence: Mapping[str, Any], texts: Mapping[str, str]) -> str | None:
    named = evidence.get("document")
    return texts.get(named) if named is not None else next(iter(texts.values()), None)


def _text(coded: Coded, document: Document) -> dict[str, Any]:
    """The text as it was read, which offsets count."""
    resource: dict[str, Any] = {"resourceType": "DocumentReference", "status": "current"}
    if document.note_type:
        resource["type"] = {"text": document.note_type}
    resource["subject"] = coded.subject
    source = coded.facts.get("sources", {}).get(document.id)
    if source:
        resource["relatesTo"] = [{"code": "transforms", "target": {"reference": source}}]
    data = base64.b64encode(document.text.encode("utf-8", "replace")).decode()
    resource["content"] = [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}]
    return resource


def _provenance(coded: Coded, targets: Sequence[str], texts: Mapping[str, str], now: datetime) -> dict[str, Any]:
    model = coded.model
    who = {
        "identifier": {"system": f"{CANONICAL}/model", "value": model["sha256"]},
        "display": f"codeassist, model {model['name']} {model['version']}",
    }
    agents: list[dict[str, Any]] = [{"type": concept(f"{HL7}/provenance-participant-type", "assembler"), "who": who}]
    if coded.coder is not None:
        verifier = concept(f"{HL7}/provenance-participant-type", "verifier")
        agents.append({"type": verifier, "who": {"display": coded.coder}})
    sources = coded.facts.get("sources", {})
    entities = [
        {"role": "source", "what": {"reference": sources.get(document) or url}} for document, url in texts.items()
    ]
    for system, edition in coded.terminology.items():
        known = system in URLS
        name = NAMES[cast("System", system)] if known else system
        url = URLS[cast("System", system)] if known else f"{CANONICAL}/edition/{system}"
        what = {"identifier": {"system": url, "value": edition}, "display": f"{name}, edition {edition}"}
        entities.append({"role": "quotation", "what": what})
    return {
        "resourceType": "Provenance",
        "target": [{"reference": url} for url in targets],
        "recorded": _instant(now),
        "agent": agents,
        "entity": entities,
    }


def _instant(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
