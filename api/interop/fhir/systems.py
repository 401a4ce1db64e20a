"""The addresses that FHIR gives to the code systems, and to what else stands in the resources."""

from __future__ import annotations

from collections.abc import Mapping

from codeassist.result import System

URLS: Mapping[System, str] = {
    "icd-10-cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "icd-10-pcs": "http://www.cms.gov/Medicare/Coding/ICD10",
    "cpt": "http://www.ama-assn.org/go/cpt",
    "hcpcs": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
}
"""As HL7 Terminology (THO) lists them."""
_OIDS: Mapping[str, System] = {
    "urn:oid:2.16.840.1.113883.6.90": "icd-10-cm",
    "urn:oid:2.16.840.1.113883.6.4": "icd-10-pcs",
    "urn:oid:2.16.840.1.113883.6.12": "cpt",
    "urn:oid:2.16.840.1.113883.6.285": "hcpcs",
}
NAMES: Mapping[System, str] = {
    "icd-10-cm": "ICD-10-CM",
    "icd-10-pcs": "ICD-10-PCS",
    "cpt": "CPT",
    "hcpcs": "HCPCS Level II",
}
HL7 = "http://terminology.hl7.org/CodeSystem"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CANONICAL = "https://codeassist.invalid/fhir"
"""The base of the project's own definitions; ``.invalid`` because it is a name and no address (RFC 2606)."""
SUGGESTION = f"{CANONICAL}/StructureDefinition/suggestion"
EVIDENCE = f"{CANONICAL}/StructureDefinition/evidence"
DECISION = f"{CANONICAL}/StructureDefinition/decision"
MODIFIER = "http://www.ama-assn.org/go/cpt"


def system_of(url: str) -> System | None:
    """The code system of an address, with or without a version after ``|``.

    >>> system_of("http://hl7.org/fhir/sid/icd-10-cm|2026")
    'icd-10-cm'
    """
    plain = url.split("|", 1)[0].rstrip("/")
    return next((name for name, known in URLS.items() if known == plain), _OIDS.get(plain))


def coding(system: System, code: str, display: str) -> dict[str, str]:
    """A ``Coding``; a code without a title has no display."""
    made = {"system": URLS[system], "code": code}
    return {**made, "display": display} if display else made


def concept(system: str, code: str, display: str | None = None) -> dict[str, object]:
    """A ``CodeableConcept`` with one coding."""
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}
