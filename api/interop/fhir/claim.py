"""The draft Claim: diagnoses in their order, and the lines that point to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from api.interop.fhir.systems import HL7, URLS, coding, concept
from codeassist.result import System

if TYPE_CHECKING:
    from api.interop.fhir.writing import Coded, Item

_ON_ADMISSION = frozenset("YNUW")
_LAST = 1_000_000


def claim(coded: Coded, items: Sequence[Item], now: datetime) -> dict[str, Any]:
    """A Claim in draft. Provider and insurance are required by FHIR and unknown here: billing fills them in."""
    diagnoses = sorted((i for i in items if i["system"] == "icd-10-cm"), key=lambda i: i.get("sequence") or _LAST)
    places = {item["code"]: place for place, item in enumerate(diagnoses, 1)}
    default = "professional" if coded.setting == "outpatient" else "institutional"
    provider = coded.facts.get("serviceProvider") or {"display": "To be completed by billing"}
    resource: dict[str, Any] = {
        "resourceType": "Claim",
        "status": "draft",
        "type": concept(f"{HL7}/claim-type", coded.facts.get("claim", default)),
        "use": "claim",
        "patient": coded.subject,
        "billablePeriod": _period(coded),
        "created": now.date().isoformat(),
        "provider": provider,
        "priority": concept(f"{HL7}/processpriority", "normal"),
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "To be completed by billing"}}],
    }
    if diagnoses:
        resource["diagnosis"] = [_diagnosis(item, place) for place, item in enumerate(diagnoses, 1)]
    operations = [i for i in items if i["system"] == "icd-10-pcs"]
    if operations:
        resource["procedure"] = [_operation(coded, item, place) for place, item in enumerate(operations, 1)]
    lines = [i for i in items if i["system"] in ("cpt", "hcpcs")]
    if lines:
        resource["item"] = [_line(coded, item, place, places) for place, item in enumerate(lines, 1)]
    return resource


def _period(coded: Coded) -> dict[str, str]:
    period = coded.facts.get("period") or {}
    kept = {name: period[name] for name in ("start", "end") if name in period}
    return kept or {"start": coded.date_of_service, "end": coded.date_of_service}


def _diagnosis(item: Item, place: int) -> dict[str, Any]:
    made: dict[str, Any] = {"sequence": place, "diagnosisCodeableConcept": _concept(item)}
    if place == 1:
        made["type"] = [concept(f"{HL7}/ex-diagnosistype", "principal")]
    poa = item.get("poa")
    if poa in _ON_ADMISSION:
        made["onAdmission"] = concept(f"{HL7}/ex-diagnosis-on-admission", str(poa).lower())
    elif poa is not None:
        made["onAdmission"] = {"text": "Exempt from reporting"}
    return made


def _operation(coded: Coded, item: Item, place: int) -> dict[str, Any]:
    kind = concept(f"{HL7}/ex-procedure-type", "primary" if place == 1 else "secondary")
    return {
        "sequence": place,
        "type": [kind],
        "date": coded.date_of_service,
        "procedureCodeableConcept": _concept(item),
    }


def _line(coded: Coded, item: Item, place: int, places: Mapping[str, int]) -> dict[str, Any]:
    made: dict[str, Any] = {"sequence": place}
    pointers = [places[code] for code in item.get("diagnoses", ()) if code in places]
    if pointers:
        made["diagnosisSequence"] = pointers
    made["productOrService"] = _concept(item)
    modifiers = item.get("modifiers")
    if modifiers:
        # modifiers of two digits are CPT's, those that begin with a letter HCPCS Level II's
        made["modifier"] = [concept(URLS["cpt" if m.isdigit() else "hcpcs"], m) for m in modifiers]
    made["servicedDate"] = coded.date_of_service
    made["quantity"] = {"value": item.get("units") or 1}
    return made


def _concept(item: Item) -> dict[str, Any]:
    return {"coding": [coding(cast("System", item["system"]), item["code"], item["display"])]}
