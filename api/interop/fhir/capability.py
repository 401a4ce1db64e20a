"""What the FHIR routes can do, and the project's own extensions, as FHIR states both."""

from __future__ import annotations

from typing import Any

from api.interop.fhir.systems import CANONICAL, DECISION, EVIDENCE, SUGGESTION
from api.interop.fhir.texts import READERS

_PUBLISHED = "2026-01-01"
_OPERATIONS = {
    "DocumentReference": [("suggest-codes", f"{CANONICAL}/OperationDefinition/suggest-codes")],
    "CodeSystem": [
        ("lookup", "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup"),
        ("validate-code", "http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code"),
    ],
    "ValueSet": [("expand", "http://hl7.org/fhir/OperationDefinition/ValueSet-expand")],
}
_PARTS: dict[str, dict[str, str]] = {
    SUGGESTION: {"probability": "decimal", "rank": "positiveInt", "tier": "code"},
    EVIDENCE: {
        "start": "unsignedInt",
        "end": "unsignedInt",
        "text": "string",
        "assertion": "code",
        "section": "string",
        "document": "Reference",
    },
    DECISION: {},
}
_ABOUT = {
    SUGGESTION: "Where a suggested code stands: the probability that a coder accepts it, its rank, and its tier.",
    EVIDENCE: "A span of the text/plain DocumentReference in the same Bundle, in 0-based Unicode code points.",
    DECISION: "How a final code came to be: accepted, replaced or added.",
}


def capability_statement(base: str, version: str) -> dict[str, Any]:
    """The CapabilityStatement of the service at ``base``."""
    resources = [
        {"type": name, "operation": [{"name": operation, "definition": url} for operation, url in rows]}
        for name, rows in _OPERATIONS.items()
    ]
    service = [
        {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}
            ]
        }
    ]
    definitions: dict[str, Any] = {"type": "StructureDefinition", "interaction": [{"code": "read"}]}
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _PUBLISHED,
        "kind": "instance",
        "software": {"name": "codeassist", "version": version},
        "implementation": {"description": "Suggested codes for clinical documents", "url": f"{base}/fhir"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": f"$suggest-codes reads attachments of type {', '.join(READERS)}.",
                "security": {"cors": True, "service": service},
                "resource": [*resources, definitions],
            }
        ],
    }


def structure_definition(name: str) -> dict[str, Any] | None:
    """The definition of one of the project's extensions by the last part of its address, or ``None``."""
    url = next((u for u in _PARTS if u.rsplit("/", 1)[1] == name), None)
    if url is None:
        return None
    parts = _PARTS[url]
    elements: list[dict[str, Any]] = [
        {"id": "Extension", "path": "Extension", "definition": _ABOUT[url], "min": 0, "max": "*"}
    ]
    for part, kind in parts.items():
        at = f"Extension.extension:{part}"
        elements.append({"id": at, "path": "Extension.extension", "sliceName": part, "min": 0, "max": "1"})
        elements.append({"id": f"{at}.url", "path": "Extension.extension.url", "fixedUri": part})
        elements.append({"id": f"{at}.value[x]", "path": "Extension.extension.value[x]", "type": [{"code": kind}]})
    elements.append({"id": "Extension.url", "path": "Extension.url", "fixedUri": url})
    if not parts:
        elements.append({"id": "Extension.value[x]", "path": "Extension.value[x]", "type": [{"code": "code"}]})
    return {
        "resourceType": "StructureDefinition",
        "id": name,
        "url": url,
        "name": name.capitalize(),
        "status": "active",
        "description": _ABOUT[url],
        "fhirVersion": "4.0.1",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": e} for e in ("Condition", "Condition.evidence", "Procedure")],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {"element": elements},
    }
